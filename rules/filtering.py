"""A rule's filter as one value of the engine, from what is stored."""

from __future__ import annotations

from collections.abc import Sequence

from rules.engine import Filter, PatternError, types_taken
from rules.models import Rule, RuleRevision


def filter_of(rule: Rule | RuleRevision) -> Filter:
    """The filter of a rule or of a revision of one: pattern, expression and filters, all of which must hold."""
    return Filter(rule.pattern or {}, rule.sql, rule.filters or None)


def types_of(filters: Sequence[Filter]) -> list[str]:
    """The event types that any of these can take; empty when that may be every type, or none at all."""
    types: dict[str, None] = {}
    for one in filters:
        try:
            named = types_taken(one)
        except PatternError:
            named = None
        if named is None:
            return []
        types.update(dict.fromkeys(named))
    return list(types)
