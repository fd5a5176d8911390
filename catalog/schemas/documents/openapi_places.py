"""Where an OpenAPI document (3.0 to 3.2) has operations, schemas and callbacks. References are followed by the caller."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from catalog.schemas.documents.pointers import resolved
from catalog.schemas.text import pointer_of

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")


class Operation(NamedTuple):
    """An operation. group: paths, webhooks or callbacks; name: the path, the webhook's name, the callback's name.

    expression: of a callback, the expression its address comes from. owner: the operation that a callback belongs to.
    """

    group: str
    name: str
    method: str
    value: dict[str, Any]
    pointer: str
    path_item: dict[str, Any]
    expression: str = ""
    owner: str = ""


def operations(whole: dict[str, Any]) -> Iterator[Operation]:
    """Every operation: of paths, of webhooks, of path items kept in components, then of the callbacks of them all."""
    found: list[Operation] = []
    for group in ("paths", "webhooks"):
        for name, item in members(whole.get(group)):
            found.extend(_of_item(whole, group, name, item, pointer_of([group, name])))
    components = whole.get("components")
    if isinstance(components, dict):
        for name, item in members(components.get("pathItems")):
            place = pointer_of(["components", "pathItems", name])
            found.extend(_of_item(whole, "pathItems", name, item, place))
    yield from found
    for one in found:
        yield from _callbacks(whole, one.value.get("callbacks"), f"{one.pointer}/callbacks", _title(one))
    if isinstance(components, dict):
        yield from _callbacks(whole, components.get("callbacks"), "/components/callbacks", "")


def members(value: Any) -> Iterator[tuple[str, Any]]:
    """The members of an object but extensions; nothing for what is none."""
    if isinstance(value, dict):
        yield from ((name, one) for name, one in value.items() if not name.startswith("x-"))


def media_types(
    whole: dict[str, Any], holder: Any, pointer: str
) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The media types of a body or response that may be a reference: name, value, pointer."""
    try:
        body, pointer = resolved(whole, holder, pointer)
    except LookupError:
        return
    for name, value in members(body.get("content")):
        if isinstance(value, dict):
            yield name, value, pointer + pointer_of(["content", name])


def schemas(whole: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    """Every outermost schema with its pointer, each once: of components, bodies, parameters, headers, media types."""
    seen: set[str] = set()
    for value, pointer in _all_schemas(whole):
        if pointer not in seen:
            seen.add(pointer)
            yield value, pointer


def _all_schemas(whole: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    components = whole.get("components")
    for group, parts in members(components):
        for name, value in members(parts):
            pointer = pointer_of(["components", group, name])
            if group == "schemas":
                yield value, pointer
            elif group in ("responses", "parameters", "requestBodies", "headers", "mediaTypes"):
                yield from _held(value, pointer)
    for one in operations(whole):
        yield from _of_parameters(one.path_item.get("parameters"), one.pointer.rpartition("/")[0])
        yield from _of_parameters(one.value.get("parameters"), one.pointer)
        yield from _held(one.value.get("requestBody"), f"{one.pointer}/requestBody")
        for code, response in members(one.value.get("responses")):
            yield from _held(response, one.pointer + pointer_of(["responses", code]))


def _of_parameters(parameters: Any, pointer: str) -> Iterator[tuple[Any, str]]:
    if isinstance(parameters, list):
        for index, value in enumerate(parameters):
            yield from _held(value, f"{pointer}/parameters/{index}")


def _held(holder: Any, pointer: str) -> Iterator[tuple[Any, str]]:
    """The schemas of a body, response, parameter, header or media type."""
    if not isinstance(holder, dict) or "$ref" in holder:
        return
    if "schema" in holder:
        yield holder["schema"], f"{pointer}/schema"
    if "itemSchema" in holder:
        yield holder["itemSchema"], f"{pointer}/itemSchema"
    for group in ("content", "headers"):
        for name, value in members(holder.get(group)):
            yield from _held(value, pointer + pointer_of([group, name]))


def _of_item(whole: dict[str, Any], group: str, name: str, item: Any, pointer: str) -> Iterator[Operation]:
    try:
        item, pointer = resolved(whole, item, pointer)
    except LookupError:
        return
    more = item.get("additionalOperations")
    for method, value in [*item.items(), *(more.items() if isinstance(more, dict) else ())]:
        if isinstance(value, dict) and (method in METHODS or value is (more or {}).get(method)):
            inside = [method] if method in METHODS else ["additionalOperations", method]
            yield Operation(group, name, method, value, pointer + pointer_of(inside), item)


def _callbacks(whole: dict[str, Any], callbacks: Any, pointer: str, owner: str) -> Iterator[Operation]:
    for name, callback in members(callbacks):
        place = pointer + pointer_of([name])
        try:
            callback, place = resolved(whole, callback, place)
        except LookupError:
            continue
        for expression, item in members(callback):
            for one in _of_item(whole, "callbacks", name, item, place + pointer_of([expression])):
                yield one._replace(expression=expression, owner=owner)


def _title(one: Operation) -> str:
    name = one.value.get("operationId")
    return name if isinstance(name, str) else f"{one.method.upper()} {one.name}"
