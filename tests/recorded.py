"""All attempts on record, those in packs and those with rows, as one list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from delivery.tracking import packing


class Recorded(NamedTuple):
    """One attempt; `at` and `took` in microseconds."""

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
    worker: str | None
    phases: tuple[int | None, ...]


def named(rows: Callable[[str], list[tuple[Any, ...]]]) -> list[tuple[int, str, int, int]]:
    """Every attempt as (target, CloudEvents id, number, outcome)."""
    names = dict(rows("SELECT seq, ce_id FROM log_event"))
    return [(one.target, names[one.seq], one.number, one.outcome) for one in attempts(rows)]


def attempts(rows: Callable[[str], list[tuple[Any, ...]]]) -> list[Recorded]:
    """Every attempt that `rows`, which runs a query, finds; of one event in the order they were recorded."""
    alone = rows(
        "SELECT target, seq, number, at, took, outcome, status, revision, reason, response, worker, lookup, connect, "
        "tls, first_byte FROM attempt ORDER BY id"
    )
    found = [
        Recorded(
            target, one.seq, 1, one.at, one.took, packing.PLAIN, one.status, one.revision, None, None, one.worker,
            one.phases,
        )
        for target, lo, body in rows("SELECT target, lo, body FROM attempt_pack ORDER BY id")
        for one in packing.unpack(lo, body)
    ]  # fmt: skip
    found += [Recorded(*row[:11], phases=tuple(row[11:])) for row in alone]
    return sorted(found, key=lambda one: (one.target, one.seq))
