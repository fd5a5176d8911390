"""Why a value does not fit a schema, without the value: what is counted and kept must hold no data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from jsonschema_rs import ValidationError, ValidationErrorKind

_TYPES = {"dict": "an object", "list": "an array", "str": "text", "bool": "true or false", "NoneType": "null"}
# What a field is called; a name like "lin@example.org" is a value that somebody used as a key.
_FIELD = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]{0,39}")
_SHOWN = 12


def cause(error: ValidationError) -> str:
    """What the schema asks for, in a sentence that quotes the schema alone and names fields, never values."""
    kind: Any = error.kind
    match kind.name:
        case "required":
            return f"“{_cut(kind.property)}” is missing."
        case "type":
            wanted = " or ".join(kind.types) if isinstance(kind.types, list) else str(kind.types)
            return f"Must be {wanted}, is {_TYPES.get(type(error.instance).__name__, 'a number')}."
        case "additionalProperties" | "unevaluatedProperties":
            return _unexpected(kind.unexpected)
        case "enum":
            return f"Must be one of {', '.join(map(_constant, kind.options[:_SHOWN]))}."
        case "const":
            return f"Must be {_constant(kind.expected_value)}."
        case "format":
            return f"Is no {kind.format}."
        case "pattern":
            return f"Does not match the pattern {_cut(kind.pattern)}."
        case "minimum":
            return f"Must be at least {kind.limit}."
        case "maximum":
            return f"Must be at most {kind.limit}."
        case "exclusiveMinimum":
            return f"Must be more than {kind.limit}."
        case "exclusiveMaximum":
            return f"Must be less than {kind.limit}."
        case "minLength" | "minItems" if kind.limit == 1:
            return "Must not be empty."
        case "minLength":
            return f"Must have at least {kind.limit} characters."
        case "maxLength":
            return f"Must have at most {kind.limit} characters."
        case "minItems":
            return f"Must have at least {kind.limit} entries."
        case "maxItems":
            return f"Must have at most {kind.limit} entries."
        case "uniqueItems":
            return "An entry stands in it twice."
        case "oneOf" if isinstance(kind, ValidationErrorKind.OneOfMultipleValid):
            return "Fits more than one of the alternatives."
        case "oneOf" | "anyOf":
            return "Fits none of the alternatives."
        case "propertyNames":
            return "A name in it is not allowed."
        case "falseSchema":
            return "Nothing is allowed here."
    return f"Does not fit “{kind.name}”."


def place(path: Iterable[str | int]) -> str:
    """The pointer (RFC 6901) of `path`, with [] for every place in a list and {} for names that look like values."""
    return "".join(f"/{_part(part)}" for part in path)


def _part(part: str | int) -> str:
    if isinstance(part, int):
        return "[]"
    return part if _FIELD.fullmatch(part) else "{}"


def _unexpected(names: list[str]) -> str:
    fields = [f"“{name}”" for name in sorted(names) if _FIELD.fullmatch(name)]
    if len(fields) != len(names) or len(fields) > 3:
        return "Has fields that are not part of the schema."
    return f"{', '.join(fields)} {'is' if len(fields) == 1 else 'are'} not part of the schema."


def _constant(value: Any) -> str:
    return _cut(json.dumps(value, ensure_ascii=False, default=str))


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
