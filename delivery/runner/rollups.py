"""Counts per target, minute and five minutes, written in the transaction that records what they count."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence

from delivery.log.schema import DURATIONS, LATENCIES, LATENCY_BOUNDS, OUTCOMES, SLOT_MINUTES
from delivery.runner.attempts import AttemptRow
from delivery.runner.database import Database
from delivery.tracking.words import Outcome

MINUTE = 60_000_000

COUNTED = ("delivered", "retried", "dead", *OUTCOMES, *LATENCIES, *DURATIONS)


def _statement(table: str, time: str) -> str:
    return (
        f"INSERT INTO {table} (target, {time}, {', '.join(COUNTED)}) "
        f"VALUES ({', '.join(['%s'] * (2 + len(COUNTED)))}) ON CONFLICT (target, {time}) DO UPDATE SET "
        + ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in COUNTED)
    )


PER_MINUTE = _statement("rollup_delivered", "minute")
PER_SLOT = _statement("rollup_delivered_slot", "slot")


def count(
    database: Database,
    target: int,
    now: int,
    rows: Iterable[AttemptRow],
    latencies: Sequence[int] = (),
    retried: int = 0,
    dead: int = 0,
    discarded: int = 0,
    size: int = 0,
) -> None:
    """Adds attempts and what became of them to the minute of `now` (microseconds). Inside a transaction.

    `latencies`: milliseconds from received to delivered, one for each event that was delivered. `retried`: events that
    are tried again, `dead`: that became dead letters. `size`: bytes of the events as connectors were given them.
    """
    outcomes: Counter[int] = Counter()
    took: list[int] = []
    for row in rows:
        outcomes[row[5]] += 1
        if row[5] != Outcome.UNKNOWN:
            took.append(row[4] // 1000)
    misconfigured = outcomes[Outcome.MISCONFIGURED] + outcomes[Outcome.GONE]
    counts = [
        len(latencies), retried, dead, outcomes[Outcome.REJECTED], misconfigured, outcomes[Outcome.UNKNOWN], discarded, size,
        *histogram(latencies), *histogram(took),
    ]  # fmt: skip
    minute = now // MINUTE
    database.run(PER_MINUTE, [target, minute, *counts])
    database.run(PER_SLOT, [target, minute // SLOT_MINUTES, *counts])


def histogram(milliseconds: Sequence[int]) -> list[int]:
    """How many of them lie within each of LATENCY_BOUNDS, and beyond."""
    counts = [0] * len(LATENCIES)
    for one, times in Counter(milliseconds).items():
        counts[bisect_left(LATENCY_BOUNDS, one)] += times
    return counts
