"""Why an event meets a filter or not, over all its parts: the pattern, the expression, the filters of a subscription."""

from __future__ import annotations

from typing import NamedTuple

from rules.engine import Condition, Event, Filter, explain
from rules.engine.cesql import parse_filter
from rules.engine.subscriptions import parse_filters
from rules.engine.subscriptions_explanation import explain_filters


class Reason(NamedTuple):
    """A condition and where it is written: `pointer` leads from the filter to it ("/pattern/type", "/sql",
    "/filters/0"); `line` and `column`, from 1, are its place in a CESQL expression."""

    condition: Condition
    pointer: str
    line: int | None = None
    column: int | None = None


class Explained(NamedTuple):
    """matched: all parts take the event; failed: the first reason that does not hold; reasons: all of them, in order.

    choices: JSON pointers of the `$or` entries that the reasons are about; combinations: how many there are.
    """

    matched: bool
    failed: Reason | None
    reasons: list[Reason]
    choices: tuple[str, ...]
    combinations: int


def explained(asked: Filter, event: Event) -> Explained:
    """Whether and why. Raises PatternError or CesqlError for a filter that is not valid; never for any event."""
    of_pattern = explain({} if asked.pattern is None else asked.pattern, event)
    reasons = [Reason(one, f"/pattern{one.pointer}") for one in of_pattern.conditions]
    if asked.sql:
        reasons += [
            Reason(one.condition, "/sql", one.line, one.column)
            for one in parse_filter(asked.sql).explain(event).findings
        ]
    if asked.filters:
        for found in explain_filters(parse_filters(asked.filters), event).findings:
            place = (found.sql.line, found.sql.column) if found.sql is not None else (None, None)
            reasons.append(Reason(found.condition, f"/filters{found.pointer}", *place))
    failed = next((one for one in reasons if not one.condition.ok), None)
    choices = tuple(f"/pattern{pointer}" for pointer in of_pattern.choices)
    return Explained(failed is None, failed, reasons, choices, of_pattern.combinations)
