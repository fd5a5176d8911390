"""The editor's page: what its template shows around a draft, and how it answers htmx and a browser without script."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from catalog.models import Bus, EventType
from rules import registry
from rules import sending as ways
from rules.draft import Draft
from rules.forms import RuleForm
from rules.method_words import choices, example
from rules.models import Rule, Target
from rules.pages.approval_part import ApprovalPart
from rules.pages.target_part import TargetPart
from rules.past import Difference
from rules.personal import Sends
from rules.settings_read import sent_by

SAVING = ("save", "start", "draft", "ask")


def saving(request: HttpRequest) -> bool:
    """Whether the form was sent to be saved, not by one of the buttons that change it."""
    return (
        request.method == "POST" and request.POST.get("do", "save") in SAVING and "pick" not in request.POST
    )


def asked_to(request: HttpRequest, what: str) -> bool:
    """Which of SAVING was pressed; a form sent by its enter key saves, and a new rule is then started."""
    return request.POST.get("do", "save") == what


def saved(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    """Goes to the page `name` after saving."""
    if request.headers.get("HX-Request"):
        # A redirect would be followed by the script itself, which swaps only the form.
        return HttpResponse(status=204, headers={"HX-Redirect": reverse(name, args=[pk])})
    return redirect(name, pk)


@dataclass
class Page:
    """One answer of the editor. `rule` may be one that is not saved yet."""

    request: HttpRequest
    draft: Draft
    title: str
    rule: Rule
    rule_form: RuleForm | None = None
    part: TargetPart | None = None
    targets: list[Target] = field(default_factory=list)
    """The rule's targets, where there are several and they are edited one by one."""
    difference: Difference | None = None
    unfit: str = ""
    """Why what is sent does not fit the target's contract."""
    overtaken: bool = False
    """Somebody else saved the rule since this form was opened."""
    template: str = "rules/editor.html"

    asked: bool = False
    """Owners of personal data were asked, and nothing else was done."""

    @cached_property
    def approval(self) -> ApprovalPart:
        """What it sends of personal data. Ask after the forms were checked: they say whose rule it is."""
        sends: list[Sends] = [(one.pk, sent_by(one)) for one in self.targets]
        if self.part is not None and self.draft.transform is not None:
            sends.append((self.part.target.pk, self.part.to.sends(self.draft.transform)))
        return ApprovalPart.read(self.request, self.rule, self.draft.filter, sends)

    def only_asked(self) -> bool:
        """Whether the form was sent to ask for an approval of a rule that listens: then it is asked, and nothing saved."""
        if not asked_to(self.request, "ask") or not self.rule.enabled:
            return False
        if self.approval.may_ask():
            self.approval.ask(self.request.user)
            self.asked = True
        return True

    @property
    def digest(self) -> str:
        """Names the filter whose consequences a person saw."""
        written = json.dumps(self.draft.filter, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()

    def answer(self) -> HttpResponse:
        """The page: 200, or 422 when it was to be saved and something is wrong (or is to be confirmed)."""
        refused = saving(self.request)
        if self.request.method == "POST" and not refused:
            part = self.part
            _forget_errors(self.rule_form, *([part.policy, *part.to.forms] if part else []))
        # htmx swaps in answers with status 2xx only, and the browser shows either.
        by_script = self.request.headers.get("HX-Request")
        status = 422 if refused and not by_script and not self.asked else 200
        return render(self.request, self.template, self._context(refused), status=status)

    def _context(self, refused: bool) -> dict[str, object]:
        draft, rule, part = self.draft, self.rule, self.part
        target = part.target if part and part.target.pk else None
        bus = _chosen_bus(self.rule_form) if rule.pk is None else rule.bus
        known = EventType.objects.filter(name__in=draft.types).select_related("domain")
        types = {one.name: one for one in known}
        first = types.get(draft.types[0]) if draft.types else None
        return {
            "title": self.title,
            "draft": draft,
            "rule_form": self.rule_form,
            "policy": part.policy if part else None,
            "to": part.to if part else None,
            "made": part.to.made(self.request) if part else None,
            "contracting": part.contracting if part else None,
            "unfit": [self.unfit] if self.unfit else [],
            "approval": self.approval,
            "rule": rule if rule.pk else None,
            "target": target,
            "targets": self.targets,
            "bus": bus,
            "single_bus": Bus.objects.offered().count() == 1,
            "single_team": self.rule_form is not None and len(self.rule_form.fields["team"].queryset) == 1,  # type: ignore[attr-defined]
            "places": registry.places() if target is None else [],
            "methods": {row.method: choices(row.method) for row in draft.rows},
            "examples": {row.method: example(row.method) for row in draft.rows},
            "types": types,
            "fields_text": json.dumps(
                [{"path": one.place, "type": one.kind, "sample": one.sample} for one in draft.fields]
            ),
            "pattern_text": json.dumps(rule.pattern) if self.rule_form is None else "",
            "filters_text": json.dumps(rule.filters) if self.rule_form is None and rule.filters else "",
            "hue": first.domain.hue if first else None,
            "cancel": self._cancel(),
            "starting": self.rule_form is not None and (rule.pk is None or rule.draft),
            "failed": refused and self.difference is None and not (self.overtaken or self.asked),
            "start": part.start if part and registry.starting() is not None else None,
            "where": registry.describe(target.connector, target.config) if target else "",
            "tries": part.policy.most_tries if part else None,
            "sends": ways.labels(),
            "overtaken": self.overtaken,
            "difference": self.difference,
            "digest": self.digest if self.difference is not None else "",
        }

    def _cancel(self) -> str:
        if self.rule_form is None and self.part is not None and self.part.target.pk:
            return reverse("target", args=[self.part.target.pk])
        return reverse("rule", args=[self.rule.pk]) if self.rule.pk else reverse("rules")


def _forget_errors(*parts: forms.BaseForm | None) -> None:
    for form in parts:
        if form is not None and form.is_bound:
            form._errors = {}  # type: ignore[attr-defined]


def _chosen_bus(rule_form: RuleForm | None) -> Bus | None:
    if rule_form is None:
        return None
    chosen = rule_form["bus"].value()
    return Bus.objects.filter(pk=chosen).first() if str(chosen).isdecimal() else Bus.objects.offered().first()
