"""Compiles a registered JSON Schema and validates event data with it: bounded in time whatever the author wrote.

jsonschema-rs with a retriever that refuses everything and a linear regular expression engine of limited size. What it
does not bound itself, repeated work and stack, is counted when the schema is compiled (see catalog.schemas.cost).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import jsonschema_rs
from jsonschema_rs import RegexOptions, ValidationError

from catalog.schemas.causes import cause, place
from catalog.schemas.checks import check_parsed, too_large
from catalog.schemas.cost import STEPS, Cost
from catalog.schemas.dialects import DIALECTS, dialect_of
from catalog.schemas.limits import LEVELS
from catalog.schemas.sentences import sentence
from catalog.schemas.text import Lines, Mistake, NotJson, depth, parse, pointer_of

SHOWN = 20
# jsonschema-rs finds all errors before it tells the first: 20,000 took 0.5 s, 200,000 took 11 s. And it copies what
# every alternative said, for each alternative around it: 128 within each other took 0.02 s, 2,560 took 2 s, and
# 16,000 ended the process.
EXPLAINED_STEPS = 10_000
EXPLAINED_ALTERNATIVES = 500
_NOT_EXPLAINED = (
    "Does not fit the schema. It holds too many alternatives within each other to say which one is closest."
)
_TOO_MUCH = "Cannot be checked: with this schema, a value so large or so deeply nested would take too long."


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
    """A compiled schema. Values are what a JSON parser gives; it may be shared by threads.

    A value that would take more than `cost.STEPS` steps (about a second) counts as one that does not fit.
    """

    __slots__ = ("_compiled", "_cost", "_guarded")

    def __init__(self, compiled: Any, cost: Cost) -> None:
        self._compiled = compiled
        self._cost = cost
        self._guarded = cost.guarded

    def is_valid(self, value: Any) -> bool:
        """Whether `value` fits; stops at the first thing that does not."""
        if self._guarded and self._cost.of(value) > STEPS:
            return False
        try:
            return bool(self._compiled.is_valid(value))
        except ValueError:  # nested deeper than jsonschema-rs reads, 255 levels
            return False

    def refuses(self, value: Any) -> bool:
        """Whether the schema itself says no to `value`; False also for a value that cannot be checked."""
        if self._guarded and self._cost.of(value) > STEPS:
            return False
        try:
            return not self._compiled.is_valid(value)
        except ValueError:  # as in is_valid
            return False

    def iter_errors(self, value: Any) -> Iterator[ValidationError]:
        """The engine's own errors, with kind and path; only for a value that `explains`."""
        found: Iterator[ValidationError] = self._compiled.iter_errors(value)
        return found

    def explains(self, value: Any) -> bool:
        """Whether all errors of `value` can be asked for in bounded time."""
        return (
            self._cost.of(value) <= EXPLAINED_STEPS
            and self._cost.alternatives * depth(value, 256) <= EXPLAINED_ALTERNATIVES
        )

    def errors(self, value: Any) -> list[Violation]:
        """The first 20 ways in which `value` does not fit, or the first one of a large value; empty when it does."""
        steps = self._cost.of(value)
        if self._guarded and steps > STEPS:
            return [_whole(_TOO_MUCH)]
        many = steps > EXPLAINED_STEPS
        alternatives = self._cost.alternatives
        if alternatives and (many or alternatives * depth(value, 256) > EXPLAINED_ALTERNATIVES):
            return [] if self.is_valid(value) else [_whole(_NOT_EXPLAINED)]
        try:
            found = self._first(value) if many else self._compiled.iter_errors(value)
            violations = [
                Violation(
                    pointer_of(list(error.instance_path)),
                    sentence(error),
                    place(error.instance_path),
                    cause(error),
                )
                for error in islice(found, SHOWN)
            ]
        except ValueError:  # as in is_valid
            violations = []
        if violations or self.is_valid(value):
            return violations
        return [_whole("Cannot be checked: it is nested too deeply.")]

    def _first(self, value: Any) -> Iterator[ValidationError]:
        try:
            self._compiled.validate(value)
        except ValidationError as error:
            yield error


def _whole(message: str) -> Violation:
    """One about the value as a whole, which quotes nothing of it."""
    return Violation("", message, "", message)


def compile_schema(text: str, resources: Mapping[str, Any] | None = None) -> Validator:
    """The validator of JSON Schema `text`. Raises SchemaRefused with every mistake found.

    resources: schemas by their URI that references may name besides what is in the text. Only conformance tests give
    them; without, a reference stays inside the text.
    """
    if mistakes := too_large(text):
        raise SchemaRefused(mistakes)
    try:
        schema = parse(text, LEVELS)
    except NotJson as error:
        raise SchemaRefused([error.mistake]) from None
    lines = Lines(text)
    resources = resources or {}
    mistakes, cost = check_parsed(schema, lines, resources)
    if cost is None:
        raise SchemaRefused(mistakes)
    dialect = dialect_of(schema)
    assert dialect is not None
    try:
        return Validator(
            DIALECTS[dialect].compile(
                schema,
                retriever=_from(resources),
                validate_formats=True,
                pattern_options=RegexOptions(size_limit=1 << 20, dfa_size_limit=1 << 20),
            ),
            cost,
        )
    except ValidationError as error:
        raise SchemaRefused([_uncompilable(lines, error)]) from None
    except (jsonschema_rs.ReferencingError, ValueError, RecursionError) as error:
        raise SchemaRefused([Mistake(f"This schema cannot be used: {str(error).splitlines()[0]}")]) from None


def _from(resources: Mapping[str, Any]) -> Callable[[str], Any]:
    """A retriever that knows nothing but `resources`."""

    def retrieve(uri: str) -> Any:
        if uri not in resources:
            raise ValueError(f"{uri} is not part of this schema")
        return resources[uri]

    return retrieve


def _uncompilable(lines: Lines, error: ValidationError) -> Mistake:
    pointer = pointer_of(list(error.instance_path))
    message = error.message.splitlines()[0]
    if pointer.endswith("/pattern") or "/patternProperties" in pointer or 'is not a "regex"' in message:
        message = (
            f"{message.split(' is not a ')[0]} is no regular expression that always ends in time. "
            "Look-around and back-references are not supported."
        )
    elif message.startswith("Pointer"):
        message = f"A $ref points to nothing: {message}."
    return Mistake(message, pointer, lines.of(pointer))
