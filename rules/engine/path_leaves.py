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
    """The leaves at a path that are members of the objects in one array, or in the arrays inside of these.

    values: by index in the array, or among the elements of `inner`, ABSENT where there is none; leaves: those that
    there are; outside: the elements that the array is inside of.
    """

    array: int
    values: list[Any]
    leaves: list[Any]
    inner: Inner | None = None
    outside: Membership = ()

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
            outside = self.outside
            return [
                (leaf, (*outside, (array, index)))
                for index, leaf in enumerate(self.values)
                if leaf is not ABSENT
            ]
        found: list[Entry] = []
        for at, (below, start, size) in enumerate(
            zip(self.inner.arrays, self.inner.starts, self.inner.counts, strict=False)
        ):
            inside = id(below)
            found += [
                (leaf, (*self.outside, (array, at), (inside, index)))
                for index, leaf in enumerate(self.values[start : start + size])
                if leaf is not ABSENT
            ]
        return found


class PathLeaves:
    """The leaves at one path, found by the element they are inside of and by value. Made once per event and path."""

    def __init__(self, entries: list[Entry] | None, rows: Sequence[Row] = (), depth: int = 0) -> None:
        """One of the two; depth: of so many outer arrays nothing is said."""
        self._depth = depth
        self._entries = entries
        self._rows = rows
        here = all(len(row.outside) == depth for row in rows)
        self._by_array = {row.array: row for row in rows} if here else {}

    @property
    def entries(self) -> list[Entry]:
        if self._entries is None:
            self._entries = [entry for row in self._rows for entry in row.entries()]
        return self._entries

    @property
    def row(self) -> Row | None:
        """All leaves, when they are those of one outermost array."""
        return next(iter(self._by_array.values())) if len(self._by_array) == 1 else None

    @property
    def outermost(self) -> Collection[int]:
        """The keys of `by_array`."""
        if self._by_array:
            return self._by_array
        if self._rows:
            return {self._array_around(row) for row in self._rows}
        return self.by_array

    def row_of(self, array: int) -> Row | None:
        """The leaves that are inside of an outermost array, when they are kept together."""
        return self._by_array.get(array)

    def _array_around(self, row: Row) -> int:
        outside = row.outside
        return outside[self._depth][0] if len(outside) > self._depth else row.array

    def by_element(self, array: int) -> tuple[list[Any], list[int]]:
        """The leaves that are inside of an outermost array, and the index in it of the element that each is in; 0 where
        they are in none."""
        depth = self._depth
        if self._rows and all(len(row.outside) > depth for row in self._rows):
            rows = [row for row in self._rows if row.outside[depth][0] == array]
            leaves = [leaf for row in rows for leaf in row.leaves]
            return leaves, [index for row in rows for index in [row.outside[depth][1]] * len(row.leaves)]
        part = self.by_array[array]
        return [leaf for leaf, _ in part], (
            [membership[depth][1] for _, membership in part] if array else [0] * len(part)
        )

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
        if self._rows and all(row.inner is None for row in self._rows):
            found: dict[int, set[int]] = {}
            for row in self._rows:
                found.setdefault(self._array_around(row), set()).add(row.array)
            return found
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

    def inside(self, element: tuple[int, int]) -> PathLeaves:
        """The leaves that are inside of an element (array, index) of an outermost array, as if nothing were around."""
        depth = self._depth
        if self._rows and all(len(row.outside) > depth for row in self._rows):
            return PathLeaves(None, [row for row in self._rows if row.outside[depth] == element], depth + 1)
        return PathLeaves(self._outermost.get(element, []), (), depth + 1)

    def __len__(self) -> int:
        return sum(len(row.leaves) for row in self._rows) if self._rows else len(self.entries)

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
