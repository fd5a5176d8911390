"""What one operation of an OpenAPI document (3.0 to 3.2) takes, as a JSON Schema that needs no other document.

Nothing is fetched and no file is read: a reference must point into the document itself.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from catalog.schemas.documents.bundle import NotBundled
from catalog.schemas.documents.openapi import schema_bundle, version_of
from catalog.schemas.documents.openapi_places import METHODS, members
from catalog.schemas.documents.openapi_schema import to_request_schema
from catalog.schemas.documents.pointers import resolved
from catalog.schemas.documents.written import of_value, read_text
from catalog.schemas.limits import DOCUMENT_BYTES, LEVELS
from catalog.schemas.text import NotJson, depth, pointer_of


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
    if not isinstance(written, str | dict):
        raise OpenApiRefused("An OpenAPI document is an object that begins with openapi: 3.1.0.")
    if not isinstance(written, str) and depth(written, LEVELS) > LEVELS:
        raise OpenApiRefused(f"The document is nested too deep: at most {LEVELS} levels are allowed.")
    if not isinstance(written, str) and len(json.dumps(written)) > DOCUMENT_BYTES:
        raise OpenApiRefused(f"The document has more than {DOCUMENT_BYTES:,} bytes.")
    try:
        document = (read_text(written) if isinstance(written, str) else of_value(written)).value
    except NotJson as error:
        raise OpenApiRefused(f"The document cannot be read. {error}") from None
    if not isinstance(document, dict):
        raise OpenApiRefused("An OpenAPI document is an object that begins with openapi: 3.1.0.")
    if version_of(document) is None:
        version = str(document.get("openapi", ""))[:40]
        found = f"is version {version}" if version else "names no version in “openapi”"
        raise OpenApiRefused(f"The document {found}: versions 3.0, 3.1 and 3.2 are understood.")
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
            schema, pointer = _body_schema(document, found, media_type)
            return _standalone(document, schema, pointer)
    wanted = f"operationId {operation}" if operation is not None else f"{(method or '').upper()} {path}"
    known = ", ".join(one.name or f"{one.method.upper()} {one.path}" for one in operations(document)[:10])
    raise OpenApiRefused(
        f"The document has no operation {wanted}." + (f" Those that take JSON are {known}." if known else "")
    )


def _each_operation(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    found = []
    for path, item in members(document.get("paths")):
        item, _ = _resolved(document, item, "")
        for method in METHODS:
            operation = item.get(method)
            if isinstance(operation, dict):
                found.append((path, method, operation))
    return found


def _body_schema(
    document: dict[str, Any], operation: dict[str, Any], media_type: str | None
) -> tuple[Any, str]:
    """The schema of the body and its pointer; without one, nothing can be said of where it is."""
    name = operation.get("operationId") or "The operation"
    body, place = _resolved(document, operation.get("requestBody"), "")
    content = body.get("content")
    if not isinstance(content, dict) or not content:
        raise OpenApiRefused(f"{name} takes no body (it has no requestBody), so there is nothing to check.")
    chosen = media_type if media_type is not None else _json_type(list(content))
    if chosen is None or chosen not in content:
        raise OpenApiRefused(
            f"{name} takes {', '.join(content)}: only JSON can be checked."
            if media_type is None
            else f"{name} does not take {media_type}, but {', '.join(content)}."
        )
    entry, place = _resolved(document, content[chosen], place + pointer_of(["content", chosen]))
    if "schema" not in entry:
        raise OpenApiRefused(f"{name} says nothing about its body: “{chosen}” has no schema.")
    return entry["schema"], f"{place}/schema"


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


def _standalone(document: dict[str, Any], schema: Any, pointer: str) -> dict[str, Any]:
    version = version_of(document)
    assert version is not None
    try:
        bundled = schema_bundle(document, schema, pointer, version, _request_side(version))
    except NotBundled as error:
        raise OpenApiRefused(f"{error} (at {error.pointer})" if error.pointer else str(error)) from None
    if isinstance(bundled.schema, bool):
        return {} if bundled.schema else {"not": {}}
    whole: dict[str, Any] = bundled.schema
    return whole


def _request_side(version: str) -> Any:
    return lambda schema: to_request_schema(schema, version == "3.0")


def _resolved(document: dict[str, Any], value: Any, pointer: str) -> tuple[dict[str, Any], str]:
    """An object, its own $ref followed, and its pointer; an empty one for anything else. Raises OpenApiRefused."""
    try:
        return resolved(document, value, pointer)
    except LookupError as error:
        raise OpenApiRefused(_lost(str(error.args[0]))) from None


def _lost(reference: str) -> str:
    if reference == "a circle":
        return "A $ref of the document leads back to itself."
    if reference.startswith("#"):
        return f"“{reference[:120]}” does not exist in the document."
    return f"“{reference[:120]}” points outside the document, and nothing is fetched. Copy what it means into it."
