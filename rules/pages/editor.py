"""The editor: subscribe, edit a rule, add or edit a target. One form, of which a page shows the parts it is about."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.access import needs
from catalog.models import Bus, EventType, Team
from rules import registry, revisions
from rules.conditions import METHODS
from rules.config_form import ConfigForm
from rules.draft import Draft
from rules.forms import PolicyForm, RuleForm, bus_for, free_rule_name, team_for
from rules.models import Rule, Target


@dataclass
class Delivering:
    """Section "Deliver to": `choice` is "place:NAME" or "connector:NAME"."""

    choice: str
    forms: list[ConfigForm]

    @property
    def chosen(self) -> ConfigForm | None:
        """The settings form of the chosen connector; None for a place that is made on the spot."""
        return next((form for form in self.forms if self.choice == f"connector:{form.connector.name}"), None)

    @property
    def place(self) -> registry.Place | None:
        """The place to make, when one was chosen."""
        kind, _colon, name = self.choice.partition(":")
        return registry.place(name) if kind == "place" else None

    @property
    def label(self) -> str:
        """What was chosen, in words."""
        if self.chosen is not None:
            return self.chosen.connector.label
        return str(self.place.label) if self.place else ""


def delivering(request: HttpRequest, target: Target | None = None) -> Delivering:
    """Reads section "Deliver to" of a request, or shows what `target` has."""
    stored = {target.connector: target.config} if target is not None and target.connector else {}
    default = f"connector:{target.connector}" if stored and target else _first_choice()
    choice = (request.POST.get("deliver") or default) if request.method == "POST" else default
    found = []
    for connector in registry.connectors():
        bound = request.method == "POST" and choice == f"connector:{connector.name}"
        found.append(ConfigForm(connector, request.POST if bound else None, stored.get(connector.name)))
    return Delivering(choice, found)


def _first_choice() -> str:
    for place in registry.places():
        return f"place:{place.name}"
    return next((f"connector:{connector.name}" for connector in registry.connectors()), "")


def _saving(request: HttpRequest) -> bool:
    return request.method == "POST" and request.POST.get("do", "save") == "save"


def _bind(request: HttpRequest) -> Any:
    """The form's data when it is to be saved; None keeps errors away while a person still adds and removes."""
    return request.POST if request.method == "POST" else None


@needs("rules.add_rule")
def subscribe(request: HttpRequest) -> HttpResponse:
    """Makes a rule with its first target."""
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
    to = delivering(request)
    if _saving(request) and _all_valid(draft, rule_form, policy, to):
        target.connector, target.config = _where(request, to, rule_form.cleaned_data["team"], policy)
        target.transform = draft.transform or {"kind": "complete"}
        rule.pattern = draft.pattern or {}
        revisions.subscribe(rule, target, by=request.user)
        messages.success(
            request, _("Listening. The next event that fits goes to %(target)s.") % {"target": target.name}
        )
        return redirect("rule", rule.pk)
    return _page(request, draft, rule_form=rule_form, policy=policy, to=to, title=_("Subscribe"))


@needs("rules.change_rule")
def edit_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Changes what a rule listens to and keeps."""
    rule = get_object_or_404(Rule, pk=pk)
    draft = Draft.read(request.POST) if request.method == "POST" else Draft.of(rule)
    rule_form = RuleForm(_bind(request), instance=rule)
    if _saving(request) and _all_valid(draft, rule_form):
        rule.pattern = draft.pattern or {}
        revisions.save_rule(rule, by=request.user)
        messages.success(request, _("Saved. It holds for every event from now on."))
        return redirect("rule", rule.pk)
    return _page(
        request, draft, rule_form=rule_form, rule=rule, title=_("Edit %(rule)s") % {"rule": rule.name}
    )


@needs("rules.add_target")
def add_target(request: HttpRequest, pk: int) -> HttpResponse:
    """Adds a target to a rule."""
    rule = get_object_or_404(Rule.objects.select_related("bus", "team"), pk=pk)
    target = Target(rule=rule)
    draft = _target_draft(request, rule, None)
    policy = PolicyForm(_bind(request), instance=target, rule=rule)
    to = delivering(request)
    if _saving(request) and _all_valid(draft, policy, to):
        target.connector, target.config = _where(request, to, rule.team, policy)
        target.transform = draft.transform or {"kind": "complete"}
        revisions.save_target(target, by=request.user)
        messages.success(
            request, _("%(target)s gets every event of this rule from now on.") % {"target": target.name}
        )
        return redirect("rule", rule.pk)
    return _page(
        request,
        draft,
        policy=policy,
        to=to,
        rule=rule,
        title=_("Add a target to %(rule)s") % {"rule": rule.name},
    )


@needs("rules.change_target")
def edit_target(request: HttpRequest, pk: int) -> HttpResponse:
    """Changes where and how a target delivers; what is not sent yet uses the new settings."""
    target = get_object_or_404(Target.objects.select_related("rule__bus", "rule__team"), pk=pk)
    rule = target.rule
    draft = _target_draft(request, rule, target)
    policy = PolicyForm(_bind(request), instance=target, rule=rule)
    to = delivering(request, target)
    if _saving(request) and _all_valid(draft, policy, to):
        target.connector, target.config = _where(request, to, rule.team, policy)
        target.transform = draft.transform or {"kind": "complete"}
        revisions.save_target(target, by=request.user)
        messages.success(request, _("Saved. What has not been sent yet goes out with these settings."))
        return redirect("target", target.pk)
    title = _("Edit %(target)s") % {"target": target.name}
    return _page(request, draft, policy=policy, to=to, rule=rule, target=target, title=title)


@needs("rules.view_rule")
def type_options(request: HttpRequest) -> HttpResponse:
    """Event types whose name holds what is being typed, as options of a datalist."""
    typed = request.GET.get("add_type", "").strip()
    names = (
        EventType.objects.filter(name__icontains=typed).values_list("name", flat=True)[:30] if typed else []
    )
    return render(request, "rules/type_options.html", {"names": names})


def _target_draft(request: HttpRequest, rule: Rule, target: Target | None) -> Draft:
    """The target's transform from the form; the rule's pattern is not edited here, whatever the form says."""
    shown = Draft.of(rule, target)
    if request.method == "POST":
        sent = Draft.read(request.POST, target)
        shown.send, shown.template, shown.variables = sent.send, sent.template, sent.variables
    return shown.checked()


def _all_valid(draft: Draft, *parts: Any) -> bool:
    """Checks every part, so that a person sees all that is wrong at once."""
    valid = draft.pattern is not None and draft.transform is not None
    for part in parts:
        form = part.chosen if isinstance(part, Delivering) else part
        if form is None:
            valid = valid and part.place is not None
        elif not form.is_valid():
            valid = False
    return valid


def _where(
    request: HttpRequest, to: Delivering, team: Team, policy: PolicyForm
) -> tuple[str, dict[str, Any]]:
    if to.chosen is not None:
        return to.chosen.connector.name, to.chosen.cleaned_data
    assert to.place is not None
    return to.place.make(request, team, policy.cleaned_data["name"])


def _new_name(draft: Draft) -> str:
    if draft.types:
        return str(_("%(type)s to a request bin") % {"type": draft.types[0]})
    return str(_("New rule"))


def _page(
    request: HttpRequest,
    draft: Draft,
    *,
    title: str,
    rule_form: RuleForm | None = None,
    policy: PolicyForm | None = None,
    to: Delivering | None = None,
    rule: Rule | None = None,
    target: Target | None = None,
) -> HttpResponse:
    if request.method == "POST" and not _saving(request):
        _forget_errors(rule_form, policy, *(to.forms if to else []))
    bus = rule.bus if rule else _chosen_bus(rule_form)
    context = {
        "title": title,
        "draft": draft,
        "rule_form": rule_form,
        "policy": policy,
        "to": to,
        "rule": rule,
        "target": target,
        "bus": bus,
        "single_bus": Bus.objects.count() == 1,
        "single_team": Team.objects.count() == 1,
        "places": registry.places() if target is None else [],
        "methods": _methods(),
        "types": {
            one.name: one for one in EventType.objects.filter(name__in=draft.types).select_related("domain")
        },
        "fields_text": json.dumps(
            [{"path": field.place, "type": field.kind, "sample": field.sample} for field in draft.fields]
        ),
        "pattern_text": json.dumps(rule.pattern) if rule else "",
        "hue": _hue(draft),
        "cancel": _cancel(rule, target),
        "starting": rule is None,
        "failed": _saving(request),
    }
    status = 422 if _saving(request) else 200
    # htmx swaps in answers with status 2xx only, and the browser shows either.
    return render(
        request, "rules/editor.html", context, status=200 if request.headers.get("HX-Request") else status
    )


def _forget_errors(*parts: forms.BaseForm | None) -> None:
    for form in parts:
        if form is not None and form.is_bound:
            form._errors = {}  # type: ignore[attr-defined]


def _chosen_bus(rule_form: RuleForm | None) -> Bus | None:
    if rule_form is None:
        return None
    chosen = rule_form["bus"].value()
    return Bus.objects.filter(pk=chosen).first() if str(chosen).isdecimal() else Bus.objects.first()


def _methods() -> list[tuple[str, str]]:
    words = {
        "is": _("is one of"),
        "prefix": _("starts with"),
        "suffix": _("ends with"),
        "present": _("is present"),
        "absent": _("is absent"),
    }
    return [(name, words[name]) for name in METHODS]


def _hue(draft: Draft) -> int | None:
    return EventType.objects.filter(name__in=draft.types[:1]).values_list("domain__hue", flat=True).first()


def _cancel(rule: Rule | None, target: Target | None) -> str:
    if target is not None:
        return reverse("target", args=[target.pk])
    return reverse("rule", args=[rule.pk]) if rule is not None else reverse("rules")
