"""The three types of CESQL, their zero values and the casts between them (CESQL §3.1, §3.7)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

Value = str | int | bool
"""A string, a 32-bit integer or a boolean."""

MIN_INTEGER = -(2**31)
MAX_INTEGER = 2**31 - 1


class Type(Enum):
    """A type; the value says in a sentence what is wanted of it."""

    STRING = "a string"
    INTEGER = "a whole number"
    BOOLEAN = "true or false"


ZERO: dict[Type, Value] = {Type.STRING: "", Type.INTEGER: 0, Type.BOOLEAN: False}

_PYTHON_TYPES: dict[type, Type] = {str: Type.STRING, int: Type.INTEGER, bool: Type.BOOLEAN}


class CastFailed(Exception):
    """The value has no counterpart in the type asked for."""


def type_of(value: Value) -> Type:
    return _PYTHON_TYPES[type(value)]


def read_attribute(attributes: Mapping[str, Any], name: str) -> Value | None:
    """An attribute as CESQL sees it, None when it is missing: what is no boolean or 32-bit integer is a string (§3.2)."""
    raw = attributes.get(name)
    if raw is None or type(raw) is str or isinstance(raw, bool):
        return raw
    if isinstance(raw, int) and MIN_INTEGER <= raw <= MAX_INTEGER:
        return int(raw)
    try:
        return str(raw)
    except (
        ValueError
    ):  # an integer of more than 4,300 digits has no text in Python, and is no CloudEvents attribute
        return None


def to_string(value: Value) -> str:
    """Never fails: true, false, or the number in base 10."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


_INTEGER = re.compile(r"([+-]?)0*([0-9]{1,10})")


def to_integer(value: Value) -> int:
    """true is 1, false is 0; a string may have a sign. Raises CastFailed when it is no 32-bit integer in base 10."""
    if not isinstance(value, str):
        return int(value)
    found = _INTEGER.fullmatch(value)
    if found is not None:
        number = int(found[1] + found[2])
        if MIN_INTEGER <= number <= MAX_INTEGER:
            return number
    raise CastFailed


def to_boolean(value: Value) -> bool:
    """0 is false, other integers are true; a string must be true or false, in any case. Raises CastFailed."""
    if not isinstance(value, str):
        return value != 0
    lower = value.lower()
    if lower == "true":
        return True
    if lower == "false":
        return False
    raise CastFailed


def cast(value: Value, target: Type) -> Value:
    """The value in another type. Raises CastFailed."""
    if target is Type.STRING:
        return to_string(value)
    if target is Type.INTEGER:
        return to_integer(value)
    return to_boolean(value)
