"""Why a value does not fit a schema, as sentences for people."""

from __future__ import annotations

import json
from typing import Any

from jsonschema.exceptions import ValidationError as AuthorError
from jsonschema_rs import ValidationError, ValidationErrorKind

from catalog.said import joined, said

_TYPES = {
    "dict": said("an object"),
    "list": said("an array"),
    "str": said("text"),
    "bool": said("true or false"),
    "NoneType": said("null"),
}


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "…"


def _word(value: Any) -> str:
    return _TYPES.get(type(value).__name__, said("a number"))


def sentence(error: ValidationError) -> str:
    """What is wrong, in words, at most 500 characters."""
    text = _sentence(error)
    return text if len(text) <= 500 else text[:499] + "…"


def _sentence(error: ValidationError) -> str:
    # `kind` is jsonschema-rs's typed description of the failed keyword.
    kind: Any = error.kind
    value: Any = error.instance
    match kind.name:
        case "required":
            return said("“%(name)s” is missing.", name=kind.property)
        case "type":
            wanted = joined(kind.types, said(" or ")) if isinstance(kind.types, list) else str(kind.types)
            if value is None:
                return said("Must be %(wanted)s, is %(kind)s.", wanted=wanted, kind=_word(value))
            return _other_type(wanted, value)
        case "additionalProperties" | "unevaluatedProperties":
            names = ", ".join(f"“{name}”" for name in kind.unexpected)
            if len(kind.unexpected) == 1:
                return said("%(name)s is not part of the schema.", name=names)
            return said("%(names)s are not part of the schema.", names=names)
        case "enum":
            return _no_option(kind.options, value)
        case "const":
            return said(
                "Must be %(wanted)s, is %(value)s.", wanted=_shown(kind.expected_value), value=_shown(value)
            )
        case "format":
            return said("%(value)s is no %(format)s.", value=_shown(value), format=kind.format)
        case "pattern":
            return said(
                "%(value)s does not match the pattern %(pattern)s.", value=_shown(value), pattern=kind.pattern
            )
        case "minimum":
            return said("Must be at least %(limit)s, is %(value)s.", limit=kind.limit, value=_shown(value))
        case "maximum":
            return said("Must be at most %(limit)s, is %(value)s.", limit=kind.limit, value=_shown(value))
        case "exclusiveMinimum":
            return said("Must be more than %(limit)s, is %(value)s.", limit=kind.limit, value=_shown(value))
        case "exclusiveMaximum":
            return said("Must be less than %(limit)s, is %(value)s.", limit=kind.limit, value=_shown(value))
        case "minLength" | "minItems" | "minProperties" if kind.limit == 1:
            return said("Must not be empty.")
        case "minLength":
            return said(
                "Must have at least %(limit)s characters, is %(value)s.",
                limit=kind.limit,
                value=_shown(value),
            )
        case "maxLength":
            return said("Must have at most %(limit)s characters, has %(n)s.", limit=kind.limit, n=len(value))
        case "minItems":
            return said("Must have at least %(limit)s entries, has %(n)s.", limit=kind.limit, n=len(value))
        case "maxItems":
            return said("Must have at most %(limit)s entries, has %(n)s.", limit=kind.limit, n=len(value))
        case "minProperties":
            return said("Must have at least %(limit)s members, has %(n)s.", limit=kind.limit, n=len(value))
        case "maxProperties":
            return said("Must have at most %(limit)s members, has %(n)s.", limit=kind.limit, n=len(value))
        case "uniqueItems":
            return said("An entry stands in it twice.")
        case "oneOf" if isinstance(kind, ValidationErrorKind.OneOfMultipleValid):
            return said("Fits more than one of the alternatives: %(value)s.", value=_shown(value))
        case "oneOf" | "anyOf":
            return said("Fits none of the alternatives: %(value)s.", value=_shown(value))
        case "propertyNames":
            return said("A name in it is not allowed: %(why)s.", why=kind.error.message)
        case "falseSchema":
            return said("Nothing is allowed here: %(value)s.", value=_shown(value))
    message: str = error.message
    return message if len(message) <= 200 else message[:197] + "…"


def _other_type(wanted: str, value: Any) -> str:
    return said(
        "Must be %(wanted)s, is %(kind)s: %(value)s.", wanted=wanted, kind=_word(value), value=_shown(value)
    )


def _no_option(options: Any, value: Any) -> str:
    shown = ", ".join(_shown(option) for option in options[:12])
    return said("Must be one of %(options)s, is %(value)s.", options=shown, value=_shown(value))


def meta_sentence(error: AuthorError) -> str:
    """What jsonschema finds wrong in a part of a schema, in words."""
    match error.validator:
        case "anyOf" | "oneOf" if all(one.validator == "type" for one in error.context):
            kinds: list[Any] = [one.validator_value for one in error.context]
            flat = [name for one in kinds for name in (one if isinstance(one, list) else [one])]
            return _other_type(joined(flat, said(" or ")), error.instance)
        case "type":
            wanted = error.validator_value
            names = joined(wanted, said(" or ")) if isinstance(wanted, list) else str(wanted)
            return _other_type(names, error.instance)
        case "minItems" | "minProperties":
            return said("Must have at least %(limit)s entries.", limit=error.validator_value)
        case "uniqueItems":
            return said("An entry stands in it twice.")
        case "enum":
            values: Any = error.validator_value
            return _no_option(values, error.instance)
    message: str = error.message
    return message if len(message) <= 200 else message[:197] + "…"
