"""Why an event meets a rule's filter or does not: its pattern, its expression and its Subscriptions API filters."""

from __future__ import annotations

from dataclasses import replace

from rules.engine.event import Event
from rules.engine.explanation import Condition, Explanation
from rules.engine.explanation import explain as explain_pattern
from rules.engine.filter import Filter, WrittenRule, sql_of
from rules.engine.subscriptions import parse_filters
from rules.engine.subscriptions_explanation import explain_filters


def explain(written: WrittenRule, event: Event) -> Explanation:
    """Whether and why. Raises PatternError when the pattern or Filter is not valid; never for any event.

    For a Filter, the conditions are those of the pattern, of each term of the expression, and of each filter.
    """
    if not isinstance(written, Filter):
        return explain_pattern(written, event)
    conditions: list[Condition] = []
    choices: tuple[str, ...] = ()
    combinations = 1
    of_pattern = ""
    if written.pattern is not None:
        pattern = explain_pattern(written.pattern, event)
        conditions += [replace(one, pointer="/pattern" + one.pointer) for one in pattern.conditions]
        choices = tuple("/pattern" + choice for choice in pattern.choices)
        combinations = pattern.combinations
        of_pattern = pattern.sentence
    if written.sql != "":
        found = sql_of(written.sql).explain(event).findings
        conditions += [replace(one.condition, pointer="/sql") for one in found]
    if written.filters is not None:
        filters = explain_filters(parse_filters(written.filters), event)
        conditions += [
            replace(one.condition, pointer="/filters" + one.condition.pointer) for one in filters.findings
        ]
    failed = next((condition for condition in conditions if not condition.ok), None)
    if failed is None:
        sentence = _all_hold(conditions)
    else:
        sentence = of_pattern if failed.pointer.startswith("/pattern") else failed.sentence
    return Explanation(failed is None, failed, conditions, choices, combinations, sentence)


def _all_hold(conditions: list[Condition]) -> str:
    if not conditions:
        return "the rule takes every event"
    said = [condition.sentence.removesuffix(_AS_WANTED) for condition in conditions]
    return " and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said) + _AS_WANTED


_AS_WANTED = ", as the rule wants"
