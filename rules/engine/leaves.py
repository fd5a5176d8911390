"""The leaves of an event at the paths that rules ask for, and the array elements each came from.

A leaf is a string, number, true, false or null; its path is the keys above it joined with dots, arrays left out.
So {"a": {"b": 1}}, {"a.b": 1} and {"a": [{"b": 1}]} all have the leaf 1 at a.b; {} and [] have no leaf.
"""

from __future__ import annotations

from collections import Counter
from functools import cached_property, lru_cache
from typing import Any

from rules.engine.allowance import Allowance
from rules.engine.alternative import KindAndKey, exact_place
from rules.engine.event import ABSENT, Absent, Event
from rules.engine.many_leaves import ManyLeaves

MAX_ARRAYS = 32
"""Leaves inside more arrays than this are not seen; without a bound an event of 1 MB could cost gigabytes."""

STEPS_OF_A_SPELLING = 10
"""To look for one more way to write a path takes so many steps of allowance.py."""

Membership = tuple[tuple[int, int], ...]
"""The elements a leaf is inside of: (identity of the array, index in it), outermost first.

Only elements that are objects or arrays count: plain elements of one array may satisfy several requirements.
"""

Entry = tuple[Any, Membership]
"""A leaf and the elements it is inside of."""

Choice = frozenset[tuple[int, int]]
"""Elements chosen, at most one of each array: (array, index)."""


class PathLeaves:
    """The leaves at one path, found by the element they are inside of and by value. Made once per event and path."""

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries

    @cached_property
    def by_value(self) -> dict[KindAndKey, list[Entry]]:
        """The leaves by their exact_place."""
        found: dict[KindAndKey, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(exact_place(entry[0]), []).append(entry)
        return found

    @cached_property
    def rows(self) -> tuple[int, dict[int, list[Any]]] | None:
        """(array, leaves by the index of the element they are in) when all are in elements of one array only."""
        rows: dict[int, list[Any]] = {}
        array = 0
        for leaf, membership in self.entries:
            if len(membership) != 1 or (rows and membership[0][0] != array):
                return None
            array, index = membership[0]
            rows.setdefault(index, []).append(leaf)
        return array, rows

    @cached_property
    def _through(self) -> dict[tuple[int, int], list[Entry]]:
        found: dict[tuple[int, int], list[Entry]] = {}
        for entry in self.entries:
            for element in entry[1]:
                found.setdefault(element, []).append(entry)
        return found

    @cached_property
    def arrays(self) -> dict[int, int]:
        """How many leaves are inside of each array."""
        return Counter(array for _, membership in self.entries for array, _ in membership)

    def candidates(self, choice: Choice) -> list[Entry]:
        """At least all leaves that can be chosen beside a choice, through the element that leaves the fewest."""
        fewest = len(self.entries)
        best: tuple[int, int] | None = None
        for element in choice:
            inside = self.arrays.get(element[0])
            if inside is not None:
                count = len(self._through.get(element, ())) + len(self.entries) - inside
                if count < fewest:
                    fewest, best = count, element
        if best is None:
            return self.entries
        through = self._through.get(best, [])
        return through if len(through) == fewest else [*through, *self._outside(best[0])]

    @cached_property
    def _not_in(self) -> dict[int, list[Entry]]:
        return {}

    def _outside(self, array: int) -> list[Entry]:
        outside = self._not_in.get(array)
        if outside is None:
            outside = [entry for entry in self.entries if all(element[0] != array for element in entry[1])]
            self._not_in[array] = outside
        return outside


@lru_cache(maxsize=100_000)
def _parent_and_key(path: str) -> tuple[str, str]:
    parent, _, key = path.rpartition(".")
    return parent, key


class _NotPlain:
    """Stands for an array, or for what is below an object with a dot in a key: there are several ways through it."""


_NOT_PLAIN = _NotPlain()


class Leaves(dict[str, Any], Allowance):
    """One event: path → its leaf, the list of its leaves where there are several or any came from an array, or
    ABSENT; found when first asked for, so that what no rule gets to look at costs nothing.

    members: the leaves with their memberships, for those paths only where at least one leaf came from an array
    element that is an object or array; objects: path → the object there, for those already found to be reached in
    one way; held: answers of wanted.py; plans: of elements.py. It is also what the event may still cost.
    """

    def __init__(self, event: Event) -> None:
        super().__init__(event.attributes)
        self.event = event
        self.members: dict[str, list[Entry]] = {}
        self.held: dict[tuple[int, str], set[KindAndKey]] = {}
        self.objects: dict[str, dict[str, Any] | _NotPlain | Absent] = {}
        self._elements: dict[int, list[Membership]] = {}
        self._at: dict[str, PathLeaves] = {}
        self.plans: dict[int, Any] = {}
        self._after: dict[tuple[str, ...], list[frozenset[int]]] = {}
        self._many: dict[str, ManyLeaves] = {}

    def __missing__(self, path: str) -> Any:
        parent, key = _parent_and_key(path)
        found: Any = ABSENT
        if parent:
            above = self.objects.get(parent)
            if above is None:
                above = self._object(parent)
            if type(above) is dict:
                found = above.get(key, ABSENT)
            elif above is _NOT_PLAIN:
                found = self._search(path)
        elif key == "data":
            found = self.event.data
        if type(found) is dict:
            found = ABSENT
        elif type(found) is list:
            found = self._search(path)
        self[path] = found
        return found

    def _object(self, path: str) -> dict[str, Any] | _NotPlain | Absent:
        """The object at a path, ABSENT when there is none."""
        parent, key = _parent_and_key(path)
        found: Any = ABSENT
        if parent:
            above = self.objects.get(parent)
            if above is None:
                above = self._object(parent)
            if type(above) is not dict:
                found = above
            else:
                found = _NOT_PLAIN if "." in "".join(above) else above.get(key, ABSENT)
        elif key == "data":
            found = self.event.data
        if type(found) is list:
            found = _NOT_PLAIN
        elif type(found) is not dict and found is not _NOT_PLAIN:
            found = ABSENT
        self.objects[path] = found
        return found  # type: ignore[no-any-return]

    def _search(self, path: str) -> Any:
        """The leaf or leaves at a path however it is spelled, through arrays; notes `members`."""
        entries: list[Entry] = []
        listed = self._collect(self.event.data, path.split("."), 1, (), entries)
        if not entries:
            return ABSENT
        if any(membership for _, membership in entries):
            self.members[path] = entries
        return [leaf for leaf, _ in entries] if listed or len(entries) > 1 else entries[0][0]

    def _collect(
        self, value: Any, keys: list[str], at: int, membership: Membership, entries: list[Entry]
    ) -> bool:
        """Adds the leaves of a value below which the keys from `at` on are still to go; whether one was in an array.

        Raises TooMuchWork where an event spells paths in many ways.
        """
        listed = False
        kind = type(value)
        if kind is list:
            count = len(entries)
            inside = self._memberships(value, membership)
            for element, here in zip(value, inside, strict=True):
                if type(element) is dict or type(element) is list:
                    if len(here) <= MAX_ARRAYS:
                        self._collect(element, keys, at, here, entries)
                elif at == len(keys):
                    entries.append((element, membership))
            listed = len(entries) > count
        elif kind is not dict:
            if at == len(keys) and value is not ABSENT:
                entries.append((value, membership))
        elif at == len(keys) - 1:
            below = value.get(keys[at], ABSENT)
            if below is not ABSENT:
                listed = self._collect(below, keys, at + 1, membership, entries)
        elif at < len(keys):
            # A key with dots stands for several; only then are there ways to spell a path.
            dotted = "." in "".join(value)
            if dotted:
                self.spend(STEPS_OF_A_SPELLING * (len(keys) - at))
            last = len(keys) if dotted else at + 1
            for end in range(at + 1, last + 1):
                below = value.get(".".join(keys[at:end]), ABSENT)
                if below is not ABSENT:
                    listed |= self._collect(below, keys, end, membership, entries)
        return listed

    def _memberships(self, elements: list[Any], outside: Membership) -> list[Membership]:
        """The membership of each element of an array."""
        found = self._elements.get(id(elements))
        if found is None:
            array = id(elements)
            found = self._elements[array] = [(*outside, (array, index)) for index in range(len(elements))]
        return found

    def at(self, path: str) -> PathLeaves:
        """All leaves at a path, ready to be searched."""
        found = self._at.get(path)
        if found is None:
            found = self._at[path] = PathLeaves(self.of(path))
        return found

    def arrays_after(self, paths: tuple[str, ...]) -> list[frozenset[int]]:
        """For each of the paths the arrays that leaves at later ones are inside of."""
        found = self._after.get(paths)
        if found is None:
            arrays: frozenset[int] = frozenset()
            found = []
            for path in reversed(paths):
                found.append(arrays)
                arrays |= self.at(path).arrays.keys()
            found.reverse()
            self._after[paths] = found
        return found

    def many(self, path: str) -> ManyLeaves:
        """All leaves at a path, ready to be asked what they meet."""
        many = self._many.get(path)
        if many is None:
            value = self[path]
            some = value if type(value) is list else [] if value is ABSENT else [value]
            many = self._many[path] = ManyLeaves(some, self)
        return many

    def of(self, path: str) -> list[Entry]:
        """All leaves at a path with their memberships."""
        value = self[path]
        members = self.members.get(path)
        if members is not None:
            return members
        if value is ABSENT:
            return []
        return [(leaf, ()) for leaf in value] if type(value) is list else [(value, ())]
