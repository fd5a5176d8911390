"""How rarely a requirement is met, estimated from the rules alone: the index files each rule where events are rare."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable
from typing import Any

from rules.engine import alternative as kinds
from rules.engine.alternative import Alternative
from rules.engine.ranges import Number, Range
from rules.engine.requirement import Requirement

# Share of events that meet one alternative of the kind, when no other rule asks about its path.
_ALONE = {
    kinds.TEXT: 0.3,
    kinds.ADDRESS: 0.2,
    kinds.NUMBER: 0.3,
    kinds.CONSTANT: 0.4,
    kinds.CASELESS: 0.3,
    kinds.PREFIX: 0.4,
    kinds.SUFFIX: 0.4,
    kinds.CASELESS_PREFIX: 0.4,
    kinds.CASELESS_SUFFIX: 0.4,
    kinds.CONTAINS: 0.5,
    kinds.CASELESS_CONTAINS: 0.5,
    kinds.WILDCARD: 0.5,
    kinds.NETWORK: 0.3,
    kinds.RANGE: 0.5,
    kinds.ALL: 0.4,
    kinds.BUT: 0.9,
    kinds.EXISTS: 0.95,
    kinds.NOT_THERE: 2.0,
}
_SPREAD = frozenset(_ALONE) - {kinds.CONSTANT, kinds.RANGE, kinds.BUT, kinds.EXISTS, kinds.NOT_THERE}
"""Kinds of which different ones are met by different events: of many, each is rare."""
_WIDE_BITS = {4: 24, 6: 96}
"""Networks with more host bits than this hold a good part of all addresses, however many others there are."""


class Selectivity:
    """Estimates for one set of rules: the more different values rules want at a path, the rarer each of them is."""

    def __init__(self, rules: Iterable[Iterable[Requirement]]) -> None:
        wanted: dict[tuple[str, str], set[Hashable]] = {}
        seen: set[Requirement] = set()
        for requirements in rules:
            for requirement in requirements:
                if requirement not in seen:
                    seen.add(requirement)
                    for alternative in requirement.alternatives:
                        wanted.setdefault((requirement.path, alternative.kind), set()).add(alternative.key)
        self._distinct = {place: len(keys) for place, keys in wanted.items()}
        self._texts: dict[str, list[str]] = {}
        self._ends: dict[str, list[Number]] = {}
        for (path, kind), keys in wanted.items():
            if kind == kinds.PREFIX:
                exact = wanted.get((path, kinds.TEXT), set())
                self._texts[path] = sorted(key for key in (keys | exact) if isinstance(key, str))
            elif kind == kinds.RANGE:
                self._ends[path] = sorted(end for key in keys for end in (key[0], key[2]))  # type: ignore[index]
        self._known: dict[Requirement, float] = {}

    def of(self, requirement: Requirement) -> float:
        """The estimated share of events that meet the requirement; above 1 where the index cannot help."""
        known = self._known.get(requirement)
        if known is None:
            known = sum(self._of(requirement.path, one) for one in requirement.alternatives)
            self._known[requirement] = known
        return known

    def _of(self, path: str, alternative: Alternative) -> float:
        kind = alternative.kind
        key: Any = alternative.key
        if kind == kinds.RANGE:
            return _ALONE[kind] * self._width(path, key)
        if kind not in _SPREAD:
            return _ALONE[kind]
        if key == "":
            return 1.0
        estimate = _ALONE[kind] / self._distinct[path, kind]
        if kind == kinds.PREFIX:
            return max(estimate, 0.9 * self._share(path, key))
        if kind == kinds.NETWORK and key.shift >= _WIDE_BITS[key.version]:
            return max(estimate, 0.3)
        return estimate

    def _width(self, path: str, wanted: Range) -> float:
        """The part of the ends of all ranges at the path that lie inside this one."""
        ends = self._ends[path]
        inside = bisect_left(ends, wanted.high) - bisect_right(ends, wanted.low)
        return min(1.0, (1 + max(0, inside)) / len(ends))

    def _share(self, path: str, prefix: str) -> float:
        """The part of the texts wanted at the path that have the prefix; of few, nothing can be said."""
        texts = self._texts[path]
        size = len(prefix)
        having = bisect_right(texts, prefix, key=lambda text: text[:size]) - bisect_left(texts, prefix)
        return (having - 1) / len(texts)
