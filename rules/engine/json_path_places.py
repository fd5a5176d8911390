"""Where the nodes of a query stand, not what they are: names and indexes from the root, for a page to mark them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rules.engine.json_path_query import Filtering, Query, Select, Steps

Place = tuple[str | int, ...]
_Node = tuple[Place, Any]


def places(query: Query, root: Any, steps: Steps) -> list[Place]:
    """The places of all nodes that the query finds in the JSON value `root`, in order. Raises TooManySteps."""
    found: list[_Node] = [((), root)]
    for descends, selectors in query.segments:
        found = [
            ((*place, key), value[key])
            for start in found
            for place, value in (_descendants(start, steps) if descends else (start,))
            for select in selectors
            for key in _keys(select, value, root, steps)
        ]
    return list(dict.fromkeys(place for place, _value in found))


def _descendants(start: _Node, steps: Steps) -> Iterator[_Node]:
    todo = [start]
    while todo:
        place, value = todo.pop()
        yield place, value
        if isinstance(value, dict | list):
            steps.take(len(value))
            inner = [((*place, key), one) for key, one in _members(value) if isinstance(one, dict | list)]
            todo.extend(inner[::-1])


def _members(value: Any) -> Iterator[tuple[Any, Any]]:
    return iter(value.items() if isinstance(value, dict) else enumerate(value))


def _keys(select: Select, value: Any, root: Any, steps: Steps) -> Iterator[Any]:
    """The names or indexes of what a selector selects of a value."""
    if not isinstance(value, dict | list):
        return
    steps.take(1)
    if isinstance(select, Filtering):
        for key, one in _members(value):
            steps.take(1)
            if select.test(one, root, steps):
                yield key
        return
    # All others go by name or position alone, so they may be asked which of the keys they would take.
    keys: Any = {name: name for name in value} if isinstance(value, dict) else list(range(len(value)))
    found: list[Any] = []
    select(keys, root, steps, found)
    yield from found
