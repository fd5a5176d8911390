"""The part of the editor that is about a target: where it delivers, its policy, its contract and where it starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from catalog.models import Team
from rules.contracting import Contracting, template_for
from rules.draft import Draft
from rules.models import POLICY_FIELDS, Rule, Target
from rules.outputs import sends_documents
from rules.pages.delivering import Delivering, delivering, suggested_name
from rules.pages.starting import Start
from rules.past import past
from rules.policy_form import PolicyForm

SAVED = ("name", "connector", "config", "transform", "contract", *POLICY_FIELDS)


@dataclass
class TargetPart:
    """What a form says of a target. `start` is None for a target that took events before."""

    target: Target
    policy: PolicyForm
    to: Delivering
    contracting: Contracting
    start: Start | None

    @classmethod
    def read(
        cls, request: HttpRequest, target: Target, rule: Rule | None = None, starts: bool = True
    ) -> TargetPart:
        """What was sent, or what `target` has."""
        sent = request.POST if request.method == "POST" else None
        to, suggested = delivering(request, target), ""
        if not target.pk and rule is not None:
            suggested = suggested_name(to, request.POST.get("name", rule.name), rule.pk)
        return cls(
            target,
            PolicyForm(sent, instance=target, rule=rule, suggested=suggested),
            to,
            Contracting.of(target.contract) if sent is None else Contracting.read(sent),
            None if not starts else Start.of(target) if sent is None else Start.read(request),
        )

    def is_valid(self) -> bool:
        """Whether all of it can be saved; asking makes the errors of its forms."""
        parts = [self.policy.is_valid(), self.to.is_valid(), self.contracting.is_valid()]
        return all(parts) and (self.start is None or self.start.is_valid())

    def fill(self, draft: Draft) -> None:
        """Writes a template that fills the contract's fields."""
        if self.contracting.compiled is not None:
            filled = template_for(self.contracting.fields, draft.fields)
            draft.sending.kind, draft.sending.template = "template", filled.text
            draft.sending.missing = "omit"  # null is no value of a field that has a type
            if filled.left_out:
                self.contracting.notice = _(
                    "Nothing in the events is called like %(fields)s: left out, and yours to write."
                ) % {"fields": ", ".join(filled.left_out)}
            draft.checked()

    def unfit(self, draft: Draft, bus: int) -> str:
        """Why what would have been sent does not fit the contract, in a sentence; "" when it does. After `is_valid`."""
        contract, chosen = self.contracting.compiled, self.to.chosen
        if contract is None or draft.filter is None or draft.transform is None:
            return ""
        structured = chosen is not None and sends_documents(chosen.data_now)
        return past().unfit(bus, draft.filter, draft.transform, contract, structured)

    def settle(self, request: HttpRequest, draft: Draft, team: Team) -> bool:
        """Puts all of it into the target, after `is_valid`, and makes its place; whether anything changed."""
        before = {name: getattr(self._stored(), name) for name in SAVED} if self.target.pk else None
        self.target.connector, self.target.config = self.to.settle(
            request, team, self.policy.cleaned_data["name"]
        )
        self.target.transform = draft.transform or {"kind": "complete"}
        self.target.contract = self.contracting.spec()
        return before != {name: getattr(self.target, name) for name in SAVED}

    def _stored(self) -> Any:
        return Target.objects.get(pk=self.target.pk)

    def begin(self) -> None:
        """Lets the saved target of a rule that listens begin where it was to, and keeps that for one that does not yet.

        Call it in the transaction that saves the target.
        """
        if self.start is None:
            return
        if self.target.rule.enabled:
            self.start.begin(self.target)
        starts = self.start.stored if self.target.rule.draft else ""
        if starts != self.target.starts:
            self.target.starts = starts
            self.target.save(update_fields=["starts"])

    def promise(self, draft: Draft, bus: int) -> str:
        """What the target gets before new events, in a phrase; "" for nothing. Ask before `begin`."""
        return self.start.promise(draft.filter, bus) if self.start is not None else ""
