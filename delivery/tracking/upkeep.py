"""Where little happens, each commit leaves a pack of one or two attempts: those are merged after a while."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection, transaction

from delivery.tracking import packing
from delivery.tracking.packing import MOST, SPAN, Packed
from delivery.tracking.read import MINUTE, now, rows

NAME = "attempt packs"  # in log_follower: the id up to which packs were looked at
PART = 1000  # packs per transaction: far less than 100 ms with the lock held
SMALL = MOST // 2  # attempts; larger packs stay as they are
AGE = 10 * MINUTE  # what is younger may still be read while a crash is recovered from, and is left alone


class _Pack(NamedTuple):
    id: int
    target: int
    hi: int
    lo: int
    body: Any


def merge_packs(ends: float) -> int:
    """Merges small packs that are older than ten minutes until all were looked at or `ends` (monotonic) has come.

    Returns how many packs fewer there are.
    """
    saved = 0
    while time.monotonic() < ends:
        mark = _mark()
        found = [
            _Pack(*row)
            for row in rows(
                "SELECT id, target, hi, lo, body FROM attempt_pack WHERE id > %s ORDER BY id LIMIT %s",
                [mark, PART],
            )
        ]
        old = now() - AGE
        young = next((at for at, one in enumerate(found) if packing.began(one.body) > old), len(found))
        looked = found[:young]
        if not looked:
            break
        groups = [(_last(group), _merged(group), group) for group in _groups(looked)]
        if not _replace(mark, looked[-1].id, groups):
            break  # Another process does the same.
        saved += sum(len(group) - 1 for _, _, group in groups)
        if len(looked) < PART:
            break
    return saved


def _mark() -> int:
    found = rows("SELECT seq FROM log_follower WHERE name = %s", [NAME])
    return int(found[0][0]) if found else 0


def _groups(packs: Sequence[_Pack]) -> list[list[_Pack]]:
    """Packs that fit into one: of the same target, worker and revision, near each other."""
    alike: dict[tuple[int, str, int], list[_Pack]] = defaultdict(list)
    for one in packs:
        if packing.size_of(one.body) < SMALL:
            alike[one.target, *packing.maker_of(one.body)].append(one)
    groups = []
    for candidates in alike.values():
        candidates.sort(key=lambda one: one.lo)
        group: list[_Pack] = []
        size = 0
        for one in candidates:
            more = packing.size_of(one.body)
            if group and (size + more > MOST or max(one.hi, _last(group).hi) - group[0].lo >= SPAN):
                groups.append(group)
                group, size = [], 0
            group.append(one)
            size += more
        groups.append(group)
    return [group for group in groups if len(group) > 1]


def _last(group: Sequence[_Pack]) -> _Pack:
    """The one that is kept: its last seq stays, so that retention may drop any of the group meanwhile."""
    return max(group, key=lambda one: one.hi)


def _merged(group: Sequence[_Pack]) -> Packed:
    return packing.merge([(one.lo, one.body) for one in group])


def _replace(mark: int, looked: int, groups: Sequence[tuple[_Pack, Packed, Sequence[_Pack]]]) -> bool:
    """Writes the merged packs; False, with nothing changed, when the mark is not where it was."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO log_follower (name, seq, due_at) VALUES (%s, %s, 0) ON CONFLICT (name) DO UPDATE "
            "SET seq = excluded.seq WHERE log_follower.seq = %s",
            [NAME, looked, mark],
        )
        if cursor.rowcount != 1:
            return False
        cursor.executemany(
            "UPDATE attempt_pack SET lo = %s, body = %s WHERE id = %s",
            [(packed.lo, packed.body, kept.id) for kept, packed, _ in groups],
        )
        cursor.executemany(
            "DELETE FROM attempt_pack WHERE id = %s",
            [(one.id,) for kept, _, group in groups for one in group if one.id != kept.id],
        )
    return True
