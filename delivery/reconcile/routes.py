"""Routes: what was routed is still to be delivered, or on record; the log has it; its target exists."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from delivery.log.interface import open_log
from delivery.log.schema import CURSORS
from delivery.reconcile.checking import CURSOR, PAGE, PART, Check, Hit, by_target, execute, greatest
from delivery.reconcile.record import ended
from delivery.tracking.read import now, rows
from delivery.tracking.words import State

OF_TARGETS = ("log_route", "log_ready", "runner_slot", "runner_flight", "runner_suspect", "runner_exception")
LONGEST = 20.0  # seconds that leftovers of a deleted target are removed for at a time
HELD = "EXISTS (SELECT 1 FROM runner_exception x WHERE x.target = {target} AND x.seq = {seq})"
SEND_AGAIN = (
    "INSERT INTO runner_exception (target, seq, lane, key, state, blocks, attempts, redriven, received_at, first_at, due_at, "
    f"status, reason, raw, request, response) SELECT %s, e.seq, e.lane, e.key, {int(State.RETRY)}, 0, 0, 0, "
    "e.received_at, 0, %s, NULL, %s, e.raw, NULL, NULL FROM log_event e WHERE e.seq = %s "
    "ON CONFLICT (target, seq) DO NOTHING"
)
REASON = "It was passed over without an attempt on record; found by reconciling."


def _passed_over(since: int) -> Iterator[Hit]:
    """(target, seq): below the cursor, and neither delivered, discarded nor an exception.

    Attempts of an event are kept as long as the event is, so only what the log still has can be judged. Attempts are
    read after the routes: what was on its way between both is on record by then.
    """
    first = open_log().seek(since) if since else 0
    held = HELD.format(target="r.target", seq="r.seq")
    for target, lanes in by_target(
        "SELECT target, lanes FROM runner_slot WHERE target >= %s AND target <= %s"
    ):
        last = first
        while True:
            found = [
                seq
                for (seq,) in rows(
                    "SELECT r.seq FROM log_route r JOIN runner_slot s ON s.target = r.target AND s.lanes = r.lanes "
                    f"JOIN log_event e ON e.seq = r.seq WHERE r.target = %s AND r.lanes = %s AND r.seq > %s "
                    f"AND r.seq <= {greatest(*(f's.{name}' for name in CURSORS))} AND r.seq <= {CURSOR} AND NOT {held} "
                    f"ORDER BY r.seq LIMIT {PAGE}",
                    [target, lanes, last],
                )
            ]
            if found:
                known = ended(target, found[0], found[-1])
                yield from ((target, seq) for seq in found if seq not in known)
            if len(found) < PAGE:
                break
            last = found[-1]


def _send_again(hits: Sequence[Hit]) -> int:
    return sum(
        execute(SEND_AGAIN, [target, now(), REASON, seq])
        for target, seq in hits
        if seq not in ended(target, seq, seq)
    )


def _without_event(since: int) -> Iterator[Hit]:
    """(target, lanes, seq): still to be delivered, but not in the log."""
    yield from by_target(
        "SELECT r.target, r.lanes, r.seq FROM log_route r LEFT JOIN log_event e ON e.seq = r.seq "
        "LEFT JOIN runner_slot s ON s.target = r.target AND s.lanes = r.lanes "
        f"WHERE r.target >= %s AND r.target <= %s AND r.seq > %s AND e.seq IS NULL AND r.seq > {CURSOR}",
        [open_log().seek(since) if since else 0],
    )


def _drop_routes(hits: Sequence[Hit]) -> int:
    sql = "DELETE FROM log_route WHERE target = %s AND lanes = %s AND seq = %s"
    return sum(execute(sql, hit) for hit in hits)


def _of_no_target(since: int) -> Iterator[Hit]:
    """(target): one that is no more and of which rows are left. From one target to the next by the index."""
    gone: set[int] = set()
    for table in OF_TARGETS:
        gone.update(
            target
            for (target,) in rows(
                f"WITH RECURSIVE next(target) AS (SELECT MIN(target) FROM {table} UNION ALL "
                f"SELECT (SELECT MIN(target) FROM {table} r WHERE r.target > next.target) FROM next "
                "WHERE next.target IS NOT NULL) "
                "SELECT target FROM next WHERE target IS NOT NULL AND target NOT IN (SELECT id FROM rules_target)"
            )
        )
    yield from ((target,) for target in sorted(gone))


def _forget(hits: Sequence[Hit]) -> int:
    ends = time.monotonic() + LONGEST
    key = "(target, lanes, seq)"
    done = 0
    for (target,) in hits:
        while time.monotonic() < ends and execute(
            f"DELETE FROM log_route WHERE {key} IN (SELECT target, lanes, seq FROM log_route WHERE target = %s LIMIT {PART})",
            [target],
        ):
            pass
        for table in OF_TARGETS[1:]:
            execute(f"DELETE FROM {table} WHERE target = %s", [target])
        done += not rows("SELECT 1 FROM log_route WHERE target = %s LIMIT 1", [target])
    return done


CHECKS = [
    Check(
        "passed-over",
        "events that a cursor has passed although they were neither delivered nor given up",
        "sends them: they may arrive a second time, and out of their order",
        ("target", "seq"),
        _passed_over,
        _send_again,
    ),
    Check(
        "route-without-event",
        "events that are still to be delivered but that the log no longer has",
        "drops the route: the event is gone and nothing brings it back",
        ("target", "lanes", "seq"),
        _without_event,
        _drop_routes,
    ),
    Check(
        "target-gone",
        "rows of targets that were deleted",
        "deletes them",
        ("target",),
        _of_no_target,
        _forget,
        leftover=True,
    ),
]
