"""Counts of deliveries per hour and per day, added up from those per five minutes once nobody adds to them any more.

A year of 20 targets is two million rows of five minutes, 175,000 of hours and 7,300 of days. How far each was added up
stands in log_follower; what is later is read from the finer counts (delivery/tracking/rates.py), so nothing is ever missing.
"""

from __future__ import annotations

import time
from typing import NamedTuple

from django.db import connection, transaction

from delivery.log.schema import COUNTED, SLOT_MINUTES
from delivery.tracking.read import MINUTE, rows

HOUR_MINUTES, DAY_MINUTES = 60, 1440
# Minutes after which nobody counts in a rollup any more.
SETTLED = 5


class _Fold(NamedTuple):
    """`per` rows of `source` become one of `table`; `part`: so many of those in one transaction."""

    name: str
    source: str
    source_time: str
    table: str
    time: str
    per: int
    part: int


HOURS = _Fold(
    "counts per hour",
    "rollup_delivered_slot",
    "slot",
    "rollup_delivered_hour",
    "hour",
    HOUR_MINUTES // SLOT_MINUTES,
    6,
)
DAYS = _Fold("counts per day", "rollup_delivered_hour", "hour", "rollup_delivered_day", "day", 24, 7)


class Folded(NamedTuple):
    """The first hour and the first day since 1970 that are not added up yet; 0 while none is."""

    hour: int
    day: int


def folded() -> Folded:
    """How far the counts per hour and per day go."""
    marks = dict(rows("SELECT name, seq FROM log_follower WHERE name IN (%s, %s)", [HOURS.name, DAYS.name]))
    return Folded(int(marks.get(HOURS.name, 0)), int(marks.get(DAYS.name, 0)))


def fold_counts(ends: float, at: int) -> None:
    """Adds up the hours and days that are over at the instant `at` (microseconds), until `ends` (monotonic) at most."""
    settled = at // MINUTE - SETTLED
    _fold(HOURS, settled // HOUR_MINUTES, ends)
    _fold(DAYS, folded().hour // 24, ends)


def fold_again(target: int, first: int, last: int) -> None:
    """Adds up once more what was added up of `target` from minute `first` to `last`: its finer counts were mended."""
    known = folded()
    for fold, minutes, mark in ((HOURS, HOUR_MINUTES, known.hour), (DAYS, DAY_MINUTES, known.day)):
        begins, ends = first // minutes, min(last // minutes + 1, mark)
        if begins < ends:
            _add_up(fold, begins, ends, target)


def _fold(fold: _Fold, upto: int, ends: float) -> None:
    """Moves the mark of `fold` towards `upto`."""
    while time.monotonic() < ends:
        mark = folded().hour if fold is HOURS else folded().day
        begins = mark
        if not mark:
            [(first,)] = rows(f"SELECT min({fold.source_time}) FROM {fold.source}")
            begins = upto if first is None else min(int(first) // fold.per, upto)
        if mark >= upto:
            return
        goes_to = min(begins + fold.part, upto)
        with transaction.atomic():
            _add_up(fold, begins, goes_to)
            _mark(fold, goes_to)


def _add_up(fold: _Fold, begins: int, ends: int, target: int | None = None) -> None:
    """Writes the rows from `begins` to before `ends` as what their parts add up to."""
    of, values = ("", []) if target is None else (" AND target = %s", [target])
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {fold.table} (target, {fold.time}, {', '.join(COUNTED)}) "
            f"SELECT target, {fold.source_time} / {fold.per}, {', '.join(f'SUM({name})' for name in COUNTED)} "
            f"FROM {fold.source} WHERE {fold.source_time} >= %s AND {fold.source_time} < %s{of} "
            f"GROUP BY target, {fold.source_time} / {fold.per} ORDER BY 1, 2 ON CONFLICT (target, {fold.time}) DO UPDATE SET "
            + ", ".join(f"{name} = excluded.{name}" for name in COUNTED),
            [begins * fold.per, ends * fold.per, *values],
        )


def _mark(fold: _Fold, at: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO log_follower (name, seq, due_at) VALUES (%s, %s, 0) ON CONFLICT (name) DO UPDATE "
            "SET seq = CASE WHEN excluded.seq > log_follower.seq THEN excluded.seq ELSE log_follower.seq END",
            [fold.name, at],
        )
