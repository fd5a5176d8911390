"""Schemas of OpenAPI 3.0 as JSON Schema draft 7, which says the same.

OpenAPI 3.1 and later need no conversion: their schemas are JSON Schema 2020-12.
"""

from __future__ import annotations

from typing import Any

from catalog.schemas.keywords import put_inner

_BOUNDS = (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum"))


def to_json_schema(schema: Any) -> Any:
    """An OpenAPI 3.0 schema as draft 7, to the letter; references stay as they are. An event is read, not sent.

    nullable beside a type adds null to the type, never to an enum (3.0.3, “nullable”); without a type it says nothing.
    """
    return _converted(schema, False)


def to_request_schema(schema: Any, old: bool) -> Any:
    """A schema as requests see it: members that are only read are not required. `old`: OpenAPI 3.0, made draft 7.

    nullable is taken as whoever writes it means it: also beside enum, and around a $ref.
    """
    return _converted(schema, True) if old else _request_side(schema)


def _converted(schema: Any, request: bool) -> Any:
    if not isinstance(schema, dict):
        return schema
    reference = schema.get("$ref")
    if isinstance(reference, str):
        return {"$ref": reference}
    copied = {key: value for key, value in schema.items() if key not in ("nullable", "example")}
    put_inner(copied, schema, lambda inner: _converted(inner.schema, request))
    if request:
        _drop_read_only(copied, schema)
    for limit, exclusive in _BOUNDS:
        flag = copied.get(exclusive)
        if isinstance(flag, bool):
            del copied[exclusive]
            if flag and limit in copied:
                copied[exclusive] = copied.pop(limit)
    if "example" in schema and "examples" not in copied:
        copied["examples"] = [schema["example"]]
    if schema.get("nullable") is True:
        return _nullable(copied, request)
    return copied


def _nullable(copied: dict[str, Any], request: bool) -> dict[str, Any]:
    if isinstance(copied.get("type"), str):
        copied["type"] = [copied["type"], "null"]
        if request and isinstance(copied.get("enum"), list) and None not in copied["enum"]:
            copied["enum"] = [*copied["enum"], None]
    elif request and any(key in copied for key in ("allOf", "anyOf", "oneOf")):
        return {"anyOf": [copied, {"type": "null"}]}
    return copied


def _request_side(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    copied = dict(schema)
    put_inner(copied, schema, lambda inner: _request_side(inner.schema))
    _drop_read_only(copied, schema)
    return copied


def _drop_read_only(copied: dict[str, Any], schema: dict[str, Any]) -> None:
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, dict) or not isinstance(required, list):
        return
    read = {name for name, one in properties.items() if isinstance(one, dict) and one.get("readOnly") is True}
    copied["required"] = [name for name in required if name not in read]
