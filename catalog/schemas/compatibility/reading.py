"""Reading a normal document: following references, taking conjunctions apart, what a place declares."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from catalog.schemas.compatibility.normal import Schema, Unsupported

TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
_ALTERNATIVES = ("anyOf", "oneOf")


def text_of(schema: Any) -> str:
    """The same text for the same JSON."""
    return json.dumps(schema, sort_keys=True, ensure_ascii=False)


def value_key(value: Any) -> str:
    """The same text for values that JSON Schema calls equal: 1 and 1.0 are, true and 1 are not."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{value_key(value[k])}" for k in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(value_key, value)) + "]"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value)


def types_of(schema: dict[str, Any]) -> frozenset[str]:
    """The types a schema object's own `type` leaves; "number" includes "integer"."""
    declared = schema.get("type", TYPES)
    names = set([declared] if isinstance(declared, str) else declared)
    if "number" in names:
        names.add("integer")
    return frozenset(names)


def type_of(value: Any) -> str:
    """The JSON type of a value; "integer" for a whole number."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


@dataclass
class Parts:
    """A conjunction taken apart: schema objects without references and allOf, and the alternatives among them.

    A group is (word, holder): the keyword anyOf, oneOf, if or dependentSchemas and the object it stands in.
    """

    atoms: list[dict[str, Any]] = field(default_factory=list)
    groups: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    impossible: bool = False


@dataclass
class Declared:
    """What a place declares of an object's members, in any alternative."""

    names: dict[str, list[Schema]] = field(default_factory=dict)
    patterns: dict[str, list[Schema]] = field(default_factory=dict)


class Document:
    """A normal document (JSON Schema 2020-12 whose references all point into its $defs)."""

    def __init__(self, schema: Schema) -> None:
        self.root = schema
        self.definitions: dict[str, Schema] = schema.get("$defs", {}) if isinstance(schema, dict) else {}

    def follow(self, reference: str) -> Schema:
        """What a $ref of this document stands for."""
        return self.definitions[reference.removeprefix("#/$defs/")]

    def standing_alone(self, schema: Schema) -> Schema:
        """`schema`, a part of this document, as a document with the definitions it needs."""
        needed: dict[str, Schema] = {}
        todo = [schema]
        while todo:
            item = todo.pop()
            if isinstance(item, dict):
                reference = item.get("$ref")
                if isinstance(reference, str):
                    name = reference.removeprefix("#/$defs/")
                    if name in self.definitions and name not in needed:
                        needed[name] = self.definitions[name]
                        todo.append(needed[name])
                todo.extend(item.values())
            elif isinstance(item, list):
                todo.extend(item)
        return {"allOf": [schema], "$defs": needed} if needed else schema

    def parts(self, schemas: list[Schema]) -> Parts:
        """The conjunction of `schemas` taken apart. Raises Unsupported for a reference that only leads to itself."""
        found = Parts()
        todo: list[tuple[Schema, frozenset[str]]] = [(schema, frozenset()) for schema in reversed(schemas)]
        done: set[str] = set()
        while todo:
            schema, through = todo.pop()
            if schema is False:
                found.impossible = True
            if not isinstance(schema, dict):
                continue
            reference = schema.get("$ref")
            if reference is not None:
                if reference in through:
                    raise Unsupported("a reference that leads back to itself")
                if reference not in done:
                    done.add(reference)
                    todo.append((self.follow(reference), through | {reference}))
            todo.extend((child, through) for child in reversed(schema.get("allOf", ())))
            found.groups.extend((word, schema) for word in _ALTERNATIVES if word in schema)
            if "if" in schema and ("then" in schema or "else" in schema):
                found.groups.append(("if", schema))
            if "dependentSchemas" in schema:
                found.groups.append(("dependentSchemas", schema))
            found.atoms.append(schema)
        return found

    def declared(self, schemas: list[Schema], into: Declared | None = None) -> Declared:
        """The members that the conjunction of `schemas` declares in any of its alternatives."""
        found = into or Declared()
        todo, seen = list(schemas), set[int]()
        while todo:
            parts = self.parts([todo.pop()])
            for atom in parts.atoms:
                if id(atom) in seen:
                    continue
                seen.add(id(atom))
                for name, child in atom.get("properties", {}).items():
                    found.names.setdefault(name, []).append(child)
                for pattern, child in atom.get("patternProperties", {}).items():
                    found.patterns.setdefault(pattern, []).append(child)
                for word, holder in parts.groups:
                    if holder is atom:
                        todo.extend(branches(word, holder))
        return found


def branches(word: str, holder: dict[str, Any]) -> list[Schema]:
    """The schemas among which a group chooses."""
    if word == "if":
        return [holder[key] for key in ("if", "then", "else") if key in holder]
    if word == "dependentSchemas":
        return list(holder[word].values())
    return list(holder[word])
