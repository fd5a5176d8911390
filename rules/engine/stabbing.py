"""Which of many ranges hold a number? One search in the sorted ends, then a walk up a tree of stretches."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from rules.engine.ranges import Number, Range

T = TypeVar("T")


class Stabbing(Generic[T]):
    """Things by range. find(number, found) appends those whose range holds the number, each once.

    The ends of all ranges cut the numbers into slots: slot 2i+1 is the i-th end itself, 2i the gap before it. A
    range is a stretch of slots, filed in the few nodes of a binary tree over the slots that make it up.
    """

    __slots__ = ("_ends", "_nodes", "_size", "_table")

    def __init__(self, things: Mapping[Range, T]) -> None:
        pieces = [(piece, thing) for wanted, thing in things.items() for piece in _pieces(wanted)]
        self._ends: list[Number] = sorted(
            {end for (low, _, high, _), _ in pieces for end in (low, high) if not math.isinf(end)}
        )
        self._size = 2 * len(self._ends) + 1
        self._nodes: dict[int, list[T]] = {}
        for (low, low_open, high, high_open), thing in pieces:
            first = 0 if math.isinf(low) else 2 * bisect_left(self._ends, low) + 1 + low_open
            last = self._size - 1 if math.isinf(high) else 2 * bisect_left(self._ends, high) + 1 - high_open
            self._file(first, last, thing)
        self._table = self._flat() if self._total() <= 4 * self._size else None

    def _file(self, first: int, last: int, thing: T) -> None:
        low, high = first + self._size, last + self._size + 1
        while low < high:
            if low & 1:
                self._nodes.setdefault(low, []).append(thing)
                low += 1
            if high & 1:
                high -= 1
                self._nodes.setdefault(high, []).append(thing)
            low >>= 1
            high >>= 1

    def _slot(self, slot: int) -> list[T]:
        node = slot + self._size
        found: list[T] = []
        while node:
            found += self._nodes.get(node, ())
            node >>= 1
        return found

    def _total(self) -> int:
        """How long all slots' answers are together."""
        sizes = [0] * (2 * self._size)
        for node in range(1, 2 * self._size):
            sizes[node] = sizes[node >> 1] + len(self._nodes.get(node, ()))
        return sum(sizes[self._size :])

    def _flat(self) -> list[list[T]]:
        empty: list[T] = []
        return [self._slot(slot) or empty for slot in range(self._size)]

    def find(self, number: Number, found: list[T]) -> None:
        ends = self._ends
        at = bisect_left(ends, number)
        slot = 2 * at + (at < len(ends) and ends[at] == number)
        if self._table is not None:
            found += self._table[slot]
            return
        node = slot + self._size
        nodes = self._nodes
        while node:
            if node in nodes:
                found += nodes[node]
            node >>= 1


def _pieces(wanted: Range) -> Iterator[tuple[Number, bool, Number, bool]]:
    """A range without its holes, as stretches: (low, open, high, open)."""
    low, low_open, high, high_open, holes = wanted
    for hole in sorted(holes):
        if low < hole < high or hole in (low, high):
            if low < hole:
                yield low, low_open, hole, True
            low, low_open = hole, True
    if low < high or (low == high and not low_open and not high_open):
        yield low, low_open, high, high_open
