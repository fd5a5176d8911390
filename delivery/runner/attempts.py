"""Attempts as shifts record them: never changed, one row each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from delivery.runner.database import Database
from delivery.tracking.words import Outcome

# target, seq, number, at, took, outcome, status, revision, reason, response
AttemptRow = tuple[Any, ...]

ATTEMPT = (
    "INSERT INTO attempt (target, seq, number, at, took, outcome, status, revision, reason, response) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)
DISCARD = (
    "INSERT INTO attempt (target, seq, number, at, took, outcome, status, revision, reason, response) "
    "SELECT target, seq, attempts + 1, %s, 0, %s, NULL, 0, reason, NULL FROM runner_exception "
    "WHERE target = %s AND seq = %s"
)


def record(database: Database, rows: Sequence[AttemptRow]) -> None:
    """Adds attempts. Inside a transaction."""
    database.many(ATTEMPT, rows)


def record_discarded(database: Database, target: int, seq: int, now: int) -> None:
    """Adds the end of an exception that a person dropped, with the reason it carries."""
    database.run(DISCARD, [now, Outcome.DISCARDED, target, seq])
