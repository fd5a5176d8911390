"""Event types out of a JSON Schema: the schema itself, or the definitions of GitHub's webhook schemas."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from catalog.schemas.dialects import DEFAULT, DIALECTS, dialect_of
from catalog.schemas.documents.bundle import bundle
from catalog.schemas.documents.document import (
    TYPE_MARKS,
    Candidate,
    Document,
    Example,
    Kind,
    Origin,
    first_line,
    suggested_name,
    text_of,
    usable_name,
)
from catalog.schemas.documents.pointers import resolved
from catalog.schemas.documents.written import Written
from catalog.schemas.text import pointer_of

_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})
_OBJECTS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems", "enum", "required")
_OTHERS = frozenset(
    {
        "$schema", "$id", "id", "title", "description", "additionalProperties", "items", "examples", "default", "format",
        "minLength", "maxLength", "pattern", "minimum", "maximum", "minItems", "maxItems", "const", "not", "$comment",
        "unevaluatedProperties", "deprecated", *_OBJECTS, *_LISTS, "type", "$ref",
    }
)  # fmt: skip


def is_json_schema(value: Any) -> bool:
    """Whether `value` is meant as a JSON Schema: it says so, or its members mean something there and fit."""
    if not isinstance(value, dict):
        return False
    if isinstance(value.get("$schema"), str):
        return True
    kind = value.get("type")
    if (
        isinstance(kind, str | list)
        and kind
        and (kind in _TYPES if isinstance(kind, str) else _all_types(kind))
    ):
        return bool(value.keys() - {"type"}) is False or bool((value.keys() - {"type"}) & _OTHERS)
    if any(_schemas(value.get(name)) for name in _OBJECTS):
        return True
    if any(isinstance(value.get(name), list) and _dicts(value[name]) for name in ("allOf", "anyOf", "oneOf")):
        return True
    reference = value.get("$ref")
    return isinstance(reference, str) and value.keys() <= _OTHERS


def _all_types(kinds: list[Any]) -> bool:
    return all(isinstance(one, str) and one in _TYPES for one in kinds)


def _schemas(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(one, dict | bool) for one in value.values())
    )


def _dicts(value: list[Any]) -> bool:
    return bool(value) and all(isinstance(one, dict | bool) for one in value)


def read_json_schema(written: Written, text: str) -> Document:
    """One schema, taken as it stands; GitHub's one schema of all webhooks, taken apart."""
    schema: dict[str, Any] = written.value
    key = dialect_of(schema)
    name = DIALECTS[key].name if key else ""
    title = first_line(schema.get("title"))
    if _is_github(schema):
        return Document(Kind.GITHUB_WEBHOOKS, name, title, tuple(_webhooks(written, key or DEFAULT)))
    examples = schema.get("examples")
    candidate = Candidate(
        name=_name(schema),
        origin=Origin.SCHEMA,
        pointer="",
        line=written.line_of(""),
        title=title,
        summary=first_line(schema.get("description")),
        docs=text_of(schema.get("description")),
        given_examples=tuple(
            Example(one, f"/examples/{index}")
            for index, one in enumerate(examples[:20] if isinstance(examples, list) else ())
        ),
        verbatim=text if written.form == "JSON" else json.dumps(schema, indent=2, ensure_ascii=False),
        written=written,
    )
    problems = candidate.problems
    if written.form != "JSON":
        problems = tuple(
            written.mistake(one.pointer, one.message) if one.pointer is not None else one for one in problems
        )
    return Document(Kind.JSON_SCHEMA, name, title, (candidate,), problems)


def _name(schema: dict[str, Any]) -> str:
    """What the schema calls itself: a mark, the last part of its identifier, its title."""
    mark = next((usable_name(schema[one]) for one in TYPE_MARKS if isinstance(schema.get(one), str)), "")
    if mark:
        return mark
    identifier = schema.get("$id", schema.get("id"))
    if isinstance(identifier, str):
        last = re.split(r"[/:#]", identifier.rstrip("/#"))[-1]
        last = re.sub(r"(?:\.schema)?\.(?:json|ya?ml)$", "", last)
        if last and not re.fullmatch(r"schema|v?[0-9.]+", last):
            return usable_name(last) if "." in last else suggested_name(last)
    return suggested_name(schema.get("title"))


def _is_github(schema: dict[str, Any]) -> bool:
    """The shape of @octokit/webhooks-schemas: definitions named `push$event` or `issues$opened`, and `…_event`."""
    definitions = schema.get("definitions")
    if not isinstance(definitions, dict):
        return False
    return sum("$" in name for name in definitions) >= 2 and any(
        name.endswith("_event") for name in definitions
    )


def _webhooks(written: Written, key: str) -> Iterator[Candidate]:
    """An event type for each action: `issues$opened` is github.issues.opened, `push$event` github.push."""
    kept = "definitions" if DIALECTS[key].year <= 7 else "$defs"
    declared = f"{key}#" if DIALECTS[key].year <= 7 else key
    for name, schema in written.value["definitions"].items():
        event, separator, action = name.partition("$")
        if not separator or not isinstance(schema, dict):
            continue
        pointer = pointer_of(["definitions", name])
        schema, place = resolved(written.value, schema, pointer) if "$ref" in schema else (schema, pointer)
        words = event.replace("_", " ") + ("" if action == "event" else f": {action.replace('_', ' ')}")
        yield Candidate(
            name=f"github.{event}" if action == "event" else f"github.{event}.{action}",
            origin=Origin.DEFINITION,
            pointer=place,
            line=written.line_of(place),
            source="https://github.com",
            title=words[:1].upper() + words[1:],
            summary=first_line(schema.get("description")),
            docs=text_of(schema.get("description")),
            tags=("github", event),
            make=partial(bundle, written.value, schema, place, declared, kept),
            written=written,
        )
