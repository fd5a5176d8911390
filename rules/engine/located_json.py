"""JSON as people write it in an editor: where each value stands, and which keys were written twice."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_SPACE = re.compile(r"[ \t\n\r]*")
_SCALAR = re.compile(r"[^,\]}\s]+")


class Place(NamedTuple):
    """Where something stands in a text; both count from 1."""

    line: int
    column: int


class DuplicateKeys(ValueError):
    """Raised by `read`: an object holds a key twice. `pointers` are the JSON pointers of the repeats."""

    def __init__(self, pointers: list[str]) -> None:
        super().__init__("an object holds a key twice")
        self.pointers = pointers


def pointer_step(name: str) -> str:
    """`name` as one step of a JSON pointer, slash included (RFC 6901 §3)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def read(text: str) -> Any:
    """The value of JSON text. Raises json.JSONDecodeError (has lineno, colno), DuplicateKeys, RecursionError,
    or ValueError for NaN, Infinity and integers of more than 4,300 digits."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            raise DuplicateKeys([])
        return result

    try:
        return json.loads(text, object_pairs_hook=members, parse_constant=_refuse_constant)
    except DuplicateKeys:
        # The fast reader does not know where it is; the slow one runs only for the message, after a look
        # at the syntax of the whole text, which it takes for granted.
        json.loads(text, parse_constant=_refuse_constant)
        raise DuplicateKeys(locate(text)[1]) from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def locate(text: str) -> tuple[dict[str, Place], list[str]]:
    """(JSON pointer → place, pointers of keys written twice) of valid JSON text; a member's place is its key's.

    Raises RecursionError when the text is nested hundreds of levels deep.
    """
    places: dict[str, Place] = {}
    duplicates: list[str] = []
    line = 1
    counted = 0

    def skip_space(at: int) -> int:
        found = _SPACE.match(text, at)
        return found.end() if found else at

    def string_end(at: int) -> int:
        found = _STRING.match(text, at)
        assert found is not None
        return found.end()

    def note(pointer: str, at: int) -> None:
        nonlocal line, counted
        line += text.count("\n", counted, at)
        counted = at
        places[pointer] = Place(line, at - text.rfind("\n", 0, at))

    def value(pointer: str, at: int) -> int:
        opening = text[at]
        if opening == '"':
            return string_end(at)
        if opening not in "{[":
            scalar = _SCALAR.match(text, at)
            return scalar.end() if scalar else at + 1
        at = skip_space(at + 1)
        index = 0
        names: set[str] = set()
        while text[at] not in "}]":
            if text[at] == ",":
                at = skip_space(at + 1)
            if opening == "{":
                end = string_end(at)
                name: str = json.loads(text[at:end])
                inner = pointer + pointer_step(name)
                if name in names:
                    duplicates.append(inner)
                names.add(name)
                note(inner, at)
                at = skip_space(skip_space(end) + 1)
            else:
                inner = f"{pointer}/{index}"
                index += 1
                note(inner, at)
            at = skip_space(value(inner, at))
        return at + 1

    start = skip_space(0)
    note("", start)
    value("", start)
    return places, duplicates
