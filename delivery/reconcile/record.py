"""What attempts are on record, for the checks: the one place here that knows how they are stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from delivery.tracking import packing
from delivery.tracking.packing import SPAN
from delivery.tracking.read import MINUTE, rows
from delivery.tracking.words import Outcome

PACKS = 1000  # read at once
# Packs are in the order of their commits, and the first attempt of one may have begun that long before it.
SLACK = 2 * MINUTE


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
    found = {
        int(seq)
        for (seq,) in rows(
            "SELECT seq FROM attempt WHERE target = %s AND seq >= %s AND seq <= %s AND outcome IN (%s, %s)",
            [target, low, high, int(Outcome.DELIVERED), int(Outcome.DISCARDED)],
        )
    }
    for lo, body in rows(
        "SELECT lo, body FROM attempt_pack WHERE target = %s AND hi >= %s AND hi < %s AND lo <= %s",
        [target, low, high + SPAN, high],
    ):
        found.update(seq for seq in packing.seqs_of(lo, body) if low <= seq <= high)
    return found


def attempts_since(since: int, most: int) -> tuple[int, Iterator[Tried]]:
    """Attempts that were made at or after a moment, all of them; that moment is `since` or later, for at most about
    `most` of those with rows and as many in packs are looked at.
    """
    row_from, row_id = _first_row(since, most)
    pack_from, packs = _newest_packs(since, most)
    begin = max(since, row_from, pack_from)
    return begin, _made(begin, row_id, packs)


def _first_row(since: int, most: int) -> tuple[int, int]:
    """From when on rows are looked at, and the id after which they are."""
    newest = int(rows("SELECT MAX(id) FROM attempt")[0][0] or 0)
    low, high = max(0, newest - most), newest
    cut = low > 0
    while low < high:  # ids grow with time, but for the length of a commit
        middle = (low + high) // 2
        found = rows("SELECT id, at FROM attempt WHERE id > %s ORDER BY id LIMIT 1", [middle])
        if not found or found[0][1] >= since:
            high = middle
        else:
            low, cut = found[0][0], False
    first = rows("SELECT at FROM attempt WHERE id > %s ORDER BY id LIMIT 1", [low]) if cut else []
    return (int(first[0][0]) if first else 0), low


def _newest_packs(since: int, most: int) -> tuple[int, list[int]]:
    """From when on packs are looked at, and their ids."""
    ids: list[int] = []
    attempts, below = 0, None
    while True:
        where, values = ("WHERE id < %s ", [below]) if below is not None else ("", list[int]())
        page = rows(f"SELECT id, body FROM attempt_pack {where}ORDER BY id DESC LIMIT %s", [*values, PACKS])
        for pk, body in page:
            if packing.began(body) < since - SLACK:
                return 0, ids
            ids.append(int(pk))
            attempts += packing.size_of(body)
            if attempts > most:
                return packing.began(body) + SLACK, ids
        if len(page) < PACKS:
            return 0, ids
        below = page[-1][0]


def _made(begin: int, after: int, packs: list[int]) -> Iterator[Tried]:
    while page := rows(
        "SELECT id, target, seq, number, at, took, outcome FROM attempt WHERE id > %s ORDER BY id LIMIT 5000",
        [after],
    ):
        yield from (Tried(*attempt) for _, *attempt in page if attempt[3] >= begin)
        after = page[-1][0]
    for at in range(0, len(packs), PACKS):
        part = packs[at : at + PACKS]
        found: list[tuple[Any, ...]] = rows(
            "SELECT target, lo, body FROM attempt_pack WHERE id >= %s AND id <= %s", [min(part), max(part)]
        )
        for target, lo, body in found:
            for one in packing.unpack(lo, body):
                if one.at >= begin:
                    yield Tried(target, one.seq, 1, one.at, one.took, packing.PLAIN)
