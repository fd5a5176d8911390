"""Runs the checks, keeps what they found, and does so each hour in one of the workers."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from django.db import transaction

from delivery.models import Reconciliation
from delivery.reconcile import counts, exceptions, positions, routes
from delivery.reconcile.checking import PART, Check, Hit, execute
from delivery.tracking.read import HOUR, now

logger = logging.getLogger(__name__)

NAME = "reconcile"
SINCE = 3 * HOUR  # how far back an hourly look goes
SAMPLE = 5
TARGETS = 100
KEPT = 200  # results
# Positions first: what the others find depends on them.
CHECKS: list[Check] = [*positions.CHECKS, *exceptions.CHECKS, *routes.CHECKS, *counts.CHECKS]

BY_NAME = {check.name: check for check in CHECKS}


@dataclass
class Finding:
    """What one check found: `count` places, `mended` of them put right, some of them as {"target": 3, "seq": 7}.

    `targets`: whose they are, as far as there is room.
    """

    check: Check
    count: int = 0
    mended: int = 0
    sample: list[dict[str, int]] = field(default_factory=list)
    targets: set[int] = field(default_factory=set)

    @property
    def left(self) -> int:
        """Places that are still wrong."""
        return self.count - self.mended

    def as_json(self) -> dict[str, object]:
        """For --json and for keeping."""
        return {
            "name": self.check.name, "count": self.count, "mended": self.mended, "sample": self.sample,
            "targets": sorted(self.targets),
        }  # fmt: skip


def run(fix: bool, since: int = 0, stop: Callable[[], bool] = lambda: False) -> list[Finding]:
    """Looks at everything, or at what is newer than `since` (microseconds) where that saves much; returns what is wrong."""
    found = []
    for check in CHECKS:
        if stop():
            break
        finding = _run(check, fix, since)
        if finding.count:
            found.append(finding)
    return found


def _run(check: Check, fix: bool, since: int) -> Finding:
    finding = Finding(check)
    hits = check.look(since)
    while part := list(islice(hits, PART)):
        finding.count += len(part)
        room = SAMPLE - len(finding.sample)
        finding.sample += [dict(zip(check.place, map(int, hit), strict=True)) for hit in part[:room]]
        if check.place[0] == "target" and len(finding.targets) < TARGETS:
            finding.targets.update(int(hit[0]) for hit in part)
        if fix:
            finding.mended += _mend(check, part)
    return finding


def _mend(check: Check, part: Sequence[Hit]) -> int:
    # Leases are taken in transactions of their own.
    if check.leftover:
        return check.mend(part)
    with transaction.atomic():
        return check.mend(part)


def work(stop: Callable[[], bool] = lambda: False) -> bool:
    """Looks and mends if an hour has passed since anybody did; whether it was its turn."""
    if not _claim():
        return False
    began, at = time.monotonic(), now()
    found = run(fix=True, since=at - SINCE, stop=stop)
    if not stop():
        keep(found, at, int((time.monotonic() - began) * 1_000_000))
    for finding in found:
        level = logging.INFO if finding.check.leftover and not finding.left else logging.ERROR
        logger.log(
            level, "Reconciling found %s %s, %s mended. For example: %s",
            finding.count, finding.check.finds, finding.mended, finding.sample,
        )  # fmt: skip
    return True


def keep(found: Sequence[Finding], at: int, took: int) -> None:
    """Keeps a result for the console and the metrics; the oldest go."""
    Reconciliation.objects.create(at=at, took=took, found=[finding.as_json() for finding in found])
    kept = Reconciliation.objects.values_list("pk", flat=True)[KEPT : KEPT + 1]
    if oldest := list(kept):
        Reconciliation.objects.filter(pk__lte=oldest[0]).delete()


def _claim() -> bool:
    """Whoever moves the time on has the turn."""
    execute(
        "INSERT INTO log_follower (name, seq, due_at) VALUES (%s, 0, 0) ON CONFLICT (name) DO NOTHING", [NAME]
    )
    return bool(
        execute(
            "UPDATE log_follower SET due_at = %s WHERE name = %s AND due_at <= %s",
            [now() + HOUR, NAME, now()],
        )
    )
