"""The values of a condition as a person writes them, with commas between, and as JSON values. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

QUOTE = '"'
_TOKEN = re.compile(r'\s*("(?:\\.|[^"\\])*"|[^,]*?)\s*(?:,|$)')


def parse_values(text: str, kind: str | None) -> list[Any]:
    """The values written in `text`: JSON numbers, true, false and null as themselves, all else as strings.

    Quotes make a string of anything; with `kind` "string" everything is one.
    """
    values: list[Any] = []
    for token in _tokens(text):
        if len(token) > 1 and token[0] == token[-1] == '"':
            try:
                values.append(json.loads(token))
                continue
            except ValueError:
                pass
        values.append(token if kind == "string" else _literal(token))
    return values


def unclosed(text: str) -> str:
    """The first value that begins with a quote which does not end it; "" when there is none."""
    for token in _tokens(text):
        if token.startswith(QUOTE):
            try:
                json.loads(token)
            except ValueError:
                return token
    return ""


def _tokens(text: str) -> Iterable[str]:
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.end() == at:
            break
        at = found.end()
        if found[1]:
            yield found[1]


def _literal(token: str) -> Any:
    try:
        value = json.loads(token, parse_constant=lambda name: name)
    except ValueError:
        return token
    return token if isinstance(value, str | list | dict) else value


def write_values(values: Iterable[Any], plain: bool = False) -> str:
    """Values as text that `parse_values` reads back; `plain` when all of them are strings by their method."""
    return ", ".join(_write(value, plain) for value in values)


def _write(value: Any, plain: bool) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    read_back = parse_values(value, "string" if plain else None)
    # A quote alone reads back as itself, but would close with the next one of the list.
    alone = read_back == [value] and not value.startswith(QUOTE)
    return value if alone else json.dumps(value, ensure_ascii=False)
