"""OpenAPI 3.0's dialect of JSON Schema, written as draft 7 with the same meaning (OpenAPI 3.0.3, Schema Object)."""

from __future__ import annotations

from typing import Any

OPENAPI_30 = "https://spec.openapis.org/oas/3.0/dialect"
DRAFT_7 = "http://json-schema.org/draft-07/schema#"
_DATA = frozenset({"enum", "default", "example", "examples", "const"})
_NAMED = frozenset({"properties", "patternProperties", "definitions", "$defs"})


def is_openapi_30(schema: dict[str, Any]) -> bool:
    """Whether `schema` says with its $schema that it is written in OpenAPI 3.0's dialect."""
    declared = schema.get("$schema")
    return isinstance(declared, str) and declared.startswith("https://spec.openapis.org/oas/3.0")


def without_openapi(schema: Any) -> Any:
    """`schema` of OpenAPI 3.0 as draft 7.

    nullable with a type adds null to the type, and without one means nothing; null is not added to an enum. Boolean
    exclusive bounds become numbers, example becomes examples; references to components point into $defs.
    """
    found = _convert(schema)
    if isinstance(found, dict):
        components = found.pop("components", None)
        if isinstance(components, dict) and isinstance(components.get("schemas"), dict):
            found["$defs"] = {
                **{name: _convert(child) for name, child in components["schemas"].items()},
                **found.get("$defs", {}),
            }
        found["$schema"] = DRAFT_7
    return found


def _convert(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_convert(child) for child in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get("$ref"), str):
        reference = schema["$ref"]
        return {**schema, "$ref": reference.replace("#/components/schemas/", "#/$defs/", 1)}
    found: dict[str, Any] = {}
    for word, value in schema.items():
        if word in _NAMED and isinstance(value, dict):
            found[word] = {name: _convert(child) for name, child in value.items()}
        else:
            found[word] = value if word in _DATA or word == "components" else _convert(value)
    if found.pop("nullable", False) is True and isinstance(found.get("type"), str):
        found["type"] = [found["type"], "null"]
    for word, plain in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(found.get(word), bool) and found.pop(word) and plain in found:
            found[word] = found.pop(plain)
    if "example" in found:
        found.setdefault("examples", [found.pop("example")])
    return found
