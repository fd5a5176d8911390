"""Compiles a registered JSON Schema and validates event data with it: bounded in time whatever the author wrote.

jsonschema-rs with a retriever that refuses everything and a linear regular expression engine of limited size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, NoReturn

import jsonschema_rs
from jsonschema_rs import RegexOptions, ValidationError

from catalog.schemas.causes import cause, place
from catalog.schemas.checks import check_parsed, too_large
from catalog.schemas.dialects import DIALECTS, dialect_of
from catalog.schemas.sentences import sentence
from catalog.schemas.text import Mistake, NotJson, located, parse, pointer_of

SHOWN = 20


@dataclass(frozen=True)
class Violation:
    """One way in which a value does not fit: `pointer` (RFC 6901, "" is the whole value) and a sentence for people.

    `place` and `cause` say the same without any of the value, as it may be kept and counted (catalog.schemas.causes).
    """

    pointer: str
    message: str
    place: str = ""
    cause: str = ""


class SchemaRefused(ValueError):
    """The text is no schema we can use; `mistakes` holds at least one Mistake."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("; ".join(str(mistake) for mistake in mistakes))
        self.mistakes = mistakes


class Validator:
    """A compiled schema. Values are what a JSON parser gives; it may be shared by threads."""

    __slots__ = ("_compiled",)

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled

    def is_valid(self, value: Any) -> bool:
        """Whether `value` fits; stops at the first thing that does not."""
        return bool(self._compiled.is_valid(value))

    def iter_errors(self, value: Any) -> Iterator[ValidationError]:
        """The errors as the engine gives them, with kinds and paths."""
        found: Iterator[ValidationError] = self._compiled.iter_errors(value)
        return found

    def errors(self, value: Any) -> list[Violation]:
        """The first 20 ways in which `value` does not fit; empty when it does."""
        return [
            Violation(
                pointer_of(list(error.instance_path)),
                sentence(error),
                place(error.instance_path),
                cause(error),
            )
            for error in islice(self.iter_errors(value), SHOWN)
        ]


def compile_schema(text: str) -> Validator:
    """The validator of JSON Schema `text`. Raises SchemaRefused with every mistake found."""
    if mistakes := too_large(text):
        raise SchemaRefused(mistakes)
    try:
        schema = parse(text)
    except NotJson as error:
        raise SchemaRefused([error.mistake]) from None
    if mistakes := check_parsed(schema, text):
        raise SchemaRefused(mistakes)
    return compile_parsed(schema, text)


def compile_parsed(schema: Any, text: str = "") -> Validator:
    """The validator of a schema that was checked before. Raises SchemaRefused; `text` gives its mistakes lines."""
    dialect = dialect_of(schema)
    assert dialect is not None
    try:
        return Validator(
            DIALECTS[dialect][1](
                schema,
                retriever=_refuse,
                validate_formats=True,
                pattern_options=RegexOptions(size_limit=1 << 20, dfa_size_limit=1 << 20),
            )
        )
    except ValidationError as error:
        raise SchemaRefused([_uncompilable(text, error)]) from None
    except (jsonschema_rs.ReferencingError, ValueError, RecursionError) as error:
        raise SchemaRefused([Mistake(f"This schema cannot be used: {str(error).splitlines()[0]}")]) from None


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is not part of this schema")


def _uncompilable(text: str, error: ValidationError) -> Mistake:
    pointer = pointer_of(list(error.instance_path))
    message = error.message.splitlines()[0]
    if pointer.endswith("/pattern") or "/patternProperties" in pointer or 'is not a "regex"' in message:
        message = (
            f"{message.split(' is not a ')[0]} is no regular expression that always ends in time. "
            "Look-around and back-references are not supported."
        )
    elif message.startswith("Pointer"):
        message = f"A $ref points to nothing: {message}."
    return located(text, pointer, message)
