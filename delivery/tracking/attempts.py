"""Attempts: what was tried, when, for how long and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from delivery.tracking.read import marks, moment, rows
from delivery.tracking.words import Outcome

COLUMNS = "id, target, seq, number, at, took, outcome, status, revision, reason, response"
# Failures among the newest attempts only: an index for a list that people read would cost every delivery.
LOOKED_AT = 20_000


class Attempt(NamedTuple):
    """One try. `at` and `took` in microseconds; `status` as the target answered (an HTTP status), if it did."""

    id: int
    target: int
    seq: int
    number: int
    at: int
    took: int
    outcome: int
    status: int | None
    revision: int
    reason: str | None
    response: str | None

    @property
    def began(self) -> datetime:
        """When it began, with its time zone."""
        return moment(self.at)

    @property
    def milliseconds(self) -> float:
        """How long it took."""
        return self.took / 1000

    @property
    def delivered(self) -> bool:
        """Whether the target took it."""
        return self.outcome == Outcome.DELIVERED


def of_event(seq: int, limit: int = 1000) -> list[Attempt]:
    """The attempts to deliver one event, to any target, in the order they were made; at most the first `limit`."""
    return [
        Attempt(*row)
        for row in rows(f"SELECT {COLUMNS} FROM attempt WHERE seq = %s ORDER BY id LIMIT %s", [seq, limit])
    ]


def of_target(target: int, limit: int = 50) -> list[Attempt]:
    """The attempts of a target's newest events, newest first."""
    sql = f"SELECT {COLUMNS} FROM attempt WHERE target = %s ORDER BY seq DESC, id DESC LIMIT %s"
    return [Attempt(*row) for row in rows(sql, [target, limit])]


def newest(limit: int, failed: bool = False) -> list[Attempt]:
    """The latest attempts, newest first; with `failed`, those among the newest 20,000 that did not deliver."""
    if not failed:
        return [
            Attempt(*row) for row in rows(f"SELECT {COLUMNS} FROM attempt ORDER BY id DESC LIMIT %s", [limit])
        ]
    sql = (
        f"SELECT {COLUMNS} FROM attempt WHERE id > (SELECT coalesce(max(id), 0) FROM attempt) - %s "
        "AND outcome <> %s ORDER BY id DESC LIMIT %s"
    )
    return [Attempt(*row) for row in rows(sql, [LOOKED_AT, int(Outcome.DELIVERED), limit])]


def with_ids(ids: Sequence[int]) -> list[Attempt]:
    """The attempts with those ids, newest first."""
    sql = f"SELECT {COLUMNS} FROM attempt WHERE id IN ({marks(ids)}) ORDER BY id DESC"
    return [Attempt(*row) for row in rows(sql, list(ids))]
