"""What is new since a moment ago, read in bounded queries: events, attempts, requests that bins received.

Events are read by seq, which grows in commit order. Attempts are numbered before they commit: on PostgreSQL a smaller
id may appear after a larger one, so ids of the last second are looked at again and each is told once.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any, NamedTuple

from django.db import connection

from delivery.tracking.attempts import COLUMNS, Attempt, from_pack, from_row
from delivery.tracking.read import rows

# An attempt's transaction is open for milliseconds; what shows up later than this is missed by the feed, not the pages.
OVERLAP = 1.0
MOST = 25_000
MOST_PACKS = 1_000


class News(NamedTuple):
    """What appeared since the last look. `events`: (first, last) seq, first > last for none; `requests`: ids by bin."""

    events: tuple[int, int]
    attempts: list[Attempt]
    requests: dict[int, list[int]]

    @property
    def nothing(self) -> bool:
        """Whether nothing at all appeared."""
        return self.events[0] > self.events[1] and not self.attempts and not self.requests


def _one(sql: str) -> int:
    found = rows(sql)
    return int(found[0][0] or 0) if found else 0


class _Place:
    """How far a table was read whose ids are given before they commit."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._last = _one(f"SELECT max(id) FROM {table}")
        self._told: set[int] = set()
        self._marks: deque[tuple[float, int]] = deque([(time.monotonic(), self._last)])

    def new(self, columns: str, most: int) -> list[tuple[Any, ...]]:
        """The rows that appeared since the last call, the newest first; at most `most`."""
        moment = time.monotonic()
        floor = self._floor(moment) if connection.vendor == "postgresql" else self._last
        found = rows(
            f"SELECT id, {columns} FROM {self._table} WHERE id > %s ORDER BY id DESC LIMIT %s", [floor, most]
        )
        new = [row for pk, *row in found if pk not in self._told]
        if found:
            self._last = max(self._last, int(found[0][0]))
        if connection.vendor == "postgresql":
            self._told = {int(pk) for pk, *_row in found}
            self._marks.append((moment, self._last))
        return [tuple(row) for row in new]

    def _floor(self, moment: float) -> int:
        while len(self._marks) > 1 and self._marks[1][0] < moment - OVERLAP:
            self._marks.popleft()
        return self._marks[0][1]


class Reader:
    """Remembers how far it has looked. Used by one thread."""

    def __init__(self) -> None:
        self._seq = _one("SELECT seq FROM log_head WHERE id = 1")
        self._places = [_Place("attempt"), _Place("attempt_pack")]
        self._request = _one("SELECT max(id) FROM delivery_binrequest")

    @property
    def head(self) -> int:
        """The seq of the newest event as of the last call."""
        return self._seq

    def news(self) -> News:
        """What appeared since the last call."""
        head = _one("SELECT seq FROM log_head WHERE id = 1")
        events = (self._seq + 1, head)
        self._seq = head
        return News(events, self._attempts(), self._requests())

    def _attempts(self) -> list[Attempt]:
        alone, packed = self._places
        found = [from_row(row) for row in alone.new(COLUMNS, MOST)]
        for target, lo, body in packed.new("target, lo, body", MOST_PACKS):
            if len(found) >= MOST:
                break
            found += from_pack(target, lo, body)
        return sorted(found, key=lambda one: one.ended)

    def _requests(self) -> dict[int, list[int]]:
        by_bin: dict[int, list[int]] = {}
        for pk, bin_id in rows(
            "SELECT id, bin_id FROM delivery_binrequest WHERE id > %s ORDER BY id LIMIT %s",
            [self._request, MOST],
        ):
            by_bin.setdefault(int(bin_id), []).append(int(pk))
            self._request = max(self._request, int(pk))
        return by_bin
