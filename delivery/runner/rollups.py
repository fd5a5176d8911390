"""Counts per target, minute and five minutes, written in the transaction that records what they count."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from delivery.log.schema import COUNTED, LATENCIES, LATENCY_BOUNDS, SLOT_MINUTES
from delivery.runner.attempts import AttemptRow
from delivery.runner.database import Database
from delivery.tracking.words import Outcome

MINUTE = 60_000_000


def _statement(table: str, time: str) -> str:
    return (
        f"INSERT INTO {table} (target, {time}, {', '.join(COUNTED)}) "
        f"VALUES ({', '.join(['%s'] * (2 + len(COUNTED)))}) ON CONFLICT (target, {time}) DO UPDATE SET "
        + ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in COUNTED)
    )


_REJECTED, _UNKNOWN = int(Outcome.REJECTED), int(Outcome.UNKNOWN)
_MISCONFIGURED, _GONE = int(Outcome.MISCONFIGURED), int(Outcome.GONE)
PER_MINUTE = _statement("rollup_delivered", "minute")
PER_SLOT = _statement("rollup_delivered_slot", "slot")


def count(
    database: Database,
    target: int,
    now: int,
    rows: Sequence[AttemptRow],
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
    rejected = misconfigured = unknown = 0
    took = [row[4] // 1000 for row in rows]
    if len(latencies) < len(rows):  # Not all of them delivered.
        outcomes = Counter([row[5] for row in rows])
        rejected, unknown = outcomes[_REJECTED], outcomes[_UNKNOWN]
        misconfigured = outcomes[_MISCONFIGURED] + outcomes[_GONE]
        if unknown:  # Nobody knows how long those took.
            took = [row[4] // 1000 for row in rows if row[5] != _UNKNOWN]
    counts = [
        len(latencies), retried, dead, rejected, misconfigured, unknown, discarded, size,
        *histogram(latencies), *histogram(took),
    ]  # fmt: skip
    minute = now // MINUTE
    database.run(PER_MINUTE, [target, minute, *counts])
    database.run(PER_SLOT, [target, minute // SLOT_MINUTES, *counts])


def histogram(milliseconds: Sequence[int]) -> list[int]:
    """How many of them lie within each of LATENCY_BOUNDS, and beyond."""
    counts = [0] * len(LATENCIES)
    if len(milliseconds) < 40:  # Where counting equal ones first costs more than it saves.
        for one in milliseconds:
            counts[bisect_left(LATENCY_BOUNDS, one)] += 1
        return counts
    for one, times in Counter(milliseconds).items():
        counts[bisect_left(LATENCY_BOUNDS, one)] += times
    return counts
