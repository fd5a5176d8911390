"""A rule's filter as one value, and what the engine says of it: what is wrong, which events pass, why one does not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rules.engine import Event, Filter, Matcher, PatternError, compile, explain
from rules.engine.cesql import CesqlError, Expression, parse_filter
from rules.engine.subscriptions import Filters, parse_filters
from rules.engine.subscriptions_explanation import explain_filters
from rules.models import Rule, RuleRevision


def filter_of(rule: Rule | RuleRevision) -> Filter:
    """The filter of a rule or of a revision of one."""
    return Filter(rule.pattern or {}, rule.sql, rule.filters or None)


class Matching:
    """Several filters at once: which of them does an event meet?"""

    def __init__(self, filters: Iterable[tuple[int, Filter]]) -> None:
        """Of (id, filter) pairs. Raises PatternError or CesqlError for the first that is not valid."""
        listed = list(filters)
        self._matcher: Matcher = compile([(number, one.pattern or {}) for number, one in listed])
        self._sql: dict[int, Expression] = {
            number: parse_filter(one.sql) for number, one in listed if one.sql
        }
        self._filters: dict[int, Filters] = {
            number: parse_filters(one.filters) for number, one in listed if one.filters
        }

    def match(self, event: Event) -> list[int]:
        """Sorted ids of the filters the event meets. Never raises."""
        found = self._matcher.match(event)
        if self._sql:
            found = [number for number in found if number not in self._sql or self._sql[number].holds(event)]
        if self._filters:
            found = [
                number
                for number in found
                if number not in self._filters or self._filters[number].holds(event)
            ]
        return found


def why_not(one: Filter, event: Event) -> str:
    """The first condition that `event` does not meet, in words; "" when it meets all. Raises as Matching does."""
    failed = explain(one.pattern or {}, event).failed
    if failed is not None:
        return failed.sentence
    if one.sql:
        found = parse_filter(one.sql).explain(event).failed
        if found is not None:
            return found.condition.sentence
    if one.filters:
        wrong = explain_filters(parse_filters(one.filters), event).failed
        if wrong is not None:
            return wrong.condition.sentence
    return ""


INVALID = (PatternError, CesqlError)
"""What a filter that is not valid raises."""


def types_of(filters: Sequence[Filter]) -> list[str]:
    """The event types that any of these can take; empty when that may be every type."""
    types: dict[str, None] = {}
    for one in filters:
        listed = one.pattern.get("type") if isinstance(one.pattern, dict) else None
        if not isinstance(listed, list) or not listed or not all(isinstance(name, str) for name in listed):
            return []
        types.update(dict.fromkeys(listed))
    return list(types)
