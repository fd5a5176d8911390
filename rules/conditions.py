"""A pattern as rows of path, method and values, both ways. Pure; the editor shows rows, the engine wants the pattern."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

# The methods of rows, in the order they are offered. Those without a value come last.
METHODS = ("is", "prefix", "suffix", "present", "absent")
VALUELESS = frozenset({"present", "absent"})
_TOKEN = re.compile(r'\s*("(?:\\.|[^"\\])*"|[^,]*?)\s*(?:,|$)')


class Row(NamedTuple):
    """One condition as a person wrote it: `values` is text, several values with commas between."""

    path: str
    method: str
    values: str


class RowError(ValueError):
    """What is wrong with row `index`, in a sentence."""

    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index, self.message = index, message


def to_pattern(types: Iterable[str], rows: Iterable[Row], kinds: Mapping[str, str]) -> dict[str, Any]:
    """The pattern that listens to `types` (all when empty) and keeps what meets every row.

    `kinds`: JSON types of known paths; where a string is known, 12 means "12". Rows without a path are left out.
    Raises RowError.
    """
    pattern: dict[str, Any] = {}
    if listed := list(types):
        pattern["type"] = listed
    for index, row in enumerate(rows):
        path = row.path.strip()
        if not path:
            continue
        _put(pattern, path, _alternatives(index, row, kinds.get(path)), index)
    return pattern


def _alternatives(index: int, row: Row, kind: str | None) -> list[Any]:
    if row.method not in METHODS:
        raise RowError(index, f"There is no method {row.method!r}.")
    if row.method in VALUELESS:
        return [{"exists": row.method == "present"}]
    values = parse_values(row.values, kind if row.method == "is" else "string")
    if not values:
        raise RowError(index, "Write a value, or several with commas between them.")
    if row.method == "is":
        if kind in ("number", "integer"):
            for value in values:
                if isinstance(value, str):
                    raise RowError(index, f"This field is a number, and “{value}” is not one.")
        return values
    return [{row.method: value} for value in values]


def _put(pattern: dict[str, Any], path: str, alternatives: list[Any], index: int) -> None:
    *parents, last = path.split(".")
    at = pattern
    for name in parents:
        at = at.setdefault(name, {})
        if not isinstance(at, dict):
            raise RowError(index, f"{path} lies inside a field that another row already asks for.")
    if last in at:
        raise RowError(
            index, f"{path} is in two rows. Put its values into one row, with commas between them."
        )
    at[last] = alternatives


def from_pattern(pattern: Mapping[str, Any]) -> tuple[list[str], list[Row]] | None:
    """The types and rows of a pattern; None when rows cannot say it (one list with several methods)."""
    types: list[str] = []
    rows: list[Row] = []
    for path, alternatives in _leaves(pattern, ""):
        if path == "type" and all(isinstance(value, str) for value in alternatives):
            types = list(alternatives)
            continue
        row = _row(path, alternatives)
        if row is None:
            return None
        rows.append(row)
    return types, rows


def _leaves(pattern: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, list[Any]]]:
    for name, value in pattern.items():
        path = f"{prefix}.{name}" if prefix else name
        if isinstance(value, dict):
            yield from _leaves(value, path)
        else:
            yield path, value if isinstance(value, list) else [value]


def _row(path: str, alternatives: list[Any]) -> Row | None:
    if all(not isinstance(value, dict | list) for value in alternatives):
        return Row(path, "is", write_values(alternatives))
    names = {
        next(iter(value)) if isinstance(value, dict) and len(value) == 1 else "" for value in alternatives
    }
    if len(names) != 1 or "" in names:
        return None
    name = names.pop()
    wanted = [next(iter(value.values())) for value in alternatives]
    if name == "exists" and len(wanted) == 1 and isinstance(wanted[0], bool):
        return Row(path, "present" if wanted[0] else "absent", "")
    if name in ("prefix", "suffix") and all(isinstance(value, str) for value in wanted):
        return Row(path, name, write_values(wanted, plain=True))
    return None


def types_in_words(rows: Iterable[Row]) -> str:
    """What a condition on the type says when types are not named one by one: "order.…"; empty without one."""
    marks = {"prefix": "%s…", "suffix": "…%s"}
    return ", ".join(
        marks[row.method] % row.values for row in rows if row.path == "type" and row.method in marks
    )


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
    return value if read_back == [value] else json.dumps(value, ensure_ascii=False)
