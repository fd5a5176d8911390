"""What one operation of an OpenAPI document (3.0 or 3.1) takes, as a JSON Schema that needs no other document.

Nothing is fetched and no file is read: a reference must point into the document itself.
"""

from __future__ import annotations

import copy
import json
import re
from typing import Any, NamedTuple

import yaml

from catalog.schemas.text import DEPTH, NotJson, depth, parse

DOCUMENT_BYTES = 1024 * 1024
MAX_NODES = 200_000
MAX_REFERENCES = 500
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_DRAFT_4 = "http://json-schema.org/draft-04/schema#"
_DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema"
# Their values are data, in which a member called $ref or nullable means nothing.
_DATA = frozenset({"const", "enum", "default", "example", "examples"})


class OpenApiRefused(ValueError):
    """The document, or the operation in it, cannot be used; the message says why and what to do."""


class Operation(NamedTuple):
    """An operation that takes JSON. `name` is its operationId, else empty."""

    name: str
    method: str
    path: str
    summary: str


def read_document(written: Any) -> dict[str, Any]:
    """The document of JSON or YAML text, or of a parsed value. Raises OpenApiRefused."""
    document = _parsed(written) if isinstance(written, str) else written
    if not isinstance(document, dict):
        raise OpenApiRefused("An OpenAPI document is an object that begins with openapi: 3.1.0.")
    if not isinstance(written, str) and len(json.dumps(document)) > DOCUMENT_BYTES:
        raise OpenApiRefused(f"The document has more than {DOCUMENT_BYTES:,} bytes.")
    if depth(document) > DEPTH:
        raise OpenApiRefused(f"The document is nested too deep: at most {DEPTH} levels are allowed.")
    version = str(document.get("openapi", ""))
    if not version.startswith(("3.0.", "3.1.")):
        found = f"is version {version}" if version else "names no version in “openapi”"
        raise OpenApiRefused(f"The document {found}: versions 3.0 and 3.1 are understood.")
    return document


def operations(document: dict[str, Any]) -> list[Operation]:
    """The operations that take a JSON body, in the document's order."""
    found = []
    for path, method, operation in _each_operation(document):
        try:
            _body_schema(document, operation, None)
        except OpenApiRefused:
            continue
        name = operation.get("operationId")
        summary = operation.get("summary") or operation.get("description") or ""
        found.append(Operation(name if isinstance(name, str) else "", method, path, str(summary)[:200]))
    return found


def request_schema(
    document: dict[str, Any],
    operation: str | None = None,
    method: str | None = None,
    path: str | None = None,
    media_type: str | None = None,
) -> dict[str, Any]:
    """The schema of the JSON body that an operation takes; it holds all that it refers to.

    The operation is named by its operationId, or by method and path. Raises OpenApiRefused.
    """
    for found_path, found_method, found in _each_operation(document):
        by_id = operation is not None and found.get("operationId") == operation
        by_place = operation is None and path == found_path and (method or "").lower() == found_method
        if by_id or by_place:
            pointer, schema = _body_schema(document, found, media_type)
            return _standalone(document, schema, pointer)
    wanted = f"operationId {operation}" if operation is not None else f"{(method or '').upper()} {path}"
    known = ", ".join(one.name or f"{one.method.upper()} {one.path}" for one in operations(document)[:10])
    raise OpenApiRefused(
        f"The document has no operation {wanted}." + (f" Those that take JSON are {known}." if known else "")
    )


def _each_operation(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    found = []
    paths = document.get("paths")
    for path, item in paths.items() if isinstance(paths, dict) else ():
        item = _resolved(document, item)
        for method in METHODS:
            operation = item.get(method)
            if isinstance(operation, dict):
                found.append((path, method, operation))
    return found


def _body_schema(
    document: dict[str, Any], operation: dict[str, Any], media_type: str | None
) -> tuple[str, Any]:
    """The schema of the body, and what it is called in messages."""
    name = operation.get("operationId") or "The operation"
    body = _resolved(document, operation.get("requestBody"))
    content = body.get("content")
    if not isinstance(content, dict) or not content:
        raise OpenApiRefused(f"{name} takes no body (it has no requestBody), so there is nothing to check.")
    chosen = media_type if media_type is not None else _json_type(list(content))
    if chosen not in content:
        raise OpenApiRefused(
            f"{name} takes {', '.join(content)}: only JSON can be checked."
            if media_type is None
            else f"{name} does not take {media_type}, but {', '.join(content)}."
        )
    entry = _resolved(document, content[chosen])
    if "schema" not in entry:
        raise OpenApiRefused(f"{name} says nothing about its body: “{chosen}” has no schema.")
    return name, entry["schema"]


def _json_type(offered: list[str]) -> str | None:
    bare = {media_type.partition(";")[0].strip().lower(): media_type for media_type in reversed(offered)}
    for wanted in (
        "application/json",
        *(name for name in bare if name.endswith("+json")),
        "application/*",
        "*/*",
    ):
        if wanted in bare:
            return bare[wanted]
    return None


def _standalone(document: dict[str, Any], schema: Any, name: str) -> dict[str, Any]:
    """`schema` with all that it refers to at the places where the document has it, so that its references hold."""
    if isinstance(schema, bool):
        schema = {} if schema else {"not": {}}
    if not isinstance(schema, dict):
        raise OpenApiRefused(f"The schema of {name} is no object.")
    old = str(document["openapi"]).startswith("3.0.")
    whole: dict[str, Any] = _request_side(schema, old)
    whole["$schema"] = _DRAFT_4 if old else _DRAFT_2020
    todo = _references(schema)
    seen: set[str] = set()
    while todo:
        reference = todo.pop()
        if reference in seen:
            continue
        seen.add(reference)
        if len(seen) > MAX_REFERENCES:
            raise OpenApiRefused(f"{name} refers to more than {MAX_REFERENCES} schemas.")
        target = _at(document, reference)
        _put(whole, reference, _request_side(target, old))
        todo += _references(target)
    return whole


def _references(schema: Any) -> list[str]:
    found, todo = [], [schema]
    while todo:
        node = todo.pop()
        if isinstance(node, list):
            todo.extend(node)
        elif isinstance(node, dict):
            for key, child in node.items():
                if key == "$ref" and isinstance(child, str):
                    found.append(child)
                elif key not in _DATA:
                    todo.append(child)
    return found


def _request_side(schema: Any, old: bool) -> Any:
    """A copy as requests see it: members that are only read are not required. For 3.0 nullable becomes type null."""
    if isinstance(schema, list):
        return [_request_side(one, old) for one in schema]
    if not isinstance(schema, dict):
        return schema
    copied = {
        key: copy.deepcopy(child) if key in _DATA else _request_side(child, old)
        for key, child in schema.items()
    }
    properties, required = schema.get("properties"), schema.get("required")
    if isinstance(properties, dict) and isinstance(required, list):
        read = {
            key for key, one in properties.items() if isinstance(one, dict) and one.get("readOnly") is True
        }
        copied["required"] = [key for key in required if key not in read]
        if not copied["required"]:
            del copied["required"]  # draft 4 wants at least one
    if old and schema.get("nullable") is True and isinstance(schema.get("type"), str):
        copied["type"] = [schema["type"], "null"]
        if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
            copied["enum"] = [*schema["enum"], None]
    elif old and schema.get("nullable") is True and any(key in schema for key in ("allOf", "anyOf", "oneOf")):
        # To the letter this says nothing (3.0.3); whoever writes it around a $ref means that null is taken.
        return {"anyOf": [copied, {"type": "null"}]}
    return copied


def _steps(reference: str) -> list[str]:
    if not reference.startswith("#/"):
        raise OpenApiRefused(
            f"“{reference[:120]}” points outside the document, and nothing is fetched. Copy what it means into it."
        )
    return [step.replace("~1", "/").replace("~0", "~") for step in reference[2:].split("/")]


def _at(document: dict[str, Any], reference: str) -> Any:
    value: Any = document
    for step in _steps(reference):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            raise OpenApiRefused(f"“{reference[:120]}” points to nothing in the document.")
    return value


def _put(whole: dict[str, Any], reference: str, value: Any) -> None:
    *parents, last = _steps(reference)
    place: Any = whole
    for step in parents:
        if isinstance(place, list):
            return  # A schema that holds this place is there already.
        place = place.setdefault(step, {})
    if isinstance(place, dict):
        # What was put below it before is part of it.
        place[last] = value


def _resolved(document: dict[str, Any], value: Any) -> dict[str, Any]:
    """An object, its own $ref followed; an empty one for anything else. Raises OpenApiRefused for a circle."""
    for _ in range(20):
        if not isinstance(value, dict):
            return {}
        reference = value.get("$ref")
        if not isinstance(reference, str):
            return value
        value = _at(document, reference)
    raise OpenApiRefused("A $ref of the document leads back to itself.")


def _parsed(text: str) -> Any:
    if len(text.encode()) > DOCUMENT_BYTES:
        raise OpenApiRefused(f"The document has more than {DOCUMENT_BYTES:,} bytes.")
    if text.lstrip()[:1] in ("{", "["):
        try:
            return parse(text)
        except NotJson as error:
            raise OpenApiRefused(f"The document is no JSON. {error}") from None
    return _yaml(text)


class _Loader(yaml.CSafeLoader):
    """YAML as JSON has it: no dates, no yes and no, no octal numbers (YAML 1.2 §10.3)."""

    yaml_implicit_resolvers: dict[str, Any] = {}


for _tag, _pattern, _first in (
    ("null", r"^(?:null|~|)$", ["n", "~", ""]),
    ("bool", r"^(?:true|false)$", ["t", "f"]),
    ("int", r"^-?(?:0|[1-9][0-9]*)$", list("-0123456789")),
    ("float", r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$", list("-0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def _yaml(text: str) -> Any:
    level = nodes = 0
    try:
        for event in yaml.parse(text, Loader=_Loader):
            nodes += 1
            level += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            # An anchor repeated a billion times is small as text.
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                raise OpenApiRefused(
                    "The document uses YAML anchors or aliases (& and *). Write $ref instead."
                )
            if getattr(event, "tag", None) is not None:
                raise OpenApiRefused("The document uses YAML tags (!). Leave them out.")
            if level > DEPTH or nodes > MAX_NODES:
                raise OpenApiRefused("The document is nested too deep or has too many values.")
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise OpenApiRefused(f"The document is neither JSON nor YAML: {error}") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise OpenApiRefused(f"The document cannot be read: {error}") from None
