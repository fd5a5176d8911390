"""The leaves of an event at the paths that rules ask for, and the array elements each came from.

A leaf is a string, number, true, false or null; its path is the keys above it joined with dots, arrays left out.
So {"a": {"b": 1}}, {"a.b": 1} and {"a": [{"b": 1}]} all have the leaf 1 at a.b; {} and [] have no leaf.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain, repeat
from typing import Any, cast

from rules.engine.allowance import Allowance, TooMuchWork
from rules.engine.alternative import KindAndKey
from rules.engine.event import ABSENT, Absent, Event
from rules.engine.many_leaves import ManyLeaves
from rules.engine.path_leaves import Entry, Inner, Membership, PathLeaves, Row

MAX_ARRAYS = 32
"""Leaves inside more arrays than this are not seen; without a bound an event of 1 MB could cost gigabytes."""

_HOLDERS = frozenset({dict, list})
_INNER = frozenset({list, Absent})
_NO_ELEMENTS: list[Any] = [{}]

FEW_ELEMENTS = 8
"""The elements of so short an array are looked at one by one."""
STEPS_OF_A_SPELLING = 10
"""To look for one more way to write a path takes so many steps of allowance.py."""


@lru_cache(maxsize=100_000)
def parent_and_key(path: str) -> tuple[str, str]:
    """The path of the object above, "" when there is none, and the key in it."""
    parent, _, key = path.rpartition(".")
    return parent, key


class _NotPlain:
    """Stands for an array, or for what is below an object with a dot in a key: there are several ways through it."""


_NOT_PLAIN = _NotPlain()


def _inner(objects: list[dict[str, Any]], name: str) -> Inner | None:
    arrays = [one.get(name, ABSENT) for one in objects]
    if not _INNER.issuperset(map(type, arrays)) or "." in "".join(chain.from_iterable(objects)):
        return None
    below = [array or _NO_ELEMENTS for array in arrays]
    elements = list(chain.from_iterable(below))
    return Inner(arrays, list(map(len, below)), elements) if {dict}.issuperset(map(type, elements)) else None


def _entries_of(found: list[Entry | Row]) -> list[Entry]:
    entries: list[Entry] = []
    for one in found:
        if isinstance(one, Row):
            entries += one.entries()
        else:
            entries.append(one)
    return entries


class Leaves(dict[str, Any], Allowance):
    """One event: path → its leaf, the list of its leaves where there are several or any came from an array, or
    ABSENT; found when first asked for, so that what no rule gets to look at costs nothing.

    members: the paths where at least one leaf came from an array element that is an object or array; objects: path → the object there, for those already found to be reached in
    one way; held: answers of wanted.py; plans, view: of element_plan.py. It is also what the event may still cost.
    """

    again = False
    """A rule may have been found more than once."""

    def __init__(self, event: Event) -> None:
        super().__init__(event.attributes)
        self.event = event
        self.members: set[str] = set()
        self._entries: dict[str, list[Entry]] = {}
        self._rows: dict[str, list[Row]] = {}
        self.held: dict[tuple[int, str], set[KindAndKey] | TooMuchWork] = {}
        self.objects: dict[str, dict[str, Any] | _NotPlain | Absent] = {}
        self._inner: dict[tuple[int, str], Inner | None] = {}
        self._elements: dict[int, list[Membership]] = {}
        self._lengths: dict[int, int] = {}
        self._outside: dict[int, Membership] = {}
        self._at: dict[str, PathLeaves] = {}
        self.plans: dict[int, Any] = {}
        self.view: Any = None
        self._after: dict[tuple[str, ...], list[frozenset[int]]] = {}
        self._many: dict[str, ManyLeaves] = {}

    def __missing__(self, path: str) -> Any:
        parent, key = parent_and_key(path)
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
            # A list of nothing but leaves, come to in the only way there is, is what is asked for.
            plain = _HOLDERS.isdisjoint(map(type, found))
            found = (found or ABSENT) if plain else self._search(path)
        self[path] = found
        return found

    def _object(self, path: str) -> dict[str, Any] | _NotPlain | Absent:
        """The object at a path, ABSENT when there is none."""
        parent, key = parent_and_key(path)
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
        row = self._row(path)
        if row is not None:
            if not row.leaves:
                return ABSENT
            self.members.add(path)
            self._rows[path] = [row]
            return row.leaves
        entries: list[Entry | Row] = []
        listed = self._collect(self.event.data, path.split("."), 1, (), entries)
        if not entries:
            return ABSENT
        rows = [one for one in entries if isinstance(one, Row)]
        if len(rows) == len(entries):
            self.members.add(path)
            self._rows[path] = rows
            return rows[0].leaves if len(rows) == 1 else [leaf for row in rows for leaf in row.leaves]
        single = _entries_of(entries) if rows else cast("list[Entry]", entries)
        if any(membership for _, membership in single):
            self.members.add(path)
            self._entries[path] = single
        return [leaf for leaf, _ in single] if listed or len(single) > 1 else single[0][0]

    def _row(self, path: str) -> Row | None:
        """The leaves at a path when an array there, in no other or in the objects of one, has nothing but objects with
        leaves at its last key."""
        place, key = parent_and_key(path)
        elements = self._objects_at(place)
        inner = None
        outermost = elements
        if elements is None:
            above, name = parent_and_key(place)
            outermost = self._objects_at(above)
            inner = None if outermost is None else self._inner_of(outermost, name)
            if inner is None:
                return None
            elements = inner.elements
        assert outermost is not None
        values = [element.get(key, ABSENT) for element in elements]
        if not _HOLDERS.isdisjoint(map(type, values)):
            return None
        leaves = [leaf for leaf in values if leaf is not ABSENT] if ABSENT in values else values
        self._lengths[id(outermost)] = len(outermost)
        self._outside[id(outermost)] = ()
        return Row(id(outermost), values, leaves, inner)

    def _objects_at(self, place: str) -> list[dict[str, Any]] | None:
        """The array at a path, when there is one way to it, in no array, and it has nothing but objects."""
        parent, name = parent_and_key(place)
        above = self._object(parent) if parent else ABSENT
        if type(above) is not dict:
            return None
        elements = above.get(name)
        if type(elements) is not list or not {dict}.issuperset(map(type, elements)) or "." in "".join(above):
            return None
        return elements

    def _inner_of(self, objects: list[dict[str, Any]], name: str) -> Inner | None:
        """The arrays of objects below a key of objects, when there is nothing else."""
        place = id(objects), name
        if place not in self._inner:
            self._inner[place] = inner = _inner(objects, name)
            if inner is not None:
                outside = zip(zip(repeat(id(objects)), range(len(objects)), strict=False), strict=True)
                arrays = list(map(id, inner.arrays))
                self._lengths.update(zip(arrays, inner.counts, strict=True))
                self._outside.update(zip(arrays, outside, strict=True))
        return self._inner[place]

    def _collect(
        self, value: Any, keys: list[str], at: int, membership: Membership, entries: list[Entry | Row]
    ) -> bool:
        """Adds the leaves of a value below which the keys from `at` on are still to go; whether one was in an array.

        Raises TooMuchWork where an event spells paths in many ways.
        """
        size = len(keys)
        while type(value) is dict:
            if at == size:
                return False
            # A key with dots stands for several; only then are there ways to spell a path.
            if at < size - 1 and "." in "".join(value):
                return self._collect_spelled(value, keys, at, membership, entries)
            value = value.get(keys[at], ABSENT)
            at += 1
        if type(value) is not list:
            if at == size and value is not ABSENT:
                entries.append((value, membership))
            return False
        count = len(entries)
        deep = len(membership) >= MAX_ARRAYS
        if at == size - 1:  # the most there are are elements whose member is the leaf
            self._collect_members(value, keys, membership, entries)
        elif at == size and _HOLDERS.isdisjoint(map(type, value)):
            entries.extend(zip(value, repeat(membership)))
        else:
            for element, here in zip(value, self._memberships(value, membership), strict=True):
                if type(element) is dict or type(element) is list:
                    if not deep:
                        self._collect(element, keys, at, here, entries)
                elif at == size:
                    entries.append((element, membership))
        return len(entries) > count

    def _collect_members(
        self, elements: list[Any], keys: list[str], membership: Membership, entries: list[Entry | Row]
    ) -> None:
        """Adds the leaves that the elements of an array have below the last of the keys."""
        key = keys[-1]
        if len(membership) >= MAX_ARRAYS:
            return
        if len(elements) > FEW_ELEMENTS and {dict}.issuperset(map(type, elements)):
            values = [element.get(key, ABSENT) for element in elements]
            if _HOLDERS.isdisjoint(map(type, values)):
                leaves = [leaf for leaf in values if leaf is not ABSENT] if ABSENT in values else values
                if leaves:
                    self._lengths[id(elements)] = len(elements)
                    self._outside[id(elements)] = membership
                    entries.append(Row(id(elements), values, leaves, None, membership))
                return
        inside = self._memberships(elements, membership)
        for element, here in zip(elements, inside, strict=True):
            if type(element) is dict:
                below = element.get(key, ABSENT)
                if type(below) is list:
                    self._collect(below, keys, len(keys), here, entries)
                elif below is not ABSENT and type(below) is not dict:
                    entries.append((below, here))
            elif type(element) is list:
                self._collect(element, keys, len(keys) - 1, here, entries)

    def _collect_spelled(
        self,
        value: dict[str, Any],
        keys: list[str],
        at: int,
        membership: Membership,
        entries: list[Entry | Row],
    ) -> bool:
        self.spend(STEPS_OF_A_SPELLING * (len(keys) - at))
        listed = False
        for end in range(at + 1, len(keys) + 1):
            below = value.get(".".join(keys[at:end]), ABSENT)
            if below is not ABSENT:
                listed |= self._collect(below, keys, end, membership, entries)
        return listed

    def _memberships(self, elements: list[Any], outside: Membership) -> list[Membership]:
        """The membership of each element of an array."""
        array = id(elements)
        found = self._elements.get(array)
        if found is None:
            self._lengths[array] = len(elements)
            self._outside[array] = outside
            if outside:
                found = [(*outside, (array, index)) for index in range(len(elements))]
            else:
                found = list(zip(zip(repeat(array), range(len(elements)), strict=False), strict=True))
            self._elements[array] = found
        return found

    def length(self, array: int) -> int:
        """How many elements an array has that leaves are inside of."""
        return self._lengths[array]

    def outside(self, array: int) -> Membership:
        """The elements that an array is inside of, when leaves are inside of it."""
        return self._outside[array]

    def at(self, path: str) -> PathLeaves:
        """All leaves at a path, ready to be searched."""
        found = self._at.get(path)
        if found is None:
            self[path]
            rows = self._rows.get(path)
            found = self._at[path] = PathLeaves(self.of(path) if rows is None else None, rows or ())
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

    def count(self, path: str) -> int:
        """How many leaves there are at a path."""
        value = self[path]
        return len(value) if type(value) is list else 0 if value is ABSENT else 1

    def of(self, path: str) -> list[Entry]:
        """All leaves at a path with their memberships."""
        value = self[path]
        entries = self._entries.get(path)
        if entries is not None:
            return entries
        if path in self.members:
            return self.at(path).entries
        if value is ABSENT:
            return []
        return [(leaf, ()) for leaf in value] if type(value) is list else [(value, ())]
