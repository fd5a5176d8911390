"""Percentiles out of histograms, evenly chosen rows, axes of charts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.log.schema import LATENCY_BOUNDS
from delivery.pages.charts import _nice
from delivery.pages.summary import words_share
from delivery.tracking.rates import NO_LATENCY, Delivered, percentile, total
from delivery.tracking.read import some


def histogram(**columns: int) -> tuple[int, ...]:
    counts = list(NO_LATENCY)
    for name, count in columns.items():
        counts[int(name[1:])] = count
    return tuple(counts)


def test_no_deliveries_have_no_percentile() -> None:
    assert percentile(NO_LATENCY, 0.5) is None


@pytest.mark.parametrize(
    ("columns", "fraction", "low", "high"),
    [
        ({"l0": 10}, 0.5, 0, 1),
        ({"l3": 90, "l9": 10}, 0.5, 5, 10),
        ({"l3": 90, "l9": 10}, 0.95, 500, 1000),
        ({"l14": 1}, 0.5, 60000, 60000),
    ],
)
def test_a_percentile_lies_in_its_column(
    columns: dict[str, int], fraction: float, low: float, high: float
) -> None:
    found = percentile(histogram(**columns), fraction)
    assert found is not None
    assert low <= found <= high


@given(st.lists(st.integers(0, 50), min_size=len(NO_LATENCY), max_size=len(NO_LATENCY)))
def test_percentiles_never_fall(counts: list[int]) -> None:
    found = [percentile(tuple(counts), fraction) for fraction in (0.1, 0.5, 0.95, 1.0)]
    if any(counts):
        numbers = [value for value in found if value is not None]
        assert len(numbers) == 4
        assert numbers == sorted(numbers)
        assert numbers[-1] <= LATENCY_BOUNDS[-1]


def test_totals_add_every_count() -> None:
    first = Delivered(3, 1, 0, histogram(l0=3))
    second = Delivered(1, 0, 2, histogram(l0=1, l5=1))
    assert total([first, second]) == Delivered(4, 1, 2, histogram(l0=4, l5=1))
    assert total([]).share is None
    assert total([first, second]).share == pytest.approx(4 / 6)


@pytest.mark.parametrize(
    ("share", "shown"), [(1.0, "100"), (0.99999, "99.99"), (0.9996, "99.96"), (0.5, "50.0"), (0.0, "0.0")]
)
def test_a_share_is_100_only_when_nothing_failed(share: float, shown: str) -> None:
    assert words_share(share) == shown


@given(st.lists(st.integers(), unique=True, max_size=400), st.integers(1, 50))
def test_some_keeps_the_order_and_the_last(values: list[int], limit: int) -> None:
    chosen = some(values, limit)
    assert len(chosen) <= limit
    assert [value for value in values if value in set(chosen)] == chosen
    if values:
        assert chosen[-1] == values[-1]


@given(st.integers(0, 10**9))
def test_an_axis_holds_its_largest_value(value: int) -> None:
    assert max(value, 1) <= _nice(value) <= max(2 * value, 4)
