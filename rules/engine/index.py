"""The pivot index: each branch is filed only under its most selective requirement, the others are checked on a hit.

An event costs one look-up per path and kind that branches are filed under, and a check of the few found there.
A place with many branches is indexed again by their other requirements.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

from rules.engine.allowance import TooMuchWork
from rules.engine.alternative import EXACT_KINDS, NOT_THERE, KindAndKey
from rules.engine.branches import LONG_LIST, ByText, Failed, Filed
from rules.engine.crowd import CROWD, check_plain, check_some, check_together
from rules.engine.event import ABSENT
from rules.engine.groups import Group, Repeated, by_text, find_by_text
from rules.engine.leaves import Leaves
from rules.engine.present import Present, value_at
from rules.engine.probes import TIRING, Exceptions, Probe, Probes
from rules.engine.requirement import Requirement
from rules.engine.selectivity import Selectivity
from rules.engine.sieve import is_sifted
from rules.engine.wanted import Wanted

CROWDED = 16
"""A place with more branches than this gets an index of its own."""
MOST_SIFTED = 256
"""Of so many branches a sieve is faster than an index."""
WEAK = 0.3
"""Branches that no requirement is left of that fewer events meet are not put into an index below, unless they are many."""
MAX_COPIES = 4
"""Below the root a branch is filed at most so many times in all levels together: copies of copies would multiply."""
FEW_FIELDS = 2
"""Up to so many paths are looked up one by one at the root;"""
FEW_FIELDS_BELOW = 16
"""and so many below it, where most of what is asked was looked up already."""
MAX_LEVELS = 6
"""Levels of indexes: branches that many requirements did not tell apart are checked one by one."""


class Place(Group):
    """The branches filed under one alternative: those it decides alone, those to check, and the index of the rest."""

    __slots__ = ("place",)

    def __init__(
        self,
        place: KindAndKey,
        filed: list[Filed],
        selectivity: Selectivity,
        levels: int,
        copies: int,
        decides: bool,
    ) -> None:
        """`decides`: an event that leads here surely meets the alternative."""
        self.place = place
        below = None
        texts: tuple[ByText, ...] = ()
        if decides and len(filed) > CROWDED:
            texts, filed = by_text(filed)
            if levels and len(filed) > CROWDED:
                into_below = _worth_indexing(_too_many(filed), selectivity, copies)
                if len(into_below) > CROWDED:
                    below = Index(into_below, selectivity, levels - 1, copies)
                    taken = set(map(id, into_below))
                    filed = [entry for entry in filed if id(entry) not in taken]
        in_order = [
            (branch, rest if len(rest) < 2 else tuple(sorted(rest, key=selectivity.of)))
            for branch, rest in filed
        ]
        super().__init__(in_order, decides, texts, below)

    def rule_ids(self) -> Iterable[int]:
        """Ids of the rules that have a branch here or below."""
        yield from self.decided
        yield from (branch.rule_id for branch, _ in self.to_check)
        yield from (branch.rule_id for one in self.by_text for branch, _ in one.filed)
        if self.below is not None:
            yield from self.below.rule_ids()


def _too_many(filed: list[Filed]) -> list[Filed]:
    """The branches that are better not left to one sieve."""
    unsifted = [entry for entry in filed if not is_sifted(entry)]
    return unsifted if len(filed) - len(unsifted) <= MOST_SIFTED else filed


def _worth_indexing(filed: list[Filed], selectivity: Selectivity, copies: int) -> list[Filed]:
    """The branches that an index below a place would tell apart better than checks of each."""
    weak: list[Filed] = []
    found: list[Filed] = []
    for entry in filed:
        shares = [
            selectivity.of(one)
            for one in entry[1]
            if not one.may_be_missing and len(one.alternatives) <= copies
        ]
        if shares:
            (found if min(shares) < WEAK else weak).append(entry)
    return found + weak if len(weak) > CROWD else found


_DECIDED, _TO_CHECK, _BY_TEXT, _BELOW = (
    attrgetter(name) for name in ("decided", "to_check", "by_text", "below")
)
_REPEATED = frozenset({"type", "source"})
"""Paths at which most events have a value that others had before."""


class Index:
    """Branches by their most selective requirement. Immutable once built."""

    __slots__ = ("_fields", "_missing", "_present")

    def __init__(
        self,
        filed: Iterable[Filed],
        selectivity: Selectivity,
        levels: int = MAX_LEVELS,
        copies: int | None = None,
    ) -> None:
        """filed: branches, each with the requirements not yet met on the way here (at least one).
        levels: how many more may follow; copies: how often a branch may be filed from here on, None at the root."""
        fields: dict[str, dict[KindAndKey, list[Filed]]] = {}
        missing: dict[str, list[Filed]] = {}
        widest: dict[tuple[str, KindAndKey], int] = {}

        def weight(requirement: Requirement) -> float:
            too_many = copies is not None and len(requirement.alternatives) > copies
            return selectivity.of(requirement) + (10_000.0 if too_many else 0.0)

        for branch, requirements in filed:
            pivot = requirements[0] if len(requirements) == 1 else min(requirements, key=weight)
            entry = (branch, tuple(one for one in requirements if one is not pivot))
            path = pivot.path
            for alternative in pivot.alternatives:
                if alternative.kind == NOT_THERE:
                    missing.setdefault(path, []).append(entry)
                else:
                    fields.setdefault(path, {}).setdefault(alternative.place, []).append(entry)
                    if copies is not None and len(pivot.alternatives) > 1:
                        spot = (path, alternative.place)
                        widest[spot] = max(widest.get(spot, 1), len(pivot.alternatives))
        self._fields: list[tuple[str, _Field]] = []
        for path, by_place in fields.items():
            places = {}
            for place, entries in by_place.items():
                left = MAX_COPIES if copies is None else copies // widest.get((path, place), 1)
                places[place] = Place(place, entries, selectivity, levels, left, decides=True)
            repeated = Repeated() if copies is None and path in _REPEATED else None
            self._fields.append((path, _field(path, places, repeated)))
        few = FEW_FIELDS if copies is None else FEW_FIELDS_BELOW
        self._present = Present(self._fields) if len(self._fields) > few else None
        self._missing = [
            (path, Place((NOT_THERE, None), entries, selectivity, levels, 1, decides=False))
            for path, entries in missing.items()
        ]

    def rule_ids(self) -> Iterable[int]:
        """Ids of the rules that have a branch here or below."""
        for _, field in self._fields:
            for place in field.places:
                yield from place.rule_ids()
        for _, place in self._missing:
            yield from place.rule_ids()

    def find(self, leaves: Leaves, wanted: Wanted, found: list[int], failed: Failed) -> None:
        """Appends the ids of the rules met, some perhaps more than once. A branch that raises is told to `failed`.

        wanted: everything the rules of this index and those above it ask.
        """
        members = leaves.members
        hit: list[Group] = []
        if self._present is not None:
            there = self._present.find(leaves)
        else:
            try:
                there = [(field, leaves[path]) for path, field in self._fields]
            except TooMuchWork:
                there = [(field, value_at(path, leaves)) for path, field in self._fields]
        for field, value in there:
            if value is ABSENT:
                continue
            _, text, of_text, of_other, exceptions, places, _, _, repeated = field
            try:
                if type(value) is str:
                    if repeated is not None:
                        known = repeated.groups.get(value)
                        if known is not None:
                            hit += known
                            continue
                        before = len(hit)
                    place = text(value)
                    if place is not None:
                        hit.append(place)
                    if of_text is not None:
                        of_text(value, hit, leaves)
                elif type(value) is list:
                    several = _hit_by_any(value, field, leaves, wanted)
                    leaves.again |= len(several) > 1
                    hit += several
                    continue
                elif type(value) is TooMuchWork:
                    raise value
                elif of_other is not None:
                    of_other(value, hit, leaves)
                if exceptions is not None:
                    exceptions.find(value, hit, leaves)
                if repeated is not None and type(value) is str:
                    repeated.note(value, hit[before:])
            except TooMuchWork as error:
                undecided = set(places).difference(hit)
                if type(value) is str:
                    undecided = {place for place in undecided if place.place[0] in TIRING}
                _blame(undecided, error, failed)
        for path, place in self._missing:
            # With array elements, whether a leaf is missing depends on the element chosen for the other paths.
            value = value_at(path, leaves)
            if value is ABSENT or path in members:
                hit.append(place)
            elif type(value) is TooMuchWork:
                _blame([place], value, failed)
        if members and len(hit) > CROWD:
            leaves.again = True
            found += chain.from_iterable(map(_DECIDED, hit))
            check_together(list(chain.from_iterable(map(_TO_CHECK, hit))), leaves, wanted, found, failed)
            for texts in filter(None, map(_BY_TEXT, hit)):
                find_by_text(texts, leaves, found, failed)
            for below in filter(None, map(_BELOW, hit)):
                below.find(leaves, wanted, found, failed)
            return
        for group in hit:
            leaves.again |= group.again
            if members and not members.isdisjoint(group.paths):
                found += group.decided
                check_some(group.unsifted, leaves, wanted, found, failed)
            else:
                found += group.met
                if group.plain:
                    check_plain(group.plain, leaves, wanted, found, failed)
                if group.others:
                    check_some(group.others, leaves, wanted, found, failed)
            if group.sieve is not None:
                group.sieve.find(leaves, wanted, found, failed)
            if group.by_text:
                find_by_text(group.by_text, leaves, found, failed)
            if group.below is not None:
                group.below.find(leaves, wanted, found, failed)


class _Field(NamedTuple):
    """What an index looks up at one path."""

    path: str
    text: Callable[[str], Group | None]
    of_text: Probe[Group] | None
    of_other: Probe[Group] | None
    exceptions: Exceptions[Group] | None
    places: tuple[Place, ...]
    exact: dict[str, dict[Any, Group]]
    inexact: tuple[Place, ...]
    repeated: Repeated | None


def _field(path: str, places: dict[KindAndKey, Place], repeated: Repeated | None) -> _Field:
    probes: Probes[Group] = Probes(places)
    return _Field(
        path,
        probes.text,
        probes.of_text,
        probes.of_other,
        probes.exceptions,
        tuple(places.values()),
        probes.exact,
        tuple(place for (kind, _), place in places.items() if kind not in EXACT_KINDS),
        repeated,
    )


def _hit_by_any(value: list[Any], field: _Field, leaves: Leaves, wanted: Wanted) -> Collection[Group]:
    """The places of all leaves at one path."""
    if len(value) > LONG_LIST:
        many = leaves.many(field.path)
        found: list[Group] = []
        for kind, places in field.exact.items():
            found += map(places.__getitem__, places.keys() & many.equal(kind))
        if field.inexact:
            held = wanted.held(field.path, leaves)
            found += [place for place in field.inexact if place.place in held]
        return found
    hit: list[Group] = []
    for leaf in value:
        if type(leaf) is str:
            place = field.text(leaf)
            if place is not None:
                hit.append(place)
            if field.of_text is not None:
                field.of_text(leaf, hit, leaves)
        elif field.of_other is not None:
            field.of_other(leaf, hit, leaves)
    if field.exceptions is not None:
        field.exceptions.find_for_any(value, hit, leaves)
    return dict.fromkeys(hit)


def _blame(places: Iterable[Place], error: Exception, failed: Failed) -> None:
    for place in places:
        for rule_id in place.rule_ids():
            failed(rule_id, error)
