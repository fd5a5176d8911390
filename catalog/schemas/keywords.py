"""Where a JSON Schema holds further schemas: at which keywords, and whether they look at the same value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, NamedTuple

# What a schema inside another one is asked about: the same value, a member or entry of it, or nothing by itself.
Place = Literal["same", "child", "kept"]

_ONE: dict[str, Place] = {
    "not": "same",
    "if": "same",
    "then": "same",
    "else": "same",
    "additionalProperties": "child",
    "unevaluatedProperties": "child",
    "propertyNames": "child",
    "additionalItems": "child",
    "unevaluatedItems": "child",
    "contains": "child",
    "items": "child",
    "contentSchema": "kept",
}
_LIST: dict[str, Place] = {
    "allOf": "same",
    "anyOf": "same",
    "oneOf": "same",
    "prefixItems": "child",
    "items": "child",
}
_MAP: dict[str, Place] = {
    "dependentSchemas": "same",
    "dependencies": "same",
    "properties": "child",
    "patternProperties": "child",
    "$defs": "kept",
    "definitions": "kept",
}
# Their values are data, in which a member called $ref means nothing.
DATA = frozenset({"const", "enum", "default", "examples", "example"})
REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


class Inner(NamedTuple):
    """A schema inside another: the keyword, the name or index below it (None for a single one), and its place."""

    keyword: str
    key: str | int | None
    schema: Any
    place: Place

    @property
    def path(self) -> tuple[str | int, ...]:
        """The steps from the outer schema."""
        return (self.keyword,) if self.key is None else (self.keyword, self.key)


def inner_schemas(schema: Any, old: bool = False) -> Iterator[Inner]:
    """The schemas directly inside `schema`. `old`: up to draft 7, where a $ref hides everything beside it."""
    if not isinstance(schema, dict):
        return
    hidden = old and isinstance(schema.get("$ref"), str)
    for keyword, value in schema.items():
        if isinstance(value, dict) and keyword in _MAP:
            place: Place = "kept" if hidden else _MAP[keyword]
            for name, one in value.items():
                if isinstance(one, dict | bool):
                    yield Inner(keyword, name, one, place)
        elif isinstance(value, list) and keyword in _LIST:
            place = "kept" if hidden else _LIST[keyword]
            for index, one in enumerate(value):
                if isinstance(one, dict | bool):
                    yield Inner(keyword, index, one, place)
        elif isinstance(value, dict | bool) and keyword in _ONE:
            yield Inner(keyword, None, value, "kept" if hidden else _ONE[keyword])


def put_inner(copied: dict[str, Any], schema: dict[str, Any], changed: Callable[[Inner], Any]) -> None:
    """Puts `changed(inner)` in the place of each schema directly inside `copied`, a shallow copy of `schema`.

    What `schema` holds stays as it is: the members that hold several are copied first.
    """
    for inner in inner_schemas(schema):
        value = changed(inner)
        if inner.key is None:
            copied[inner.keyword] = value
        else:
            if copied[inner.keyword] is schema[inner.keyword]:
                copied[inner.keyword] = schema[inner.keyword].copy()
            copied[inner.keyword][inner.key] = value
