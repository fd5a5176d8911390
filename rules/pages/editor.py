"""The editor: subscribe, edit a rule, add or edit a target. One form, of which a page shows the parts it is about."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from catalog import stamps
from catalog.access import needs
from catalog.models import EventType
from rules import registry, revisions
from rules.draft import Draft
from rules.filtering import filter_of
from rules.forms import PolicyForm, RuleForm, bus_for, free_rule_name, team_for
from rules.models import POLICY_FIELDS, Rule, Target
from rules.pages.delivering import Delivering, delivering
from rules.pages.editor_page import Page, asked_to, saved, saving
from rules.pages.starting import Start
from rules.past import past
from rules.sending import Sending


@needs("rules.add_rule")
def subscribe(request: HttpRequest) -> HttpResponse:
    """Makes a rule with its first target: a draft, or one that listens from now on."""
    wanted = request.GET.get("type", "").strip()
    bus, team = bus_for(wanted), team_for(request.user)
    if bus is None or team is None:
        return render(request, "rules/nothing_yet.html", {"bus": bus, "team": team})
    rule, target = Rule(bus=bus, team=team, created_by_id=request.user.pk), Target()
    if request.method == "POST":
        draft = Draft.read(request.POST)
    else:
        draft = Draft.of(types=[wanted] if wanted else [])
        rule.name = free_rule_name(_new_name(draft), bus)
        target.name = str(_("Request bin")) if registry.places() else ""
    rule_form = RuleForm(_bind(request), instance=rule)
    policy = PolicyForm(_bind(request), instance=target)
    to, start = delivering(request), Start.read(request)
    if saving(request) and _all_valid(draft, rule_form, policy, to, start):
        _take_filter(rule, draft)
        rule.draft = asked_to(request, "draft")
        rule.enabled = not rule.draft
        with transaction.atomic():
            stamps.hold_log()
            _settle(request, target, draft, policy, to, rule_form.cleaned_data["team"])
            revisions.subscribe(rule, target, by=request.user)
            if rule.enabled:
                start.begin(target)
        return _done(request, rule, target)
    title = _("New rule")
    return Page(
        request, draft, title=title, rule=rule, rule_form=rule_form, policy=policy, to=to, start=start
    ).answer()


@needs("rules.change_rule")
def edit_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Changes what a rule listens to and keeps; a rule with one target or none is edited together with it.

    A change of what a listening rule takes is saved when its consequences were seen: field `confirmed` names it.
    """
    rule = get_object_or_404(Rule.objects.select_related("bus", "team"), pk=pk)
    before, targets = filter_of(rule), list(rule.targets.all())
    target = targets[0] if len(targets) == 1 else Target(rule=rule)
    together = len(targets) < 2 and (request.method != "POST" or "target-name" in request.POST)
    together = together and request.user.has_perm("rules.change_target")
    if request.method == "POST":
        draft = Draft.read(request.POST)
    else:
        draft = Draft.of(rule, target if targets and together else None)
    rule_form = RuleForm(_bind(request), instance=rule)
    policy = PolicyForm(_bind(request), instance=target, rule=rule) if together else None
    to = delivering(request, target) if together else None
    # Only what never took an event can begin in the past.
    start = Start.read(request) if together and (rule.draft or (rule.enabled and not target.pk)) else None
    page = Page(
        request,
        draft,
        title=rule.name if request.method != "POST" else request.POST.get("name") or rule.name,
        rule=rule,
        rule_form=rule_form,
        policy=policy,
        to=to,
        target=target if target.pk and together else None,
        targets=targets if not together else [],
        start=start,
    )
    if not saving(request) or not _all_valid(draft, rule_form, *filter(None, (policy, to, start))):
        return page.answer()
    after = draft.filter
    assert after is not None
    if request.POST.get("revision", "") not in ("", str(rule.revision)):
        page.overtaken = True
        return page.answer()
    if rule.enabled and after != before and request.POST.get("confirmed") != page.digest:
        page.difference = past().difference(rule.bus_id, before, after)
        return page.answer()
    with transaction.atomic():
        stamps.hold_log()
        _take_filter(rule, draft)
        if asked_to(request, "start"):
            revisions.start(rule, by=request.user)
        elif rule_form.has_changed() or after != before:
            revisions.save_rule(rule, by=request.user)
        if policy is not None and to is not None:
            old = Target.objects.filter(pk=target.pk).first()
            _settle(request, target, draft, policy, to, rule.team)
            if old is None or _differs(old, target):
                revisions.save_target(target, by=request.user)
        if start is not None and rule.enabled:
            start.begin(target)
    return _done(request, rule, target if together else None)


@needs("rules.add_target")
def add_target(request: HttpRequest, pk: int) -> HttpResponse:
    """Adds a target to a rule."""
    rule = get_object_or_404(Rule.objects.select_related("bus", "team"), pk=pk)
    target = Target(rule=rule)
    draft = _target_draft(request, rule, None)
    policy = PolicyForm(_bind(request), instance=target, rule=rule)
    to, start = delivering(request), Start.read(request) if rule.enabled else None
    if saving(request) and _all_valid(draft, policy, to, *filter(None, (start,))):
        with transaction.atomic():
            stamps.hold_log()
            _settle(request, target, draft, policy, to, rule.team)
            revisions.save_target(target, by=request.user)
            if start is not None:
                start.begin(target)
        said = _("%(target)s gets every event of this rule from now on.") % {"target": target.name}
        messages.success(request, said if rule.enabled else _("Saved. The rule does not listen now."))
        return saved(request, "rule", rule.pk)
    title = _("Add a target to %(rule)s") % {"rule": rule.name}
    return Page(request, draft, title=title, rule=rule, policy=policy, to=to, start=start).answer()


@needs("rules.change_target")
def edit_target(request: HttpRequest, pk: int) -> HttpResponse:
    """Changes where and how a target delivers; what is not sent yet uses the new settings."""
    target = get_object_or_404(Target.objects.select_related("rule__bus", "rule__team"), pk=pk)
    rule = target.rule
    draft = _target_draft(request, rule, target)
    policy = PolicyForm(_bind(request), instance=target, rule=rule)
    to = delivering(request, target)
    if saving(request) and _all_valid(draft, policy, to):
        _settle(request, target, draft, policy, to, rule.team)
        revisions.save_target(target, by=request.user)
        messages.success(request, _("Saved. What has not been sent yet goes out with these settings."))
        return saved(request, "target", target.pk)
    title = _("Edit %(target)s") % {"target": target.name}
    return Page(request, draft, title=title, rule=rule, policy=policy, to=to, target=target).answer()


@needs("rules.view_rule")
def type_options(request: HttpRequest) -> HttpResponse:
    """Event types whose name holds what is being typed, as options of a datalist."""
    typed = request.GET.get("add_type", "").strip()
    names = (
        EventType.objects.filter(name__icontains=typed).values_list("name", flat=True)[:30] if typed else []
    )
    return render(request, "rules/type_options.html", {"names": names})


def _bind(request: HttpRequest) -> Any:
    """The form's data; None shows what is stored."""
    return request.POST if request.method == "POST" else None


def _target_draft(request: HttpRequest, rule: Rule, target: Target | None) -> Draft:
    """The target's transform from the form; the rule's filter is not edited here, whatever the form says."""
    shown = Draft.of(rule, target)
    if request.method == "POST":
        shown.sending = Sending.read(request.POST)
    return shown.checked()


def _all_valid(draft: Draft, *parts: RuleForm | PolicyForm | Delivering | Start) -> bool:
    """Checks every part, so that a person sees all that is wrong at once."""
    answers = [draft.filter is not None, draft.transform is not None, *(part.is_valid() for part in parts)]
    return all(answers)


def _take_filter(rule: Rule, draft: Draft) -> None:
    assert draft.filter is not None
    rule.pattern, rule.sql, rule.filters = draft.pattern or {}, draft.sql, draft.filters or []


def _settle(
    request: HttpRequest, target: Target, draft: Draft, policy: PolicyForm, to: Delivering, team: Any
) -> None:
    target.connector, target.config = to.settle(request, team, policy.cleaned_data["name"])
    target.transform = draft.transform or {"kind": "complete"}


def _differs(old: Target, new: Target) -> bool:
    names = ("name", "connector", "config", "transform", "contract", *POLICY_FIELDS)
    return any(getattr(old, name) != getattr(new, name) for name in names)


def _done(request: HttpRequest, rule: Rule, target: Target | None) -> HttpResponse:
    """Says what was saved, and shows the rule; the editor again while it is a draft."""
    if rule.draft:
        messages.success(request, _("Saved as a draft. It does not listen yet, and nothing is sent."))
        return saved(request, "edit-rule", rule.pk)
    if not rule.enabled:
        messages.success(request, _("Saved. The rule is switched off: events pass it by."))
    elif asked_to(request, "start"):
        where = target.name if target is not None else _("its targets")
        said = _("Listening. The next event that fits goes to %(target)s.") % {"target": where}
        messages.success(request, said)
    else:
        messages.success(request, _("Saved. It holds for every event from now on."))
    return saved(request, "rule", rule.pk)


def _new_name(draft: Draft) -> str:
    if draft.types:
        return str(_("%(type)s to a request bin") % {"type": draft.types[0]})
    return str(_("New rule"))
