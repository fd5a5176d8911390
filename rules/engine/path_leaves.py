"""The leaves of an event at one path, with the array elements they are inside of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple

from rules.engine.alternative import KindAndKey, exact_place
from rules.engine.event import ABSENT

Membership = tuple[tuple[int, int], ...]
"""The elements a leaf is inside of: (identity of the array, index in it), outermost first.

Only elements that are objects or arrays count: plain elements of one array may satisfy several requirements.
"""

Entry = tuple[Any, Membership]
"""A leaf and the elements it is inside of."""

Choice = frozenset[tuple[int, int]]
"""Elements chosen, at most one of each array: (array, index)."""


class Inner(NamedTuple):
    """The arrays that the objects of one array have at one key, each with nothing but objects.

    arrays: by object, ABSENT where there is none; counts: their elements, 1 where there are none; elements: of all of
    them, in order, an empty object where an array has none.
    """

    arrays: list[Any]
    counts: list[int]
    elements: list[dict[str, Any]]

    @property
    def starts(self) -> list[int]:
        """Of each array its first element's place among the elements; then how many there are."""
        return list(accumulate(self.counts, initial=0))


class Row(NamedTuple):
    """The leaves at a path when they are members of the objects in one array, or in the arrays inside of these, and this
    is in no other.

    values: by index in the array, or among the elements of `inner`, ABSENT where there is none; leaves: those that
    there are.
    """

    array: int
    values: list[Any]
    leaves: list[Any]
    inner: Inner | None = None

    @property
    def firsts(self) -> Sequence[int]:
        """The index of each leaf."""
        values = self.values
        if len(self.leaves) == len(values):
            return range(len(values))
        return [index for index, leaf in enumerate(values) if leaf is not ABSENT]

    def entries(self) -> list[Entry]:
        array = self.array
        if self.inner is None:
            return [(leaf, ((array, index),)) for index, leaf in enumerate(self.values) if leaf is not ABSENT]
        found: list[Entry] = []
        for at, (below, start, size) in enumerate(
            zip(self.inner.arrays, self.inner.starts, self.inner.counts, strict=False)
        ):
            inside = id(below)
            found += [
                (leaf, ((array, at), (inside, index)))
                for index, leaf in enumerate(self.values[start : start + size])
                if leaf is not ABSENT
            ]
        return found


class PathLeaves:
    """The leaves at one path, found by the element they are inside of and by value. Made once per event and path."""

    def __init__(self, entries: list[Entry] | None, row: Row | None = None, depth: int = 0) -> None:
        """One of the two; depth: of so many outer arrays nothing is said."""
        self.row = row
        self._depth = depth
        self._entries = entries

    @property
    def entries(self) -> list[Entry]:
        if self._entries is None:
            self._entries = [] if self.row is None else self.row.entries()
        return self._entries

    @property
    def outermost(self) -> Collection[int]:
        """The keys of `by_array`."""
        return self.by_array if self.row is None else (self.row.array,)

    @cached_property
    def by_value(self) -> dict[KindAndKey, list[Entry]]:
        """The leaves by their exact_place."""
        found: dict[KindAndKey, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(exact_place(entry[0]), []).append(entry)
        return found

    @cached_property
    def by_array(self) -> dict[int, list[Entry]]:
        """The leaves by the outermost array they are inside of; 0: those in none."""
        depth = self._depth
        arrays = {membership[depth][0] if len(membership) > depth else 0 for _, membership in self.entries}
        if len(arrays) == 1:
            return dict.fromkeys(arrays, self.entries)
        found: dict[int, list[Entry]] = {}
        for entry in self.entries:
            membership = entry[1]
            found.setdefault(membership[depth][0] if len(membership) > depth else 0, []).append(entry)
        return found

    @cached_property
    def innermost(self) -> dict[int, set[int]]:
        """The innermost arrays that leaves are inside of, by the outermost one; 0: none."""
        if self.row is not None and self.row.inner is None:
            return {self.row.array: {self.row.array}}
        depth = self._depth
        return {
            array: {membership[-1][0] for _, membership in entries if len(membership) > depth}
            for array, entries in self.by_array.items()
        }

    @cached_property
    def _through(self) -> dict[tuple[int, int], list[Entry]]:
        found: dict[tuple[int, int], list[Entry]] = {}
        for entry in self.entries:
            for element in entry[1]:
                found.setdefault(element, []).append(entry)
        return found

    @cached_property
    def _outermost(self) -> dict[tuple[int, int], list[Entry]]:
        depth = self._depth
        elements = {membership[depth] for _, membership in self.entries if len(membership) > depth}
        if len(elements) == 1 and all(len(membership) > depth for _, membership in self.entries):
            return dict.fromkeys(elements, self.entries)
        found: dict[tuple[int, int], list[Entry]] = {}
        for entry in self.entries:
            membership = entry[1]
            if len(membership) > depth:
                found.setdefault(membership[depth], []).append(entry)
        return found

    def inside(self, element: tuple[int, int]) -> list[Entry]:
        """The leaves that are inside of an element (array, index) of an outermost array."""
        return self._outermost.get(element, [])

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
