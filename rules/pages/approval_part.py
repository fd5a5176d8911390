"""The part of the editor about personal data: which fields a rule sends, who decides that, and asking them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from catalog import approvals
from catalog.models import Approval
from rules import personal
from rules.engine import Filter
from rules.models import Rule
from rules.personal import Claim, NotApproved, Sends

REASON = "approval-reason"


@dataclass
class ApprovalPart:
    """What is known of it when the form was read. `refused`: why the rule must not listen like this."""

    claims: list[Claim] = field(default_factory=list)
    refused: NotApproved | None = None
    reason: str = ""
    problem: str = ""
    asked: bool = False

    @classmethod
    def read(
        cls, request: HttpRequest, rule: Rule, wanted: Filter | None, sends: list[Sends]
    ) -> ApprovalPart:
        """Of a rule that is to listen for `wanted` (None while that is wrong) and to send `sends`."""
        if wanted is None:
            return cls()
        found = personal.claims(wanted, rule.team, [transform for _pk, transform in sends])
        if not found:
            return cls()
        refused = personal.refusal(rule, wanted, sends, request.user)
        return cls(found, refused, request.POST.get(REASON, "").strip()[: approvals.LONGEST])

    @property
    def lacking(self) -> list[Claim]:
        """What nobody has approved."""
        return [claim for claim in self.claims if not claim.is_allowed]

    @property
    def to_ask(self) -> list[Claim]:
        """What can be asked for now: whoever waits for an answer has asked."""
        return [
            claim
            for claim in self.lacking
            if claim.approval is None or claim.approval.state != Approval.State.ASKED
        ]

    def may_ask(self) -> bool:
        """Whether the question can be put; makes the error at its field."""
        if self.to_ask and not self.reason:
            self.problem = _("Say what for: the owner decides by it.")
        return not self.problem

    def ask(self, by: Any) -> None:
        """Asks the owners of all that is lacking, after `may_ask`."""
        for claim in self.to_ask:
            approvals.ask(claim.event_type, claim.team, self.reason, by)
        self.asked = True
