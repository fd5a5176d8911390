"""Filters of the CloudEvents Subscriptions API (§3.2.4): exact, prefix, suffix, all, any, not and sql.

They look at attributes only, never at data; those that are no strings are compared as their CloudEvents text. All
filters of a list must hold; an empty list takes every event. Language and examples: docs/cesql.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rules.engine import cesql
from rules.engine.alternative import type_name
from rules.engine.cesql.conditions import (
    NOTHING_KNOWN,
    Atom,
    Branches,
    both,
    either,
    text_ends,
    text_is,
    text_starts,
)
from rules.engine.cesql.values import read_attribute, to_string
from rules.engine.event import Event
from rules.engine.located_json import DuplicateKeys, locate, pointer_step, read
from rules.engine.operators import NotUnderstood, check_text
from rules.engine.pattern_error import PatternError

MAX_BYTES = 64 * 1024
MAX_DEPTH = 32
MAX_CONDITIONS = 1_000
"""Conditions and filters, all together."""

DIALECTS = ("exact", "prefix", "suffix", "all", "any", "not", "sql")

Written = str | bytes | list[Any]


@dataclass(frozen=True, slots=True)
class Compared:
    """exact, prefix or suffix: every attribute named must be there and be, start or end so (case-sensitive)."""

    operator: str
    wanted: tuple[tuple[str, str], ...]  # (attribute, text)
    pointer: str


@dataclass(frozen=True, slots=True)
class Combined:
    """all or any of some filters."""

    operator: str
    filters: tuple[Filter, ...]
    pointer: str


@dataclass(frozen=True, slots=True)
class Negated:
    """not: the filter must not hold; it also holds for an event that lacks what the filter asks for."""

    filter: Filter
    pointer: str


@dataclass(frozen=True, slots=True)
class Sql:
    """sql: the expression must give the boolean true, without an error."""

    expression: cesql.Expression
    pointer: str


Filter = Compared | Combined | Negated | Sql


def parse_filters(written: Written) -> Filters:
    """The compiled filters: JSON text, or the decoded list. Raises PatternError for the first thing wrong."""
    filters, problems = _parse(written)
    if problems:
        raise problems[0]
    return filters


def validate_filters(written: Written) -> list[PatternError]:
    """Everything wrong with filters, in their order; empty when they are valid. Never raises for text or JSON."""
    return _parse(written)[1]


@dataclass(frozen=True, slots=True)
class Filters:
    """Compiled filters. Immutable; any thread may use them."""

    filters: tuple[Filter, ...]

    def holds(self, event: Event) -> bool:
        """Whether all filters take the event. Never raises."""
        return all(holds(one, event) for one in self.filters)

    def branches(self) -> list[list[Atom]]:
        """Necessary conditions, as Expression.branches gives them."""
        return [list(branch.values()) for branch in self.conditions()]

    def conditions(self) -> Branches:
        """The branches, their atoms by attribute; to be combined with those of other filters."""
        return _all_of(self.filters)

    def could_hold(self, known: Mapping[str, Any]) -> bool:
        """Whether all filters could take an event that has the `known` attributes, and others that are unknown."""
        return all(True in _outcomes(one, known) for one in self.filters)


def holds(one: Filter, event: Event) -> bool:
    """Whether one filter takes the event. Never raises."""
    match one:
        case Compared():
            return all(compare(one.operator, event.attributes, name, text) for name, text in one.wanted)
        case Combined():
            return (all if one.operator == "all" else any)(holds(inner, event) for inner in one.filters)
        case Negated():
            return not holds(one.filter, event)
        case Sql():
            return one.expression.holds(event)


def _outcomes(one: Filter, known: Mapping[str, Any]) -> frozenset[bool | None]:
    """What `holds` could say of an event of which only some attributes are known: true, false, or either."""
    match one:
        case Compared():
            seen = [compare(one.operator, known, name, text) for name, text in one.wanted if name in known]
            if not all(seen):
                return frozenset({False})
            return frozenset({True} if len(seen) == len(one.wanted) else {True, False})
        case Combined():
            decides = one.operator == "any"
            inner = [_outcomes(each, known) for each in one.filters]
            could_decide = {decides} if any(decides in each for each in inner) else set()
            could_not = {not decides} if all((not decides) in each for each in inner) else set()
            return frozenset(could_decide | could_not)
        case Negated():
            return frozenset(not each for each in _outcomes(one.filter, known))
        case Sql():
            return one.expression.could_hold(known)


def compare(operator: str, attributes: Mapping[str, Any], name: str, wanted: str) -> bool:
    """Whether an attribute is there and is, starts or ends with `wanted`."""
    value = read_attribute(attributes, name)
    if value is None:
        return False
    text = to_string(value)
    if operator == "exact":
        return text == wanted
    return text.startswith(wanted) if operator == "prefix" else text.endswith(wanted)


def _branches(one: Filter) -> Branches:
    match one:
        case Compared():
            atom_of = {"exact": text_is, "prefix": text_starts, "suffix": text_ends}[one.operator]
            return ({name: atom_of(name, text) for name, text in one.wanted},)
        case Combined():
            return _all_of(one.filters) if one.operator == "all" else either(*map(_branches, one.filters))
        case Negated():
            return NOTHING_KNOWN
        case Sql():
            return one.expression.conditions()


def _all_of(filters: tuple[Filter, ...]) -> Branches:
    return both(*map(_branches, filters))


def _parse(written: Written) -> tuple[Filters, list[PatternError]]:
    try:
        text, value = _read(written)
    except PatternError as problem:
        return Filters(()), [problem]
    reader = _FiltersReader()
    filters = reader.read_list(value, "", "filters are a list, as in " + _EXAMPLE, 0)
    if text is None or not reader.problems:
        return Filters(filters), reader.problems
    try:
        places = locate(text)[0]
    except RecursionError:
        places = {}
    return Filters(()), [one.at(places.get(one.pointer)) for one in reader.problems]


_EXAMPLE = '[{"prefix": {"type": "com.example."}}]'
_TOO_DEEP = f"nested too deep: at most {MAX_DEPTH} levels are understood"


def _read(written: Written) -> tuple[str | None, Any]:
    """(JSON text, decoded), (None, value) when it was decoded already. Raises PatternError."""
    if not isinstance(written, str | bytes):
        try:
            size = len(json.dumps(written, separators=(",", ":")))
        except RecursionError:
            raise PatternError("", None, _TOO_DEEP) from None
        except (TypeError, ValueError):  # the walk finds the place of what is not JSON
            size = 0
        _check_size(size)
        return None, written
    try:
        text = written.decode() if isinstance(written, bytes) else written
        _check_size(len(text.encode(errors="surrogatepass")))
        return text, read(text)
    except UnicodeDecodeError as error:
        raise PatternError("", None, f"filters must be UTF-8 text: byte {error.start} is not") from None
    except RecursionError:
        raise PatternError("", None, _TOO_DEEP) from None
    except json.JSONDecodeError as error:
        message = f"not JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        raise PatternError("", error.lineno, message, column=error.colno) from None
    except DuplicateKeys as repeats:
        pointer = repeats.pointers[0]
        message = "this key is written twice in one object: keep one, or write a second filter"
        raise PatternError(pointer, None, message).at(locate(text)[0].get(pointer)) from None
    except PatternError:
        raise
    except ValueError as error:
        raise PatternError("", None, f"not JSON: {error}") from None


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise PatternError("", None, f"the filters have {size:,} bytes: at most {MAX_BYTES:,} are understood")


class _FiltersReader:
    """Walks decoded filters, collecting them and everything wrong."""

    def __init__(self) -> None:
        self.problems: list[PatternError] = []
        self._conditions = 0

    def _refuse(self, pointer: str, message: str) -> None:
        self.problems.append(PatternError(pointer, None, message))

    def read_list(self, written: Any, pointer: str, otherwise: str, depth: int) -> tuple[Filter, ...]:
        if not isinstance(written, list):
            self._refuse(pointer, f"{otherwise}, not {type_name(written)}")
            return ()
        read_ones = (
            self._read(inner, f"{pointer}/{index}", depth + 1) for index, inner in enumerate(written)
        )
        return tuple(one for one in read_ones if one is not None)

    def _counted(self, pointer: str) -> bool:
        """Counts a condition; false from the first that is too many."""
        self._conditions += 1
        if self._conditions == MAX_CONDITIONS + 1:
            self._refuse(
                pointer, f"more than {MAX_CONDITIONS:,} conditions: at most that many are understood"
            )
        return self._conditions <= MAX_CONDITIONS

    def _read(self, written: Any, pointer: str, depth: int) -> Filter | None:
        if depth > MAX_DEPTH:
            self._refuse(pointer, _TOO_DEEP)
            return None
        if not self._counted(pointer):
            return None
        if not isinstance(written, dict) or len(written) != 1:
            seen = f"one with {len(written)}" if isinstance(written, dict) else type_name(written)
            message = (
                f'a filter is an object with one dialect, as in {{"exact": {{"type": "a"}}}}, not {seen}'
            )
            self._refuse(pointer, message)
            return None
        [(dialect, inner)] = written.items()
        here = pointer + pointer_step(str(dialect))
        if dialect in ("exact", "prefix", "suffix"):
            return self._compared(dialect, inner, here)
        if dialect in ("all", "any"):
            return self._combined(dialect, inner, here, depth)
        if dialect == "not":
            negated = self._read(inner, here, depth + 1)
            return None if negated is None else Negated(negated, here)
        if dialect == "sql":
            return self._sql(inner, here)
        self._refuse(here, f"`{dialect}` is no filter dialect; understood are {', '.join(DIALECTS)}")
        return None

    def _compared(self, dialect: str, written: Any, pointer: str) -> Filter | None:
        if not isinstance(written, dict) or not written:
            seen = "an empty object" if written == {} else type_name(written)
            example = f'{{"{dialect}": {{"type": "com.example"}}}}'
            self._refuse(pointer, f"`{dialect}` takes attributes and strings, as in {example}, not {seen}")
            return None
        wanted: list[tuple[str, str]] = []
        for name, text in written.items():
            here = pointer + pointer_step(str(name))
            if not self._counted(here):
                return None
            problem = _name_problem(name) or _text_problem(text)
            if problem:
                self._refuse(here, problem)
            else:
                wanted.append((name, text))
        return Compared(dialect, tuple(wanted), pointer)

    def _combined(self, dialect: str, written: Any, pointer: str, depth: int) -> Filter | None:
        if written == []:
            self._refuse(pointer, f"`{dialect}` needs at least one filter")
            return None
        filters = self.read_list(written, pointer, f"`{dialect}` takes a list of filters", depth)
        return Combined(dialect, filters, pointer)

    def _sql(self, written: Any, pointer: str) -> Filter | None:
        if not isinstance(written, str):
            self._refuse(pointer, f"`sql` takes an expression as a string, not {type_name(written)}")
            return None
        try:
            return Sql(cesql.parse_filter(written), pointer)
        except cesql.CesqlError as error:
            self._refuse(pointer, f"in the expression at {error}")
            return None


def _name_problem(name: Any) -> str:
    """What is wrong with the name of an attribute (CloudEvents §3: naming conventions); "" when nothing is."""
    if not isinstance(name, str) or not name:
        return "the name of an attribute is a string that is not empty"
    if name == "data" or name.startswith("data."):
        return "`data` cannot be asked for, only attributes: for data use a pattern"
    if not (name.isascii() and name.isalnum() and name == name.lower()):
        return f"`{name}` is no name of an attribute: those have lower-case letters and digits only"
    return ""


def _text_problem(text: Any) -> str:
    if not isinstance(text, str):
        return f'values are strings, numbers too, as in "5", not {type_name(text)}'
    if not text:
        return "the string must not be empty; to ask for an attribute whatever it is, use sql: EXISTS subject"
    try:
        check_text(text)
    except NotUnderstood as error:
        return error.message
    return ""
