"""What a rule keeps of the events of its bus: a pattern, and beside it filters of other languages. All must hold.

A language other than the pattern's gives a Part: conditions that the index can use to pass over events which cannot
meet it, and a check that decides. LANGUAGES names them by their field of Filter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from rules.engine import cesql
from rules.engine.alternative import type_name
from rules.engine.cesql.conditions import Branches, both
from rules.engine.condition import Condition
from rules.engine.event import Event
from rules.engine.operators import parse_alternative
from rules.engine.pattern import WrittenPattern, compile_pattern, validate
from rules.engine.pattern_error import PatternError
from rules.engine.pattern_reader import MAX_BRANCHES, Known
from rules.engine.requirement import Branch, Requirement, Residual
from rules.engine.subscriptions import parse_filters, validate_filters
from rules.engine.subscriptions_explanation import explain_filters


class Filter(NamedTuple):
    """pattern: EventPattern 1, None takes every event; sql: a CESQL expression, "" for none; filters: CloudEvents
    Subscriptions API filters (subscriptions 1.0 §3.2.4), None for none."""

    pattern: WrittenPattern | None = None
    sql: str = ""
    filters: list[Any] | None = None


WrittenRule = WrittenPattern | Filter


class Part(NamedTuple):
    """A filter of another language, compiled.

    conditions: necessary ones, in branches; an event that meets no branch fails the check too. check: decides; may
    raise; explain: why, as conditions whose pointers start with the field of Filter. could_hold: whether it could take
    an event of which these attributes are known, and others are not.
    """

    conditions: Branches
    check: Residual
    explain: Callable[[Event], list[Condition]]
    could_hold: Callable[[Mapping[str, Any]], bool]


class Compiled(NamedTuple):
    """A rule's filter: one of the pattern's branches must hold, and all parts."""

    branches: tuple[Branch, ...]
    parts: tuple[Part, ...]


def compile_filter(written: WrittenRule, known: Known | None = None) -> Compiled:
    """The compiled filter. Raises PatternError for the first thing wrong; its pointers are into the pattern, /sql or
    /filters."""
    if not isinstance(written, Filter):
        return Compiled(compile_pattern(written, known).branches, ())
    pattern: WrittenPattern = {} if written.pattern is None else written.pattern
    parts = [LANGUAGES[name](value) for name, value in _others(written)]
    return Compiled(compile_pattern(pattern, known).branches, tuple(parts))


def validate_filter(written: WrittenRule) -> list[PatternError]:
    """Everything wrong in a pattern or Filter, the pattern's first; empty when it is valid. Never raises for any text
    or JSON value."""
    if not isinstance(written, Filter):
        return validate(written)
    problems = validate({} if written.pattern is None else written.pattern)
    for name, value in _others(written):
        if name == "filters":
            problems += [_inside_filters(problem) for problem in validate_filters(value)]
        else:
            try:
                LANGUAGES[name](value)
            except PatternError as problem:
                problems.append(problem)
    return problems


def _others(written: Filter) -> list[tuple[str, Any]]:
    """(field, what is written there) beside the pattern."""
    found: list[tuple[str, Any]] = []
    if written.sql != "":
        found.append(("sql", written.sql))
    if written.filters is not None:
        found.append(("filters", written.filters))
    return found


def _sql(written: Any) -> Part:
    """The line of a PatternError is that in the expression."""
    if not isinstance(written, str):
        message = f"`sql` is an expression as a string, as in \"type = 'a'\", not {type_name(written)}"
        raise PatternError("/sql", None, message)
    try:
        expression = cesql.parse_filter(written)
    except cesql.CesqlError as error:
        raise PatternError("/sql", error.line, f"column {error.column}: {error.message}") from None

    def explain(event: Event) -> list[Condition]:
        return [replace(one.condition, pointer="/sql") for one in expression.explain(event).findings]

    return Part(
        expression.conditions(),
        expression.holds,
        explain,
        lambda known: True in expression.could_hold(known),
    )


def _filters(written: Any) -> Part:
    try:
        filters = parse_filters(written)
    except PatternError as problem:
        raise _inside_filters(problem) from None

    def explain(event: Event) -> list[Condition]:
        conditions = [one.condition for one in explain_filters(filters, event).findings]
        return [replace(one, pointer="/filters" + one.pointer) for one in conditions]

    return Part(filters.conditions(), filters.holds, explain, filters.could_hold)


def _inside_filters(problem: PatternError) -> PatternError:
    return PatternError("/filters" + problem.pointer, problem.line, problem.message, column=problem.column)


LANGUAGES: dict[str, Callable[[Any], Part]] = {"sql": _sql, "filters": _filters}
"""By field of Filter: compiles what is written there, raises PatternError whose pointer starts with that field."""


def requirements_of(compiled: Compiled, known: Known) -> list[tuple[Requirement, ...]]:
    """The conditions of all parts as the index files them, in branches: one must hold, besides the pattern's.

    Where the combinations with the pattern's branches would be too many, nothing is asked: the checks decide.
    """
    if not compiled.parts:
        return [()]
    branches = both(*(part.conditions for part in compiled.parts))
    if len(branches) * len(compiled.branches) > MAX_BRANCHES:
        return [()]
    return [
        tuple(_requirement(atom.attribute, atom.alternatives, known) for atom in branch.values())
        for branch in branches
    ]


def _requirement(name: str, written: list[Any], known: Known) -> Requirement:
    """Not read like a pattern, where `detail` means data: here it is an attribute of that name."""
    alternatives = tuple(dict.fromkeys(map(parse_alternative, written)))
    return known.requirements.setdefault((name, alternatives), Requirement(name, alternatives))
