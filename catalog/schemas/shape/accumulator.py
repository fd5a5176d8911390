"""The shape of many events: fed one by one, merged across processes, stored as text."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from catalog.schemas.shape.node import Budget, Node
from catalog.schemas.shape.paths import marks_of

VERSION = 1
BYTES = 64 * 1024
# Events wait here until a read or the next full batch: looking at many values of a path at once costs a fraction.
BATCH = 64


class StoredShapeUnreadable(ValueError):
    """The text is no shape, or one of a version this code does not know. Start a new one."""


class Shape:
    """What the data of an event type looks like, within fixed bounds whatever comes.

    Bounds: 300 named paths (and 100 entries of arrays and maps), 12 levels, 50 values of a string; as text 64 KiB.
    `sensitive` are JSON pointers; at and below them only counts are held. Not for several threads at once.

    Counts, lengths, bounds, formats, values and histograms do not depend on the order of events, nor on how they were
    split and merged, as long as no object has more than 64 names, the paths fit, and the text was not shortened.
    Beyond that members are counted together ("rest"), and which of them may depend on the order.
    """

    __slots__ = ("_budget", "_marks", "_root", "_waiting", "sensitive")

    def __init__(self, sensitive: Iterable[str] = ()) -> None:
        self.sensitive: frozenset[str] = frozenset(sensitive)
        self._marks = marks_of(self.sensitive)
        self._budget = Budget()
        self._root = Node()
        self._waiting: list[Any] = []

    def add(self, value: Any) -> None:
        """Adds the data of one event, as json.loads gives it. It must not be changed before the next read.

        Raises TypeError, now or with a later call, when something in it is no JSON value.
        """
        self._waiting.append(value)
        if len(self._waiting) >= BATCH:
            self._fold()

    def _fold(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._root.fold(waiting, 0, self._marks, False, self._budget)

    @property
    def root(self) -> Node:
        """What was seen at the root; to read only."""
        self._fold()
        return self._root

    @property
    def samples(self) -> int:
        """How many events were added."""
        return self._root.count + len(self._waiting)

    def merge(self, other: Shape) -> None:
        """Adds all that `other` has seen. What either calls sensitive is sensitive from now on."""
        theirs = other.root
        self._fold()
        self.sensitive |= other.sensitive
        self._marks = marks_of(self.sensitive)
        if self.sensitive != other.sensitive:
            # Before anything of it joins: what was sensitive here only must be forgotten there.
            theirs = Node.decode(theirs.encode())
            theirs.mark(self._marks)
            self._root.mark(self._marks)
        self._root.merge(theirs, self._budget)

    def to_json(self) -> str:
        """The shape as compact JSON text of at most BYTES bytes in UTF-8; from_json reads it.

        When it would be longer, values kept are dropped first, then examples and histograms, then the deepest paths;
        the shape itself is shortened likewise.
        """
        self._fold()
        for shorten in (None, _drop_values, _drop_spread, *(_keep_paths(n) for n in (200, 100, 50, 25, 12))):
            if shorten is not None:
                shorten(self._root)
            text = self._text()
            if len(text.encode()) <= BYTES:
                break
        self._budget.left = Budget().left - self._root.size() + 1
        return text

    def _text(self) -> str:
        found = {"v": VERSION, "s": sorted(self.sensitive), "r": self._root.encode()}
        return json.dumps(found, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Shape:
        """The shape that to_json wrote. Raises StoredShapeUnreadable."""
        try:
            found = json.loads(text)
            if found["v"] != VERSION:
                raise StoredShapeUnreadable(
                    f"Version {found['v']!r} is not known; this code reads {VERSION}."
                )
            shape = cls(found["s"])
            shape._root = Node.decode(found["r"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, StoredShapeUnreadable):
                raise
            raise StoredShapeUnreadable(f"This is no stored shape: {type(error).__name__}.") from None
        shape._budget.left -= shape._root.size() - 1
        return shape

    def __eq__(self, other: object) -> bool:
        """Whether both have seen the same; the order of members does not count."""
        if not isinstance(other, Shape):
            return NotImplemented
        return self.sensitive == other.sensitive and self.root.encode() == other.root.encode()

    __hash__ = None  # type: ignore[assignment]


def _nodes(root: Node) -> list[Node]:
    """All nodes, level by level."""
    found = [root]
    for node in found:
        found.extend(child for _, child in node.children())
    return found


def _drop_values(root: Node) -> None:
    """Drops the values of the paths that hold most, until the rest takes a quarter of BYTES."""
    holders = [node.strings for node in _nodes(root) if node.strings is not None and node.strings.values]
    holders.sort(key=lambda strings: -strings.weight)
    total = sum(strings.weight for strings in holders)
    for strings in holders:
        if total <= BYTES // 4:
            break
        total -= strings.weight
        strings.forget_values()


def _drop_spread(root: Node) -> None:
    """Drops all examples, histograms and values, and which members come with which tag."""
    for node in _nodes(root):
        if node.strings is not None:
            node.strings.forget_values()
            node.strings.examples = []
        if node.numbers is not None:
            node.numbers.buckets = {}
        if node.objects is not None:
            for tag in node.objects.variants.tags:
                node.objects.variants.close(tag)


def _keep_paths(most: int) -> Any:
    def shorten(root: Node) -> None:
        """Keeps the first `most` paths, level by level; what is below the others was "not looked at"."""
        kept = set(map(id, _nodes(root)[:most]))
        for node in _nodes(root):
            if node.objects is not None:
                objects = node.objects
                gone = [name for name, child in objects.properties.items() if id(child) not in kept]
                for name in gone:
                    del objects.properties[name]
                if gone or (objects.rest is not None and id(objects.rest) not in kept):
                    objects.rest, objects.cut, objects.full = None, True, True
            if (
                node.arrays is not None
                and node.arrays.items is not None
                and id(node.arrays.items) not in kept
            ):
                node.arrays.items, node.arrays.cut = None, True

    return shorten
