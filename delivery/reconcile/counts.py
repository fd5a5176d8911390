"""Counts: what the rollups of the last hours say is what the attempts say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from delivery.reconcile.checking import Check, Hit, execute
from delivery.runner.recording import COUNT, histogram
from delivery.tracking.read import MINUTE, now, rows
from delivery.tracking.words import Outcome, State

# Attempts looked at, the newest: enough for an hour of a busy Signalbox, and read within a second.
MOST = 200_000
# An attempt is counted in the minute of its commit, which is that of its end or the one after.
EDGE = 1
# Fewer minutes than this cannot be compared, for both ends are blurred.
SHORTEST = 3
# Since 1970, of the end of an attempt a.
ENDED = f"(a.at + a.took) / {MINUTE}"


def _window(since: int) -> tuple[int, int, int] | None:
    """(first attempt's id, first minute, last minute) to be compared; None when there is too little."""
    newest = rows("SELECT MAX(id) FROM attempt")[0][0]
    if newest is None:
        return None
    low, high = max(0, newest - MOST), int(newest)
    first = low
    while (
        low < high
    ):  # the first attempt made at or after `since`; ids grow with time but for a commit's length
        middle = (low + high) // 2
        found = rows("SELECT id, at FROM attempt WHERE id > %s ORDER BY id LIMIT 1", [middle])
        if not found or found[0][1] >= since:
            high = middle
        else:
            low = found[0][0]
    first = max(first, low)
    begun = rows("SELECT at FROM attempt WHERE id > %s ORDER BY id LIMIT 1", [first])
    if not begun:
        return None
    minutes = max(int(begun[0][0]), since) // MINUTE + 1 + EDGE, now() // MINUTE - 1 - EDGE
    return None if minutes[1] - minutes[0] < SHORTEST else (first, *minutes)


def _differences(since: int) -> Iterator[Hit]:
    """(target, first attempt's id, first minute, last minute) of which counts and attempts cannot both be right."""
    window = _window(since)
    if window is None:
        return
    first, begins, ends = window
    inner = f"{ENDED} >= {begins} AND {ENDED} <= {ends - EDGE}"
    delivered, failed = (
        f"a.outcome = {int(Outcome.DELIVERED)}",
        f"a.outcome IN ({int(Outcome.RETRY)}, {int(Outcome.REJECTED)})",
    )
    tried = {
        target: counts
        for target, *counts in rows(
            f"SELECT a.target, SUM(CASE WHEN {delivered} AND {inner} THEN 1 ELSE 0 END), SUM(CASE WHEN {delivered} THEN 1 ELSE 0 END), "
            f"SUM(CASE WHEN {failed} AND {inner} THEN 1 ELSE 0 END), "
            # A worker's death may make a dead letter of what has no known end.
            f"SUM(CASE WHEN {failed} OR a.outcome = {int(Outcome.UNKNOWN)} THEN 1 ELSE 0 END) "
            f"FROM attempt a WHERE a.id > %s AND {ENDED} >= {begins - EDGE} AND {ENDED} <= {ends} GROUP BY a.target",
            [first],
        )
    }
    counted = {
        target: counts
        for target, *counts in rows(
            "SELECT target, SUM(delivered), SUM(retried + dead) FROM rollup_delivered WHERE minute >= %s AND minute <= %s "
            "GROUP BY target",
            [begins, ends],
        )
    }
    for target in sorted({*tried, *counted}):
        taken, refused = counted.get(target, [0, 0])
        least_taken, most_taken, least_refused, most_refused = tried.get(target, [0, 0, 0, 0])
        if not (least_taken <= taken <= most_taken and least_refused <= refused <= most_refused):
            yield target, first, begins, ends


def _count_again(hits: Sequence[Hit]) -> int:
    for target, first, begins, ends in hits:
        minutes: dict[int, list[list[int]]] = {}  # minute -> latencies, how many were retried, and given up
        for minute, outcome, latency, dead in rows(
            f"SELECT {ENDED}, a.outcome, (a.at + a.took - e.received_at) / 1000, "
            "CASE WHEN x.state = %s AND a.number = (SELECT MAX(l.number) FROM attempt l WHERE l.target = a.target AND l.seq = a.seq) "
            "THEN 1 ELSE 0 END FROM attempt a LEFT JOIN log_event e ON e.seq = a.seq "
            "LEFT JOIN runner_exception x ON x.target = a.target AND x.seq = a.seq "
            f"WHERE a.target = %s AND a.id > %s AND {ENDED} >= %s AND {ENDED} <= %s",
            [int(State.DEAD), target, first, begins, ends],
        ):
            delivered, retried, given_up = minutes.setdefault(minute, [[], [], []])
            if outcome == Outcome.DELIVERED:
                delivered.append(max(0, latency or 0))
            elif outcome == Outcome.REJECTED or (dead and outcome in (Outcome.RETRY, Outcome.UNKNOWN)):
                given_up.append(1)
            elif outcome == Outcome.RETRY:
                retried.append(1)
        execute(
            "DELETE FROM rollup_delivered WHERE target = %s AND minute >= %s AND minute <= %s",
            [target, begins, ends],
        )
        for minute, (delivered, retried, given_up) in sorted(minutes.items()):
            execute(
                COUNT,
                [target, minute, len(delivered), len(retried), len(given_up), *histogram(delivered)],
            )
    return len(hits)


CHECKS = [
    Check(
        "counts-differ",
        "targets whose counts per minute are not what their attempts of that time add up to",
        "counts those minutes again from the attempts",
        ("target", "first attempt", "first minute", "last minute"),
        _differences,
        _count_again,
    )
]
