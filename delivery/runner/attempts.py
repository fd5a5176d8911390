"""Attempts as shifts record them and ask for them: never changed; plain successes in packs, a row for each other one.

What is on record decides after a crash what is sent again, so nobody else reads these tables for a shift.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from delivery.http import Timings
from delivery.runner.database import Database
from delivery.tracking import packing
from delivery.tracking.packing import SPAN, Plain
from delivery.tracking.words import RESENT, Outcome

# target, seq, number, at, took, outcome, status, revision, reason, response, timings (None: the connector has none)
AttemptRow = tuple[int, int, int, int, int, int, int | None, int, str | None, str | None, Timings | None]

COLUMNS = (
    "target", "seq", "number", "at", "took", "outcome", "status", "revision", "reason", "response", "worker",
    "lookup", "connect", "tls", "first_byte",
)  # fmt: skip
ATTEMPT = f"INSERT INTO attempt ({', '.join(COLUMNS)}) VALUES "
VALUES = f"({', '.join(['%s'] * len(COLUMNS))})"
# Many rows in one statement: each step of one gives the interpreter lock away, and the event loop's thread waits for it.
STATEMENTS = [(size, ATTEMPT + ", ".join([VALUES] * size)) for size in (64, 8, 1)]
PACK = "INSERT INTO attempt_pack (target, hi, lo, body) VALUES (%s, %s, %s, %s)"
DISCARD = (
    "INSERT INTO attempt (target, seq, number, at, took, outcome, status, revision, reason, response, worker) "
    "SELECT target, seq, attempts + 1, %s, 0, %s, NULL, 0, reason, NULL, %s FROM runner_exception "
    "WHERE target = %s AND seq = %s"
)
# How often the event of a row of runner_exception was tried. It was not delivered, so no pack has it.
TRIED = (
    "(SELECT COALESCE(MAX(a.number), 0) FROM attempt a "
    "WHERE a.target = runner_exception.target AND a.seq = runner_exception.seq)"
)
_DELIVERED = int(Outcome.DELIVERED)


def record(database: Database, rows: Sequence[AttemptRow], worker: str) -> None:
    """Adds attempts of one target, made by `worker`. Inside a transaction."""
    plain: dict[int, list[Plain]] = {}
    others: list[tuple[Any, ...]] = []
    for row in rows:
        _, seq, number, at, took, outcome, status, revision, reason, response, timings = row
        resent = timings is not None and timings.resent
        if outcome == _DELIVERED and number == 1 and not resent and packing.fits(took, status):
            plain.setdefault(revision, []).append(Plain(seq, at, took, status, timings))
        else:
            told = " ".join(filter(None, (reason, RESENT))) if resent else reason
            others.append((*row[:8], told, response, worker, *packing.phases_of(timings)))
    for revision, made in plain.items():
        packs = packing.pack(made, revision, worker)
        database.many(PACK, [(rows[0][0], one.hi, one.lo, one.body) for one in packs])
    at = 0
    for size, sql in STATEMENTS:
        while len(others) - at >= size:
            database.run(sql, list(chain.from_iterable(others[at : at + size])))
            at += size


def record_discarded(database: Database, target: int, seq: int, now: int, worker: str) -> None:
    """Adds the end of an exception that a person dropped, with the reason it carries."""
    database.run(DISCARD, [now, Outcome.DISCARDED, worker, target, seq])


def is_recorded(database: Database, target: int, seq: int, number: int) -> bool:
    """Whether that attempt, or one that delivered the event, is on record."""
    if database.rows(
        "SELECT 1 FROM attempt WHERE target = %s AND seq = %s AND (number >= %s OR outcome = %s) LIMIT 1",
        [target, seq, number, _DELIVERED],
    ):
        return True
    packs = database.rows(
        "SELECT lo, body FROM attempt_pack WHERE target = %s AND hi >= %s AND hi < %s AND lo <= %s",
        [target, seq, seq + SPAN, seq],
    )
    return any(seq in packing.seqs_of(lo, body) for lo, body in packs)


def above(database: Database, target: int, seq: int) -> tuple[dict[int, int], set[int]]:
    """What is on record of the events after `seq`: seq -> attempts of those with rows, and the seqs that came to an end."""
    rows = database.rows(
        "SELECT seq, MAX(number), MAX(CASE WHEN outcome IN (%s, %s) THEN 1 ELSE 0 END) FROM attempt "
        "WHERE target = %s AND seq > %s GROUP BY seq",
        [_DELIVERED, Outcome.DISCARDED, target, seq],
    )
    packs = database.rows("SELECT lo, body FROM attempt_pack WHERE target = %s AND hi > %s", [target, seq])
    packed: Iterable[int] = chain.from_iterable(packing.seqs_of(lo, body) for lo, body in packs)
    ended = {one for one in packed if one > seq}
    ended.update(one for one, _, over in rows if over)
    return {one: number for one, number, _ in rows}, ended
