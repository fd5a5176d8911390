"""What attempts are on record, for the checks: the one place here that knows how they are stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from delivery.tracking.read import rows
from delivery.tracking.words import Outcome


class Tried(NamedTuple):
    """One attempt; times in microseconds."""

    target: int
    seq: int
    number: int
    at: int
    took: int
    outcome: int


def ended(target: int, low: int, high: int) -> set[int]:
    """The events from seq `low` to `high` that this target took, or that a person dropped for it."""
    found = rows(
        "SELECT seq FROM attempt WHERE target = %s AND seq >= %s AND seq <= %s AND outcome IN (%s, %s)",
        [target, low, high, int(Outcome.DELIVERED), int(Outcome.DISCARDED)],
    )
    return {seq for (seq,) in found}


def attempts_since(since: int, most: int) -> Iterator[Tried]:
    """Attempts that were made at or after `since`, the newest `most` of them, about in the order they were recorded."""
    newest = rows("SELECT MAX(id) FROM attempt")[0][0] or 0
    low, high = max(0, newest - most), newest
    while low < high:  # ids grow with time, but for the length of a commit
        middle = (low + high) // 2
        found = rows("SELECT id, at FROM attempt WHERE id > %s ORDER BY id LIMIT 1", [middle])
        if not found or found[0][1] >= since:
            high = middle
        else:
            low = found[0][0]
    while True:
        page = rows(
            "SELECT id, target, seq, number, at, took, outcome FROM attempt WHERE id > %s AND id <= %s ORDER BY id LIMIT 5000",
            [low, newest],
        )
        for _, *attempt in page:
            yield Tried(*attempt)
        if not page:
            return
        low = page[-1][0]
