"""A registered JSON Schema as a component of OpenAPI: 3.0 where it can say the same, else 3.1."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any

from catalog.schemas.dialects import BUILT_IN, DEFAULT, DIALECTS, dialect_of
from catalog.schemas.documents.pointers import pointer_to
from catalog.schemas.graph import SchemaGraph
from catalog.schemas.keywords import put_inner
from catalog.schemas.local import look_up, steps_of
from catalog.schemas.text import pointer_of

_SAME = frozenset(
    {
        "title", "description", "default", "format", "pattern", "multipleOf", "minimum", "maximum", "minLength",
        "maxLength", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "required", "enum",
        "deprecated", "readOnly", "writeOnly", "discriminator", "xml", "externalDocs",
    }
)  # fmt: skip
# They say nothing about a value, or only where the schema is kept.
_SILENT = frozenset(
    {"$schema", "$id", "id", "$comment", "$defs", "definitions", "$anchor", "contentMediaType", "contentEncoding",
     "contentSchema", "$vocabulary", "$recursiveAnchor", "$dynamicAnchor"}
)  # fmt: skip
_COMPONENTS = "#/components/schemas/"


class _CannotSay(Exception):
    """OpenAPI 3.0 has no words for a keyword."""


def as_openapi(schema: Any, name: str = "Event", number: int = 1) -> dict[str, Any]:
    """An OpenAPI document whose component `name` accepts what `schema` (parsed, any draft) does; it has no paths.

    `number`: the version that the document says it is. Its OpenAPI is 3.0.3; 3.1.0 for what 3.0 cannot say, such as
    patternProperties, if or a tuple.
    """
    name = _component_name(name)
    year = DIALECTS[dialect_of(schema) or DEFAULT].year
    title = schema.get("title") if isinstance(schema, dict) else None
    schema = _by_pointers(schema, year)
    try:
        version, components = "3.0.3", _Old(schema, name, year).components()
    except (_CannotSay, LookupError):
        version, components = "3.1.0", {name: _New(name, year).converted(schema)}
    return {
        "openapi": version,
        "info": {"title": title if isinstance(title, str) else name, "version": str(number)},
        "paths": {},
        "components": {"schemas": components},
    }


def _component_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("_") or "Event"


def _by_pointers(schema: Any, year: int) -> Any:
    """A copy in which every reference is a pointer and no part has an identifier: those mean nothing in a component.

    Unchanged when it has dynamic references to choose from, which need the identifiers.
    """
    graph = SchemaGraph(schema, year, BUILT_IN)
    every = [reference for node in graph.nodes for reference in node.references]
    if any(len(one.targets) > 1 for one in every):
        return schema
    copied = copy.deepcopy(schema)
    for node in graph.nodes:
        place = copied
        for step in node.path:
            place = place[step]
        if isinstance(place, dict):
            for name in ("$id", "id" if year == 4 else "$id", "$anchor"):
                place.pop(name, None)
            for one in node.references:
                if one.targets:
                    # A dynamic reference that can only mean one thing is an ordinary one.
                    place.pop(one.keyword)
                    place["$ref"] = "#" + pointer_of(graph.nodes[one.targets[0]].path)
            for name in ("$dynamicAnchor", "$recursiveAnchor"):
                place.pop(name, None)
    return copied


class _Old:
    """To OpenAPI 3.0: each schema that is referred to becomes a component."""

    def __init__(self, schema: Any, name: str, year: int) -> None:
        self.whole, self.year = schema, year
        self.names = {"": name}
        self.todo = [""]

    def components(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while self.todo:
            place = self.todo.pop(0)
            found[self.names[place]] = self.schema(look_up(self.whole, f"#{place}"))
        return found

    def schema(self, schema: Any) -> dict[str, Any]:
        if isinstance(schema, bool):
            return {} if schema else {"not": {}}
        if not isinstance(schema, dict):
            raise _CannotSay
        if isinstance(schema.get("$ref"), str):
            return self.reference(schema)
        said: dict[str, Any] = {}
        for key, value in schema.items():
            if key == "required" and not value:
                continue  # 3.0 wants at least one.
            if key == "enum" and not value:
                raise _CannotSay
            if key in _SAME or key.startswith("x-"):
                said[key] = value
            elif key == "properties":
                said[key] = {one: self.schema(inner) for one, inner in value.items()}
            elif key in ("allOf", "anyOf", "oneOf"):
                said[key] = [self.schema(inner) for inner in value]
            elif key == "not":
                said[key] = self.schema(value)
            elif key == "additionalProperties":
                said[key] = value if isinstance(value, bool) else self.schema(value)
            elif key == "items":
                if isinstance(value, list):
                    raise _CannotSay
                said[key] = self.schema(value)
            elif key == "examples" and isinstance(value, list) and value:
                said["example"] = value[0]
            elif key == "example":
                said[key] = value
            elif key not in (
                *_SILENT,
                "type",
                "const",
                "exclusiveMinimum",
                "exclusiveMaximum",
                "examples",
                "nullable",
            ):
                self.unknown(key)
        self.bounds(schema, said)
        if "const" in schema:
            if "enum" in schema:
                raise _CannotSay
            said["enum"] = [schema["const"]]
        self.type(schema, said)
        return said

    def unknown(self, key: str) -> None:
        """A keyword of JSON Schema that 3.0 lacks; an unknown word says nothing and is left out."""
        if key in _ONLY_NEW:
            raise _CannotSay

    def reference(self, schema: dict[str, Any]) -> dict[str, Any]:
        if steps_of(schema["$ref"]) is None or any(
            isinstance(self.whole, dict) and key in self.whole
            for key in ("$dynamicAnchor", "$recursiveAnchor")
        ):
            raise _CannotSay
        place = pointer_to(schema["$ref"])
        if place not in self.names:
            last = _component_name((steps_of(schema["$ref"]) or ("Event",))[-1])
            name, number = last, 1
            while name in self.names.values():
                number += 1
                name = f"{last}_{number}"
            self.names[place] = name
            self.todo.append(place)
        reference = {"$ref": _COMPONENTS + self.names[place]}
        beside = {key: value for key, value in schema.items() if key != "$ref" and key not in _SILENT}
        if self.year <= 7 or not beside:
            return reference
        said = self.schema(beside)
        said["allOf"] = [*said.get("allOf", []), reference]
        return said

    def bounds(self, schema: dict[str, Any], said: dict[str, Any]) -> None:
        for limit, exclusive, stricter in (
            ("minimum", "exclusiveMinimum", max),
            ("maximum", "exclusiveMaximum", min),
        ):
            flag = schema.get(exclusive)
            if flag is None:
                continue
            if isinstance(flag, bool):
                said[exclusive] = flag
            elif limit not in schema or (stricter(flag, schema[limit]) == flag):
                said[limit], said[exclusive] = flag, True

    def type(self, schema: dict[str, Any], said: dict[str, Any]) -> None:
        kinds = schema.get("type")
        if kinds is None:
            if any(option is None for option in said.get("enum", [])):
                raise _CannotSay  # null is only taken beside a type.
            return
        kinds = [kinds] if isinstance(kinds, str) else list(kinds)
        others = [kind for kind in kinds if kind != "null"]
        if not others or (len(others) > 1 and ("null" in kinds or "anyOf" in said)):
            raise _CannotSay
        if "null" in kinds:
            said["nullable"] = True
        if len(others) == 1:
            said["type"] = others[0]
            if others[0] == "array":
                said.setdefault("items", {})
        else:
            said["anyOf"] = [
                {"type": kind, "items": {}} if kind == "array" else {"type": kind} for kind in others
            ]


_ONLY_NEW = frozenset(
    {
        "patternProperties", "propertyNames", "contains", "minContains", "maxContains", "prefixItems", "additionalItems",
        "unevaluatedItems", "unevaluatedProperties", "dependentSchemas", "dependentRequired", "dependencies", "if",
        "then", "else", "$dynamicRef", "$recursiveRef",
    }
)  # fmt: skip


class _New:
    """To OpenAPI 3.1: the schema stays one component, in the words of 2020-12."""

    def __init__(self, name: str, year: int) -> None:
        self.inside = f"{_COMPONENTS}{name}"
        self.year = year

    def converted(self, schema: Any, own: bool = True) -> Any:
        """`own`: whether pointers are relative to the component, not to an `$id` below it."""
        if not isinstance(schema, dict):
            return schema
        copied = {key: value for key, value in schema.items() if key != "$schema"}
        if self.year == 4 and isinstance(copied.get("id"), str):
            copied["$id"] = copied.pop("id")
        if "$id" in copied and own and not isinstance(schema.get("$ref"), str):
            own = False
        put_inner(copied, schema, lambda inner: self.converted(inner.schema, own))
        reference = schema.get("$ref")
        if isinstance(reference, str):
            if self.year <= 7:
                kept = {key: copied[key] for key in ("definitions", "$defs") if key in copied}
                copied = {"$ref": reference, **kept}
            if own and steps_of(reference) is not None:
                copied["$ref"] = self.inside + pointer_of(self.renamed(reference))
        if self.year < 2020:
            self.renew(copied)
        return copied

    def renamed(self, reference: str) -> Sequence[str]:
        """The steps of a reference, after what `renew` does to them."""
        steps = steps_of(reference) or ()
        if self.year == 2020:
            return steps
        return [
            "prefixItems"
            if step == "items" and index + 1 < len(steps) and steps[index + 1].isdecimal()
            else step
            for index, step in enumerate(steps)
        ]

    def renew(self, schema: dict[str, Any]) -> None:
        """Words of earlier drafts as 2020-12 has them."""
        for limit, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
            flag = schema.get(exclusive)
            if isinstance(flag, bool):
                del schema[exclusive]
                if flag and limit in schema:
                    schema[exclusive] = schema.pop(limit)
        if isinstance(schema.get("items"), list):
            schema["prefixItems"] = schema.pop("items")
            if "additionalItems" in schema:
                schema["items"] = schema.pop("additionalItems")
        elif "additionalItems" in schema:
            del schema["additionalItems"]  # Without a list of items it says nothing.
        if isinstance(schema.get("dependencies"), dict):
            dependencies = schema.pop("dependencies")
            needed = {key: one for key, one in dependencies.items() if isinstance(one, list)}
            asked = {key: one for key, one in dependencies.items() if not isinstance(one, list)}
            if needed:
                schema["dependentRequired"] = needed
            if asked:
                schema["dependentSchemas"] = asked
        if "$recursiveRef" in schema:
            del schema["$recursiveRef"]
            schema["$dynamicRef"] = "#recursive"
        if schema.pop("$recursiveAnchor", False) is True:
            schema["$dynamicAnchor"] = "recursive"
