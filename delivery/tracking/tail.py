"""What is new since a moment ago, read in bounded queries: events, attempts, requests that bins received.

Events are read by seq, which grows in commit order. Attempts are numbered before they commit: on PostgreSQL a smaller
id may appear after a larger one, so ids of the last second are looked at again and each is told once.
"""

from __future__ import annotations

import time
from collections import deque
from typing import NamedTuple

from django.db import connection

from delivery.tracking.read import rows
from delivery.tracking.words import Outcome

# An attempt's transaction is open for milliseconds; what shows up later than this is missed by the feed, not the pages.
OVERLAP = 1.0
MOST = 25_000


class NewAttempt(NamedTuple):
    """An attempt that appeared: enough to choose which to show."""

    id: int
    target: int
    delivered: bool


class News(NamedTuple):
    """What appeared since the last look. `events`: (first, last) seq, first > last for none; `requests`: ids by bin."""

    events: tuple[int, int]
    attempts: list[NewAttempt]
    requests: dict[int, list[int]]

    @property
    def nothing(self) -> bool:
        """Whether nothing at all appeared."""
        return self.events[0] > self.events[1] and not self.attempts and not self.requests


class Reader:
    """Remembers how far it has looked. Used by one thread."""

    def __init__(self) -> None:
        self._seq = self._one("SELECT seq FROM log_head WHERE id = 1")
        self._attempt = self._one("SELECT max(id) FROM attempt")
        self._request = self._one("SELECT max(id) FROM delivery_binrequest")
        self._told: set[int] = set()
        self._marks: deque[tuple[float, int]] = deque([(time.monotonic(), self._attempt)])

    @staticmethod
    def _one(sql: str) -> int:
        found = rows(sql)
        return int(found[0][0] or 0) if found else 0

    def news(self) -> News:
        """What appeared since the last call."""
        head = self._one("SELECT seq FROM log_head WHERE id = 1")
        events = (self._seq + 1, head)
        self._seq = head
        return News(events, self._attempts(), self._requests())

    def _attempts(self) -> list[NewAttempt]:
        moment = time.monotonic()
        floor = self._floor(moment) if connection.vendor == "postgresql" else self._attempt
        found = rows(
            "SELECT id, target, outcome FROM attempt WHERE id > %s ORDER BY id DESC LIMIT %s", [floor, MOST]
        )
        new = [
            NewAttempt(int(pk), int(target), outcome == Outcome.DELIVERED)
            for pk, target, outcome in reversed(found)
            if pk not in self._told
        ]
        if found:
            self._attempt = max(self._attempt, int(found[0][0]))
        if connection.vendor == "postgresql":
            self._told = {int(pk) for pk, _target, _outcome in found}
            self._marks.append((moment, self._attempt))
        return new

    def _floor(self, moment: float) -> int:
        while len(self._marks) > 1 and self._marks[1][0] < moment - OVERLAP:
            self._marks.popleft()
        return self._marks[0][1]

    def _requests(self) -> dict[int, list[int]]:
        by_bin: dict[int, list[int]] = {}
        for pk, bin_id in rows(
            "SELECT id, bin_id FROM delivery_binrequest WHERE id > %s ORDER BY id LIMIT %s",
            [self._request, MOST],
        ):
            by_bin.setdefault(int(bin_id), []).append(int(pk))
            self._request = max(self._request, int(pk))
        return by_bin
