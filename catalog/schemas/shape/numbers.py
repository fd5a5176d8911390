"""Numbers of one path: their least and greatest, and how they are spread, in a digest that does not grow."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeVar

BUCKETS = 24
_FINEST = 2  # four buckets for each doubling
_COARSEST = -12
# Larger integers are counted but not held; 2^256 has 78 digits.
_BITS = 256


@dataclass(frozen=True)
class Bucket:
    """`count` numbers from `low` to `high`; the outermost buckets end at the least and the greatest number seen."""

    low: float
    high: float
    count: int


class Numbers:
    """Counts, exact bounds of integers and of other numbers, and a histogram in powers of 2^(2^-scale).

    When there are more than BUCKETS buckets, pairs of neighbours become one. So the result does not depend on the
    order of the numbers, nor on how they were split and merged.
    """

    __slots__ = (
        "buckets",
        "floats",
        "high",
        "high_float",
        "integers",
        "low",
        "low_float",
        "outside",
        "scale",
        "whole",
    )

    def __init__(self) -> None:
        self.integers = 0
        self.floats = 0  # written with a fraction or an exponent
        self.whole = 0  # those of them that are whole all the same, as 2.0 is
        self.outside = 0  # infinite, or an integer too large to hold: in no bound and no bucket
        self.low: int | None = None
        self.high: int | None = None
        self.low_float: float | None = None
        self.high_float: float | None = None
        self.scale = _FINEST
        # (sign, exponent) → count; zero is (0, 0).
        self.buckets: dict[tuple[int, int], int] = {}

    def add_integers(self, values: list[int], private: bool) -> None:
        """`private` numbers are counted and nothing else."""
        self.integers += len(values)
        if private:
            return
        low, high = min(values), max(values)
        if low.bit_length() > _BITS or high.bit_length() > _BITS:
            kept = [value for value in values if value.bit_length() <= _BITS]
            self.outside += len(values) - len(kept)
            if not kept:
                return
            values, low, high = kept, min(kept), max(kept)
        self.low = low if self.low is None or low < self.low else self.low
        self.high = high if self.high is None or high > self.high else self.high
        self._spread(values)

    def add_floats(self, values: list[float], private: bool) -> None:
        """`private` numbers are counted and nothing else."""
        self.floats += len(values)
        self.whole += sum(map(float.is_integer, values))
        if private:
            return
        if not all(map(math.isfinite, values)):
            kept = [value for value in values if math.isfinite(value)]
            self.outside += len(values) - len(kept)
            if not kept:
                return
            values = kept
        low, high = min(values), max(values)
        self.low_float = low if self.low_float is None or low < self.low_float else self.low_float
        self.high_float = high if self.high_float is None or high > self.high_float else self.high_float
        self._spread(values)

    def _spread(self, values: list[int] | list[float]) -> None:
        buckets, factor, floor, log2 = self.buckets, 2.0**self.scale, math.floor, math.log2
        for value in values:
            if value > 0:
                key = (1, floor(log2(value) * factor))
            elif value < 0:
                key = (-1, floor(log2(-value) * factor))
            else:
                key = (0, 0)
            buckets[key] = buckets.get(key, 0) + 1
        self._coarsen()

    def _coarsen(self, scale: int | None = None) -> None:
        """Halves the resolution until there are few buckets, and at least down to `scale`."""
        while self.scale > _COARSEST and (
            len(self.buckets) > BUCKETS or (scale is not None and self.scale > scale)
        ):
            coarser: dict[tuple[int, int], int] = {}
            for (sign, exponent), count in self.buckets.items():
                key = (sign, exponent >> 1)
                coarser[key] = coarser.get(key, 0) + count
            self.buckets = coarser
            self.scale -= 1

    def merge(self, other: Numbers) -> None:
        """Adds what `other` has seen."""
        self.integers += other.integers
        self.floats += other.floats
        self.whole += other.whole
        self.outside += other.outside
        self.low = _least(self.low, other.low)
        self.high = _greatest(self.high, other.high)
        self.low_float = _least(self.low_float, other.low_float)
        self.high_float = _greatest(self.high_float, other.high_float)
        self._coarsen(other.scale)
        shift = other.scale - self.scale
        for (sign, exponent), count in other.buckets.items():
            key = (sign, exponent >> shift)
            self.buckets[key] = self.buckets.get(key, 0) + count
        self._coarsen()

    def scrub(self) -> None:
        """Forgets everything but the counts."""
        self.low = self.high = self.low_float = self.high_float = None
        self.outside = 0
        self.buckets = {}
        self.scale = _FINEST

    @property
    def least(self) -> int | float | None:
        """The least number seen, None when none may be told."""
        return _least(self.low, self.low_float)

    @property
    def greatest(self) -> int | float | None:
        """The greatest number seen, None when none may be told."""
        return _greatest(self.high, self.high_float)

    def histogram(self) -> list[Bucket]:
        """The buckets from the least to the greatest number; empty when nothing may be told."""
        least, greatest = self.least, self.greatest
        if least is None or greatest is None:
            return []
        rows = sorted((_edges(sign, exponent, self.scale), n) for (sign, exponent), n in self.buckets.items())
        return [
            Bucket(_clamp(low, least, greatest), _clamp(high, least, greatest), count)
            for (low, high), count in rows
        ]

    def quantile(self, share: float) -> float | None:
        """About the number below which `share` (0 to 1) of all lie; right to the width of a bucket."""
        rows = self.histogram()
        wanted = share * sum(row.count for row in rows)
        for row in rows:
            if wanted <= row.count:
                return row.low + (row.high - row.low) * wanted / row.count
            wanted -= row.count
        return rows[-1].high if rows else None

    def encode(self) -> dict[str, Any]:
        """As JSON; from_json reads it."""
        found: dict[str, Any] = {"i": self.integers, "f": self.floats}
        if self.whole:
            found["w"] = self.whole
        if self.outside:
            found["o"] = self.outside
        if self.low is not None:
            found["I"] = [self.low, self.high]
        if self.low_float is not None:
            found["F"] = [self.low_float, self.high_float]
        if self.buckets:
            found["h"] = [self.scale, [[*key, count] for key, count in sorted(self.buckets.items())]]
        return found

    @classmethod
    def decode(cls, found: dict[str, Any]) -> Numbers:
        """What encode wrote."""
        one = cls()
        one.integers, one.floats, one.outside = int(found["i"]), int(found["f"]), int(found.get("o", 0))
        one.whole = int(found.get("w", 0))
        if "I" in found:
            one.low, one.high = (int(bound) for bound in found["I"])
        if "F" in found:
            one.low_float, one.high_float = (float(bound) for bound in found["F"])
        if "h" in found:
            one.scale = int(found["h"][0])
            one.buckets = {(int(sign), int(at)): int(count) for sign, at, count in found["h"][1]}
        return one


def _edges(sign: int, exponent: int, scale: int) -> tuple[float, float]:
    if not sign:
        return 0.0, 0.0
    low, high = (_power(at / 2.0**scale) for at in (exponent, exponent + 1))
    return (low, high) if sign > 0 else (-high, -low)


def _power(exponent: float) -> float:
    return math.inf if exponent >= 1024 else 2.0**exponent


def _clamp(value: float, least: float, greatest: float) -> float:
    return float(min(max(value, least), greatest))


N = TypeVar("N", int, float)


def _least(one: N | None, other: N | None) -> N | None:
    return other if one is None else one if other is None else min(one, other)


def _greatest(one: N | None, other: N | None) -> N | None:
    return other if one is None else one if other is None else max(one, other)
