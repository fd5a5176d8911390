"""Numeric conditions: comparisons folded into one interval, some numbers taken out of it."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")

Number = int | float


class Range(NamedTuple):
    """The numbers from `low` to `high`, the ends with them unless open, without `holes`. Empty when low > high."""

    low: Number
    low_open: bool
    high: Number
    high_open: bool
    holes: frozenset[Number]

    def holds(self, number: Number) -> bool:
        low, low_open, high, high_open, holes = self
        return (
            (number > low or (number == low and not low_open))
            and (number < high or (number == high and not high_open))
            and number not in holes
        )

    @property
    def single(self) -> Number | None:
        """The only number it holds, None when it holds none or several."""
        return self.low if self.low == self.high and self.holds(self.low) else None


def is_number(value: Any) -> bool:
    """Whether a JSON value is a number, of those that a double can hold."""
    if type(value) is float:
        return math.isfinite(value)
    return type(value) is int and value.bit_length() <= 1024


def range_of(comparisons: list[tuple[str, Number]]) -> Range:
    """The numbers that meet all of the comparisons; each is one of COMPARISONS and a number."""
    low: Number = -math.inf
    high: Number = math.inf
    low_open = high_open = False
    holes: set[Number] = set()
    for comparison, number in comparisons:
        if comparison == "!=":
            holes.add(number)
        if comparison in ("=", ">=", ">"):
            strict = comparison == ">"
            if number > low or (number == low and strict):
                low, low_open = number, strict
        if comparison in ("=", "<=", "<"):
            strict = comparison == "<"
            if number < high or (number == high and strict):
                high, high_open = number, strict
    return Range(low, low_open, high, high_open, frozenset(holes))
