"""Schemas that say with their $schema that they are written in OpenAPI's dialects."""

from __future__ import annotations

from typing import Any

from catalog.schemas.dialects import DRAFT_7
from catalog.schemas.documents.openapi_schema import to_json_schema

OPENAPI_30 = "https://spec.openapis.org/oas/3.0/dialect"


def is_openapi_30(schema: Any) -> bool:
    """Whether `schema` says that it is written in OpenAPI 3.0's dialect."""
    return _declares(schema, "https://spec.openapis.org/oas/3.0")


def is_openapi(schema: Any) -> bool:
    """Whether `schema` says that it is written in the dialect of any OpenAPI 3."""
    return _declares(schema, "https://spec.openapis.org/oas/3.")


def without_openapi(schema: Any) -> Any:
    """The same in JSON Schema: draft 7 for OpenAPI 3.0, 2020-12 for later ones, anything else as it is.

    Schemas below components keep their place, so references to them stay.
    """
    if is_openapi_30(schema):
        found: dict[str, Any] = {**to_json_schema(schema), "$schema": DRAFT_7 + "#"}
        components = schema.get("components")
        named = components.get("schemas") if isinstance(components, dict) else None
        if isinstance(named, dict):
            found["components"] = {"schemas": {name: to_json_schema(child) for name, child in named.items()}}
        return found
    if is_openapi(schema):
        return {word: value for word, value in schema.items() if word != "$schema"}
    return schema


def _declares(schema: Any, start: str) -> bool:
    declared = schema.get("$schema") if isinstance(schema, dict) else None
    return isinstance(declared, str) and declared.startswith(start)
