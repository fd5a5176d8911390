"""What a map shows: nodes in four columns, and the lines between neighbouring columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SOURCES, TYPES, RULES, TARGETS = range(4)


@dataclass(frozen=True, slots=True)
class Node:
    """A place on the map.

    `key`: kind and name, "type:order.placed".  `below`: the small text under the name.  `hue`: the number of its
    domain's colour, None for none.  `status` (ok, warn, bad, idle, busy or "") picks a shape, `word` says the same.
    `many`: stands for several things that are not shown one by one.  `href`: where a click leads, `told`: the sentence
    for whoever cannot see it.  `rate`: events per minute.  `note`: what there is to say where nothing flows.
    """

    key: str
    column: int
    name: str
    below: str = ""
    hue: int | None = None
    status: str = ""
    word: str = ""
    many: bool = False
    href: str = ""
    told: str = ""
    rate: float = 0.0
    note: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """From `start` to `end` (keys), `rate` events a minute. `hue` None: events of several domains. `status`: warn or bad
    where they do not get through."""

    start: str
    end: str
    rate: float
    hue: int | None = None
    status: str = ""


@dataclass(frozen=True)
class Graph:
    """Four columns of nodes, in the order in which they would be listed, and the lines between them."""

    columns: Sequence[Sequence[Node]]
    lines: Sequence[Line]

    @property
    def nodes(self) -> dict[str, Node]:
        """All nodes by key."""
        return {node.key: node for column in self.columns for node in column}
