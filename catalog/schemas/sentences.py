"""Why a value does not fit a schema, as sentences for people."""

from __future__ import annotations

import json
from typing import Any

from jsonschema.exceptions import ValidationError as AuthorError
from jsonschema_rs import ValidationError, ValidationErrorKind

_TYPES = {"dict": "an object", "list": "an array", "str": "text", "bool": "true or false", "NoneType": "null"}


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "…"


def _word(value: Any) -> str:
    return _TYPES.get(type(value).__name__, "a number")


def sentence(error: ValidationError) -> str:
    """What is wrong, in words, at most 500 characters."""
    said = _sentence(error)
    return said if len(said) <= 500 else said[:499] + "…"


def _sentence(error: ValidationError) -> str:
    # `kind` is jsonschema-rs's typed description of the failed keyword.
    kind: Any = error.kind
    value: Any = error.instance
    match kind.name:
        case "required":
            return f"“{kind.property}” is missing."
        case "type":
            wanted = " or ".join(kind.types) if isinstance(kind.types, list) else str(kind.types)
            return f"Must be {wanted}, is {_word(value)}" + ("." if value is None else f": {_shown(value)}.")
        case "additionalProperties" | "unevaluatedProperties":
            names = ", ".join(f"“{name}”" for name in kind.unexpected)
            return f"{names} {'is' if len(kind.unexpected) == 1 else 'are'} not part of the schema."
        case "enum":
            return f"Must be one of {', '.join(_shown(option) for option in kind.options[:12])}, is {_shown(value)}."
        case "const":
            return f"Must be {_shown(kind.expected_value)}, is {_shown(value)}."
        case "format":
            return f"{_shown(value)} is no {kind.format}."
        case "pattern":
            return f"{_shown(value)} does not match the pattern {kind.pattern}."
        case "minimum":
            return f"Must be at least {kind.limit}, is {_shown(value)}."
        case "maximum":
            return f"Must be at most {kind.limit}, is {_shown(value)}."
        case "exclusiveMinimum":
            return f"Must be more than {kind.limit}, is {_shown(value)}."
        case "exclusiveMaximum":
            return f"Must be less than {kind.limit}, is {_shown(value)}."
        case "minLength":
            return f"Must have at least {kind.limit} characters, is {_shown(value)}."
        case "maxLength":
            return f"Must have at most {kind.limit} characters, has {len(value)}."
        case "minItems":
            return f"Must have at least {kind.limit} entries, has {len(value)}."
        case "maxItems":
            return f"Must have at most {kind.limit} entries, has {len(value)}."
        case "minProperties":
            return f"Must have at least {kind.limit} members, has {len(value)}."
        case "maxProperties":
            return f"Must have at most {kind.limit} members, has {len(value)}."
        case "uniqueItems":
            return "An entry stands in it twice."
        case "oneOf" if isinstance(kind, ValidationErrorKind.OneOfMultipleValid):
            return f"Fits more than one of the alternatives: {_shown(value)}."
        case "oneOf" | "anyOf":
            return f"Fits none of the alternatives: {_shown(value)}."
        case "propertyNames":
            return f"A name in it is not allowed: {kind.error.message}."
        case "falseSchema":
            return f"Nothing is allowed here: {_shown(value)}."
    message: str = error.message
    return message if len(message) <= 200 else message[:197] + "…"


def meta_sentence(error: AuthorError) -> str:
    """What jsonschema finds wrong in a part of a schema, in words."""
    match error.validator:
        case "anyOf" | "oneOf" if all(one.validator == "type" for one in error.context):
            kinds: list[Any] = [one.validator_value for one in error.context]
            flat = [name for one in kinds for name in (one if isinstance(one, list) else [one])]
            return f"Must be {' or '.join(flat)}, is {_word(error.instance)}: {_shown(error.instance)}."
        case "type":
            wanted = error.validator_value
            names = " or ".join(wanted) if isinstance(wanted, list) else str(wanted)
            return f"Must be {names}, is {_word(error.instance)}: {_shown(error.instance)}."
        case "minItems" | "minProperties":
            return f"Must have at least {error.validator_value} entries."
        case "uniqueItems":
            return "An entry stands in it twice."
        case "enum":
            values: Any = error.validator_value
            options = ", ".join(_shown(option) for option in values[:12])
            return f"Must be one of {options}, is {_shown(error.instance)}."
    message: str = error.message
    return message if len(message) <= 200 else message[:197] + "…"
