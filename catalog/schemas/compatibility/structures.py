"""The comparison of objects and arrays: their members, entries and counts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from catalog.schemas.compatibility.budget import Budget
from catalog.schemas.compatibility.findings import Step
from catalog.schemas.compatibility.merging import entry, member
from catalog.schemas.compatibility.normal import Schema
from catalog.schemas.compatibility.patterns import finds, texts
from catalog.schemas.compatibility.reading import text_of

Place = tuple[tuple[Step, ...], tuple[dict[str, Any], ...]]


class Structures(ABC):
    """The part of a comparison that looks below a place."""

    budget: Budget

    @abstractmethod
    def compare(self, writer: Schema, reader: Schema, place: Place) -> None:
        """Adds what is found where `writer` meets `reader`."""

    @abstractmethod
    def found(
        self, word: str, place: Place, plain: Schema, reader: Schema, wanted: Any = None, had: Any = None,
        values: tuple[Any, ...] = (),
    ) -> None:  # fmt: skip
        """Adds a finding."""

    @abstractmethod
    def below(self, place: Place, step: Step, plain: dict[str, Any]) -> Place:
        """The place one step below."""

    @abstractmethod
    def covered(self, plain: dict[str, Any], reader: Schema) -> bool:
        """Whether the prover shows it."""

    # ── what a merged writer's object may hold ──

    def writer_member(self, plain: dict[str, Any], name: str) -> Schema:
        """What the writer allows of member `name`."""
        found = [child for child in member(plain, name) if child is not True]
        if len(found) < 2:
            return found[0] if found else True
        # Merged members hold what their patterns say already; two patterns do not know of each other.
        return False if False in found else found[0]

    def reader_member(self, atom: dict[str, Any], name: str) -> list[Schema]:
        """What one object of the reader's keywords wants of member `name`."""
        return member(atom, name)

    def may_have(self, plain: dict[str, Any], name: str) -> bool:
        """Whether the writer may send member `name`."""
        return self.writer_member(plain, name) is not False

    def with_member(self, plain: dict[str, Any], name: str) -> dict[str, Any]:
        """`plain` for objects that have member `name`."""
        return {**plain, "type": "object", "required": sorted({*plain.get("required", ()), name})}

    def members(self, plain: dict[str, Any], atom: dict[str, Any], place: Place) -> None:
        """Compares what `atom` says of objects."""
        self.budget.step(1 + len(atom.get("properties", ())) // 20)
        needed = plain.get("required", ())
        for name in atom.get("required", ()):
            if name not in needed:
                self.found("required", place, plain, {"required": [name]}, name)
        properties, patterns = atom.get("properties", {}), atom.get("patternProperties", {})
        own, own_patterns = plain.get("properties", {}), plain.get("patternProperties", {})
        unknown = plain.get("additionalProperties", True)
        for name, child in properties.items():
            self._member(plain, name, child, place, "properties")
        for pattern, child in patterns.items():
            for name in own:
                if name not in properties and finds(pattern, name):
                    self._member(plain, name, child, place, "patternProperties")
            if pattern in own_patterns:
                self._by_pattern(plain, pattern, own_patterns[pattern], child, place)
            else:
                for other, value in own_patterns.items():
                    if not self.covered(
                        {"type": ["string"], "pattern": other}, {"not": {"pattern": pattern}}
                    ):
                        self._by_pattern(plain, other, value, child, place)
                if unknown is not False:
                    name = next(iter(texts(pattern)), "unknown")
                    self.compare(unknown, child, self.below(place, ("unknown", name), plain))
        if "additionalProperties" in atom:
            self._additional(plain, atom, place)
        if "propertyNames" in atom:
            self._names(plain, atom["propertyNames"], place)
        for name, wants in atom.get("dependentRequired", {}).items():
            has = {*needed, *plain.get("dependentRequired", {}).get(name, ())}
            for wanted in wants:
                if wanted not in has and self.may_have(plain, name):
                    self.found(
                        "dependentRequired",
                        place,
                        self.with_member(plain, name),
                        {"required": [wanted]},
                        wanted,
                    )
        self._counts(plain, atom, place)
        if "unevaluatedProperties" in atom and not self.covered(plain, atom):
            self.found("unevaluatedProperties", place, plain, atom)

    def _member(self, plain: dict[str, Any], name: str, child: Schema, place: Place, word: str) -> None:
        value = self.writer_member(plain, name)
        if value is False:
            return
        if child is False:
            self.found(
                "additionalProperties",
                place,
                self.with_member(plain, name),
                {"properties": {name: False}},
                name,
            )
            return
        self.compare(value, child, self.below(place, ("member", name), plain))

    def _by_pattern(
        self, plain: dict[str, Any], pattern: str, value: Schema, child: Schema, place: Place
    ) -> None:
        name = next(iter(texts(pattern)), "unknown")
        if value is not False:
            self.compare(value, child, self.below(place, ("unknown", name), plain))

    def _additional(self, plain: dict[str, Any], atom: dict[str, Any], place: Place) -> None:
        rest = atom["additionalProperties"]
        if rest is True:
            return
        properties, patterns = atom.get("properties", {}), atom.get("patternProperties", {})
        for name in plain.get("properties", ()):
            if name not in properties and not any(finds(pattern, name) for pattern in patterns):
                self._member(plain, name, rest, place, "additionalProperties")
        for pattern, value in plain.get("patternProperties", {}).items():
            if pattern not in patterns:
                self._by_pattern(plain, pattern, value, rest, place)
        unknown = plain.get("additionalProperties", True)
        if unknown is False:
            return
        if rest is False:
            self.found(
                "additionalProperties",
                place,
                plain,
                _part(atom, ("properties", "patternProperties", "additionalProperties")),
            )
        else:
            self.compare(unknown, rest, self.below(place, ("unknown", "unknown"), plain))

    def _names(self, plain: dict[str, Any], rule: Schema, place: Place) -> None:
        if text_of(plain.get("propertyNames")) == text_of(rule):
            return
        wanted: Schema = {"type": "object", "propertyNames": rule}
        names = [name for name in plain.get("properties", ()) if self.may_have(plain, name)]
        open_ = plain.get("additionalProperties", True) is not False or plain.get("patternProperties")
        values: list[Schema] = [{"enum": names}] if names else []
        if open_:
            values = [{"type": "string"}]
        if all(self.covered(value, rule) for value in values):
            return
        if not self.covered(plain, wanted):
            self.found("propertyNames", place, {**plain, "type": "object"}, wanted)

    def _counts(self, plain: dict[str, Any], atom: dict[str, Any], place: Place) -> None:
        least, most = atom.get("minProperties"), atom.get("maxProperties")
        had = max(plain.get("minProperties", 0), len(plain.get("required", ())))
        if least is not None and had < least:
            self.found(
                "minProperties", place, plain, {"minProperties": least}, least, plain.get("minProperties")
            )
        if most is None:
            return
        closed = plain.get("additionalProperties", True) is False and not plain.get("patternProperties")
        room = sum(self.may_have(plain, name) for name in plain.get("properties", ())) if closed else None
        limit = min((one for one in (plain.get("maxProperties"), room) if one is not None), default=None)
        if limit is None or limit > most:
            self.found(
                "maxProperties", place, plain, {"maxProperties": most}, most, plain.get("maxProperties")
            )

    # ── arrays ──

    def entries(self, plain: dict[str, Any], atom: dict[str, Any], place: Place) -> None:
        """Compares what `atom` says of arrays."""
        prefix, own_prefix = atom.get("prefixItems", []), plain.get("prefixItems", [])
        most = plain.get("maxItems")
        if plain.get("items", True) is False:
            most = len(own_prefix) if most is None else min(most, len(own_prefix))
        length = max(len(prefix), len(own_prefix))
        for index in range(length + 1):
            if most is not None and index >= most:
                break
            value, child = entry(plain, index), entry(atom, index)
            if value is False:
                break
            if child is False:
                wanted = _part(atom, ("prefixItems", "items"))
                self.found(
                    "maxItems",
                    place,
                    {**plain, "minItems": max(index + 1, plain.get("minItems", 0))},
                    wanted,
                    index,
                )
                break
            self.compare(value, child, self.below(place, ("entry", index), plain))
        least, limit = atom.get("minItems"), atom.get("maxItems")
        if least is not None and plain.get("minItems", 0) < least:
            self.found("minItems", place, plain, {"minItems": least}, least, plain.get("minItems"))
        if limit is not None and (most is None or most > limit):
            self.found("maxItems", place, plain, {"maxItems": limit}, limit, plain.get("maxItems"))
        if atom.get("uniqueItems") and not plain.get("uniqueItems") and (most is None or most > 1):
            self.found("uniqueItems", place, plain, {"uniqueItems": True})
        if "contains" in atom:
            words = ("contains", "minContains", "maxContains")
            wanted = {word: atom[word] for word in words if word in atom}
            same = all(text_of(plain.get(word)) == text_of(atom.get(word)) for word in words)
            if not same and not self.covered(plain, wanted):
                self.found("contains", place, plain, wanted)
        if "unevaluatedItems" in atom and not self.covered(plain, atom):
            self.found("unevaluatedItems", place, plain, atom)


def _part(atom: dict[str, Any], words: tuple[str, ...]) -> dict[str, Any]:
    return {word: atom[word] for word in words if word in atom}
