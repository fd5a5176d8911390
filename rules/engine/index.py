"""The pivot index: each rule is filed only under its most selective requirement, the others are checked on a hit.

An event costs one look-up per path and kind that rules are filed under, and a check of the few rules found there.
A place with many rules is indexed again by their other requirements.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from rules.engine.alternative import (
    ADDRESS,
    CONSTANT,
    EXISTS,
    NOT_THERE,
    NUMBER,
    PREFIX,
    SUFFIX,
    TEXT,
    Alternative,
    address_of,
)
from rules.engine.elements import elements_agree
from rules.engine.event import ABSENT
from rules.engine.leaves import Leaves
from rules.engine.pattern import Requirement
from rules.engine.selectivity import Selectivity

CROWDED = 8
"""A place with more rules than this gets an index of its own."""
LONG_LIST = 16
"""More leaves than this at one path are looked up by value, and not asked one by one by each rule."""
MAX_COPIES = 4
"""Below the root a rule is filed at most so many times in all levels together: copies of copies would multiply."""
MAX_LEVELS = 6
"""Levels of indexes: rules that many requirements did not tell apart are checked one by one."""

Probe = Callable[[Any, list["Place"]], None]
"""Appends to the list the places of a leaf."""


@dataclass(frozen=True, slots=True)
class IndexedRule:
    rule_id: int
    requirements: tuple[Requirement, ...]  # in the order of their paths


class Place:
    """The rules filed under one alternative: those it decides alone, those to check, and the index of the rest."""

    __slots__ = ("below", "decided", "filed", "to_check")

    def __init__(self) -> None:
        self.filed: list[tuple[IndexedRule, tuple[Requirement, ...]]] = []
        self.decided: list[int] = []
        self.to_check: list[tuple[IndexedRule, tuple[Check, ...]]] = []
        self.below: Index | None = None

    def close(self, selectivity: Selectivity, levels: int, copies: int, decides: bool) -> None:
        """Sorts what was filed. `decides`: an event that leads here surely meets the alternative."""
        filed, self.filed = self.filed, []
        if decides:
            self.decided = [rule.rule_id for rule, rest in filed if not rest and len(rule.requirements) == 1]
            filed = [(rule, rest) for rule, rest in filed if rest or len(rule.requirements) > 1]
        if decides and levels and len(filed) > CROWDED:
            indexable = [entry for entry in filed if _indexable(entry[1], copies)]
            if len(indexable) > CROWDED:
                self.below = Index(indexable, selectivity, levels - 1, copies)
                filed = [entry for entry in filed if not _indexable(entry[1], copies)]
        self.to_check = [
            (rule, tuple(Check(requirement) for requirement in sorted(rest, key=selectivity.of)))
            for rule, rest in filed
        ]


class Check:
    """A requirement as the check on a hit looks at it: without array elements, which are compared last."""

    __slots__ = ("exact", "holds", "may_be_missing", "path")

    def __init__(self, requirement: Requirement) -> None:
        self.path = requirement.path
        self.exact = requirement.exact
        self.may_be_missing = requirement.may_be_missing
        alternatives = requirement.alternatives
        texts = frozenset(one.key for one in alternatives)
        if len(alternatives) == 1:
            self.holds = alternatives[0].holds
        elif all(one.kind == TEXT for one in alternatives):
            self.holds = lambda leaf: type(leaf) is str and leaf in texts
        else:
            self.holds = requirement.holds


def _indexable(requirements: Sequence[Requirement], copies: int) -> bool:
    return any(not one.may_be_missing and len(one.alternatives) <= copies for one in requirements)


class Index:
    """Rules by their most selective requirement. Immutable once built."""

    __slots__ = ("_missing", "_probes")

    def __init__(
        self,
        filed: Iterable[tuple[IndexedRule, tuple[Requirement, ...]]],
        selectivity: Selectivity,
        levels: int = MAX_LEVELS,
        copies: int | None = None,
    ) -> None:
        """filed: rules, each with the requirements not yet met on the way here (at least one).
        levels: how many more may follow; copies: how often a rule may be filed from here on, None at the root."""
        fields: dict[str, dict[Alternative, Place]] = {}
        missing: dict[str, Place] = {}

        def weight(requirement: Requirement) -> float:
            too_many = copies is not None and len(requirement.alternatives) > copies
            return selectivity.of(requirement) + (10_000.0 if too_many else 0.0)

        widest: dict[Place, int] = {}
        for rule, requirements in filed:
            pivot = min(requirements, key=weight)
            rest = tuple(one for one in requirements if one is not pivot)
            for alternative in pivot.alternatives:
                if alternative.kind == NOT_THERE:
                    place = missing.setdefault(pivot.path, Place())
                else:
                    place = fields.setdefault(pivot.path, {}).setdefault(alternative, Place())
                place.filed.append((rule, rest))
                widest[place] = max(widest.get(place, 1), len(pivot.alternatives))
        for places in fields.values():
            for place in places.values():
                left = MAX_COPIES if copies is None else copies // widest[place]
                place.close(selectivity, levels, left, decides=True)
        for place in missing.values():
            place.close(selectivity, levels, 1, decides=False)
        self._missing = list(missing.items())
        self._probes = [(path, *_probes(places)) for path, places in fields.items()]

    def find(
        self, leaves: Leaves, found: list[int], failed: Callable[[IndexedRule, Exception], None]
    ) -> None:
        """Appends the ids of the rules met, some perhaps more than once. A rule that raises is told to `failed`."""
        values, members = leaves.values, leaves.members
        places: list[Place] = []
        for path, texts, of_text, of_other in self._probes:
            value = values.get(path, ABSENT)
            if value is ABSENT:
                continue
            if type(value) is str:
                place = texts(value)
                if place is not None:
                    places.append(place)
                if of_text is not None:
                    of_text(value, places)
            elif type(value) is list:
                hit: list[Place] = []
                for leaf in value:
                    if type(leaf) is str:
                        place = texts(leaf)
                        if place is not None:
                            hit.append(place)
                        if of_text is not None:
                            of_text(leaf, hit)
                    elif of_other is not None:
                        of_other(leaf, hit)
                places += dict.fromkeys(hit)
            elif of_other is not None:
                of_other(value, places)
        for path, place in self._missing:
            # With array elements, whether a leaf is missing depends on the element chosen for the other paths.
            if path not in values or path in members:
                places.append(place)
        for place in places:
            found += place.decided
            for rule, checks in place.to_check:
                try:
                    if _checked(rule, checks, leaves):
                        found.append(rule.rule_id)
                except Exception as error:
                    failed(rule, error)
            if place.below is not None:
                place.below.find(leaves, found, failed)


def _checked(rule: IndexedRule, checks: tuple[Check, ...], leaves: Leaves) -> bool:
    values, members = leaves.values, leaves.members
    for check in checks:
        path = check.path
        value = values.get(path, ABSENT)
        if value is ABSENT:
            if not check.may_be_missing:
                return False
        elif check.may_be_missing and path in members:
            continue
        elif type(value) is list:
            if check.exact is not None and len(value) > LONG_LIST:
                if check.exact.isdisjoint(leaves.at(path).by_value()):
                    return False
            elif not any(map(check.holds, value)):
                return False
        elif not check.holds(value):
            return False
    if members:
        in_elements = [one for one in rule.requirements if one.path in members]
        if len(in_elements) > 1 or (in_elements and in_elements[0].may_be_missing):
            return elements_agree(rule.requirements, leaves)
    return True


def met(rule: IndexedRule, leaves: Leaves) -> bool:
    """Whether one rule is met, without any index."""
    return elements_agree(rule.requirements, leaves)


def _probes(
    places: dict[Alternative, Place],
) -> tuple[Callable[[Any], Place | None], Probe | None, Probe | None]:
    """(look-up of a string, probe of the rest for strings, probe for numbers, true, false and null) of one path."""
    kinds: dict[str, dict[Hashable, Place]] = {}
    for alternative, place in places.items():
        kinds.setdefault(alternative.kind, {})[alternative.key] = place
    of_text: list[Probe] = []
    of_other: list[Probe] = []
    if PREFIX in kinds:
        of_text.append(_prefix_probe(kinds[PREFIX]))
    if SUFFIX in kinds:
        of_text.append(_suffix_probe(kinds[SUFFIX]))
    if ADDRESS in kinds:
        of_text.append(_address_probe(kinds[ADDRESS]))
    if EXISTS in kinds:
        anything = kinds[EXISTS][None]
        of_text.append(lambda leaf, found: found.append(anything))
        of_other.append(lambda leaf, found: found.append(anything))
    if NUMBER in kinds or CONSTANT in kinds:
        of_other.append(_number_probe(kinds.get(NUMBER, {}), kinds.get(CONSTANT, {})))
    return kinds.get(TEXT, {}).get, _in_turn(of_text), _in_turn(of_other)


def _in_turn(probes: list[Probe]) -> Probe | None:
    if len(probes) < 2:
        return probes[0] if probes else None

    def probe(leaf: Any, found: list[Place]) -> None:
        for one in probes:
            one(leaf, found)

    return probe


def _prefix_probe(places: dict[Hashable, Place]) -> Probe:
    lengths = sorted({len(key) for key in places if isinstance(key, str)})

    def probe(leaf: Any, found: list[Place]) -> None:
        size = len(leaf)
        for length in lengths:
            if length > size:
                break
            place = places.get(leaf[:length])
            if place is not None:
                found.append(place)

    return probe


def _suffix_probe(places: dict[Hashable, Place]) -> Probe:
    lengths = sorted({len(key) for key in places if isinstance(key, str)})

    def probe(leaf: Any, found: list[Place]) -> None:
        size = len(leaf)
        for length in lengths:
            if length > size:
                break
            place = places.get(leaf[size - length :])
            if place is not None:
                found.append(place)

    return probe


def _address_probe(places: dict[Hashable, Place]) -> Probe:
    def probe(leaf: Any, found: list[Place]) -> None:
        address = address_of(leaf)
        if address is not None:
            place = places.get(address)
            if place is not None:
                found.append(place)

    return probe


def _number_probe(numbers: dict[Hashable, Place], constants: dict[Hashable, Place]) -> Probe:
    def probe(leaf: Any, found: list[Place]) -> None:
        # In Python 1 == True: true, false and null have a dictionary of their own.
        constant = leaf is True or leaf is False or leaf is None
        place = constants.get(leaf) if constant else numbers.get(leaf)
        if place is not None:
            found.append(place)

    return probe
