"""The editor: subscribe, edit a rule, add or edit a target. One form, of which a page shows the parts it is about."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _

from catalog import stamps
from catalog.access import needs
from catalog.models import EventType
from rules import revisions
from rules.draft import Draft
from rules.filtering import filter_of
from rules.forms import RuleForm, bus_for, bus_in, team_for
from rules.models import Rule, Target
from rules.pages.delivering import delivering, rule_name
from rules.pages.editor_page import Page, asked_to, saved, saving
from rules.pages.starting import begin_all
from rules.pages.target_part import TargetPart
from rules.past import past
from rules.sending import Sending

Done = Callable[[HttpRequest, Rule, Target, str], HttpResponse]
"""Answers for a rule that was just saved with its target; the text says what that gets before new events."""


@needs("rules.add_rule")
def subscribe(request: HttpRequest) -> HttpResponse:
    """Makes a rule with its first target: a draft, or one that listens from now on. `?type=` and `?subject=` fill it."""
    return make_rule(request, "rules/editor.html", _done)


def make_rule(request: HttpRequest, template: str, done: Done) -> HttpResponse:
    """The editor of a new rule in `template`; `done` answers once it is saved."""
    wanted = request.GET.get("type", "").strip()
    bus, team = bus_for(wanted), team_for(request.user)
    if bus is None or team is None:
        return render(request, "rules/nothing_yet.html", {"bus": bus, "team": team})
    rule, target = Rule(bus=bus, team=team, created_by_id=request.user.pk), Target()
    if request.method == "POST":
        draft = Draft.read(request.POST)
    else:
        draft = Draft.of(types=[wanted] if wanted else [], subject=request.GET.get("subject", "")[:255])
    sent = request.POST.copy() if request.method == "POST" else None
    about = bus_in(sent) if sent is not None else bus
    rule.name, suggested = rule_name(request, delivering(request), draft.types, about)
    if sent is not None:
        sent["name"] = rule.name
    rule_form, part = RuleForm(sent, instance=rule), TargetPart.read(request, target, rule)
    _fill(request, draft, part)
    page = Page(
        request,
        draft,
        _("New rule"),
        rule,
        rule_form,
        part,
        template=template,
        suggested=suggested,
    )
    if not saving(request) or not _all_valid(draft, rule_form, part):
        return page.answer()
    asking = asked_to(request, "ask")
    rule.draft = asking or asked_to(request, "draft")
    rule.enabled = not rule.draft
    if rule.enabled and (unfit := part.unfit(draft, rule.bus_id)):
        page.unfit = unfit
        return page.answer()
    if (rule.enabled and page.approval.refused) or (asking and not page.approval.may_ask()):
        return page.answer()
    if rule.enabled and page.takes_nothing():
        return page.answer()
    _take_filter(rule, draft)
    first = part.promise(draft, rule.bus_id) if rule.enabled else ""
    with transaction.atomic():
        stamps.hold_log()
        part.settle(request, draft, rule.team)
        revisions.subscribe(rule, target, by=request.user)
        part.begin()
        if asking:
            page.approval.ask(request.user)
    # A draft is gone on with in the editor.
    return (_done if rule.draft else done)(request, rule, target, first)


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
    rule_form = RuleForm(request.POST if request.method == "POST" else None, instance=rule)
    # Only what never took an event can begin in the past.
    starts = rule.draft or (rule.enabled and not target.pk)
    part = TargetPart.read(request, target, rule, starts) if together else None
    _fill(request, draft, part)
    title = request.POST.get("name") or rule.name
    page = Page(request, draft, title, rule, rule_form, part, targets=targets if not together else [])
    if not saving(request) or not _all_valid(draft, rule_form, *filter(None, (part,))):
        return page.answer()
    starting, asking = asked_to(request, "start"), asked_to(request, "ask")
    page.overtaken = request.POST.get("revision", "") not in ("", str(rule.revision))
    if part is not None and (rule.enabled or starting):
        page.unfit = part.unfit(draft, rule.bus_id)
    if page.overtaken or page.unfit or page.only_asked():
        return page.answer()
    if asking and not page.approval.may_ask():
        return page.answer()
    if (rule.enabled or starting) and page.approval.refused:
        return page.answer()
    if starting and page.takes_nothing():
        return page.answer()
    after = draft.filter
    assert after is not None
    if rule.enabled and after != before and request.POST.get("confirmed") != page.digest:
        page.difference = past().difference(rule.bus_id, before, after)
        return page.answer()
    first = part.promise(draft, rule.bus_id) if part is not None and (rule.enabled or starting) else ""
    with transaction.atomic():
        stamps.hold_log()
        _take_filter(rule, draft)
        settled = part is not None and part.settle(request, draft, rule.team)
        along = target if part is not None else None
        if starting:
            revisions.start(rule, by=request.user, along=along)
        elif rule_form.has_changed() or after != before:
            revisions.save_rule(rule, by=request.user, along=along)
        if part is not None:
            if settled:
                revisions.save_target(target, by=request.user)
            part.begin()
        elif starting:
            begin_all(rule)
        if asking:
            page.approval.ask(request.user)
    return _done(request, rule, target if together else None, first)


@needs("rules.add_target")
def add_target(request: HttpRequest, pk: int) -> HttpResponse:
    """Adds a target to a rule."""
    rule = get_object_or_404(Rule.objects.select_related("bus", "team"), pk=pk)
    target = Target(rule=rule)
    draft, part = (
        _target_draft(request, rule, None),
        TargetPart.read(request, target, rule, rule.enabled or rule.draft),
    )
    _fill(request, draft, part)
    page = Page(
        request, draft, title=_("Add a target to %(rule)s") % {"rule": rule.name}, rule=rule, part=part
    )
    if not _savable(page, part):
        return page.answer()
    first = part.promise(draft, rule.bus_id) if rule.enabled else ""
    with transaction.atomic():
        stamps.hold_log()
        part.settle(request, draft, rule.team)
        revisions.save_target(target, by=request.user)
        part.begin()
        if asked_to(request, "ask"):
            page.approval.ask(request.user)
    if not rule.enabled:
        said = _("Saved. The rule does not listen now.")
    elif first:
        said = _("%(target)s gets %(first)s.") % {"target": target.name, "first": first}
    else:
        said = _("%(target)s gets every event of this rule from now on.") % {"target": target.name}
    messages.success(request, said)
    return saved(request, "rule", rule.pk)


@needs("rules.change_target")
def edit_target(request: HttpRequest, pk: int) -> HttpResponse:
    """Changes where and how a target delivers; what is not sent yet uses the new settings."""
    target = get_object_or_404(Target.objects.select_related("rule__bus", "rule__team"), pk=pk)
    rule = target.rule
    draft, part = _target_draft(request, rule, target), TargetPart.read(request, target, rule, rule.draft)
    _fill(request, draft, part)
    page = Page(request, draft, title=_("Edit %(target)s") % {"target": target.name}, rule=rule, part=part)
    if not _savable(page, part):
        return page.answer()
    with transaction.atomic():
        stamps.hold_log()
        part.settle(request, draft, rule.team)
        revisions.save_target(target, by=request.user)
        part.begin()
        if asked_to(request, "ask"):
            page.approval.ask(request.user)
    messages.success(request, _("Saved. What has not been sent yet goes out with these settings."))
    return saved(request, "target", target.pk)


@needs("rules.view_rule")
def type_options(request: HttpRequest) -> HttpResponse:
    """Event types whose name holds what is being typed, as options of a datalist."""
    typed = request.GET.get("add_type", "").strip()
    names = (
        EventType.objects.filter(name__icontains=typed).values_list("name", flat=True)[:30] if typed else []
    )
    return render(request, "rules/type_options.html", {"names": names})


def _target_draft(request: HttpRequest, rule: Rule, target: Target | None) -> Draft:
    """The target's transform from the form; the rule's filter is not edited here, whatever the form says."""
    shown = Draft.of(rule, target)
    if request.method == "POST":
        shown.sending = Sending.read(request.POST)
    return shown.checked()


def _fill(request: HttpRequest, draft: Draft, part: TargetPart | None) -> None:
    if request.POST.get("do") == "fill-contract" and part is not None:
        part.fill(draft)


def _savable(page: Page, part: TargetPart) -> bool:
    """Whether a target by itself was sent to be saved and can be; the page then says why not."""
    if not saving(page.request) or not _all_valid(page.draft, part):
        return False
    if page.only_asked() or (asked_to(page.request, "ask") and not page.approval.may_ask()):
        return False
    if page.rule.enabled:
        page.unfit = part.unfit(page.draft, page.rule.bus_id)
        return not page.unfit and page.approval.refused is None
    return True


def _all_valid(draft: Draft, *parts: RuleForm | TargetPart) -> bool:
    """Checks every part, so that a person sees all that is wrong at once."""
    answers = [draft.filter is not None, draft.transform is not None, *(part.is_valid() for part in parts)]
    return all(answers)


def _take_filter(rule: Rule, draft: Draft) -> None:
    assert draft.filter is not None
    rule.pattern, rule.sql, rule.filters = draft.pattern or {}, draft.sql, draft.filters or []


def _done(request: HttpRequest, rule: Rule, target: Target | None, first: str) -> HttpResponse:
    """Says what was saved, and shows the rule; the editor again while it is a draft.

    `first`: what the target gets before new events, "" for nothing.
    """
    if rule.draft and asked_to(request, "ask"):
        messages.success(
            request, _("Saved as a draft, and asked. The answer is shown here and on the rule's page.")
        )
        return saved(request, "edit-rule", rule.pk)
    if rule.draft:
        messages.success(request, _("Saved as a draft. It does not listen yet, and nothing is sent."))
        return saved(request, "edit-rule", rule.pk)
    if not rule.enabled:
        messages.success(request, _("Saved. The rule is switched off: events pass it by."))
    elif first and target is not None:
        said = _("Listening. %(target)s gets %(first)s.") % {"target": target.name, "first": first}
        messages.success(request, said)
    elif asked_to(request, "start"):
        where = target.name if target is not None else _("its targets")
        said = _("Listening. The next event that fits goes to %(target)s.") % {"target": where}
        messages.success(request, said)
    else:
        messages.success(request, _("Saved. It holds for every event from now on."))
    return saved(request, "rule", rule.pk)
