"""Counts: what the rollups of the last hours say is what the attempts say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from delivery.log.schema import LATENCIES, SLOT_MINUTES
from delivery.reconcile.checking import PAGE, Check, Hit, execute
from delivery.reconcile.record import Tried, attempts_since
from delivery.runner.rollups import histogram
from delivery.tracking.folding import fold_again
from delivery.tracking.read import MINUTE, marks, now, rows
from delivery.tracking.words import Outcome, State

# Attempts looked at, the newest: enough for an hour of a busy Signalbox, and read within a second or two.
MOST = 200_000
# An attempt is counted in the minute of its commit, which is that of its end or the one after.
EDGE = 1
# Fewer minutes than this cannot be compared, for both ends are blurred.
SHORTEST = 3
COLUMNS = ("delivered", "retried", "dead", *LATENCIES)
SET = (
    f"INSERT INTO rollup_delivered (target, minute, {', '.join(COLUMNS)}) "
    f"VALUES ({', '.join(['%s'] * (2 + len(COLUMNS)))}) ON CONFLICT (target, minute) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS)
)
RESET = (
    f"UPDATE rollup_delivered SET {', '.join(f'{name} = 0' for name in COLUMNS)} "
    "WHERE target = %s AND minute >= %s AND minute <= %s"
)
FAILED = (Outcome.RETRY, Outcome.REJECTED)


def _end(attempt: Tried) -> int:
    """The minute in which it ended."""
    return (attempt.at + attempt.took) // MINUTE


def _window(since: int) -> tuple[int, int] | None:
    """The first and last minute that can be compared; None when there are too few."""
    begin, made = attempts_since(since, MOST)
    earliest = min((one.at for one in made), default=None)
    if earliest is None:
        return None
    begins, ends = max(begin, earliest) // MINUTE + 1 + EDGE, now() // MINUTE - 1 - EDGE
    return None if ends - begins < SHORTEST else (begins, ends)


def _differences(since: int) -> Iterator[Hit]:
    """(target, first minute, last minute) of which counts and attempts cannot both be right."""
    window = _window(since)
    if window is None:
        return
    begins, ends = window
    # Per target: fewest and most that may be counted as delivered, and as failed.
    bounds: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for attempt in attempts_since((begins - EDGE) * MINUTE - MINUTE, MOST)[1]:
        end = _end(attempt)
        if not begins - EDGE <= end <= ends:
            continue
        surely = begins <= end <= ends - EDGE
        bound = bounds[attempt.target]
        if attempt.outcome == Outcome.DELIVERED:
            bound[0] += surely
            bound[1] += 1
        elif attempt.outcome in FAILED:
            bound[2] += surely
            bound[3] += 1
        elif attempt.outcome == Outcome.UNKNOWN:
            bound[3] += 1  # A worker's death may make a dead letter of what has no known end.
    counted = {
        target: (int(taken), int(refused))
        for target, taken, refused in rows(
            "SELECT target, SUM(delivered), SUM(retried + dead) FROM rollup_delivered WHERE minute >= %s AND minute <= %s "
            "GROUP BY target",
            [begins, ends],
        )
    }
    for target in sorted({*bounds, *counted}):
        taken, refused = counted.get(target, (0, 0))
        bound = bounds[target]
        if not (bound[0] <= taken <= bound[1] and bound[2] <= refused <= bound[3]):
            yield target, begins, ends


def _count_again(hits: Sequence[Hit]) -> int:
    windows = {target: (begins, ends) for target, begins, ends in hits}
    attempts: dict[tuple[int, int], list[Tried]] = defaultdict(list)
    earliest = min(begins for begins, _ in windows.values())
    for attempt in attempts_since((earliest - EDGE) * MINUTE - MINUTE, MOST)[1]:
        begins, ends = windows.get(attempt.target, (1, 0))
        if begins <= _end(attempt) <= ends:
            attempts[attempt.target, _end(attempt)].append(attempt)
    for target, (begins, ends) in windows.items():
        execute(RESET, [target, begins, ends])
    for (target, minute), made in sorted(attempts.items()):
        delivered = [one for one in made if one.outcome == Outcome.DELIVERED]
        received = _received_at([one.seq for one in delivered])
        latencies = [max(0, (one.at + one.took - received.get(one.seq, one.at)) // 1000) for one in delivered]
        dead = _dead(target, [one.seq for one in made if one.outcome in (Outcome.RETRY, Outcome.UNKNOWN)])
        last = {one.seq: one.number for one in sorted(made, key=lambda one: one.number)}
        given_up = sum(
            one.outcome == Outcome.REJECTED
            or (
                one.outcome in (Outcome.RETRY, Outcome.UNKNOWN)
                and dead.get(one.seq) == one.number == last[one.seq]
            )
            for one in made
        )
        failed = sum(one.outcome in FAILED for one in made)
        retried = max(0, failed - given_up)
        execute(SET, [target, minute, len(delivered), retried, given_up, *histogram(latencies)])
    for target, (begins, ends) in windows.items():
        _add_up(target, begins // SLOT_MINUTES, ends // SLOT_MINUTES)
        fold_again(target, begins, ends)
    return len(hits)


def _add_up(target: int, first: int, last: int) -> None:
    """Makes the counts of five minutes what those of their minutes add up to."""
    sums = ", ".join(f"sum({name})" for name in COLUMNS)
    for slot, *counts in rows(
        f"SELECT minute / {SLOT_MINUTES}, {sums} FROM rollup_delivered WHERE target = %s AND minute >= %s AND minute < %s "
        "GROUP BY 1",
        [target, first * SLOT_MINUTES, (last + 1) * SLOT_MINUTES],
    ):
        execute(
            f"UPDATE rollup_delivered_slot SET {', '.join(f'{name} = %s' for name in COLUMNS)} "
            "WHERE target = %s AND slot = %s",
            [*counts, target, slot],
        )


def _received_at(seqs: Sequence[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for at in range(0, len(seqs), PAGE):
        part = seqs[at : at + PAGE]
        found.update(rows(f"SELECT seq, received_at FROM log_event WHERE seq IN ({marks(part)})", part))
    return found


def _dead(target: int, seqs: Sequence[int]) -> dict[int, int]:
    """The dead letters among those events: seq -> number of their last attempt."""
    found: dict[int, int] = {}
    for at in range(0, len(seqs), PAGE):
        part = seqs[at : at + PAGE]
        found.update(
            rows(
                "SELECT x.seq, (SELECT MAX(a.number) FROM attempt a WHERE a.target = x.target AND a.seq = x.seq) "
                f"FROM runner_exception x WHERE x.target = %s AND x.state = %s AND x.seq IN ({marks(part)})",
                [target, int(State.DEAD), *part],
            )
        )
    return found


CHECKS = [
    Check(
        "counts-differ",
        "targets whose counts per minute are not what their attempts of that time add up to",
        "counts those minutes again from the attempts",
        ("target", "first minute", "last minute"),
        _differences,
        _count_again,
    )
]
