"""A team asks to receive the personal fields of an event type; its owner grants, refuses, or takes back."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.dispatch import Signal
from django.utils import timezone

from catalog import stamps
from catalog.models import Approval, EventType, Team
from catalog.ownership import owned_teams

decided = Signal()
"""Sent with `approval` and `by` in the transaction of each decision. Rooms above end what lost its approval."""

DECIDES = "catalog.change_eventtype"
"""What a member of the owning team needs to decide."""
LONGEST = 500
"""Characters of a reason and of an answer."""


def ask(event_type: EventType, team: Team, reason: str, by: Any) -> Approval:
    """The wish of `team`, made or made again with a new reason. One that is granted stays as it is."""
    with transaction.atomic():
        made = {"reason": reason, "asked_by": by}
        found, new = Approval.objects.get_or_create(event_type=event_type, team=team, defaults=made)
        if not new and found.state != Approval.State.GRANTED:
            # The last decision is kept: what it ended does not go on because somebody asks again.
            found.state, found.reason = Approval.State.ASKED, reason
            found.asked_at, found.asked_by = timezone.now(), by
            found.save(update_fields=["state", "reason", "asked_at", "asked_by"])
    return found


def decide(approval: Approval, granted: bool, answer: str, by: Any) -> None:
    """Grants `approval`, or refuses it, which takes back what was granted and ends what uses it."""
    with transaction.atomic():
        # No rule is saved against the answer before, and none after it is missed.
        stamps.hold_log()
        found = (
            Approval.objects.select_for_update()
            .select_related("event_type__team", "team")
            .get(pk=approval.pk)
        )
        found.state = Approval.State.GRANTED if granted else Approval.State.REFUSED
        found.answer, found.decided_at, found.decided_by = answer, timezone.now(), by
        found.save(update_fields=["state", "answer", "decided_at", "decided_by"])
        decided.send(sender=Approval, approval=found, by=by)
    approval.refresh_from_db()


def refuse_unasked(event_type: EventType, team: Team, answer: str, by: Any) -> None:
    """Ends what `team` is sent without having asked, since before the fields were marked."""
    with transaction.atomic():
        found, _new = Approval.objects.get_or_create(
            event_type=event_type, team=team, defaults={"reason": ""}
        )
        decide(found, False, answer, by)


def said_no(approval: Approval | None) -> bool:
    """Whether the owner's last answer was no, also while the team asks again."""
    if approval is None or approval.decided_at is None:
        return False
    return approval.state != Approval.State.GRANTED


def to_decide(user: Any) -> QuerySet[Approval]:
    """The wishes that wait for an answer by `user`."""
    return Approval.objects.filter(
        state=Approval.State.ASKED, event_type__team__in=owned_teams(user, DECIDES)
    )
