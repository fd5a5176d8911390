"""What events hold against what their schema declares: fields never declared, never sent, of another type or value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from catalog.schemas.references import Document
from catalog.schemas.shape.accumulator import Shape
from catalog.schemas.shape.kinds import misfits
from catalog.schemas.shape.node import Node, Objects
from catalog.schemas.shape.paths import ENTRY, MAP_ENTRY, Path, pointer_of_path

FOUND = 200


@dataclass(frozen=True)
class Undeclared:
    """A field that the schema does not name, in `share` (0 to 1) of the objects around it; its most frequent type."""

    pointer: str
    share: float
    count: int
    kind: str


@dataclass(frozen=True)
class Unsent:
    """A declared field that none of `objects` objects had."""

    pointer: str
    objects: int
    required: bool


@dataclass(frozen=True)
class Mistyped:
    """A field of which `share` (0 to 1) were of types the schema does not allow; at 1 it always is."""

    pointer: str
    share: float
    seen: tuple[str, ...]
    declared: tuple[str, ...]

    @property
    def always(self) -> bool:
        """Whether it never was of a declared type."""
        return self.share == 1


@dataclass(frozen=True)
class Values:
    """An enum's values that never came, and values that came and are not in it."""

    pointer: str
    unused: tuple[str, ...]
    new: tuple[str, ...]


@dataclass
class Drift:
    """All differences found, at most FOUND of each, of `samples` events."""

    samples: int
    undeclared: list[Undeclared] = field(default_factory=list)
    unsent: list[Unsent] = field(default_factory=list)
    mistyped: list[Mistyped] = field(default_factory=list)
    values: list[Values] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.undeclared or self.unsent or self.mistyped or self.values)


def drift(shape: Shape, schema: Any, *, min_samples: int = 50) -> Drift:
    """Compares `shape` with a parsed schema (any draft; local $ref, allOf, oneOf, anyOf, then and else are followed).

    That something never came is said only of fields whose objects, or values, were seen `min_samples` times.
    """
    found = Drift(shape.samples)
    _Comparison(schema, min_samples, found).at(shape.root, [schema], ())
    for rows in (found.undeclared, found.unsent, found.mistyped, found.values):
        del rows[FOUND:]
    return found


class _Comparison:
    def __init__(self, root: Any, min_samples: int, found: Drift) -> None:
        self.document = Document(root)
        self.min_samples = min_samples
        self.found = found

    def at(self, node: Node, schemas: Iterable[Any], path: Path) -> None:
        """Compares `node` with schemas of which any may apply."""
        branches = [branch for schema in schemas for branch in self.document.branches(schema)]
        if not branches or any(not _says(branch) for branch in branches):
            return
        self._types(node, branches, path)
        self._values(node, branches, path)
        if node.objects is not None:
            self._objects(node.objects, branches, path)
        if node.arrays is not None and node.arrays.items is not None:
            items = [branch["items"] for branch in branches if isinstance(branch.get("items"), dict)]
            if items and not any("prefixItems" in branch for branch in branches):
                self.at(node.arrays.items, items, (*path, ENTRY))

    def _types(self, node: Node, branches: list[dict[str, Any]], path: Path) -> None:
        declared: set[str] = set()
        for branch in branches:
            kinds = branch.get("type")
            if isinstance(kinds, str):
                declared.add(kinds)
            elif isinstance(kinds, list):
                declared.update(kind for kind in kinds if isinstance(kind, str))
            else:
                return
            if branch.get("nullable") is True:  # OpenAPI 3.0
                declared.add("null")
        wrong = misfits(node, declared)
        if wrong:
            share = sum(wrong.values()) / node.count
            self.found.mistyped.append(
                Mistyped(pointer_of_path(path), share, tuple(wrong), tuple(sorted(declared)))
            )

    def _values(self, node: Node, branches: list[dict[str, Any]], path: Path) -> None:
        strings = node.strings
        choices: list[Any] = []
        for branch in branches:
            if isinstance(branch.get("enum"), list):
                choices.extend(branch["enum"])
            elif "const" in branch:
                choices.append(branch["const"])
            else:
                return
        if strings is None or node.private:
            return
        texts = [choice for choice in choices if isinstance(choice, str)]
        complete = not strings.many and not strings.unkept and strings.count >= self.min_samples
        unused = (
            tuple(dict.fromkeys(text for text in texts if text not in strings.values)) if complete else ()
        )
        new = tuple(sorted(text for text in strings.values if text not in texts))
        if unused or new:
            self.found.values.append(Values(pointer_of_path(path), unused, new))

    def _objects(self, objects: Objects, branches: list[dict[str, Any]], path: Path) -> None:
        declared: dict[str, list[Any]] = {}
        required: set[str] = set()
        entries: list[Any] = []
        listed = False
        for branch in branches:
            properties = branch.get("properties")
            for name, schema in properties.items() if isinstance(properties, dict) else ():
                declared.setdefault(name, []).append(schema)
                listed = True
            required.update(n for n in _list(branch.get("required")) if isinstance(n, str))
            extra = branch.get("additionalProperties")
            entries.extend([extra] if isinstance(extra, dict) else [])
            patterns = branch.get("patternProperties")
            entries.extend(patterns.values() if isinstance(patterns, dict) else [])
        for name, child in objects.properties.items():
            here = (*path, name)
            if name in declared:
                self.at(child, declared[name], here)
            elif entries:
                self.at(child, entries, here)
            elif listed or not any(branch.get("type") == "object" for branch in branches):
                self._undeclared(child, objects.count, here)
        if objects.rest is not None:
            if entries:
                self.at(objects.rest, entries, (*path, MAP_ENTRY))
            elif listed:
                self._undeclared(objects.rest, objects.count, (*path, MAP_ENTRY))
        if objects.count >= self.min_samples and not objects.full and not objects.cut:
            self.found.unsent.extend(
                Unsent(pointer_of_path((*path, name)), objects.count, name in required)
                for name in declared
                if name not in objects.properties
            )

    def _undeclared(self, node: Node, objects: int, path: Path) -> None:
        share = min(node.count / objects, 1.0) if objects else 0.0
        kind = next(iter(node.kinds()), "null")
        self.found.undeclared.append(Undeclared(pointer_of_path(path), share, node.count, kind))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _says(branch: dict[str, Any]) -> bool:
    return any(
        key in branch for key in ("type", "enum", "const", "properties", "items", "additionalProperties")
    )
