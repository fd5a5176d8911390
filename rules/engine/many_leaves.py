"""Many leaves at one path: does any of them meet an alternative? Sorted once, so that each question is a search.

The probes ask of one leaf which of many alternatives it meets; here it is the other way round.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from rules.engine import alternative as kinds
from rules.engine.addresses import Address, Network, address_of
from rules.engine.allowance import Allowance
from rules.engine.alternative import KindAndKey, exact_place, predicate
from rules.engine.ranges import Number, Range
from rules.engine.text_probes import LONG_STEP


class ManyLeaves:
    """The leaves, each value once. Where a question needs more than a search, it counts as steps.

    exact: their places as exact alternatives, (kind, leaf).
    """

    def __init__(self, leaves: Iterable[Any], allowance: Allowance) -> None:
        self.exact = {exact_place(leaf) for leaf in leaves}
        self._allowance = allowance

    def meeting(self, places: Iterable[KindAndKey]) -> set[KindAndKey]:
        """Which of the alternatives at least one leaf meets. Raises TooMuchWork."""
        return {place for place in places if self.meet(place)}

    def meet(self, place: KindAndKey) -> bool:
        """Whether any leaf meets the alternative of that kind and key. Raises TooMuchWork."""
        kind, key = place
        if kind in kinds.EXACT_KINDS:
            return place in self.exact
        if kind == kinds.EXISTS:
            return bool(self.exact)
        if kind == kinds.NOT_THERE:
            return False
        if kind == kinds.BUT:
            return not self._all_meet(key)  # type: ignore[arg-type]
        if kind in _COUNTS:
            return _COUNTS[kind](self, key) > 0
        return self._scan(kind, key)

    def _all_meet(self, excluded: frozenset[KindAndKey]) -> bool:
        """Whether every leaf is excluded by one of the places."""
        if len(excluded) == 1:
            [(kind, key)] = excluded
            if kind in _COUNTS:
                return _COUNTS[kind](self, key) == len(self.exact)
        exact = frozenset(place for place in excluded if place[0] in kinds.EXACT_KINDS)
        others = [predicate(*place) for place in excluded if place[0] not in kinds.EXACT_KINDS]
        if not others and len(exact) < len(self.exact):
            return False
        steps = 0
        for found in self.exact:
            steps += 1 + len(others)
            if found not in exact and not any(holds(found[1]) for holds in others):
                self._allowance.spend(steps)
                return False
        self._allowance.spend(steps)
        return True

    def _scan(self, kind: str, key: Any) -> bool:
        """Substrings, and several operators on one leaf: there is nothing to sort by."""
        texts = self._texts
        characters = self._characters
        holds = predicate(kind, key)
        if kind == kinds.ALL:
            self._allowance.spend(len(self.exact) * len(key) + characters // LONG_STEP)
            return any(holds(leaf) for _, leaf in self.exact)
        self._allowance.spend(len(texts) + characters // LONG_STEP)
        return any(map(holds, texts))

    @cached_property
    def _texts(self) -> list[str]:
        return sorted(str(key) for kind, key in self.exact if kind == kinds.TEXT)

    @cached_property
    def _characters(self) -> int:
        return sum(map(len, self._texts))

    @cached_property
    def _backwards(self) -> list[str]:
        return sorted(text[::-1] for text in self._texts)

    @cached_property
    def _folded(self) -> list[str]:
        return sorted(text.casefold() for text in self._texts)

    @cached_property
    def _folded_backwards(self) -> list[str]:
        return sorted(text[::-1] for text in self._folded)

    @cached_property
    def _numbers(self) -> list[Number]:
        return sorted(key for kind, key in self.exact if kind == kinds.NUMBER)  # type: ignore[misc]

    @cached_property
    def _addresses(self) -> list[Address]:
        return sorted(filter(None, map(address_of, self._texts)))

    def _prefixed(self, prefix: str) -> int:
        return _with_prefix(self._texts, prefix)

    def _suffixed(self, suffix: str) -> int:
        return _with_prefix(self._backwards, suffix[::-1])

    def _folded_equal(self, text: str) -> int:
        return bisect_right(self._folded, text) - bisect_left(self._folded, text)

    def _folded_prefixed(self, prefix: str) -> int:
        return _with_prefix(self._folded, prefix)

    def _folded_suffixed(self, suffix: str) -> int:
        return _with_prefix(self._folded_backwards, suffix[::-1])

    def _in_range(self, wanted: Range) -> int:
        low, low_open, high, high_open, holes = wanted
        numbers = self._numbers
        first = (bisect_right if low_open else bisect_left)(numbers, low)
        last = (bisect_left if high_open else bisect_right)(numbers, high)
        inside = max(0, last - first)
        if not holes:
            return inside
        whole = wanted._replace(holes=frozenset())
        return inside - sum((kinds.NUMBER, hole) in self.exact for hole in holes if whole.holds(hole))

    def _at_address(self, address: Address) -> int:
        return bisect_right(self._addresses, address) - bisect_left(self._addresses, address)

    def _in_network(self, network: Network) -> int:
        version, shift, number = network
        low = number << shift
        addresses = self._addresses
        return bisect_right(addresses, (version, low + (1 << shift) - 1)) - bisect_left(
            addresses, (version, low)
        )


def _with_prefix(texts: list[str], prefix: str) -> int:
    size = len(prefix)
    return bisect_right(texts, prefix, key=lambda text: text[:size]) - bisect_left(texts, prefix)


# How many leaves meet an alternative, by its kind.
_COUNTS: dict[str, Callable[[ManyLeaves, Any], int]] = {
    kinds.ADDRESS: ManyLeaves._at_address,
    kinds.PREFIX: ManyLeaves._prefixed,
    kinds.SUFFIX: ManyLeaves._suffixed,
    kinds.CASELESS: ManyLeaves._folded_equal,
    kinds.CASELESS_PREFIX: ManyLeaves._folded_prefixed,
    kinds.CASELESS_SUFFIX: ManyLeaves._folded_suffixed,
    kinds.RANGE: ManyLeaves._in_range,
    kinds.NETWORK: ManyLeaves._in_network,
}
COUNTABLE = frozenset(_COUNTS)
"""Kinds of alternatives that a search answers."""
