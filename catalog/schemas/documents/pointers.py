"""References inside a document by JSON pointer: all must stay in it, lead somewhere, and not in a circle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalog.schemas.documents.written import Written
from catalog.schemas.keywords import DATA
from catalog.schemas.local import look_up, steps_of
from catalog.schemas.text import Mistake, pointer_of

SHOWN = 100
# Below these a member's name is the author's own, and a member called $ref or default is an ordinary one.
_NAMED = frozenset(
    {
        "properties", "patternProperties", "$defs", "definitions", "schemas", "paths", "webhooks", "callbacks",
        "responses", "parameters", "requestBodies", "headers", "securitySchemes", "links", "pathItems", "channels",
        "messages", "operations", "messageTraits", "operationTraits", "servers", "content", "dependentSchemas",
    }
)  # fmt: skip


def pointer_to(reference: str) -> str:
    """`#/a/b` as the pointer `/a/b`."""
    return pointer_of(steps_of(reference) or ())


def resolved(whole: Any, value: Any, pointer: str) -> tuple[dict[str, Any], str]:
    """An object, its own `$ref` followed, and the pointer to it. Raises LookupError; for what is no object, {}."""
    for _ in range(20):
        if not isinstance(value, dict):
            return {}, pointer
        reference = value.get("$ref")
        if not isinstance(reference, str):
            return value, pointer
        value, pointer = look_up(whole, reference), pointer_to(reference)
    raise LookupError("a circle")


def references(whole: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every `$ref` of the document, with the path to the object it stands in."""
    todo: list[tuple[Any, tuple[str | int, ...], bool]] = [(whole, (), False)]
    while todo:
        item, path, named = todo.pop()
        if isinstance(item, list):
            todo.extend((child, (*path, index), False) for index, child in reversed(list(enumerate(item))))
        elif isinstance(item, dict):
            reference = item.get("$ref")
            if isinstance(reference, str) and not named:
                yield path, reference
            for name, child in reversed(item.items()):
                if named or name not in DATA:
                    todo.append((child, (*path, name), name in _NAMED and not named))


def check_references(written: Written) -> list[Mistake]:
    """What is wrong with the references of a document whose references are pointers (OpenAPI, AsyncAPI)."""
    mistakes: list[Mistake] = []
    leads: dict[str, str] = {}
    for path, reference in references(written.value):
        place = pointer_of((*path, "$ref"))
        shown = f"“{reference[:120]}”"
        if steps_of(reference) is None:
            if not reference.startswith("#"):  # An anchor is looked for when its schema is read.
                message = (
                    f"$ref {shown} points outside this document, and nothing is fetched. Paste what it means into "
                    "the document, for example under components, and point to it with #/…"
                )
                mistakes.append(written.mistake(place, message))
            continue
        try:
            look_up(written.value, reference)
        except LookupError:
            mistakes.append(written.mistake(place, f"{shown} does not exist in this document."))
            continue
        leads[pointer_of(path)] = pointer_to(reference)
    for circle in _circles(leads):
        shown = " → ".join(
            f"#{one}" for one in [*circle[:6], *(["/…"] if len(circle) > 6 else []), circle[0]]
        )
        message = f"This $ref leads only back to itself: {shown}. Write one of them out."
        mistakes.append(written.mistake(f"{circle[0]}/$ref", message))
    return mistakes[:SHOWN]


def _circles(leads: dict[str, str]) -> Iterator[list[str]]:
    """The circles among objects that are only references, each once."""
    done: set[str] = set()
    for start in leads:
        trail: dict[str, None] = {}
        at = start
        while at in leads and at not in done:
            done.add(at)
            trail[at] = None
            at = leads[at]
        if at in trail:
            way = list(trail)
            yield way[way.index(at) :]
