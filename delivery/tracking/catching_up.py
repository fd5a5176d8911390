"""Targets that start in the past: how far each is with the events before it was made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from catalog.display import words
from delivery.models import Backfill
from delivery.tracking.events import StoredEvent
from rules.models import Target


class CatchingUp(NamedTuple):
    """How far a target is, in places of the log (events of all buses).

    `done` of `of` are looked at; `taken` of them match and are routed.  `rate`: places per second while it works.
    `waits`: its rule is switched off, so it stands still.
    """

    done: int
    of: int
    taken: int
    rate: float
    waits: bool

    @property
    def taken_shown(self) -> str:
        """`taken`, as people write it."""
        return words.number(self.taken)


def of_targets(targets: Sequence[int]) -> dict[int, CatchingUp]:
    """How far those of `targets` are that are catching up at this moment."""
    found = {job.target: job for job in Backfill.objects.filter(target__in=targets, ended_at=None)}
    if not found:
        return {}
    listening = set(Target.objects.filter(pk__in=found, rule__enabled=True).values_list("pk", flat=True))
    return {
        target: CatchingUp(
            job.routed - job.after,
            job.until - job.after,
            job.taken,
            (job.routed - job.after) * 1_000_000 / job.worked if job.worked else 0.0,
            target not in listening,
        )
        for target, job in found.items()
    }


def over(event: StoredEvent) -> list[int]:
    """The targets whose start in the past has looked at the event."""
    return list(
        Backfill.objects.filter(bus=event.bus, after__lt=event.seq, routed__gte=event.seq).values_list(
            "target", flat=True
        )[:1000]
    )
