"""Dead letters as people read them: grouped by target and reason, newest first."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from delivery.tracking.attempts import TRIED
from delivery.tracking.read import moment, rows
from delivery.tracking.words import State

LOOKED_AT = 10_000


class DeadLetter(NamedTuple):
    """One event that a target finally did not take. `first_at` in microseconds."""

    target: int
    seq: int
    attempts: int
    first_at: int
    status: int | None
    reason: str

    @property
    def since(self) -> datetime:
        """When it was first tried."""
        return moment(self.first_at)


class Group(NamedTuple):
    """Dead letters of one target with the same reason."""

    target: int
    status: int | None
    reason: str
    size: int
    first_at: int
    last_seq: int

    @property
    def since(self) -> datetime:
        """When the first of them was first tried."""
        return moment(self.first_at)


def groups(target: int | None = None) -> list[Group]:
    """The newest 10,000 dead letters, grouped by target and reason, the largest group first."""
    where, parameters = (" AND target = %s", [target]) if target is not None else ("", [])
    found = rows(
        "SELECT target, status, reason, count(*), min(first_at), max(seq) FROM (SELECT target, status, reason, first_at, "
        f"seq FROM runner_exception WHERE state = %s{where} ORDER BY seq DESC LIMIT %s) AS newest "
        "GROUP BY target, status, reason ORDER BY 4 DESC, 6 DESC",
        [int(State.DEAD), *parameters, LOOKED_AT],
    )
    return [Group(row[0], row[1], row[2] or "", int(row[3]), int(row[4]), int(row[5])) for row in found]


def newest(target: int, reason: str | None, limit: int = 50, below: int | None = None) -> list[DeadLetter]:
    """Dead letters of a target, newest first: those with `reason`, or all; only those under seq `below` when given."""
    where = ""
    parameters: list[int | str] = []
    if reason is not None:
        where, parameters = " AND coalesce(reason, '') = %s", [reason]
    if below is not None:
        where, parameters = where + " AND seq < %s", [*parameters, below]
    found = rows(
        # All attempts, not only those since it was redriven.
        f"SELECT target, seq, {TRIED}, first_at, status, coalesce(reason, '') FROM runner_exception x "
        f"WHERE state = %s AND target = %s{where} ORDER BY seq DESC LIMIT %s",
        [int(State.DEAD), target, *parameters, limit],
    )
    return [DeadLetter(*row) for row in found]


def seqs_with(target: int, reason: str) -> list[int]:
    """The seqs of a target's dead letters with that reason, at most 10,000."""
    found = rows(
        "SELECT seq FROM runner_exception WHERE state = %s AND target = %s AND coalesce(reason, '') = %s "
        "ORDER BY seq LIMIT %s",
        [int(State.DEAD), target, reason, LOOKED_AT],
    )
    return [int(seq) for (seq,) in found]


def count() -> int:
    """All dead letters."""
    return int(rows("SELECT count(*) FROM runner_exception WHERE state = %s", [int(State.DEAD)])[0][0])
