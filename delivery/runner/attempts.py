"""Attempts as shifts record them: never changed, one row each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from delivery.runner.database import Database
from delivery.tracking.words import Outcome

# target, seq, number, at, took, outcome, status, revision, reason, response
AttemptRow = tuple[Any, ...]

COLUMNS = ("target", "seq", "number", "at", "took", "outcome", "status", "revision", "reason", "response")
ATTEMPT = f"INSERT INTO attempt ({', '.join(COLUMNS)}) VALUES "
VALUES = f"({', '.join(['%s'] * len(COLUMNS))})"
# Many rows in one statement: each step of one gives the interpreter lock away, and the event loop's thread waits for it.
STATEMENTS = [(size, ATTEMPT + ", ".join([VALUES] * size)) for size in (128, 16, 4, 1)]
DISCARD = (
    "INSERT INTO attempt (target, seq, number, at, took, outcome, status, revision, reason, response) "
    "SELECT target, seq, attempts + 1, %s, 0, %s, NULL, 0, reason, NULL FROM runner_exception "
    "WHERE target = %s AND seq = %s"
)


def record(database: Database, rows: Sequence[AttemptRow]) -> None:
    """Adds attempts. Inside a transaction."""
    at = 0
    for size, sql in STATEMENTS:
        while len(rows) - at >= size:
            database.run(sql, list(chain.from_iterable(rows[at : at + size])))
            at += size


def record_discarded(database: Database, target: int, seq: int, now: int) -> None:
    """Adds the end of an exception that a person dropped, with the reason it carries."""
    database.run(DISCARD, [now, Outcome.DISCARDED, target, seq])
