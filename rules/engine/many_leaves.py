"""Many leaves at one path: does any of them meet an alternative? Sorted once, so that each question is a search.

The probes ask of one leaf which of many alternatives it meets; here it is the other way round.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from typing import Any

from rules.engine import alternative as kinds
from rules.engine.addresses import Network, address_of
from rules.engine.allowance import Allowance
from rules.engine.alternative import KindAndKey, exact_place, predicate
from rules.engine.ranges import Number, Range
from rules.engine.text_probes import LONG_STEP


class ManyLeaves:
    """The leaves, each value once. Where a question needs more than a search, it counts as steps.

    exact: their places as exact alternatives, (kind, leaf).
    """

    __slots__ = ("_allowance", "_made", "exact")

    def __init__(self, leaves: Iterable[Any], allowance: Allowance) -> None:
        self.exact = {exact_place(leaf) for leaf in leaves}
        self._allowance = allowance
        self._made: dict[str, list[Any]] = {}

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
        texts = self._texts()
        characters: int = self._once("characters", lambda: [sum(map(len, texts))])[0]
        holds = predicate(kind, key)
        if kind == kinds.ALL:
            self._allowance.spend(len(self.exact) * len(key) + characters // LONG_STEP)
            return any(holds(leaf) for _, leaf in self.exact)
        self._allowance.spend(len(texts) + characters // LONG_STEP)
        return any(map(holds, texts))

    def _once(self, name: str, make: Callable[[], list[Any]]) -> list[Any]:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = make()
        return made

    def _texts(self) -> list[str]:
        return self._once("texts", lambda: sorted(key for kind, key in self.exact if kind == kinds.TEXT))

    def _folded(self) -> list[str]:
        return self._once("folded", lambda: sorted(text.casefold() for text in self._texts()))

    def _prefixed(self, prefix: str) -> int:
        return _with_prefix(self._texts(), prefix)

    def _suffixed(self, suffix: str) -> int:
        backwards = self._once("backwards", lambda: sorted(text[::-1] for text in self._texts()))
        return _with_prefix(backwards, suffix[::-1])

    def _folded_equal(self, text: str) -> int:
        folded = self._folded()
        return bisect_right(folded, text) - bisect_left(folded, text)

    def _folded_prefixed(self, prefix: str) -> int:
        return _with_prefix(self._folded(), prefix)

    def _folded_suffixed(self, suffix: str) -> int:
        backwards = self._once("folded backwards", lambda: sorted(text[::-1] for text in self._folded()))
        return _with_prefix(backwards, suffix[::-1])

    def _in_range(self, wanted: Range) -> int:
        numbers = self._once(
            "numbers",
            lambda: sorted(key for kind, key in self.exact if kind == kinds.NUMBER),
        )
        first = (bisect_right if wanted.low_open else bisect_left)(numbers, wanted.low)
        last = (bisect_left if wanted.high_open else bisect_right)(numbers, wanted.high)
        inside = max(0, last - first)
        return inside - sum(
            (kinds.NUMBER, hole) in self.exact for hole in wanted.holes if _spans(wanted, hole)
        )

    def _addresses(self) -> list[tuple[int, int]]:
        return self._once("addresses", lambda: sorted(filter(None, map(address_of, self._texts()))))

    def _at_address(self, address: tuple[int, int]) -> int:
        addresses = self._addresses()
        return bisect_right(addresses, address) - bisect_left(addresses, address)

    def _in_network(self, network: Network) -> int:
        addresses = self._addresses()
        low = network.number << network.shift
        high = low + (1 << network.shift) - 1
        return bisect_right(addresses, (network.version, high)) - bisect_left(
            addresses, (network.version, low)
        )


def _with_prefix(texts: list[str], prefix: str) -> int:
    size = len(prefix)
    return bisect_right(texts, prefix, key=lambda text: text[:size]) - bisect_left(texts, prefix)


def _spans(wanted: Range, number: Number) -> bool:
    return Range(*wanted[:4], frozenset()).holds(number)


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
