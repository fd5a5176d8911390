"""Which of the paths that an index asks for does an event have? Walks only what both have.

So an index of thousands of paths costs an event no more than it has itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Generic, TypeVar

from rules.engine.allowance import TooMuchWork
from rules.engine.event import ABSENT
from rules.engine.leaves import Leaves

T = TypeVar("T")


class _Node(Generic[T]):
    """The paths below one key. wanted: (path, what is wanted there) when one ends here."""

    __slots__ = ("below", "deep", "items", "path", "wanted")

    def __init__(self, path: str) -> None:
        self.path = path
        self.below: dict[str, _Node[T]] = {}
        self.wanted: tuple[str, T] | None = None

    def close(self) -> None:
        self.items = list(self.below.items())
        self.deep = any(node.below for node in self.below.values())
        """Whether paths go on below the keys here: then keys with dots in them matter."""
        for node in self.below.values():
            node.close()

    def all(self) -> Iterator[tuple[str, T]]:
        if self.wanted is not None:
            yield self.wanted
        for node in self.below.values():
            yield from node.all()


class Present(Generic[T]):
    """What is wanted at paths, given as (path, wanted) pairs."""

    __slots__ = ("_data", "_named", "_names")

    def __init__(self, wanted: Iterable[tuple[str, T]]) -> None:
        root: _Node[T] = _Node("")
        for path, one in wanted:
            node = root
            for key in path.split("."):
                below = node.below.get(key)
                if below is None:
                    below = node.below[key] = _Node(f"{node.path}.{key}" if node.path else key)
                node = below
            node.wanted = (path, one)
        root.close()
        self._data = root.below.get("data")
        self._names = {name: node.wanted[1] for name, node in root.items if node.wanted and name != "data"}
        self._named = list(self._names.items())

    def find(self, leaves: Leaves) -> list[tuple[T, Any]]:
        """(what is wanted, the value in Leaves) of all paths at which the event has a leaf; instead of the value the
        TooMuchWork that finding it would be."""
        attributes = leaves.event.attributes
        names = self._names
        if len(names) <= len(attributes):
            found = [(wanted, attributes[name]) for name, wanted in self._named if name in attributes]
        else:
            found = [(names[name], value) for name, value in attributes.items() if name in names]
        if self._data is not None:
            data = leaves.event.data
            if type(data) is dict:
                self._walk(data, self._data, leaves, found)
            elif data is not ABSENT:
                _look_up(self._data, leaves, found)
        return found

    def _walk(
        self, members: dict[str, Any], node: _Node[T], leaves: Leaves, found: list[tuple[T, Any]]
    ) -> None:
        objects = leaves.objects
        waiting = [(members, node)]
        while waiting:
            members, node = waiting.pop()
            if node.deep and "." in "".join(members):
                _look_up(node, leaves, found)
                continue
            below = node.below
            items = node.items
            if len(items) > len(members):
                items = [(key, below[key]) for key in members if key in below]
            for key, inner in items:
                value = members.get(key, ABSENT)
                kind = type(value)
                if kind is dict:
                    if inner.below:
                        objects[inner.path] = value
                        waiting.append((value, inner))
                elif kind is list:
                    _look_up(inner, leaves, found)
                elif inner.wanted is not None and value is not ABSENT:
                    path, wanted = inner.wanted
                    leaves[path] = value
                    found.append((wanted, value))


def _look_up(node: _Node[T], leaves: Leaves, found: list[tuple[T, Any]]) -> None:
    """Below arrays and dotted keys each path is sought by itself."""
    for path, wanted in node.all():
        value = value_at(path, leaves)
        if value is not ABSENT:
            found.append((wanted, value))


def value_at(path: str, leaves: Leaves) -> Any:
    """The value in Leaves, or the TooMuchWork that finding it would be."""
    try:
        return leaves[path]
    except TooMuchWork as error:
        return error
