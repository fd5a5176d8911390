"""What a check is, and what all of them share: reading in parts, mending in short transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from delivery.log.schema import CURSORS, LANES_PER_SLOT
from delivery.tracking.read import now, rows

# Rows mended in one transaction: far less than 100 ms with the lock held.
PART = 100
# Rows read at once.
PAGE = 2_000
# Targets looked at in one query.
TARGETS = 200
# Microseconds after which nobody can be at work on something any more: leases last five seconds.
LONG_AGO = 60_000_000

# The cursor of route r's lane in slot s; 0 where the slot was never leased. %% because these statements take parameters.
CURSOR = (
    f"coalesce(CASE r.lane %% {LANES_PER_SLOT} "
    + " ".join(f"WHEN {n} THEN s.{name}" for n, name in enumerate(CURSORS))
    + " END, 0)"
)

# What is wrong at one place, as the parameters of the statements that mend it. The first values name the place.
Hit = tuple[Any, ...]


@dataclass(frozen=True)
class Check:
    """One invariant. `look(since)` yields what contradicts it, `mend(hits)` returns how many of those it put right.

    `since`: microseconds; events received and attempts made before it need not be looked at. `place` names the values
    that a hit begins with. `leftover`: what a crash or a deletion leaves behind for a while and that harms nobody.
    """

    name: str
    finds: str
    mends: str
    place: tuple[str, ...]
    look: Callable[[int], Iterator[Hit]]
    mend: Callable[[Sequence[Hit]], int]
    leftover: bool = False


def execute(sql: str, values: Sequence[Any] = ()) -> int:
    """Runs a statement; how many rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(sql, list(values))
        return int(cursor.rowcount)


def ranges() -> Iterator[tuple[int, int]]:
    """All targets there are or that rows speak of, as ranges of ids with at most TARGETS of `rules_target` in each."""
    low = 0
    while True:
        found = rows(
            "SELECT id FROM rules_target WHERE id > %s ORDER BY id LIMIT 1 OFFSET %s", [low, TARGETS - 1]
        )
        high = int(found[0][0]) if found else 2**62
        yield low + 1, high
        if not found:
            return
        low = high


def by_target(sql: str, values: Sequence[Any] = ()) -> Iterator[Hit]:
    """The rows of a query over one range of targets after another; its first parameters are both ends of the range.

    At most PAGE rows of each range: what is mended makes room for the rest, at the next look.
    """
    for low, high in ranges():
        yield from rows(f"{sql} LIMIT {PAGE}", [low, high, *values])


def database_now() -> int:
    """Microseconds since 1970 by the clock that leases go by."""
    if connection.vendor == "sqlite":
        return now()
    return int(rows("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")[0][0])


def least(*names: str) -> str:
    """SQL for the smallest of some columns."""
    return f"{'min' if connection.vendor == 'sqlite' else 'least'}({', '.join(names)})"


def greatest(*names: str) -> str:
    """SQL for the largest of some columns."""
    return f"{'max' if connection.vendor == 'sqlite' else 'greatest'}({', '.join(names)})"
