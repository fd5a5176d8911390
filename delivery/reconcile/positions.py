"""Positions: the log's head, cursors, leases, hints of what is ready, and what is in flight."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterator, Sequence

import msgspec

from delivery.log.schema import CURSORS, LANES_PER_SLOT
from delivery.reconcile.checking import (
    CURSOR,
    LONG_AGO,
    Check,
    Hit,
    by_target,
    database_now,
    execute,
    greatest,
)
from delivery.runner.database import Database
from delivery.runner.policy import Policy
from delivery.runner.store import Store
from delivery.tracking.read import rows
from rules.models import Target, policy_of

# Whoever holds the lease must notice: its cursors and its time are not those of the row any more.
REVOKE = "owner = NULL, until = 0, fence = fence + 1"


def _low_head(since: int) -> Iterator[Hit]:
    yield from rows(
        "SELECT h.seq, (SELECT MAX(seq) FROM log_event) FROM log_head h WHERE h.seq < (SELECT MAX(seq) FROM log_event)"
    )


def _raise_head(hits: Sequence[Hit]) -> int:
    return execute(
        "UPDATE log_head SET seq = (SELECT MAX(seq) FROM log_event) WHERE seq < (SELECT MAX(seq) FROM log_event)"
    )


def _high_cursors(since: int) -> Iterator[Hit]:
    yield from by_target(
        f"SELECT target, lanes FROM runner_slot WHERE target >= %s AND target <= %s AND {greatest(*CURSORS)} > "
        "(SELECT seq FROM log_head WHERE id = 1)"
    )


def _lower_cursors(hits: Sequence[Hit]) -> int:
    head = rows("SELECT seq FROM log_head WHERE id = 1")[0][0]
    moved = ", ".join(f"{name} = CASE WHEN {name} > %s THEN %s ELSE {name} END" for name in CURSORS)
    sql = f"UPDATE runner_slot SET {REVOKE}, {moved} WHERE target = %s AND lanes = %s"
    return sum(execute(sql, [*[head, head] * len(CURSORS), *hit]) for hit in hits)


def _long_leases(since: int) -> Iterator[Hit]:
    yield from by_target(
        "SELECT target, lanes FROM runner_slot WHERE target >= %s AND target <= %s AND until > %s",
        [database_now() + LONG_AGO],
    )


def _end_leases(hits: Sequence[Hit]) -> int:
    sql = f"UPDATE runner_slot SET {REVOKE} WHERE target = %s AND lanes = %s AND until > %s"
    return sum(execute(sql, [*hit, database_now() + LONG_AGO]) for hit in hits)


def _missing_hints(since: int) -> Iterator[Hit]:
    """(target, lanes, newest seq) where something is routed that no hint tells of."""
    slots = " UNION ALL ".join(f"SELECT {n} AS lanes" for n in range(64 // LANES_PER_SLOT))
    newest = "(SELECT MAX(r.seq) FROM log_route r WHERE r.target = t.id AND r.lanes = l.lanes)"
    yield from by_target(
        "SELECT found.target, found.lanes, found.seq FROM ("
        f"SELECT t.id AS target, l.lanes AS lanes, {newest} AS seq FROM rules_target t CROSS JOIN ({slots}) AS l "
        "WHERE t.id >= %s AND t.id <= %s) AS found "
        "LEFT JOIN log_ready d ON d.target = found.target AND d.lanes = found.lanes "
        "WHERE found.seq IS NOT NULL AND (d.seq IS NULL OR d.seq < found.seq) AND EXISTS ("
        "SELECT 1 FROM log_route r LEFT JOIN runner_slot s ON s.target = r.target AND s.lanes = r.lanes "
        f"WHERE r.target = found.target AND r.lanes = found.lanes AND r.seq > {CURSOR})"
    )


def _tell_of(hits: Sequence[Hit]) -> int:
    sql = (
        "INSERT INTO log_ready (target, lanes, seq) VALUES (%s, %s, %s) ON CONFLICT (target, lanes) "
        "DO UPDATE SET seq = excluded.seq WHERE excluded.seq > log_ready.seq"
    )
    return sum(execute(sql, hit) for hit in hits)


def _dead_flights(since: int) -> Iterator[Hit]:
    """(target, flight) of shifts that live no more, or let go of it, a good while ago."""
    alive = database_now() - LONG_AGO
    yield from by_target(
        "SELECT f.target, f.id FROM runner_flight f JOIN rules_target t ON t.id = f.target "
        "WHERE f.target >= %s AND f.target <= %s AND f.at < %s "
        "AND f.owner NOT IN (SELECT id FROM runner_shift WHERE seen_at > %s)",
        [alive, alive],
    )


def _account_for(hits: Sequence[Hit]) -> int:
    """Takes the leases as a shift does, which records what is not on record as unknown, and gives them back."""
    store = Store(Database(), f"reconcile-{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}")
    for target in dict.fromkeys(target for target, _ in hits):
        row = Target.objects.filter(pk=target).first()
        lanes = {
            lane
            for (seqs,) in rows("SELECT seqs FROM runner_flight WHERE target = %s", [target])
            for lane, _, _ in msgspec.json.decode(seqs)
        }
        if row is None:
            continue
        policy = Policy.of(policy_of(row))
        claimed = store.claim(target, {lane // LANES_PER_SLOT for lane in lanes}, True, policy)
        store.release(target, [one.slot for one in claimed], forget_flights=True)
    left = {flight for _, flight in hits}
    return len(left) - len(
        left & {flight for (flight,) in rows("SELECT id FROM runner_flight WHERE at < %s", [database_now()])}
    )


CHECKS = [
    Check(
        "head-below-log",
        "a head of the log below its newest event, so that numbers would be given twice",
        "raises the head to the newest event",
        ("head", "newest"),
        _low_head,
        _raise_head,
    ),
    Check(
        "cursor-above-head",
        "cursors above the head of the log: new events below them would never be delivered",
        "sets them to the head and revokes the lease",
        ("target", "lanes"),
        _high_cursors,
        _lower_cursors,
    ),
    Check(
        "lease-beyond-time",
        "leases that last longer than any lease may: a clock was wrong, and nobody else can deliver there",
        "ends them; whoever holds one notices at its next commit",
        ("target", "lanes"),
        _long_leases,
        _end_leases,
    ),
    Check(
        "hint-missing",
        "events that are routed without the hint by which shifts find them",
        "writes the hint",
        ("target", "lanes", "seq"),
        _missing_hints,
        _tell_of,
    ),
    Check(
        "flight-of-dead-shift",
        "events in flight by the record of a shift that is no more, which nobody has looked at",
        "records as unknown what has no record; it is sent again where it is still to be delivered",
        ("target", "flight"),
        _dead_flights,
        _account_for,
        leftover=True,
    ),
]
