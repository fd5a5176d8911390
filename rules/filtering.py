"""A rule's filter as one value, and what the engine says of it: which events pass, and why one does not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from rules.engine import Event, Matcher, compile, explain
from rules.models import Rule, RuleRevision


class Filter(NamedTuple):
    """The parts of a filter; all of them must hold. {} , "" and () ask for nothing."""

    pattern: dict[str, Any]
    sql: str = ""
    filters: tuple[Any, ...] = ()

    @classmethod
    def of(cls, rule: Rule | RuleRevision) -> Filter:
        """The filter of a rule or of a revision of one."""
        return cls(rule.pattern or {}, rule.sql, tuple(rule.filters))


def matcher(filters: Iterable[tuple[int, Filter]]) -> Matcher:
    """One matcher for (id, filter) pairs. Raises PatternError."""
    return compile([(number, one.pattern) for number, one in filters])


def why_not(one: Filter, event: Event) -> str:
    """The first condition that `event` does not meet, in words; "" when it meets all. Raises PatternError."""
    failed = explain(one.pattern, event).failed
    return failed.sentence if failed else ""
