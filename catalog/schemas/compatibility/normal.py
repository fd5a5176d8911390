"""One dialect for all: any supported draft, or OpenAPI 3.0's, written as JSON Schema 2020-12 with the same meaning.

Numbers compare by value in every draft: 1.0 is an integer, also where draft 4 says it is none.
"""

from __future__ import annotations

import json
from typing import Any

from catalog.schemas.compatibility.budget import Budget
from catalog.schemas.compatibility.patterns import finds_in_all
from catalog.schemas.dialects import DEFAULT, dialect_of
from catalog.schemas.local import look_up
from catalog.schemas.openapi import without_openapi

Schema = Any  # a JSON Schema: a dict or a bool

# What each draft's validator asserts; an unknown format is a remark.
_FORMATS_4 = frozenset(
    {"date-time", "date", "time", "email", "idn-email", "hostname", "ipv4", "ipv6", "uri", "regex"}
)
_FORMATS_6 = _FORMATS_4 | {"uri-reference", "uri-template", "json-pointer"}
_FORMATS_7 = _FORMATS_6 | {"idn-hostname", "iri", "iri-reference", "relative-json-pointer"}
_FORMATS_2019 = _FORMATS_7 | {"duration", "uuid"}
FORMATS = {
    "http://json-schema.org/draft-04/schema": _FORMATS_4,
    "http://json-schema.org/draft-06/schema": _FORMATS_6,
    "http://json-schema.org/draft-07/schema": _FORMATS_7,
    "https://json-schema.org/draft/2019-09/schema": _FORMATS_2019,
    DEFAULT: _FORMATS_2019,
}
_ORDER = list(FORMATS)
# Stands for what a draft asserts and 2020-12 cannot say; the value names it.
OPAQUE = "urn:signalbox:asserted"
_SINGLE = ("not", "if", "then", "else", "contains", "propertyNames", "additionalProperties")
_NAMED = ("properties", "patternProperties")
_LISTS = ("allOf", "anyOf", "oneOf")
_SCALARS = (
    "enum", "minimum", "maximum", "multipleOf", "minLength", "maxLength", "pattern", "required", "minItems",
    "maxItems", "uniqueItems", "minProperties", "maxProperties",
)  # fmt: skip
# Keywords that a draft does not know are remarks in it.
_SINCE = {
    "const": 1, "contains": 1, "propertyNames": 1, "exclusiveMinimum": 1, "exclusiveMaximum": 1, "if": 2, "then": 2,
    "else": 2, "dependentRequired": 3, "dependentSchemas": 3, "unevaluatedProperties": 3, "unevaluatedItems": 3,
    "minContains": 3, "maxContains": 3, "prefixItems": 4,
}  # fmt: skip


class Unsupported(Exception):
    """Something whose meaning is not worked out here; the text names it."""


class Normaliser:
    """Rewrites one document; referenced parts become its $defs."""

    def __init__(self, schema: Schema, prefix: str, budget: Budget) -> None:
        self.budget = budget
        self.prefix = prefix
        schema = without_openapi(schema)
        dialect = dialect_of(schema)
        if dialect is None:
            raise Unsupported("its $schema is not a supported draft")
        self.root = schema
        self.age = _ORDER.index(dialect)
        self.formats = FORMATS[dialect]
        self.names: dict[str, str] = {}
        self.definitions: dict[str, Schema] = {}
        self.anchors: dict[str, Any] = {}
        self._find_anchors(schema)

    def document(self) -> Schema:
        """The whole document. Raises Unsupported."""
        found = self.convert(self.root)
        if isinstance(found, bool):
            return found
        return {"$schema": DEFAULT, **found, **({"$defs": self.definitions} if self.definitions else {})}

    def _find_anchors(self, schema: Schema) -> None:
        todo: list[tuple[Any, bool]] = [(schema, True)]
        while todo:
            item, root = todo.pop()
            if isinstance(item, list):
                todo.extend((child, False) for child in item)
            if not isinstance(item, dict):
                continue
            for word in ("$id", "id") if self.age else ("id",):
                own = item.get(word)
                if isinstance(own, str) and own.startswith("#"):
                    self.anchors[own] = item
                elif isinstance(own, str) and not root and "$ref" not in item:
                    raise Unsupported("a part with its own $id")
            if isinstance(item.get("$anchor"), str):
                self.anchors["#" + item["$anchor"]] = item
            # Values are data; a $id in them means nothing.
            todo.extend(
                (v, False) for k, v in item.items() if k not in ("enum", "const", "default", "examples")
            )

    def target(self, reference: str) -> str:
        """The $ref that stands for `reference` here."""
        if reference in self.names:
            return self.names[reference]
        if reference in self.anchors:
            found = self.anchors[reference]
        elif reference == "#" or reference.startswith("#/"):
            found = self._at(reference)
        else:
            raise Unsupported(f"the reference {reference}")
        name = f"{self.prefix}{len(self.names)}"
        self.names[reference] = f"#/$defs/{name}"
        self.definitions[name] = True  # keeps the order of first use
        self.definitions[name] = self.convert(found)
        return self.names[reference]

    def _at(self, reference: str) -> Any:
        try:
            return look_up(self.root, reference)
        except LookupError:
            raise Unsupported(f"the reference {reference}, which points to nothing") from None

    def convert(self, schema: Schema) -> Schema:
        """`schema` in 2020-12, without remarks."""
        if not isinstance(schema, dict):
            return schema if isinstance(schema, bool) else True
        self.budget.step()
        if "$ref" in schema and self.age <= 2:
            return {"$ref": self.target(str(schema["$ref"]))}
        source = {word: value for word, value in schema.items() if _SINCE.get(word, 0) <= self.age}
        for word in ("$dynamicRef", "$recursiveRef"):
            if word in source:
                raise Unsupported(word)
        found: dict[str, Any] = {}
        if "$ref" in source:
            found["$ref"] = self.target(str(source["$ref"]))
        for word in _SCALARS:
            if word in source:
                found[word] = source[word]
        for word in ("const", "minContains", "maxContains", "dependentRequired"):
            if word in source:
                found[word] = source[word]
        if "type" in source:
            found["type"] = source["type"]
        self._bounds(schema, source, found)
        if "pattern" in found and finds_in_all(str(found["pattern"])):
            del found["pattern"]
        if source.get("format") in self.formats:
            found["format"] = source["format"]
        for word in (*_SINGLE, "unevaluatedProperties", "unevaluatedItems"):
            if word in source:
                found[word] = self.convert(source[word])
        for word in (*_NAMED, "dependentSchemas"):
            if isinstance(source.get(word), dict):
                found[word] = {name: self.convert(child) for name, child in source[word].items()}
        for word in _LISTS:
            if isinstance(source.get(word), list):
                children = [self.convert(child) for child in source[word]]
                # Their order means nothing; in one order the same alternatives are seen to be the same.
                found[word] = sorted(children, key=lambda child: json.dumps(child, sort_keys=True))
        self._arrays(source, found)
        self._dependencies(source, found)
        if self.age in (1, 2):
            content = [
                f"{word} {source[word]}" for word in ("contentEncoding", "contentMediaType") if word in source
            ]
            if content:
                found[OPAQUE] = content
        if "contains" not in found:
            found.pop("minContains", None)
            found.pop("maxContains", None)
        found = _plain_unevaluated(found)
        if self.age == 3 and "unevaluatedItems" in found:
            raise Unsupported("unevaluatedItems of draft 2019-09")
        return found

    def _bounds(self, schema: dict[str, Any], source: dict[str, Any], found: dict[str, Any]) -> None:
        for word, plain in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
            if self.age:
                if word in source:
                    found[word] = source[word]
            elif schema.get(word) is True and plain in found:
                found[word] = found.pop(plain)

    def _arrays(self, source: dict[str, Any], found: dict[str, Any]) -> None:
        items = source.get("items")
        if self.age == 4:
            if isinstance(source.get("prefixItems"), list):
                found["prefixItems"] = [self.convert(child) for child in source["prefixItems"]]
            if "items" in source:
                found["items"] = self.convert(items)
        elif isinstance(items, list):
            if items:
                found["prefixItems"] = [self.convert(child) for child in items]
            if "additionalItems" in source:
                found["items"] = self.convert(source["additionalItems"])
        elif "items" in source:
            found["items"] = self.convert(items)

    def _dependencies(self, source: dict[str, Any], found: dict[str, Any]) -> None:
        dependencies = source.get("dependencies")
        if not isinstance(dependencies, dict):
            return
        for name, needs in dependencies.items():
            if isinstance(needs, list):
                found.setdefault("dependentRequired", {})[name] = needs
            else:
                found.setdefault("dependentSchemas", {})[name] = self.convert(needs)


def _plain_unevaluated(found: dict[str, Any]) -> dict[str, Any]:
    """Where nothing else is applied in place, unevaluated means additional."""
    if not found.keys() & {"$ref", "allOf", "anyOf", "oneOf", "if", "dependentSchemas", "not"}:
        if "unevaluatedProperties" in found:
            rest = found.pop("unevaluatedProperties")
            found.setdefault("additionalProperties", rest)
        if "unevaluatedItems" in found and "contains" not in found:
            rest = found.pop("unevaluatedItems")
            found.setdefault("items", rest)
    return found


def with_dialect(schema: Schema) -> Schema:
    """`schema` with the draft it must be written in when it names none: a list of items is not 2020-12."""
    if not isinstance(schema, dict) or "$schema" in schema:
        return schema
    todo: list[Any] = [schema]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            if isinstance(item.get("items"), list):
                return {"$schema": _ORDER[2] + "#", **schema}
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)
    return schema


def normal(schema: Schema, prefix: str, budget: Budget) -> Schema:
    """`schema` of any supported dialect as a 2020-12 document. Raises Unsupported and Exhausted.

    `prefix` begins the names of its definitions: with two of them no reference of one document reads as the other's.
    """
    return Normaliser(schema, prefix, budget).document()
