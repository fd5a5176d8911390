"""What a rule keeps of the events of its bus: a pattern, and beside it filters of other languages. All must hold.

A language other than the pattern's gives a Part: conditions that the index can use to pass over events which cannot
meet it, and a check that decides. LANGUAGES names them by their field of Filter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rules.engine.pattern import WrittenPattern, compile_pattern, validate
from rules.engine.pattern_error import PatternError
from rules.engine.pattern_reader import Known, PatternReader
from rules.engine.requirement import Branch, Requirement, Residual


class Filter(NamedTuple):
    """pattern: EventPattern 1, None takes every event; sql: a CESQL expression, "" for none; filters: CloudEvents
    Subscriptions API filters (subscriptions 1.0 §3.2.4), None for none."""

    pattern: WrittenPattern | None = None
    sql: str = ""
    filters: list[Any] | None = None


WrittenRule = WrittenPattern | Filter


class Part(NamedTuple):
    """A filter of another language, compiled.

    language: the field of Filter; written: what is written there; conditions: (attribute name, alternatives in the
    pattern language); necessary: an event that fails one of them fails the check too. check: decides; may raise.
    words: what it is, for a sentence ("the expression …").
    """

    language: str
    written: Any
    conditions: Sequence[tuple[str, list[Any]]]
    check: Residual
    words: str


LANGUAGES: dict[str, Callable[[Any], Part]] = {}
"""By field of Filter: compiles what is written there, raises PatternError whose pointer starts with that field."""


class Compiled(NamedTuple):
    """A rule's filter: one of the pattern's branches must hold, and all parts."""

    branches: tuple[Branch, ...]
    parts: tuple[Part, ...]


def compile_filter(written: WrittenRule, known: Known | None = None) -> Compiled:
    """The compiled filter. Raises PatternError for the first thing wrong."""
    if not isinstance(written, Filter):
        return Compiled(compile_pattern(written, known).branches, ())
    pattern: WrittenPattern = {} if written.pattern is None else written.pattern
    return Compiled(compile_pattern(pattern, known).branches, tuple(_parts(written)))


def validate_filter(written: WrittenRule) -> list[PatternError]:
    """Everything wrong in a filter, the pattern's first; empty when it is valid."""
    if not isinstance(written, Filter):
        return validate(written)
    problems = validate({} if written.pattern is None else written.pattern)
    for name in ("sql", "filters"):
        try:
            _part(name, getattr(written, name))
        except PatternError as problem:
            problems.append(problem)
    return problems


def _parts(written: Filter) -> list[Part]:
    parts = [_part(name, getattr(written, name)) for name in ("sql", "filters")]
    return [part for part in parts if part is not None]


def _part(name: str, written: Any) -> Part | None:
    if not written:
        return None
    language = LANGUAGES.get(name)
    if language is None:
        raise PatternError(f"/{name}", None, f"`{name}` is not understood by this engine: write a pattern")
    return language(written)


def requirements_of(part: Part, known: Known) -> tuple[Requirement, ...]:
    """A part's conditions as the index files them. Raises PatternError where they are no patterns."""
    found: list[Requirement] = []
    for name, alternatives in part.conditions:
        reader = PatternReader(known)
        reader.read({name: alternatives})
        if reader.problems:
            raise reader.problems[0]
        [branch] = reader.branches
        found += branch.requirements
    return tuple(found)
