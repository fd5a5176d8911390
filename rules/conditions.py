"""A pattern as rows of path, method and values, both ways. The editor shows rows, the engine wants the pattern.

Rows hold all together; those of a group ("any of these") hold when one of its alternatives does. What rows cannot
show raises NotRows, with the reason, and stays JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from rules.numbers import parse_comparisons, problem_in, write_comparisons
from rules.pattern_text import TYPE, TYPE_KEYS, our_path
from rules.values import QUOTE, parse_values, unclosed, write_values

OPERATORS = {
    "prefix": "prefix",
    "suffix": "suffix",
    "contains": "contains",
    "ignore-case": "equals-ignore-case",
    "wildcard": "wildcard",
    "ip": "cidr",
    "exactly": "exactly",
}
"""Methods that are one operator of the pattern, one operator object per value."""
NEGATED = {
    "not-prefix": "prefix",
    "not-suffix": "suffix",
    "not-contains": "contains",
    "not-ignore-case": "equals-ignore-case",
    "not-wildcard": "wildcard",
    "not-ip": "cidr",
}
"""Methods that are an operator inside `anything-but`: none of the values may hold."""

# In the order they are offered. RARE ones are offered only where a row has one already.
METHODS = (
    "is", "not", "prefix", "not-prefix", "suffix", "not-suffix", "contains", "not-contains", "ignore-case",
    "wildcard", "number", "ip", "present", "absent", "null",
)  # fmt: skip
RARE = ("not-ignore-case", "not-wildcard", "not-ip", "exactly")
VALUELESS = frozenset({"present", "absent", "null"})


class Row(NamedTuple):
    """One condition as a person wrote it: `values` is text, several values with commas between.

    `place` is "" for a row that must hold, else "GROUP.ALTERNATIVE", two numbers.
    """

    path: str
    method: str
    values: str
    place: str = ""

    @property
    def group(self) -> str:
        """The number of its group, "" for none."""
        return self.place.partition(".")[0]

    @property
    def is_valueless(self) -> bool:
        """Whether its method takes no values."""
        return self.method in VALUELESS


class RowError(ValueError):
    """What is wrong with row `index`, in a sentence."""

    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index, self.message = index, message


class NotRows(ValueError):
    """Why a pattern cannot be shown as rows, in a sentence."""


class Written(NamedTuple):
    """A pattern, and the index of the row that each of its lists came from, by JSON pointer."""

    pattern: dict[str, Any]
    pointers: dict[str, int]

    def row_of(self, pointer: str) -> int | None:
        """The row that wrote what `pointer` points at or into."""
        steps = pointer.split("/")
        for size in range(len(steps), 0, -1):
            if (index := self.pointers.get("/".join(steps[:size]))) is not None:
                return index
        return None


def to_pattern(
    types: Iterable[str], rows: Iterable[Row], kinds: Mapping[str, str], key: str = TYPE
) -> dict[str, Any]:
    """The pattern that listens to `types` (all when empty) and keeps what meets every row; see `write`."""
    return write(types, rows, kinds, key).pattern


def write(types: Iterable[str], rows: Iterable[Row], kinds: Mapping[str, str], key: str = TYPE) -> Written:
    """The pattern that listens to `types` (all when empty) and keeps what meets every row and group.

    `key`: what the pattern calls the type, one of TYPE_KEYS. `kinds`: JSON types of known paths; where a string is
    known, 12 means "12". Rows without a path are left out, and
    so are alternatives without rows; a group of one alternative is the same as its rows. Raises RowError.
    """
    written = Written({}, {})
    if listed := list(types):
        written.pattern[key] = listed
    filled = [(index, row) for index, row in enumerate(rows) if row.path.strip()]
    groups: dict[str, dict[str, list[tuple[int, Row]]]] = {}
    for index, row in filled:
        if row.place:
            groups.setdefault(row.group, {}).setdefault(row.place, []).append((index, row))
    done: set[str] = set()
    for index, row in filled:
        alternatives = list(groups[row.group].values()) if row.place else []
        if len(alternatives) < 2:
            _put(written, written.pattern, "", row.path.strip().split("."), index, row, kinds)
        elif row.group not in done:
            done.add(row.group)
            _put_group(written, alternatives, kinds)
    return written


def _put_group(
    written: Written, alternatives: Sequence[Sequence[tuple[int, Row]]], kinds: Mapping[str, str]
) -> None:
    """Writes $or at the top, or, when there is one already, as deep as all of its paths go together."""
    index = alternatives[0][0][0]
    paths = [row.path.strip().split(".") for rows in alternatives for _index, row in rows]
    at, pointer, depth = written.pattern, "", 0
    while "$or" in at:
        names = {path[depth] if depth + 1 < len(path) else "" for path in paths}
        name = names.pop()
        inner = at.setdefault(name, {}) if name and not names else None
        if not isinstance(inner, dict):
            raise RowError(
                index,
                _("Two groups of these cannot stand in one pattern. Put them into one, or write JSON."),
            )
        at, pointer, depth = inner, f"{pointer}/{_step(name)}", depth + 1
    listed: list[dict[str, Any]] = []
    at["$or"] = listed
    for number, rows in enumerate(alternatives):
        branch: dict[str, Any] = {}
        listed.append(branch)
        for place, row in rows:
            names_below = row.path.strip().split(".")[depth:]
            _put(written, branch, f"{pointer}/$or/{number}", names_below, place, row, kinds)


def _put(
    written: Written,
    into: dict[str, Any],
    pointer: str,
    names: Sequence[str],
    index: int,
    row: Row,
    kinds: Mapping[str, str],
) -> None:
    path = row.path.strip()
    at = into
    for name in names[:-1]:
        at = at.setdefault(name, {})
        if not isinstance(at, dict):
            raise RowError(
                index,
                _("%(path)s lies inside a field that another row already asks for.") % {"path": path},
            )
    if (
        pointer == ""
        and path in TYPE_KEYS
        and any(key in at and f"/{key}" not in written.pointers for key in TYPE_KEYS)
    ):
        raise RowError(
            index, _("The event types above already say it. Remove them, or remove this condition.")
        )
    if names[-1] in at:
        raise RowError(
            index,
            _("%(path)s is in two rows. Put its values into one row, with commas between them.")
            % {"path": path},
        )
    at[names[-1]] = _alternatives(index, row, kinds.get(our_path(path)))
    written.pointers["/".join([pointer, *map(_step, names)])] = index


def _step(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _alternatives(index: int, row: Row, kind: str | None) -> list[Any]:
    method = row.method
    if method in ("present", "absent"):
        return [{"exists": method == "present"}]
    if method == "null":
        return [None]
    if method == "number":
        if wrong := problem_in(row.values):
            raise RowError(index, wrong)
        return list(parse_comparisons(row.values) or ())
    if method not in METHODS and method not in RARE:
        raise RowError(index, _("There is no method “%(method)s”.") % {"method": method})
    if open_one := unclosed(row.values):
        raise RowError(
            index,
            _("The quote in %(token)s is not closed. Close it, as in %(mended)s, or leave quotes out.")
            % {"token": open_one, "mended": json.dumps(open_one.strip(QUOTE), ensure_ascii=False)},
        )
    plain = method in ("is", "not")
    values = parse_values(row.values, kind if plain else "string")
    if not values:
        raise RowError(index, _("Write a value, or several with commas between them."))
    if plain and kind in ("number", "integer"):
        for value in values:
            if isinstance(value, str):
                raise RowError(
                    index,
                    _("This field is a number, and “%(value)s” is not one. For ≥ or a range choose “number”.")
                    % {"value": value},
                )
    if method == "is":
        return values
    if method == "not":
        return [{"anything-but": values}]
    if method in NEGATED:
        return [{"anything-but": {NEGATED[method]: values if len(values) > 1 else values[0]}}]
    return [{OPERATORS[method]: value} for value in values]


def from_pattern(pattern: Mapping[str, Any]) -> tuple[list[str], list[Row]]:
    """The types and rows of a pattern. Raises NotRows."""
    types: list[str] = []
    rows: list[Row] = []
    groups = 0
    for path, value in _leaves(pattern, ""):
        if path == "$or" or path.endswith(".$or"):
            rows += _group(path[: -len("$or")], value, groups)
            groups += 1
        elif path in TYPE_KEYS and all(isinstance(one, str) for one in value) and not types:
            types = list(value)
        else:
            rows.append(_row(path, value))
    return types, rows


def same(one: tuple[list[str], list[Row]], other: tuple[list[str], list[Row]]) -> bool:
    """Whether two answers of `from_pattern` ask for the same, in whatever order."""
    return sorted(one[0]) == sorted(other[0]) and _unordered(one[1]) == _unordered(other[1])


def _unordered(rows: Iterable[Row]) -> tuple[list[Row], list[list[list[Row]]]]:
    plain: list[Row] = []
    groups: dict[str, dict[str, list[Row]]] = {}
    for row in rows:
        if row.place:
            bare = row._replace(place="")
            groups.setdefault(row.group, {}).setdefault(row.place, []).append(bare)
        else:
            plain.append(row)
    listed = [sorted(sorted(rows) for rows in group.values()) for group in groups.values()]
    return sorted(plain), sorted(listed)


def _leaves(pattern: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, list[Any]]]:
    for name, value in pattern.items():
        path = f"{prefix}.{name}" if prefix else name
        if isinstance(value, dict):
            yield from _leaves(value, path)
        else:
            yield path, value if isinstance(value, list) else [value]


def _group(prefix: str, alternatives: list[Any], group: int) -> Iterator[Row]:
    if len(alternatives) < 2 or not all(isinstance(one, dict) and one for one in alternatives):
        raise NotRows(_("`$or` needs two alternatives or more."))
    for number, alternative in enumerate(alternatives):
        for path, value in _leaves(alternative, prefix.rstrip(".")):
            if path.endswith("$or"):
                raise NotRows(_("One “any of these” stands inside another."))
            yield _row(path, value)._replace(place=f"{group}.{number}")


def _row(path: str, alternatives: list[Any]) -> Row:
    if not alternatives:
        raise NotRows(_("%(path)s has an empty list.") % {"path": path})
    if alternatives == [None]:
        return Row(path, "null", "")
    if all(not isinstance(value, dict | list) for value in alternatives):
        return Row(path, "is", write_values(alternatives))
    names = {
        next(iter(value)) if isinstance(value, dict) and len(value) == 1 else "" for value in alternatives
    }
    if len(names) != 1 or "" in names:
        raise NotRows(_("%(path)s mixes several methods in one list.") % {"path": path})
    name = names.pop()
    row = _operator_row(path, name, [next(iter(value.values())) for value in alternatives])
    if row is None:
        raise NotRows(
            _("%(path)s uses `%(name)s` in a way that no method of a condition has.")
            % {"path": path, "name": name}
        )
    return row


def _operator_row(path: str, name: str, wanted: list[Any]) -> Row | None:
    if name == "exists":
        known = len(wanted) == 1 and isinstance(wanted[0], bool)
        return Row(path, "present" if wanted[0] else "absent", "") if known else None
    if name == "numeric":
        if not all(isinstance(one, list) for one in wanted):
            return None
        text = write_comparisons(wanted)
        return None if text is None else Row(path, "number", text)
    if name == "anything-but":
        return _negated_row(path, wanted[0]) if len(wanted) == 1 else None
    method = next((method for method, operator in OPERATORS.items() if operator == name), None)
    if method is None or not all(isinstance(value, str) for value in wanted):
        return None
    return Row(path, method, write_values(wanted, plain=True))


def _negated_row(path: str, but: Any) -> Row | None:
    if isinstance(but, dict):
        [(name, inner)] = but.items() if len(but) == 1 else [("", None)]
        method = next((method for method, operator in NEGATED.items() if operator == name), None)
        values = inner if isinstance(inner, list) else [inner]
        if method is None or not values or not all(isinstance(value, str) for value in values):
            return None
        return Row(path, method, write_values(values, plain=True))
    values = but if isinstance(but, list) else [but]
    if not values or any(isinstance(value, dict | list) for value in values):
        return None
    return Row(path, "not", write_values(values))


def types_in_words(rows: Iterable[Row]) -> str:
    """What a condition on the type says when types are not named one by one: "order.…"; empty without one."""
    marks = {"prefix": "%s…", "suffix": "…%s", "contains": "…%s…", "wildcard": "%s"}
    return ", ".join(
        marks[row.method] % row.values
        for row in rows
        if row.path in TYPE_KEYS and row.method in marks and not row.place
    )
