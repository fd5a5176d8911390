"""What was seen at one path: a tree of counts that is bounded in breadth and depth."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from catalog.schemas.shape.numbers import Numbers
from catalog.schemas.shape.paths import (
    ENTRY,
    MAP_ENTRY,
    NOTHING,
    Marks,
    at_entry,
    at_member,
    at_rest,
)
from catalog.schemas.shape.strings import Strings
from catalog.schemas.shape.variants import Variants

DEPTH = 12
PATHS = 300
# For entries of arrays and maps, so that a path that fits is not cut short by those before it.
RESERVE = 100
NAMES = 64
_CROWDED = 16
_NAME_LENGTH = 64


class Budget:
    """How many more paths fit."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = PATHS

    def take(self, reserve: bool = False) -> bool:
        """Takes one path, from the reserve too if asked; False when there is none."""
        if self.left <= (-RESERVE if reserve else 0):
            return False
        self.left -= 1
        return True


class Objects:
    """The objects seen at a path: each member by name, and one shape for all members whose names are not kept.

    `rest` takes names that are no field names (too long, unprintable, with "@"), and every new name once the object is
    `full`: when it turned out to be a map, or when there are no more paths. `cut` tells that members were not looked at.
    """

    __slots__ = ("count", "cut", "full", "properties", "rest", "variants")

    def __init__(self) -> None:
        self.count = 0
        self.properties: dict[str, Node] = {}
        self.rest: Node | None = None
        self.full = False
        self.cut = False
        self.variants = Variants()

    def fold(
        self, objects: list[dict[str, Any]], depth: int, marks: Marks, private: bool, budget: Budget
    ) -> None:
        self.count += len(objects)
        if depth >= DEPTH:
            self.cut = self.full = self.cut or any(objects)
            return
        columns: defaultdict[str, list[Any]] = defaultdict(list)
        for one in objects:
            for name, value in one.items():
                columns[name].append(value)
        rest: list[Any] = []
        for name, column in columns.items():
            child = self.properties.get(name) or self._new(name, budget)
            if child is None:
                rest.extend(column)
            else:
                child.fold(column, depth + 1, at_member(marks, name) if marks else NOTHING, private, budget)
        if rest:
            target = self._rest(budget)
            if target is not None:
                target.fold(rest, depth + 1, at_rest(marks), private, budget)
        if not private:
            self.variants.fold(objects, self._tags(columns))
        self._settle(budget)

    def _tags(self, columns: dict[str, list[Any]]) -> list[str]:
        return [tag for tag in self.variants.open_tags() if tag in columns and not self._is_private(tag)]

    def _is_private(self, name: str) -> bool:
        child = self.properties.get(name)
        return child is None or child.private

    def _new(self, name: str, budget: Budget) -> Node | None:
        if self.full or not _nameable(name):
            return None
        if not budget.take():
            most = max((child.count for child in self.properties.values()), default=0)
            if len(self.properties) >= _CROWDED and 2 * most <= self.count:
                self._collapse(budget)
            self.full = True
            return None
        child = self.properties[name] = Node()
        return child

    def _rest(self, budget: Budget) -> Node | None:
        if self.rest is None and not self.cut:
            if budget.take(reserve=True):
                self.rest = Node()
            else:
                self.cut = self.full = True
        return self.rest if not self.cut else None

    def _settle(self, budget: Budget) -> None:
        """Many names of which most objects have few are a map."""
        if len(self.properties) > NAMES:
            entries = sum(child.count for child in self.properties.values())
            if 2 * entries < self.count * len(self.properties):
                self._collapse(budget)

    def _collapse(self, budget: Budget) -> None:
        self.full = True
        self.variants = Variants()
        for name in list(self.properties):
            self._move(name, budget)

    def _move(self, name: str, budget: Budget) -> None:
        """The member's shape joins the one without names."""
        child = self.properties.pop(name)
        budget.left += child.size()
        target = self._rest(budget)
        if target is not None:
            target.merge(child, budget)

    def merge(self, other: Objects, budget: Budget) -> None:
        self.count += other.count
        self.cut = self.cut or other.cut
        for name in [name for name in self.properties if other.full and name not in other.properties]:
            self._move(name, budget)
        for name, theirs in other.properties.items():
            child = self.properties.get(name) or self._new(name, budget)
            child = child or self._rest(budget)
            if child is not None:
                child.merge(theirs, budget)
        self.full = self.full or other.full
        if other.rest is not None:
            target = self._rest(budget)
            if target is not None:
                target.merge(other.rest, budget)
        self.variants.merge(other.variants)
        self._settle(budget)

    def children(self) -> list[tuple[str, Node]]:
        """Members by name and the shape without names as "{}"."""
        found = list(self.properties.items())
        return found if self.rest is None else [*found, (MAP_ENTRY, self.rest)]

    def encode(self) -> dict[str, Any]:
        found: dict[str, Any] = {"n": self.count}
        if self.properties:
            found["p"] = {name: child.encode() for name, child in self.properties.items()}
        if self.rest is not None:
            found["r"] = self.rest.encode()
        if self.full:
            found["f"] = 1
        if self.cut:
            found["c"] = 1
        if variants := self.variants.encode():
            found["v"] = variants
        return found

    @classmethod
    def decode(cls, found: dict[str, Any]) -> Objects:
        one = cls()
        one.count, one.full, one.cut = int(found["n"]), bool(found.get("f")), bool(found.get("c"))
        one.properties = {str(name): Node.decode(child) for name, child in found.get("p", {}).items()}
        one.rest = Node.decode(found["r"]) if "r" in found else None
        one.variants = Variants.decode(found.get("v", {}))
        return one


class Arrays:
    """The arrays seen at a path: their lengths, and one shape for all their entries. `cut` as for objects."""

    __slots__ = ("count", "cut", "items", "longest", "shortest")

    def __init__(self) -> None:
        self.count = 0
        self.shortest: int | None = None
        self.longest: int | None = None
        self.items: Node | None = None
        self.cut = False

    def fold(self, arrays: list[list[Any]], depth: int, marks: Marks, private: bool, budget: Budget) -> None:
        self.count += len(arrays)
        lengths = list(map(len, arrays))
        self._lengths(min(lengths), max(lengths))
        if not any(lengths):
            return
        target = self._items(depth, budget)
        if target is not None:
            entries = [entry for array in arrays for entry in array]
            target.fold(entries, depth + 1, at_entry(marks), private, budget)

    def _lengths(self, shortest: int, longest: int) -> None:
        self.shortest = shortest if self.shortest is None else min(self.shortest, shortest)
        self.longest = longest if self.longest is None else max(self.longest, longest)

    def _items(self, depth: int, budget: Budget) -> Node | None:
        if self.items is None and not self.cut:
            if depth < DEPTH and budget.take(reserve=True):
                self.items = Node()
            else:
                self.cut = True
        return self.items if not self.cut else None

    def merge(self, other: Arrays, budget: Budget) -> None:
        self.count += other.count
        if other.shortest is not None and other.longest is not None:
            self._lengths(other.shortest, other.longest)
        self.cut = self.cut or other.cut
        if other.items is not None:
            target = self._items(0, budget)
            if target is not None:
                target.merge(other.items, budget)

    def encode(self) -> dict[str, Any]:
        found: dict[str, Any] = {"n": self.count, "l": [self.shortest, self.longest]}
        if self.items is not None:
            found["i"] = self.items.encode()
        if self.cut:
            found["c"] = 1
        return found

    @classmethod
    def decode(cls, found: dict[str, Any]) -> Arrays:
        one = cls()
        one.count, one.cut = int(found["n"]), bool(found.get("c"))
        one.shortest, one.longest = (int(length) for length in found["l"])
        one.items = Node.decode(found["i"]) if "i" in found else None
        return one


class Node:
    """All that was seen at one path, by JSON type. A `private` one holds counts only."""

    __slots__ = ("arrays", "booleans", "count", "nulls", "numbers", "objects", "private", "strings", "trues")

    def __init__(self) -> None:
        self.count = 0
        self.private = False
        self.nulls = 0
        self.booleans = 0
        self.trues = 0
        self.numbers: Numbers | None = None
        self.strings: Strings | None = None
        self.objects: Objects | None = None
        self.arrays: Arrays | None = None

    def fold(self, values: list[Any], depth: int, marks: Marks, private: bool, budget: Budget) -> None:
        """Adds values of this path. Raises TypeError when one is nothing that a JSON parser gives."""
        private = private or () in marks or self.private
        if private and not self.private:
            self.scrub()
        kinds = set(map(type, values))
        for kind in kinds:
            some: list[Any] = (
                values if len(kinds) == 1 else [value for value in values if type(value) is kind]
            )
            if kind is str:
                self.strings = self.strings or Strings()
                self.strings.add(some, private)
            elif kind is dict:
                self.objects = self.objects or Objects()
                self.objects.fold(some, depth, marks, private, budget)
            elif kind is list:
                self.arrays = self.arrays or Arrays()
                self.arrays.fold(some, depth, marks, private, budget)
            elif kind is int:
                self.numbers = self.numbers or Numbers()
                self.numbers.add_integers(some, private)
            elif kind is float:
                self.numbers = self.numbers or Numbers()
                self.numbers.add_floats(some, private)
            elif kind is bool:
                self.booleans += len(some)
                self.trues += 0 if private else some.count(True)
            elif kind is type(None):
                self.nulls += len(some)
            else:
                raise TypeError(f"{kind.__name__} is no JSON value. Give what json.loads gives.")
            self.count += len(some)

    def merge(self, other: Node, budget: Budget) -> None:
        """Adds what `other` has seen; `other` stays as it is."""
        self.count += other.count
        self.nulls += other.nulls
        self.booleans += other.booleans
        self.trues += other.trues
        if other.numbers is not None:
            self.numbers = self.numbers or Numbers()
            self.numbers.merge(other.numbers)
        if other.strings is not None:
            self.strings = self.strings or Strings()
            self.strings.merge(other.strings)
        if other.objects is not None:
            self.objects = self.objects or Objects()
            self.objects.merge(other.objects, budget)
        if other.arrays is not None:
            self.arrays = self.arrays or Arrays()
            self.arrays.merge(other.arrays, budget)
        if self.private or other.private:
            self.scrub()

    def scrub(self) -> None:
        """From here on and below only counts."""
        self.private = True
        self.trues = 0
        if self.numbers is not None:
            self.numbers.scrub()
        if self.strings is not None:
            self.strings.scrub()
        if self.objects is not None:
            self.objects.variants = Variants()
        for _, child in self.children():
            child.scrub()

    def mark(self, marks: Marks) -> None:
        """Scrubs what `marks` calls sensitive."""
        if () in marks and not self.private:
            self.scrub()
        if not marks or self.private:
            return
        if self.objects is not None:
            for name, child in self.objects.properties.items():
                child.mark(at_member(marks, name))
            if self.objects.rest is not None:
                self.objects.rest.mark(at_rest(marks))
            for tag in [tag for tag in self.objects.variants.tags if self.objects._is_private(tag)]:
                self.objects.variants.close(tag)
        if self.arrays is not None and self.arrays.items is not None:
            self.arrays.items.mark(at_entry(marks))

    def children(self) -> list[tuple[str, Node]]:
        """The paths below: members, "{}" for the entries of a map, "[]" for those of an array."""
        found = self.objects.children() if self.objects is not None else []
        if self.arrays is not None and self.arrays.items is not None:
            found = [*found, (ENTRY, self.arrays.items)]
        return found

    def size(self) -> int:
        """How many paths this is, itself included."""
        return 1 + sum(child.size() for _, child in self.children())

    def kinds(self) -> dict[str, int]:
        """JSON type → how many, the most frequent first; "number" are those with a fraction or an exponent."""
        found = {
            "object": self.objects.count if self.objects else 0,
            "array": self.arrays.count if self.arrays else 0,
            "string": self.strings.count if self.strings else 0,
            "integer": self.numbers.integers if self.numbers else 0,
            "number": self.numbers.floats if self.numbers else 0,
            "boolean": self.booleans,
            "null": self.nulls,
        }
        return {kind: n for kind, n in sorted(found.items(), key=lambda one: -one[1]) if n}

    def encode(self) -> dict[str, Any]:
        found: dict[str, Any] = {"n": self.count}
        for key, value in (("z", self.nulls), ("b", self.booleans), ("t", self.trues), ("x", self.private)):
            if value:
                found[key] = int(value)
        for key, part in (("d", self.numbers), ("s", self.strings), ("o", self.objects), ("a", self.arrays)):
            if part is not None:
                found[key] = part.encode()
        return found

    @classmethod
    def decode(cls, found: dict[str, Any]) -> Node:
        one = cls()
        one.count, one.private = int(found["n"]), bool(found.get("x"))
        one.nulls, one.booleans, one.trues = (int(found.get(key, 0)) for key in "zbt")
        one.numbers = Numbers.decode(found["d"]) if "d" in found else None
        one.strings = Strings.decode(found["s"]) if "s" in found else None
        one.objects = Objects.decode(found["o"]) if "o" in found else None
        one.arrays = Arrays.decode(found["a"]) if "a" in found else None
        return one


def _nameable(name: str) -> bool:
    return (
        len(name) <= _NAME_LENGTH
        and "@" not in name
        and name.isprintable()
        and name not in (ENTRY, MAP_ENTRY)
    )
