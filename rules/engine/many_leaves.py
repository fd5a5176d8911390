"""Many leaves at one path: does any of them meet an alternative? Sorted once, so that each question is a search.

The probes ask of one leaf which of many alternatives it meets; here it is the other way round.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from itertools import chain
from typing import Any, Generic, NamedTuple, TypeVar

from rules.engine import alternative as kinds
from rules.engine.addresses import Address, Network, addresses_in
from rules.engine.allowance import Allowance
from rules.engine.alternative import KindAndKey, predicate
from rules.engine.ranges import Number, Range
from rules.engine.text_probes import LONG_STEP
from rules.engine.wildcard import Parts

T = TypeVar("T")

_TEXTS: frozenset[type] = frozenset({str})
_NUMBERS: frozenset[type] = frozenset({int, float})
_CONSTANTS: frozenset[type] = frozenset({bool, type(None)})


class ManyLeaves:
    """The leaves, each value once. Where a question needs more than a search, it counts as steps.

    texts, numbers, constants: the leaves by their kind as exact alternatives (in Python 1 == True).
    """

    def __init__(self, leaves: Iterable[Any], allowance: Allowance) -> None:
        leaves = list(leaves)
        types = set(map(type, leaves))
        self.texts: set[str] = _of_types(leaves, types, _TEXTS)
        self.numbers: set[Number] = _of_types(leaves, types, _NUMBERS)
        self.constants: set[bool | None] = _of_types(leaves, types, _CONSTANTS)
        self._allowance = allowance

    def __len__(self) -> int:
        return len(self.texts) + len(self.numbers) + len(self.constants)

    def __iter__(self) -> Iterator[Any]:
        return chain(self.texts, self.numbers, self.constants)

    def meeting(self, places: Iterable[KindAndKey]) -> set[KindAndKey]:
        """Which of the alternatives at least one leaf meets. Raises TooMuchWork."""
        return {place for place in places if self.meet(place)}

    def meet(self, place: KindAndKey) -> bool:
        """Whether any leaf meets the alternative of that kind and key. Raises TooMuchWork."""
        kind, key = place
        if kind in kinds.EXACT_KINDS:
            return key in self.equal(kind)
        search = _SEARCHES.get(kind)
        if search is not None:
            return search.any(self, key)
        if kind == kinds.EXISTS:
            return len(self) > 0
        if kind == kinds.NOT_THERE:
            return False
        if kind == kinds.BUT:
            return not self._all_meet(key)  # type: ignore[arg-type]
        return self._scan(kind, key)

    def surely_all_meet(self, place: KindAndKey) -> bool:
        """Whether a search tells that every leaf meets the alternative; there is at least one leaf."""
        kind, key = place
        return kind in _SEARCHES and _SEARCHES[kind].all(self, key)

    def equal(self, kind: str) -> set[Any]:
        """The leaves that are met by alternatives of an exact kind."""
        return self.texts if kind == kinds.TEXT else self.numbers if kind == kinds.NUMBER else self.constants

    def _all_meet(self, excluded: frozenset[KindAndKey]) -> bool:
        """Whether every leaf is excluded by one of the places."""
        if not len(self):
            return True
        others: list[KindAndKey] = []
        equal: dict[str, set[Any]] = {}
        for kind, key in excluded:
            if kind in kinds.EXACT_KINDS:
                equal.setdefault(kind, set()).add(key)
            elif kind in _SEARCHES and _SEARCHES[kind].all(self, key):
                return True
            else:
                others.append((kind, key))
        if not others and len(excluded) < len(self):
            return False
        holds = [predicate(*place) for place in others]
        steps = 0
        for kind in kinds.EXACT_KINDS:
            known = equal.get(kind, ())
            for leaf in self.equal(kind):
                if leaf not in known:
                    steps += 1 + len(holds)
                    if not any(one(leaf) for one in holds):
                        self._allowance.spend(steps)
                        return False
        self._allowance.spend(steps)
        return True

    def _scan(self, kind: str, key: Any) -> bool:
        """Substrings, and several operators on one leaf: there is nothing to sort by."""
        holds = predicate(kind, key)
        if kind == kinds.ALL:
            self._allowance.spend(len(self) * len(key) + self.characters // LONG_STEP)
            return any(map(holds, self))
        texts = self._anchored(key) if kind == kinds.WILDCARD else self.texts
        if not texts:
            return False
        self._allowance.spend(len(texts) * (1 + self.characters // (LONG_STEP * len(self.texts))))
        return any(map(holds, texts))

    def may_fit(self, parts: Parts) -> bool:
        """Whether some text begins as a wildcard does and some text ends so."""
        first, last = parts[0], parts[-1]
        return (not first or _PREFIX.any(self, first)) and (not last or _SUFFIX.any(self, last))

    def _anchored(self, parts: Parts) -> list[str]:
        """The texts that begin as a wildcard does, or none when none ends so."""
        if not self.may_fit(parts):
            return []
        return self.sorted_texts[slice(*_stretch(self.sorted_texts, parts[0]))]

    @cached_property
    def sorted_texts(self) -> list[str]:
        return sorted(self.texts)

    @cached_property
    def characters(self) -> int:
        """How long the texts are together."""
        return sum(map(len, self.texts))

    @cached_property
    def _backwards(self) -> list[str]:
        return sorted([text[::-1] for text in self.texts])

    @cached_property
    def _folded(self) -> list[str]:
        return sorted(map(str.casefold, self.sorted_texts))

    @cached_property
    def _folded_backwards(self) -> list[str]:
        return sorted([text[::-1] for text in self._folded])

    @cached_property
    def _sorted_numbers(self) -> list[Number]:
        return sorted(self.numbers)

    @cached_property
    def _addresses(self) -> dict[int, list[int]]:
        return {version: sorted(found) for version, found in addresses_in(self.texts).items()}


def _of_types(leaves: list[Any], types: set[type], wanted: frozenset[type]) -> set[Any]:
    if types <= wanted:
        return set(leaves)
    return set() if types.isdisjoint(wanted) else {leaf for leaf in leaves if type(leaf) in wanted}


def _stretch(texts: list[str], prefix: str) -> tuple[int, int]:
    """Where in sorted texts those with a prefix are."""
    size = len(prefix)
    first = bisect_left(texts, prefix)
    return first, bisect_right(texts, prefix, first, key=lambda text: text[:size])


class _Search(NamedTuple, Generic[T]):
    """How the leaves are asked about one kind of alternative, by its key: does any meet it, do all?"""

    any: Callable[[ManyLeaves, T], bool]
    all: Callable[[ManyLeaves, T], bool]


def _prefix_search(sorted_texts: Callable[[ManyLeaves], list[str]], backwards: bool = False) -> _Search[str]:
    """Of texts in the order of their characters: those with a prefix stand together, the smallest first."""

    def any_has(many: ManyLeaves, prefix: str) -> bool:
        texts = sorted_texts(many)
        prefix = prefix[::-1] if backwards else prefix
        at = bisect_left(texts, prefix)
        return at < len(texts) and texts[at].startswith(prefix)

    def all_have(many: ManyLeaves, prefix: str) -> bool:
        texts = sorted_texts(many)
        prefix = prefix[::-1] if backwards else prefix
        return len(many.texts) == len(many) and texts[0].startswith(prefix) and texts[-1].startswith(prefix)

    return _Search(any_has, all_have)


def _any_caseless(many: ManyLeaves, text: str) -> bool:
    folded = many._folded
    at = bisect_left(folded, text)
    return at < len(folded) and folded[at] == text


def _all_caseless(many: ManyLeaves, text: str) -> bool:
    return len(many.texts) == len(many) and many._folded[0] == text == many._folded[-1]


def _in_range(many: ManyLeaves, wanted: Range) -> int:
    """How many numbers a range holds."""
    low, low_open, high, high_open, holes = wanted
    numbers = many._sorted_numbers
    first = (bisect_right if low_open else bisect_left)(numbers, low)
    last = (bisect_left if high_open else bisect_right)(numbers, high)
    inside = max(0, last - first)
    if not holes or not inside:
        return inside
    whole = wanted._replace(holes=frozenset())
    return inside - sum(hole in many.numbers for hole in holes if whole.holds(hole))


def _any_in_range(many: ManyLeaves, wanted: Range) -> bool:
    low, low_open, high, _, holes = wanted
    if holes:
        return _in_range(many, wanted) > 0
    numbers = many._sorted_numbers
    if not numbers or low > numbers[-1]:
        return False
    if low < numbers[0]:
        return numbers[0] < high or wanted.holds(numbers[0])
    at = (bisect_right if low_open else bisect_left)(numbers, low)
    return at < len(numbers) and (numbers[at] < high or wanted.holds(numbers[at]))


def _one_address(address: Address) -> Network:
    return Network(address[0], 0, address[1])


def _in_network(many: ManyLeaves, network: Network) -> bool:
    version, shift, number = network
    addresses = many._addresses[version]
    at = bisect_left(addresses, number << shift)
    return at < len(addresses) and addresses[at] >> shift == number


def _all_in_network(many: ManyLeaves, network: Network) -> bool:
    version, shift, number = network
    addresses = many._addresses[version]
    return len(addresses) == len(many) and addresses[0] >> shift == number == addresses[-1] >> shift


_PREFIX = _prefix_search(lambda many: many.sorted_texts)
_SUFFIX = _prefix_search(lambda many: many._backwards, backwards=True)
_SEARCHES: dict[str, _Search[Any]] = {
    kinds.PREFIX: _PREFIX,
    kinds.SUFFIX: _SUFFIX,
    kinds.CASELESS: _Search(_any_caseless, _all_caseless),
    kinds.CASELESS_PREFIX: _prefix_search(lambda many: many._folded),
    kinds.CASELESS_SUFFIX: _prefix_search(lambda many: many._folded_backwards, backwards=True),
    kinds.RANGE: _Search(_any_in_range, lambda many, wanted: _in_range(many, wanted) == len(many)),
    kinds.ADDRESS: _Search(
        lambda many, address: _in_network(many, _one_address(address)),
        lambda many, address: _all_in_network(many, _one_address(address)),
    ),
    kinds.NETWORK: _Search(_in_network, _all_in_network),
}
SEARCHABLE = frozenset(_SEARCHES)
"""Kinds of alternatives that a search answers."""
