"""A rule's filter as one value of the engine, from what is stored."""

from __future__ import annotations

from collections.abc import Sequence

from rules.engine import Filter
from rules.models import Rule, RuleRevision


def filter_of(rule: Rule | RuleRevision) -> Filter:
    """The filter of a rule or of a revision of one: pattern, expression and filters, all of which must hold."""
    return Filter(rule.pattern or {}, rule.sql, rule.filters or None)


def types_of(filters: Sequence[Filter]) -> list[str]:
    """The event types that any of these can take; empty when that may be every type."""
    types: dict[str, None] = {}
    for one in filters:
        listed = one.pattern.get("type") if isinstance(one.pattern, dict) else None
        if not isinstance(listed, list) or not listed or not all(isinstance(name, str) for name in listed):
            return []
        types.update(dict.fromkeys(listed))
    return list(types)
