"""Drops what a bus's retention no longer keeps, a little at a time so that nobody waits long for the write lock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from django.db import connection

from catalog.changes import LETTERS
from catalog.models import Bus, Observation, Violation
from delivery.log.interface import open_log
from delivery.log.schema import CURSORS, LANES_PER_SLOT, SLOT_MINUTES

DAY = 86_400_000_000  # microseconds
PART = 500  # events per transaction: far less than 100 ms with the lock held
ROWS = 2000  # attempts per transaction: likewise
LONGEST = 20.0  # seconds per run
MINUTES_KEPT = (
    31  # days that deliveries are counted by the minute; by five minutes they are counted for longer
)
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
    _forget_attempts(ends)
    _forget_deleted_targets()
    _forget_old_counts(ends)
    _forget_old_days()
    return dropped


def needed_from(bus: int) -> int:
    """The lowest seq that a target of `bus` has not passed, or is to start with; above the head when none waits."""
    passed = " ".join(f"WHEN {n} THEN s.{name}" for n, name in enumerate(CURSORS))
    above = f"r.seq > COALESCE(CASE r.lane %% {LANES_PER_SLOT} {passed} END, 0)"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT MIN(r.seq) FROM log_route r JOIN rules_target t ON t.id = r.target JOIN rules_rule u ON u.id = t.rule_id "
            "LEFT JOIN runner_slot s ON s.target = r.target AND s.lanes = r.lanes "
            f"WHERE u.bus_id = %s AND {above}",
            [bus],
        )
        needed = [cursor.fetchone()[0]]
        if Bus.objects.filter(pk=bus, name=LETTERS).exists():
            # Copies of dead letters are routed to targets whose rules are on other buses.
            cursor.execute(
                "SELECT MIN(r.seq) FROM log_route r JOIN rules_target t ON t.id = r.target "
                "JOIN log_event e ON e.seq = r.seq "
                "LEFT JOIN runner_slot s ON s.target = r.target AND s.lanes = r.lanes "
                f"WHERE e.bus = %s AND {above}",
                [bus],
            )
            needed.append(cursor.fetchone()[0])
        # A rule that is switched off keeps nothing: its target goes on with what is there when it listens again.
        cursor.execute(
            "SELECT MIN(b.routed) + 1 FROM delivery_backfill b JOIN rules_target t ON t.id = b.target "
            "JOIN rules_rule u ON u.id = t.rule_id WHERE b.bus = %s AND b.ended_at IS NULL AND u.enabled",
            [bus],
        )
        needed.append(cursor.fetchone()[0])
    return min((int(seq) for seq in needed if seq is not None), default=2**62)


# The targets in an index that begins with them, one search for each: the targets there are, and those deleted since.
_TARGETS = (
    "WITH RECURSIVE tried(target) AS (SELECT MIN(target) FROM {table} UNION ALL "
    "SELECT (SELECT MIN(a.target) FROM {table} a WHERE a.target > tried.target) FROM tried WHERE tried.target IS NOT NULL)"
)
# The seq up to which the bus of each was dropped. Of a deleted target the bus is not known: what no bus keeps is dropped.
_OLD = (
    "SELECT p.id FROM tried LEFT JOIN rules_target t ON t.id = tried.target LEFT JOIN rules_rule u ON u.id = t.rule_id "
    "LEFT JOIN log_floor f ON f.bus = u.bus_id JOIN {table} p ON p.target = tried.target "
    "AND p.{last} <= CASE WHEN t.id IS NULL THEN %s ELSE COALESCE(f.seq, 0) END LIMIT %s"
)


def _forget_attempts(ends: float) -> None:
    """Attempts at events that the log keeps no more. A pack goes when its last event did."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE(MIN(seq), (SELECT seq + 1 FROM log_head WHERE id = 1)) FROM log_event"
        )
        first_kept = int(cursor.fetchone()[0])
        for table, last in (("attempt", "seq"), ("attempt_pack", "hi")):
            old = f"{_TARGETS} {_OLD}".format(table=table, last=last)
            while time.monotonic() < ends:
                # Found before the lock is taken, and dropped by their ids.
                cursor.execute(old, [first_kept - 1, ROWS])
                found = [row[0] for row in cursor.fetchall()]
                if found:
                    cursor.execute(
                        f"DELETE FROM {table} WHERE id IN ({', '.join(['%s'] * len(found))})", found
                    )
                if len(found) < ROWS:
                    break


def _forget_deleted_targets() -> None:
    """Routes, positions and exceptions of targets that are no more."""
    with connection.cursor() as cursor:
        tables = (
            "log_ready",
            "runner_slot",
            "runner_flight",
            "runner_suspect",
            "runner_exception",
            "runner_gate",
            "runner_place",
        )
        for table in tables:
            cursor.execute(f"DELETE FROM {table} WHERE target NOT IN (SELECT id FROM rules_target)")
        cursor.execute(
            "DELETE FROM log_route WHERE target IN (SELECT DISTINCT target FROM log_route) "
            "AND target NOT IN (SELECT id FROM rules_target)"
        )


def _forget_old_counts(ends: float) -> None:
    """Rollups are kept as long as the longest retention, a year at least; deliveries per minute, a month."""
    longest = max([365, *Bus.objects.values_list("retention_days", flat=True)])
    today = time.time_ns() // 1000
    minute, recent = (today - longest * DAY) // 60_000_000, (today - MINUTES_KEPT * DAY) // 60_000_000
    for table, unit, before in (
        ("rollup_received", "minute", minute),
        ("rollup_delivered", "minute", recent),
        ("rollup_delivered_slot", "slot", minute // SLOT_MINUTES),
        ("rollup_delivered_hour", "hour", minute // 60),
        ("rollup_delivered_day", "day", minute // 1440),
        ("rollup_version", "hour", minute // 60),
        ("rollup_source", "slot", minute // 10),
    ):
        _drop_before(table, unit, before, ends)


def _drop_before(table: str, unit: str, before: int, ends: float) -> None:
    """Drops the rows whose time is before that, the oldest first and about ROWS at a time."""
    with connection.cursor() as cursor:
        while time.monotonic() < ends:
            cursor.execute(
                f"SELECT {unit} FROM {table} WHERE {unit} < %s ORDER BY {unit} LIMIT 1 OFFSET %s",
                [before, ROWS],
            )
            found = cursor.fetchone()
            cursor.execute(f"DELETE FROM {table} WHERE {unit} < %s", [found[0] + 1 if found else before])
            if found is None:
                break


def _forget_old_days() -> None:
    """What events of a day looked like, and how they did not fit."""
    oldest = datetime.now(UTC).date() - timedelta(days=DAYS)
    for model in (Observation, Violation):
        # Found by the index first: a scan of the table would read shapes and samples, each minute.
        old = list(model.objects.filter(day__lt=oldest).order_by().values_list("pk", flat=True)[:PART])
        model.objects.filter(pk__in=old).delete()
