"""Drops what a bus's retention no longer keeps, a little at a time so that nobody waits long for the write lock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from django.db import connection

from catalog.models import Bus, Observation, Violation
from delivery.log.interface import open_log
from delivery.log.schema import CURSORS, LANES_PER_SLOT

DAY = 86_400_000_000  # microseconds
PART = 500  # events per transaction: far less than 100 ms with the lock held
LONGEST = 20.0  # seconds per run
DAYS = 30  # that observations and violations are kept


def retain_all() -> int:
    """Drops the events that are older than their bus keeps them and that no target still needs; returns how many."""
    log = open_log()
    ends = time.monotonic() + LONGEST
    dropped = 0
    for bus, days in Bus.objects.values_list("id", "retention_days"):
        before = time.time_ns() // 1000 - days * DAY
        while time.monotonic() < ends:
            count = log.retain(bus, before, needed_from(bus), PART)
            dropped += count
            if count < PART:
                break
    _forget_deleted_targets()
    _forget_old_counts()
    _forget_old_days()
    return dropped


def needed_from(bus: int) -> int:
    """The lowest seq that a target of `bus` has not passed, or is to start with; above the head when none waits."""
    passed = " ".join(f"WHEN {n} THEN s.{name}" for n, name in enumerate(CURSORS))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT MIN(r.seq) FROM log_route r JOIN rules_target t ON t.id = r.target JOIN rules_rule u ON u.id = t.rule_id "
            "LEFT JOIN runner_slot s ON s.target = r.target AND s.lanes = r.lanes "
            f"WHERE u.bus_id = %s AND r.seq > COALESCE(CASE r.lane %% {LANES_PER_SLOT} {passed} END, 0)",
            [bus],
        )
        needed = [cursor.fetchone()[0]]
        # A rule that is switched off keeps nothing: its target goes on with what is there when it listens again.
        cursor.execute(
            "SELECT MIN(b.routed) + 1 FROM delivery_backfill b JOIN rules_target t ON t.id = b.target "
            "JOIN rules_rule u ON u.id = t.rule_id WHERE b.bus = %s AND b.ended_at IS NULL AND u.enabled",
            [bus],
        )
        needed.append(cursor.fetchone()[0])
    return min((int(seq) for seq in needed if seq is not None), default=2**62)


def _forget_deleted_targets() -> None:
    """Routes, positions and exceptions of targets that are no more."""
    with connection.cursor() as cursor:
        for table in ("log_ready", "runner_slot", "runner_flight", "runner_exception", "runner_gate"):
            cursor.execute(f"DELETE FROM {table} WHERE target NOT IN (SELECT id FROM rules_target)")
        cursor.execute(
            "DELETE FROM log_route WHERE target IN (SELECT DISTINCT target FROM log_route) "
            "AND target NOT IN (SELECT id FROM rules_target)"
        )


def _forget_old_counts() -> None:
    """Rollups are kept as long as the longest retention, a year at least."""
    longest = max([365, *Bus.objects.values_list("retention_days", flat=True)])
    minute = (time.time_ns() // 1000 - longest * DAY) // 60_000_000
    with connection.cursor() as cursor:
        for table in ("rollup_received", "rollup_delivered"):
            cursor.execute(f"DELETE FROM {table} WHERE minute < %s", [minute])
        cursor.execute("DELETE FROM rollup_version WHERE hour < %s", [minute // 60])
        cursor.execute("DELETE FROM rollup_source WHERE slot < %s", [minute // 10])


def _forget_old_days() -> None:
    """What events of a day looked like, and how they did not fit."""
    oldest = datetime.now(UTC).date() - timedelta(days=DAYS)
    for model in (Observation, Violation):
        # Found by the index first: a scan of the table would read shapes and samples, each minute.
        old = list(model.objects.filter(day__lt=oldest).order_by().values_list("pk", flat=True)[:PART])
        model.objects.filter(pk__in=old).delete()
