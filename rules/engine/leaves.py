"""The leaves of an event at the paths that rules ask for, and the array elements each came from.

A leaf is a string, number, true, false or null; its path is the keys above it joined with dots, arrays left out.
So {"a": {"b": 1}}, {"a.b": 1} and {"a": [{"b": 1}]} all have the leaf 1 at a.b; {} and [] have no leaf.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any, Final

from rules.engine.allowance import Allowance
from rules.engine.alternative import KindAndKey, exact_place
from rules.engine.event import ABSENT, Absent, Event
from rules.engine.many_leaves import ManyLeaves

MAX_ARRAYS = 32
"""Leaves inside more arrays than this are not seen; without a bound an event of 1 MB could cost gigabytes."""

Membership = tuple[tuple[int, int], ...]
"""The elements a leaf is inside of: (number of the array in this event, index in it), outermost first.

Only elements that are objects or arrays count: plain elements of one array may satisfy several requirements.
"""


class PathTree:
    """The paths that rules ask for, by their keys. Never changed once made: `with_paths` gives another, sharing much."""

    __slots__ = ("branches", "path")

    def __init__(self, branches: dict[str, PathTree], path: str | None) -> None:
        self.branches = branches
        self.path = path

    def with_paths(self, paths: Iterable[str]) -> PathTree:
        fresh = PathTree({}, None)
        for path in paths:
            tree = fresh
            for key in path.split("."):
                tree = tree.branches.setdefault(key, PathTree({}, None))
            tree.path = path
        return self._merged(fresh)

    def _merged(self, other: PathTree) -> PathTree:
        path = self.path if other.path is None else other.path
        if not other.branches:
            return self if path == self.path else PathTree(self.branches, path)
        branches = dict(self.branches)
        for key, theirs in other.branches.items():
            ours = branches.get(key)
            branches[key] = theirs if ours is None else ours._merged(theirs)
        return PathTree(branches, path)


NO_PATHS: Final = PathTree({}, None)


Entry = tuple[Any, Membership]
"""A leaf and the elements it is inside of."""

Choice = frozenset[tuple[int, int]]
"""Elements chosen, at most one of each array: (array, index)."""


class PathLeaves:
    """The leaves at one path, found by the element they are inside of and by value. Made once per event and path."""

    __slots__ = ("_by_value", "_in_array", "_outside", "_through", "arrays", "entries")

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = entries
        self._by_value: dict[tuple[str, Hashable], list[Entry]] | None = None
        self._outside: dict[int, list[Entry]] = {}
        self._through: dict[tuple[int, int], list[Entry]] = {}
        self._in_array: dict[int, int] = {}
        for entry in entries:
            for element in entry[1]:
                self._through.setdefault(element, []).append(entry)
                self._in_array[element[0]] = self._in_array.get(element[0], 0) + 1
        self.arrays = frozenset(self._in_array)

    def by_value(self) -> dict[tuple[str, Hashable], list[Entry]]:
        """The leaves by their exact_place."""
        if self._by_value is None:
            self._by_value = {}
            for entry in self.entries:
                self._by_value.setdefault(exact_place(entry[0]), []).append(entry)
        return self._by_value

    def candidates(self, choice: Choice) -> list[Entry]:
        """At least all leaves that can be chosen beside a choice, through the element that leaves the fewest."""
        best = self.entries
        for element in choice:
            inside = self._in_array.get(element[0])
            if inside is None:
                continue
            through = self._through.get(element, [])
            outside = len(self.entries) - inside
            if len(through) + outside < len(best):
                best = [*through, *self._not_in(element[0])] if outside else through
        return best

    def _not_in(self, array: int) -> list[Entry]:
        outside = self._outside.get(array)
        if outside is None:
            outside = [entry for entry in self.entries if all(element[0] != array for element in entry[1])]
            self._outside[array] = outside
        return outside


class Leaves:
    """values: path → its leaf, or the list of its leaves; members: the same with memberships, for those paths only
    where at least one leaf came from an array element that is an object or array; held: answers of wanted.py;
    allowance: the steps this event may still cost."""

    __slots__ = ("_arrays", "_at", "_many", "allowance", "event", "held", "members", "values")

    def __init__(self, event: Event, tree: PathTree) -> None:
        self.event = event
        self.values: dict[str, Any] = {}
        self.members: dict[str, list[Entry]] = {}
        self.held: dict[tuple[int, str], set[KindAndKey]] = {}
        self.allowance = Allowance()
        self._arrays = 0
        self._at: dict[str, PathLeaves] = {}
        self._many: dict[str, ManyLeaves] = {}
        branches = tree.branches
        for name, value in event.attributes.items():
            found = branches.get(name)
            if found is not None and found.path is not None:
                self.values[found.path] = value
        below = branches.get("data")
        if below is not None:
            data = event.data
            if type(data) is dict:
                self._object(data, below)
            elif type(data) is list:
                self._array(data, below, ())
            elif below.path is not None and data is not ABSENT:
                self.values[below.path] = data

    def at(self, path: str) -> PathLeaves:
        """All leaves at a path, ready to be searched."""
        found = self._at.get(path)
        if found is None:
            found = self._at[path] = PathLeaves(self.of(path))
        return found

    def many(self, path: str) -> ManyLeaves:
        """All leaves at a path, ready to be asked what they meet."""
        many = self._many.get(path)
        if many is None:
            value = self.values.get(path, ABSENT)
            some = value if type(value) is list else [] if value is ABSENT else [value]
            many = self._many[path] = ManyLeaves(some, self.allowance)
        return many

    def of(self, path: str) -> list[Entry]:
        """All leaves at a path with their memberships."""
        members = self.members.get(path)
        if members is not None:
            return members
        value = self.values.get(path, ABSENT)
        if value is ABSENT:
            return []
        return [(leaf, ()) for leaf in value] if type(value) is list else [(value, ())]

    def seen(self, path: str) -> Any | Absent:
        """The leaf at a path, a list when there are several, ABSENT when there is none."""
        return self.values.get(path, ABSENT)

    def _object(self, members: dict[str, Any], tree: PathTree) -> None:
        """An object outside of arrays: the common case, without recursion or memberships."""
        values = self.values
        waiting = [(members, tree.branches)]
        while waiting:
            members, branches = waiting.pop()
            for key, value in members.items():
                below = branches.get(key)
                if below is None:
                    if "." in key:
                        self._dotted(key, value, branches, ())
                    continue
                kind = type(value)
                if kind is dict:
                    if below.branches:
                        waiting.append((value, below.branches))
                elif kind is list:
                    self._array(value, below, ())
                elif below.path is not None:
                    if below.path in values:
                        self._add(below.path, value, ())
                    else:
                        values[below.path] = value

    def _value(self, value: Any, tree: PathTree, membership: Membership) -> None:
        kind = type(value)
        if kind is dict:
            branches = tree.branches
            if branches:
                for key, inner in value.items():
                    below = branches.get(key)
                    if below is not None:
                        self._value(inner, below, membership)
                    elif "." in key:
                        self._dotted(key, inner, branches, membership)
        elif kind is list:
            self._array(value, tree, membership)
        elif tree.path is not None:
            self._add(tree.path, value, membership)

    def _array(self, elements: list[Any], tree: PathTree, membership: Membership) -> None:
        array = self._arrays
        self._arrays += 1
        path = tree.path
        inside = len(membership) < MAX_ARRAYS
        for index, element in enumerate(elements):
            kind = type(element)
            if kind is dict or kind is list:
                if inside:
                    self._value(element, tree, (*membership, (array, index)))
            elif path is not None:
                self._add(path, element, membership)

    def _dotted(self, key: str, value: Any, branches: dict[str, PathTree], membership: Membership) -> None:
        below = None
        for step in key.split("."):
            below = branches.get(step)
            if below is None:
                return
            branches = below.branches
        if below is not None:
            self._value(value, below, membership)

    def _add(self, path: str, leaf: Any, membership: Membership) -> None:
        before = self.values.get(path, ABSENT)
        if path in self.members:
            self.members[path].append((leaf, membership))
        elif membership:
            self.members[path] = [*self.of(path), (leaf, membership)]
        if before is ABSENT:
            # A list even for one leaf: it came from an array or from a second spelling of the path.
            self.values[path] = [leaf]
        elif type(before) is list:
            before.append(leaf)
        else:
            self.values[path] = [before, leaf]
