"""What a reader accepts who ignores members it does not know: a document without its closed objects.

A member is known at a place when any part that applies there declares it. So `additionalProperties: false` beside
other parts still refuses the members that those know: alternatives told apart by it stay apart.
"""

from __future__ import annotations

from typing import Any

from catalog.schemas.compatibility.budget import Budget
from catalog.schemas.compatibility.normal import Schema
from catalog.schemas.compatibility.patterns import finds
from catalog.schemas.compatibility.reading import Document

_IN_PLACE = ("allOf", "anyOf", "oneOf")
_BELOW = ("items", "additionalProperties", "contains")
Known = tuple[str, ...]


class Opener:
    """Opens one document."""

    def __init__(self, document: Document, budget: Budget) -> None:
        self.document = document
        self.budget = budget
        self.definitions: dict[str, Schema] = dict(document.definitions)
        self._names: dict[tuple[str, Known], str] = {}

    def opened(self) -> Document:
        """The whole document. Raises Exhausted and Unsupported."""
        root = self.document.root
        if not isinstance(root, dict):
            return self.document
        root = {word: value for word, value in root.items() if word not in ("$defs", "$schema")}
        return Document({**self.place(root), "$defs": self.definitions})

    def place(self, schema: Schema) -> Any:
        """`schema` opened, where it is all that applies."""
        if not isinstance(schema, dict):
            return schema
        return self._open(schema, tuple(sorted(self.document.declared([schema]).names)))

    def _open(self, schema: Schema, known: Known) -> Any:
        if not isinstance(schema, dict):
            return schema
        self.budget.step()
        found = dict(schema)
        if "$ref" in schema:
            found["$ref"] = self._reference(schema["$ref"], known)
        for word in _IN_PLACE:
            if word in schema:
                found[word] = [self._open(child, known) for child in schema[word]]
        for word in ("then", "else"):
            if word in schema:
                found[word] = self._open(schema[word], known)
        if "dependentSchemas" in schema:
            found["dependentSchemas"] = {
                n: self._open(c, known) for n, c in schema["dependentSchemas"].items()
            }
        for word in ("properties", "patternProperties"):
            if word in schema:
                found[word] = {name: self.place(child) for name, child in schema[word].items()}
        for word in _BELOW:
            if word in schema:
                found[word] = self.place(schema[word])
        if "prefixItems" in schema:
            found["prefixItems"] = [self.place(child) for child in schema["prefixItems"]]
        if found.get("unevaluatedProperties") is False:
            del found["unevaluatedProperties"]
        if found.get("additionalProperties") is False:
            del found["additionalProperties"]
            own, patterns = schema.get("properties", {}), schema.get("patternProperties", ())
            refused = {n: False for n in known if n not in own and not any(finds(p, n) for p in patterns)}
            if refused:
                found["properties"] = {**found.get("properties", {}), **refused}
        return found

    def _reference(self, reference: str, known: Known) -> str:
        key = (reference, known)
        if key not in self._names:
            name = f"o{len(self._names)}"
            self._names[key] = f"#/$defs/{name}"
            self.definitions[name] = True
            self.definitions[name] = self._open(self.document.follow(reference), known)
        return self._names[key]
