"""Starting a target in the past, and stopping that early."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from catalog import stamps
from delivery.backfill.past import Reader
from delivery.backfill.since import position
from delivery.log.interface import open_log
from delivery.models import Backfill
from delivery.tracking.read import now, rows
from rules.filtering import filter_of
from rules.models import Rule, Target
from rules.registry import Since


class AlreadyLive(ValueError):
    """The target has taken events: what lies before them would be out of order."""


def start(target: Target, since: Since) -> Backfill | None:
    """Lets `target` begin with past events from `since` on; None when there is nothing past to take.

    Call it in the transaction that saves the target, so that no event comes between. New events are routed to it at
    once; past ones, up to the newest of this moment, are by a job that workers claim, in the order of the log and
    with the rule as it is now. Until that is done the new ones are held, so order per key holds.
    Raises NotInThePast, AlreadyLive for a target that took events before, PatternError.
    """
    if since == "now":
        return None
    with transaction.atomic():
        stamps.hold_log()
        rule = Rule.objects.get(pk=target.rule_id)  # as it is saved, whatever `target` was made with
        Reader(rule.bus_id, filter_of(rule))
        if rows("SELECT 1 FROM log_ready WHERE target = %s LIMIT 1", [target.pk]) or _started(target):
            raise AlreadyLive(
                _("%(target)s takes events already. Only a new target can start in the past.")
                % {"target": target.name}
            )
        after, until = position(since, rule.bus_id), open_log().head()
        if after >= until:
            return None
        return Backfill.objects.create(
            target=target.pk,
            rule=rule.pk,
            revision=rule.revision,
            bus=rule.bus_id,
            after=after,
            until=until,
            routed=after,
            started_at=now(),
        )


def _started(target: Target) -> bool:
    return Backfill.objects.filter(target=target.pk).exists()


def cancel(target: int) -> bool:
    """Ends a target's start in the past where it got: what is routed stays, then come its new events.

    Returns whether there was anything to end.
    """
    with transaction.atomic():
        stamps.hold_log()
        ended = Backfill.objects.filter(target=target, ended_at=None).update(
            ended_at=now(), ended=Backfill.Ended.CANCELLED
        )
    return bool(ended)
