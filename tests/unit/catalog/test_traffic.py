"""The one way to say how many events there are per minute."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.traffic import per_minute


@pytest.mark.parametrize(
    ("counts", "step", "running", "rate"),
    [
        ([], 1, 1, 0),
        ([0] * 60, 1, 1, 0),
        ([30] * 60, 1, 1, 30),
        ([0] * 56 + [30] * 4, 1, 1, 30),
        ([0] * 59 + [30], 1, 1, 30),
        # The last minute has run for 15 seconds: 4.25 minutes, but never less than one.
        ([0] * 55 + [40] * 4 + [10], 1, 0.25, 40),
        ([0] * 59 + [10], 1, 0.25, 10),
        # What was a minute ago and is over counts as long as it is looked at.
        ([0] * 50 + [60] + [0] * 9, 1, 1, 6),
        # Bars of 20 minutes: 60 minutes.
        ([0, 0, 20, 20, 20], 20, 1, 1),
        ([0, 0, 20, 20, 10], 20, 0.5, 1),
    ],
)
def test_the_rate_is_of_the_minutes_since_it_began(
    counts: list[int], step: float, running: float, rate: float
) -> None:
    assert per_minute(counts, step, running) == pytest.approx(rate)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=60))
def test_quiet_minutes_before_the_first_event_change_nothing(counts: list[int]) -> None:
    assert per_minute(counts) == per_minute([0] * 30 + counts)
    assert sum(counts) / 60 <= per_minute(counts) <= sum(counts)
