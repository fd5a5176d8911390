"""What an author of a schema or an example is told: every mistake with its JSON pointer and line."""

from __future__ import annotations

from functools import lru_cache

from catalog.schemas.text import Mistake, NotJson, located, parse
from catalog.schemas.validator import SchemaRefused, Validator, compile_schema

# Every key that is pressed in an example asks for the same schema again; the largest took 0.2 s to compile.
KEPT = 8


def check_schema(text: str) -> list[Mistake]:
    """Everything that keeps `text` from being a schema we can use; empty when it is one."""
    found = _compiled(text)
    return list(found.mistakes) if isinstance(found, SchemaRefused) else []


def check_example(schema_text: str, example: str) -> list[Mistake]:
    """How `example` (JSON text) does not fit the schema; empty when it does, or when the schema itself is wrong."""
    try:
        value = parse(example)
    except NotJson as error:
        return [error.mistake]
    validator = _compiled(schema_text)
    if isinstance(validator, SchemaRefused):
        return []
    return [located(example, found.pointer, found.message) for found in validator.errors(value)]


@lru_cache(maxsize=KEPT)
def _compiled(text: str) -> Validator | SchemaRefused:
    try:
        return compile_schema(text)
    except SchemaRefused as error:
        return error
