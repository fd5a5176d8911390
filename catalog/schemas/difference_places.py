"""The places of a schema as a reader of its text sees them: references and allOf put in, remarks kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from catalog.schemas.compatibility.reading import text_of
from catalog.schemas.local import look_up
from catalog.schemas.openapi import without_openapi

_REMARKS = frozenset({"title", "description", "default", "examples", "example", "deprecated", "$comment"})
_NESTING = 40


@dataclass
class Place:
    """One place: `words` are its keywords with references put in, `written` is what stands in the schema."""

    words: dict[str, Any]
    written: Any
    required: frozenset[str] = field(default=frozenset())

    @cached_property
    def text(self) -> str:
        """The same for the same keywords."""
        return text_of(self.words)

    @property
    def shape(self) -> Any:
        """What is compared to see that a field was only renamed."""
        return {word: value for word, value in self.words.items() if word not in _REMARKS}


class Places:
    """Reads the places of one schema."""

    def __init__(self, schema: Any) -> None:
        self.schema = without_openapi(schema)

    def root(self) -> Place:
        """Data itself."""
        return self.place(self.schema)

    def place(self, schema: Any) -> Place:
        """The place at which `schema` stands."""
        words = self._words(schema, frozenset(), 0)
        needed = words.get("required")
        required = (
            frozenset(name for name in needed if isinstance(name, str))
            if isinstance(needed, list)
            else frozenset()
        )
        return Place(words, schema, required)

    def members(self, place: Place) -> dict[str, Place]:
        """The declared members, by name."""
        found = place.words.get("properties")
        return {name: self.place(child) for name, child in found.items()} if isinstance(found, dict) else {}

    def entry(self, place: Place) -> Place | None:
        """The entries of an array, when one schema speaks of them all."""
        items = place.words.get("items")
        return self.place(items) if isinstance(items, dict) else None

    def branches(self, place: Place, word: str) -> list[Place]:
        """The alternatives of oneOf or anyOf."""
        found = place.words.get(word)
        return [self.place(child) for child in found] if isinstance(found, list) else []

    def _words(self, schema: Any, seen: frozenset[str], level: int) -> dict[str, Any]:
        if not isinstance(schema, dict):
            return {"not": True} if schema is False else {}
        if level > _NESTING:
            return {}
        own = {
            w: v
            for w, v in schema.items()
            if w not in ("$ref", "allOf", "$defs", "definitions", "$schema", "$id")
        }
        parts: list[dict[str, Any]] = []
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference.startswith("#") and reference not in seen:
            parts.append(self._words(self._at(reference), seen | {reference}, level + 1))
        if isinstance(schema.get("allOf"), list):
            parts += [self._words(child, seen, level + 1) for child in schema["allOf"]]
        for part in parts:
            own = _together(part, own)
        return own

    def _at(self, reference: str) -> Any:
        try:
            return look_up(self.schema, reference)
        except LookupError:
            return {}


def _together(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    found = {**below, **above}
    one, other = below.get("properties"), above.get("properties")
    if isinstance(one, dict) and isinstance(other, dict):
        both = {
            name: {"allOf": [one[name], other[name]]}
            for name in one
            if name in other and one[name] != other[name]
        }
        found["properties"] = {**one, **other, **both}
    if isinstance(below.get("required"), list) and isinstance(above.get("required"), list):
        found["required"] = list(dict.fromkeys([*below["required"], *above["required"]]))
    return found
