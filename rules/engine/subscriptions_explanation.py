"""Why filters of the Subscriptions API take an event or do not: the condition that decided it, in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from catalog.said import joined, said
from rules.engine.alternative import show
from rules.engine.cesql import Finding
from rules.engine.cesql.values import read_attribute
from rules.engine.condition import Condition
from rules.engine.event import ABSENT, Event
from rules.engine.located_json import pointer_step
from rules.engine.subscriptions import Combined, Compared, Filter, Filters, Negated, Sql, compare, holds

_PHRASES: dict[tuple[str, bool], Callable[[str], str]] = {
    ("exact", True): lambda text: text,
    ("exact", False): lambda text: said("anything but %(phrase)s", phrase=text),
    ("prefix", True): lambda text: said("a string that starts with %(text)s", text=text),
    ("prefix", False): lambda text: said("a string that does not start with %(text)s", text=text),
    ("suffix", True): lambda text: said("a string that ends with %(text)s", text=text),
    ("suffix", False): lambda text: said("a string that does not end with %(text)s", text=text),
}


@dataclass(frozen=True, slots=True)
class FilterFinding:
    """A condition that decided something.

    condition: its operator is exact, prefix or suffix, "not …" when it is wanted not to hold, or that of CESQL; its
    pointer is into the filters; sql: its place in the expression, None outside of `sql`.
    """

    condition: Condition
    sql: Finding | None = None


@dataclass(frozen=True, slots=True)
class FiltersExplanation:
    """matched: the same answer as Filters.holds; failed: the first finding that is not ok; findings: one for each
    filter of the list, in order."""

    matched: bool
    failed: FilterFinding | None
    findings: list[FilterFinding]


def explain_filters(filters: Filters, event: Event) -> FiltersExplanation:
    """Whether and why. Never raises."""
    findings = [_reason(one, event, True) for one in filters.filters]
    failed = next((finding for finding in findings if not finding.condition.ok), None)
    return FiltersExplanation(failed is None, failed, findings)


def _reason(one: Filter, event: Event, wanted: bool) -> FilterFinding:
    """The finding that decided whether a filter's answer is `wanted`."""
    match one:
        case Negated():
            return _reason(one.filter, event, not wanted)
        case Compared():
            return _compared(one, event, wanted)
        case Combined():
            return _combined(one, event, wanted)
        case Sql():
            return _sql(one, event, wanted)


def _compared(one: Compared, event: Event, wanted: bool) -> FilterFinding:
    answers = [compare(one.operator, event.attributes, name, text) for name, text in one.wanted]
    at = answers.index(False) if False in answers else 0
    name, text = one.wanted[at]
    ok = all(answers) is wanted
    value = read_attribute(event.attributes, name)
    if value is None:
        seen = said("%(path)s is not in the event", path=name)
    else:
        seen = said("%(path)s is %(value)s", path=name, value=show(value))
    if ok:
        sentence = said("%(seen)s, as the rule wants", seen=seen)
    else:
        phrase = _PHRASES[one.operator, wanted](show(text))
        sentence = said("%(seen)s, the rule wants %(wanted)s", seen=seen, wanted=phrase)
    condition = Condition(
        name,
        one.operator if wanted else f"not {one.operator}",
        text,
        ABSENT if value is None else value,
        ok,
        sentence,
        one.pointer + pointer_step(name),
    )
    return FilterFinding(condition)


def _combined(one: Combined, event: Event, wanted: bool) -> FilterFinding:
    """Goes to the first inner filter that decided: of an `all` that is false, one that is false."""
    decides = one.operator == "any"  # the answer of one inner filter that settles the whole
    answers = [holds(inner, event) for inner in one.filters]
    settled = decides in answers
    answer = decides if settled else not decides
    finding = _reason(one.filters[answers.index(answer)], event, answer is (answer is wanted))
    if one.operator == "any" and wanted and not answer and len(one.filters) > 1:
        more = said(" (the first of %(n)s alternatives, none of which holds)", n=f"{len(one.filters):,}")
        condition = replace(finding.condition, sentence=joined([finding.condition.sentence, more], ""))
        return replace(finding, condition=condition)
    return finding


def _sql(one: Sql, event: Event, wanted: bool) -> FilterFinding:
    explanation = one.expression.explain(event)
    finding = explanation.failed or explanation.findings[0]
    condition = replace(finding.condition, pointer=one.pointer)
    if wanted:
        return FilterFinding(condition, finding)
    sentence = condition.sentence
    if explanation.matched:
        sentence = said("the expression holds (%(why)s), the rule wants it not to hold", why=sentence)
    return FilterFinding(replace(condition, ok=not explanation.matched, sentence=sentence), finding)
