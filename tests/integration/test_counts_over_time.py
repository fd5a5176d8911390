"""Counts of deliveries per hour and day: the same as the finer ones they are made of, whenever they are read."""

from __future__ import annotations

import random
import time

import pytest

from delivery.log.retention import retain_all
from delivery.tracking import folding, rates
from delivery.tracking.folding import fold_again, fold_counts, folded
from delivery.tracking.rates import Delivered
from delivery.tracking.read import MINUTE, rows
from tests.databases import Database
from tests.integration import rows as write

DAY = 1440
# The end of a day that is over, in minutes since 1970.
ENDS = 20_000 * DAY
TARGETS = (1, 2, 3)


def deliver(days: int, seed: int = 1) -> None:
    """Counts some minutes of `days` days before ENDS, and of the hour after it."""
    draw = random.Random(seed)
    for minute in sorted(draw.sample(range(ENDS - days * DAY, ENDS + 60), 60 * days)):
        write.count_minute(
            draw.choice(TARGETS), minute, delivered=draw.randrange(9), retried=draw.randrange(3), dead=1,
            l2=draw.randrange(4), l7=2, d3=1, rejected=1,
        )  # fmt: skip


def answers(days: int) -> list[object]:
    """What the page of deliveries asks for, in steps of six hours and of a day, up to the end of the day after ENDS."""
    first, last = ENDS - days * DAY, ENDS + DAY - 1
    return [
        (
            rates.delivered(first, last, step),
            rates.delivered(first, last, step, TARGETS[:2]),
            rates.delivered_by_target(first, last, TARGETS, step),
            rates.lines_by_target(first, last, step, TARGETS),
        )
        for step in (360, DAY)
    ]


def test_hours_and_days_say_what_their_minutes_say_however_far_they_are_added_up(
    log_database: Database,
) -> None:
    deliver(5)
    before = answers(4)
    assert sum(slot.delivered for slot in before[0][0]) > 0  # type: ignore[index]
    for _ in range(200):
        fold_counts(time.monotonic() + 0.000_001, (ENDS + 65) * MINUTE)  # a part at a time
        assert answers(4) == before
    fold_counts(time.monotonic() + 60, (ENDS + 65) * MINUTE)
    assert folded() == (ENDS // 60 + 1, ENDS // DAY)
    assert answers(4) == before
    # And they are read from there: without the finer counts of those days nothing is missing.
    write.execute("DELETE FROM rollup_delivered_slot WHERE slot < %s", ENDS // 5)
    assert answers(4) == before
    assert rows("SELECT count(*) FROM rollup_delivered_day")[0][0] == len(TARGETS) * 5


def test_an_hour_is_added_up_when_nobody_counts_in_it_any_more(log_database: Database) -> None:
    write.count_minute(1, ENDS + 10, delivered=1)
    fold_counts(time.monotonic() + 60, (ENDS + 64) * MINUTE)
    assert folded().hour == ENDS // 60
    write.count_minute(1, ENDS + 59, delivered=1)
    fold_counts(time.monotonic() + 60, (ENDS + 65) * MINUTE)
    assert rows("SELECT hour, delivered FROM rollup_delivered_hour") == [(ENDS // 60, 2)]
    assert rates.delivered(ENDS, ENDS + 119, 60) == [Delivered(2), Delivered()]


def test_counts_that_were_mended_are_added_up_again(log_database: Database) -> None:
    write.count_minute(1, ENDS - 10, delivered=1)
    write.count_minute(2, ENDS - 10, delivered=4)
    fold_counts(time.monotonic() + 60, (ENDS + 65) * MINUTE)
    write.execute("UPDATE rollup_delivered_slot SET delivered = 7")
    fold_again(1, ENDS - 12, ENDS + 3)
    assert rows("SELECT target, delivered FROM rollup_delivered_hour ORDER BY 1") == [(1, 7), (2, 4)]
    assert rows("SELECT target, delivered FROM rollup_delivered_day ORDER BY 1") == [(1, 7), (2, 4)]


def test_where_nothing_was_delivered_there_is_nothing_to_add_up(log_database: Database) -> None:
    assert rates.first_minute() is None
    fold_counts(time.monotonic() + 60, ENDS * MINUTE)
    assert folded() == ((ENDS - 5) // 60, (ENDS - 5) // DAY)
    write.count_minute(1, ENDS, delivered=1)
    assert rates.first_minute() == ENDS
    assert rates.delivered(ENDS, ENDS + 59, 60) == [Delivered(1)]


def test_old_counts_per_hour_and_day_are_dropped(log_database: Database) -> None:
    today = time.time_ns() // 60_000_000_000
    for ago in (0, 400 * DAY):
        write.count_minute(1, today - ago, delivered=1)
    for table, unit, size in (("hour", "hour", 60), ("day", "day", DAY)):
        write.execute(
            f"INSERT INTO rollup_delivered_{table} (target, {unit}, delivered, retried, dead) VALUES (1, %s, 1, 0, 0)",
            (today - 400 * DAY) // size,
        )
    retain_all()
    assert rows("SELECT count(*) FROM rollup_delivered_hour") == [(0,)]
    assert rows("SELECT count(*) FROM rollup_delivered_day") == [(0,)]


def test_the_marks_of_two_who_add_up_never_go_back(
    log_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold_counts(time.monotonic() + 60, ENDS * MINUTE)
    folding._mark(folding.HOURS, 5)
    assert folded().hour == (ENDS - 5) // 60
