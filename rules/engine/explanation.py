"""Why an event meets a pattern or does not, condition by condition, in sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rules.engine.alternative import show, type_names
from rules.engine.elements import TooManyChoices, first_disagreement
from rules.engine.event import ABSENT, Absent, Event
from rules.engine.leaves import NO_PATHS, Leaves
from rules.engine.pattern import Requirement, compile_pattern


@dataclass(frozen=True, slots=True)
class Condition:
    """What the pattern asks of one path, and what the event has there.

    operator: "exact", "prefix", "suffix", "exists", or "any of" when a list mixes them;
    wanted: the JSON value, a list when there are several alternatives (operator objects for "any of");
    seen: the JSON value, a list when the path has several leaves, ABSENT when it has none;
    sentence: both in words, without a full stop.
    """

    path: str
    operator: str
    wanted: Any
    seen: Any | Absent
    ok: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """matched: the same answer as Matcher.match; failed: the first condition that does not hold, in the pattern's
    order; conditions: all of them, in that order. Conditions that hold only on different elements of one array fail
    at the one that no element met together with those before it."""

    matched: bool
    failed: Condition | None
    conditions: list[Condition]


def explain(pattern: str | bytes | dict[str, Any], event: Event) -> Explanation:
    """Whether and why. Raises PatternError when the pattern is not valid; never for any event."""
    requirements = compile_pattern(pattern).requirements
    leaves = Leaves(event, NO_PATHS.with_paths(requirement.path for requirement in requirements))
    answers = [_holds_alone(requirement, leaves) for requirement in requirements]
    reasons: dict[str, str] = {}
    if all(answers):
        in_order = sorted(requirements, key=lambda requirement: requirement.path)
        try:
            apart = first_disagreement(in_order, leaves)
        except TooManyChoices as error:
            apart = in_order[-1]
            reasons[apart.path] = str(error)
        if apart is not None:
            reasons.setdefault(apart.path, _apart(apart, leaves, in_order))
            answers[requirements.index(apart)] = False
    conditions = [
        _condition(requirement, leaves, ok, reasons.get(requirement.path), event)
        for requirement, ok in zip(requirements, answers, strict=True)
    ]
    failed = next((condition for condition in conditions if not condition.ok), None)
    return Explanation(failed is None, failed, conditions)


def _holds_alone(requirement: Requirement, leaves: Leaves) -> bool:
    members = leaves.of(requirement.path)
    if requirement.may_be_missing and (not members or requirement.path in leaves.members):
        return (
            True  # whether it is missing in the element chosen is decided together with the other conditions
        )
    return any(requirement.holds(leaf) for leaf, _ in members)


def _condition(
    requirement: Requirement, leaves: Leaves, ok: bool, reason: str | None, event: Event
) -> Condition:
    alternatives = requirement.alternatives
    seen = leaves.seen(requirement.path)
    operators = {one.operator for one in alternatives}
    if len(operators) == 1:
        operator = operators.pop()
        wanted = [one.wanted for one in alternatives]
    else:
        operator = "any of"
        wanted = [
            one.wanted if one.operator == "exact" else {one.operator: one.wanted} for one in alternatives
        ]
    asked = wanted[0] if len(wanted) == 1 else wanted
    if reason is not None:
        sentence = reason
    elif ok:
        sentence = f"{_seen(requirement, seen, event)}, as the rule wants"
    else:
        sentence = f"{_seen(requirement, seen, event)}, the rule wants {_wanted(requirement)}"
    return Condition(requirement.path, operator, asked, seen, ok, sentence)


def _wanted(requirement: Requirement) -> str:
    phrases = [one.phrase for one in requirement.alternatives]
    if len(phrases) > 6:
        phrases = [*phrases[:5], f"one of {len(phrases) - 5:,} others"]
    if len(phrases) == 1:
        return phrases[0]
    return ", ".join(phrases[:-1]) + " or " + phrases[-1]


def _seen(requirement: Requirement, seen: Any | Absent, event: Event) -> str:
    path = requirement.path
    if seen is ABSENT:
        return f"{path} {_without_leaf(event, path)}"
    if type(seen) is list:
        if len(seen) == 1:
            return f"{path} has only the element {show(seen[0])}{_type_note(requirement, seen[0])}"
        shown = ", ".join(show(leaf) for leaf in seen[:5])
        more = f" and {len(seen) - 5:,} more" if len(seen) > 5 else ""
        return f"{path} has the values {shown}{more}"
    return f"{path} is {show(seen)}{_type_note(requirement, seen)}"


def _type_note(requirement: Requirement, leaf: Any) -> str:
    """The type of what was seen, when it is the type that differs: "12" and 12 look alike on a page."""
    if isinstance(leaf, bool) or leaf is None:
        return ""
    numeric = isinstance(leaf, int | float)
    for one in requirement.alternatives:
        if isinstance(one.wanted, bool) or one.operator == "exists":
            continue
        if isinstance(one.wanted, int | float) == numeric:
            return ""
    if all(one.operator == "exists" for one in requirement.alternatives):
        return ""
    return f" ({type_names[type(leaf)]})"


def _without_leaf(event: Event, path: str) -> str:
    """Says what stands at a path that has no leaf, following plain objects only."""
    first, *keys = path.split(".")
    value: Any = event.data if first == "data" else ABSENT
    for key in keys:
        value = value.get(key, ABSENT) if isinstance(value, dict) else ABSENT
    if isinstance(value, dict):
        return "is an object, not a value" if value else "is an empty object"
    if isinstance(value, list):
        return "is a list without plain values" if value else "is an empty list"
    return "is not in the event"


def _apart(requirement: Requirement, leaves: Leaves, in_order: list[Requirement]) -> str:
    """The sentence of a condition that array elements meet only apart from the conditions before it."""
    arrays = {array for _, membership in leaves.of(requirement.path) for array, _ in membership}
    before = [
        one.path
        for one in in_order[: in_order.index(requirement)]
        if arrays & {array for _, membership in leaves.of(one.path) for array, _ in membership}
    ]
    wants = f"the rule wants {_wanted(requirement)}"
    if not before:
        return f"{requirement.path} is in some elements of the list, {wants}"
    return f"{requirement.path} does not fit in the same list element as {' and '.join(before)}, {wants}"
