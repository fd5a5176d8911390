"""A rate that several shifts share: whatever they draw and when, the target's rate and burst hold."""

from __future__ import annotations

import random
from bisect import bisect_left

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.runner.rate import BURST, KEPT, Pace, draw

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("schedule", "rate", "wanted", "events", "first"),
    [
        (0, 100.0, 5, 5, 9 * SECOND + 10_000),  # rested: a second's worth may go at once
        (0, 100.0, 1000, 120, 9 * SECOND + 10_000),  # that, and a moment ahead
        (10 * SECOND, 100.0, 1000, 21, 10 * SECOND),
        (11 * SECOND, 100.0, 1000, 0, 11 * SECOND),  # drawn ahead already
        (0, 0.1, 1000, 1, 10 * SECOND),  # one every ten seconds, none saved up
        (12 * SECOND, 0.1, 1000, 0, 12 * SECOND),
    ],
)
def test_what_is_drawn_at_ten_seconds(
    schedule: int, rate: float, wanted: int, events: int, first: int
) -> None:
    drawn = draw(schedule, 10 * SECOND, rate, wanted)
    assert (drawn.events, drawn.first) == (events, first)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([0.5, 3.0, 40.0, 900.0]))
def test_two_shifts_together_keep_the_rate(seed: int, rate: float) -> None:
    chance = random.Random(seed)
    schedule, now, gone = 0, 100 * SECOND, []
    paces = [Pace(), Pace()]
    for _ in range(600):
        now += chance.randrange(50_000)
        pace = chance.choice(paces)
        wanted = chance.randrange(1, 300)
        if pace.next_at is None and now >= pace.ask_at:
            drawn = draw(schedule, now, rate, wanted)
            schedule = drawn.next
            pace.add(drawn, now, wanted, now)
        while chance.random() < 0.97 and pace.take(now):
            gone.append(now)
    for index, at in enumerate(gone):
        for window in (SECOND, 5 * SECOND):
            sent = bisect_left(gone, at + window) - index
            assert sent <= rate * (window + KEPT + BURST) / SECOND + 1


def test_a_busy_target_gets_its_whole_rate() -> None:
    schedule, now, gone, pace = 0, 100 * SECOND, 0, Pace()
    for _ in range(20_000):  # 20 seconds
        now += 1000
        if pace.next_at is None and now >= pace.ask_at:
            drawn = draw(schedule, now, 40.0, 1000)
            schedule = drawn.next
            pace.add(drawn, now, 1000, now)
        gone += pace.take(now)
    assert 20 * 40 <= gone <= 21 * 40 + 1
