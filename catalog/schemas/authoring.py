"""What an author of a schema or an example is told: every mistake with its JSON pointer and line."""

from __future__ import annotations

from catalog.schemas.text import Mistake, NotJson, located, parse
from catalog.schemas.validator import SchemaRefused, compile_schema


def check_schema(text: str) -> list[Mistake]:
    """Everything that keeps `text` from being a schema we can use; empty when it is one."""
    try:
        compile_schema(text)
    except SchemaRefused as error:
        return error.mistakes
    return []


def check_example(schema_text: str, example: str) -> list[Mistake]:
    """How `example` (JSON text) does not fit the schema; empty when it does, or when the schema itself is wrong."""
    try:
        value = parse(example)
    except NotJson as error:
        return [error.mistake]
    try:
        validator = compile_schema(schema_text)
    except SchemaRefused:
        return []
    return [located(example, found.pointer, found.message) for found in validator.errors(value)]
