"""All alternatives wanted at one path at once: which of them does a leaf meet?

One look-up per kind, not one per alternative. An anything-but is found through what it excludes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from rules.engine import alternative as kinds
from rules.engine.addresses import BITS, Address, Network, address_of
from rules.engine.allowance import Allowance
from rules.engine.alternative import KindAndKey, Predicate, predicate
from rules.engine.many_leaves import ManyLeaves
from rules.engine.stabbing import Stabbing
from rules.engine.text_probes import TextProbe, prefix_probe, substring_probe, suffix_probe

T = TypeVar("T")
Probe = Callable[[Any, list[T], Allowance], None]
"""Appends to the list what is filed under alternatives that a leaf meets, each once. Raises TooMuchWork."""
Things = dict[Any, T]


TIRING = frozenset({kinds.CONTAINS, kinds.WILDCARD, kinds.CASELESS_CONTAINS, kinds.ALL, kinds.BUT})
"""Kinds whose look-up may be TooMuchWork."""


class Probes(Generic[T]):
    """text: look-up of a string among exact ones; of_text: probe of all else for strings, of_other: for numbers, true,
    false and null; None where there is nothing to find. exceptions: the anything-but, which count for both. exact: what
    is filed under exact values, by kind and value."""

    __slots__ = ("exact", "exceptions", "of_other", "of_text", "text")

    def __init__(self, things: Mapping[KindAndKey, T]) -> None:
        by_kind: dict[str, Things[T]] = {}
        for (kind, key), thing in things.items():
            by_kind.setdefault(kind, {})[key] = thing
        self.exact = {kind: by_kind[kind] for kind in kinds.EXACT_KINDS if kind in by_kind}
        self.text: Callable[[Hashable], T | None] = by_kind.get(kinds.TEXT, {}).get
        exists, together = _exists_probes(by_kind), _together_probes(by_kind)
        # Those of TIRING last: when one raises, all others have found what there is.
        self.of_text = _in_turn([*_text_probes(by_kind), *exists, *_substring_probes(by_kind), *together])
        self.of_other = _in_turn([*_other_probes(by_kind), *exists, *together])
        excepted = by_kind.get(kinds.BUT)
        self.exceptions = Exceptions(excepted) if excepted else None

    def find(self, leaf: Any, found: list[T], allowance: Allowance) -> None:
        """Everything for one leaf."""
        self.find_but_exceptions(leaf, found, allowance)
        if self.exceptions is not None:
            self.exceptions.find(leaf, found, allowance)

    def find_but_exceptions(self, leaf: Any, found: list[T], allowance: Allowance) -> None:
        """Everything for one leaf, anything-but aside."""
        if type(leaf) is str:
            thing = self.text(leaf)
            if thing is not None:
                found.append(thing)
            if self.of_text is not None:
                self.of_text(leaf, found, allowance)
        elif self.of_other is not None:
            self.of_other(leaf, found, allowance)


class Exceptions(Generic[T]):
    """Things by anything-but: a leaf meets all but those that exclude it, and these are looked up."""

    __slots__ = ("_all", "_excluding", "_places")

    def __init__(self, things: Things[T]) -> None:
        self._all = list(things.values())
        excluding: dict[KindAndKey, list[int]] = {}
        for index, excluded in enumerate(things):
            for place in excluded:
                excluding.setdefault(place, []).append(index)
        self._places = {id(indexes): place for place, indexes in excluding.items()}
        self._excluding: Probes[list[int]] = Probes(excluding)

    def find(self, leaf: Any, found: list[T], allowance: Allowance) -> None:
        hits: list[list[int]] = []
        self._excluding.find(leaf, hits, allowance)
        if not hits:
            found += self._all
            return
        excluded = set(hits[0]) if len(hits) == 1 else set().union(*hits)
        if len(excluded) < len(self._all):
            found += [thing for index, thing in enumerate(self._all) if index not in excluded]

    def find_for_any(self, leaves: Iterable[Any], found: list[T], allowance: Allowance) -> None:
        """Those that at least one of the leaves meets: all but those that exclude every leaf."""
        excluded: set[int] | None = None
        sure: set[int] = set()
        known: set[tuple[int, ...]] = set()
        for leaf in leaves:
            hits: list[list[int]] = []
            self._excluding.find(leaf, hits, allowance)
            same = tuple(map(id, hits))
            if same in known:  # excluded by the same ones as a leaf before
                continue
            known.add(same)
            allowance.spend(sum(map(len, hits)) >> 3)
            here = set().union(*hits)
            if excluded is None:
                excluded = here
                if isinstance(leaves, ManyLeaves):
                    sure.update(*(hit for hit in hits if leaves.surely_all_meet(self._places[id(hit)])))
            else:
                excluded &= here
            if len(excluded) == len(sure):  # these exclude every leaf, whatever else may be found
                break
        if not excluded:
            found += self._all
        elif len(excluded) < len(self._all):
            found += [thing for index, thing in enumerate(self._all) if index not in excluded]


def _in_turn(probes: list[Probe[T]]) -> Probe[T] | None:
    if len(probes) < 2:
        return probes[0] if probes else None
    if len(probes) == 2:
        first, second = probes

        def both(leaf: Any, found: list[T], allowance: Allowance) -> None:
            first(leaf, found, allowance)
            second(leaf, found, allowance)

        return both

    def probe(leaf: Any, found: list[T], allowance: Allowance) -> None:
        for one in probes:
            one(leaf, found, allowance)

    return probe


def _exists_probes(by_kind: dict[str, Things[T]]) -> list[Probe[T]]:
    if kinds.EXISTS not in by_kind:
        return []
    anything = by_kind[kinds.EXISTS][None]
    return [lambda leaf, found, allowance: found.append(anything)]


def _together_probes(by_kind: dict[str, Things[T]]) -> list[Probe[T]]:
    return [_all_probe(by_kind[kinds.ALL])] if kinds.ALL in by_kind else []


def _substring_probes(by_kind: dict[str, Things[T]]) -> list[Probe[T]]:
    probes: list[Probe[T]] = []
    if kinds.CONTAINS in by_kind or kinds.WILDCARD in by_kind:
        probes.append(substring_probe(by_kind.get(kinds.CONTAINS, {}), by_kind.get(kinds.WILDCARD, {})))
    if kinds.CASELESS_CONTAINS in by_kind:
        find = substring_probe(by_kind[kinds.CASELESS_CONTAINS], {})
        probes.append(lambda leaf, found, allowance: find(leaf.casefold(), found, allowance))
    return probes


def _text_probes(by_kind: dict[str, Things[T]]) -> list[Probe[T]]:
    probes: list[Probe[T]] = []
    if kinds.PREFIX in by_kind:
        probes.append(prefix_probe(by_kind[kinds.PREFIX]))
    if kinds.SUFFIX in by_kind:
        probes.append(suffix_probe(by_kind[kinds.SUFFIX]))
    caseless = _in_turn(_caseless_probes(by_kind))
    if caseless is not None:
        folded_probe = caseless
        probes.append(lambda leaf, found, allowance: folded_probe(leaf.casefold(), found, allowance))
    if kinds.ADDRESS in by_kind or kinds.NETWORK in by_kind:
        probes.append(_address_probe(by_kind.get(kinds.ADDRESS, {}), by_kind.get(kinds.NETWORK, {})))
    return probes


def _other_probes(by_kind: dict[str, Things[T]]) -> list[Probe[T]]:
    probes: list[Probe[T]] = []
    if any(kind in by_kind for kind in (kinds.NUMBER, kinds.CONSTANT, kinds.RANGE)):
        ranges = Stabbing(by_kind[kinds.RANGE]) if kinds.RANGE in by_kind else None
        probes.append(_number_probe(by_kind.get(kinds.NUMBER, {}), by_kind.get(kinds.CONSTANT, {}), ranges))
    return probes


def _caseless_probes(by_kind: dict[str, Things[T]]) -> list[TextProbe[T]]:
    """Probes for a string without its case."""
    probes: list[TextProbe[T]] = []
    if kinds.CASELESS in by_kind:
        probes.append(_exact_probe(by_kind[kinds.CASELESS]))
    if kinds.CASELESS_PREFIX in by_kind:
        probes.append(prefix_probe(by_kind[kinds.CASELESS_PREFIX]))
    if kinds.CASELESS_SUFFIX in by_kind:
        probes.append(suffix_probe(by_kind[kinds.CASELESS_SUFFIX]))
    return probes


def _exact_probe(things: Things[T]) -> TextProbe[T]:
    def probe(text: str, found: list[T], allowance: Allowance) -> None:
        thing = things.get(text)
        if thing is not None:
            found.append(thing)

    return probe


def _address_probe(addresses: Mapping[Address, T], networks: Mapping[Network, T]) -> Probe[T]:
    by_shift: dict[int, dict[int, dict[int, T]]] = {version: {} for version in BITS}
    for network, thing in networks.items():
        by_shift[network.version].setdefault(network.shift, {})[network.number] = thing
    look_ups = {version: tuple(found.items()) for version, found in by_shift.items()}

    def probe(leaf: Any, found: list[T], allowance: Allowance) -> None:
        address = address_of(leaf)
        if address is None:
            return
        thing = addresses.get(address)
        if thing is not None:
            found.append(thing)
        version, number = address
        for shift, of_number in look_ups[version]:
            thing = of_number.get(number >> shift)
            if thing is not None:
                found.append(thing)

    return probe


def _number_probe(numbers: Things[T], constants: Things[T], ranges: Stabbing[T] | None) -> Probe[T]:
    def probe(leaf: Any, found: list[T], allowance: Allowance) -> None:
        # In Python 1 == True: true, false and null have a dictionary of their own.
        if leaf is True or leaf is False or leaf is None:
            thing = constants.get(leaf)
            if thing is not None:
                found.append(thing)
            return
        thing = numbers.get(leaf)
        if thing is not None:
            found.append(thing)
        if ranges is not None:
            ranges.find(leaf, found)

    return probe


# Which of several operators on one leaf it is filed under, the rarest first.
_MOST_TELLING = (
    *(kinds.TEXT, kinds.NUMBER, kinds.ADDRESS, kinds.CONSTANT, kinds.CASELESS, kinds.PREFIX, kinds.SUFFIX),
    *(kinds.CASELESS_PREFIX, kinds.CASELESS_SUFFIX, kinds.NETWORK, kinds.WILDCARD, kinds.CONTAINS),
    *(kinds.CASELESS_CONTAINS, kinds.RANGE, kinds.BUT, kinds.ALL, kinds.EXISTS),
)


def _all_probe(things: Things[T]) -> Probe[T]:
    """Several operators on one leaf: found by one of them, then checked by all."""
    filed: dict[KindAndKey, list[tuple[Predicate, T]]] = {}
    for places, thing in things.items():
        telling = min(places, key=lambda place: (_MOST_TELLING.index(place[0]), -_length(place[1])))
        filed.setdefault(telling, []).append((predicate(kinds.ALL, places), thing))
    probes: Probes[list[tuple[Predicate, T]]] = Probes(filed)

    def probe(leaf: Any, found: list[T], allowance: Allowance) -> None:
        groups: list[list[tuple[Predicate, T]]] = []
        probes.find(leaf, groups, allowance)
        for group in groups:
            allowance.spend(len(group) >> 6)
            found += [thing for holds, thing in group if holds(leaf)]

    return probe


def _length(key: Hashable) -> int:
    return len(key) if isinstance(key, str) else 0
