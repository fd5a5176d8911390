"""Why an event meets a rule's filter or does not, condition by condition, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from catalog.said import joined, said
from rules.engine.allowance import TooMuchWork
from rules.engine.alternative import Alternative, show, type_names
from rules.engine.condition import Condition
from rules.engine.elements import first_disagreement
from rules.engine.event import ABSENT, Event
from rules.engine.filter import Filter, WrittenRule, compile_filter
from rules.engine.leaves import Leaves
from rules.engine.phrases import in_words
from rules.engine.requirement import Branch, Requirement, Written


@dataclass(frozen=True, slots=True)
class Explanation:
    """matched: the same answer as Matcher.match; failed: the first condition that does not hold, in the pattern's
    order; conditions: all of them, in that order. Conditions that hold only on different elements of one array fail
    at the one that no element met together with those before it.

    With `$or`, these are the conditions of one combination of its entries: the first one met, else the one that came
    closest (the fewest conditions failed, of these the most held, the first such). A condition that fails in an entry
    says what the other entries want there, or that they do not hold either. choices: JSON pointers of its entries; combinations: how
    many there are. sentence: the whole answer for a person, without a full stop.
    """

    matched: bool
    failed: Condition | None
    conditions: list[Condition]
    choices: tuple[str, ...]
    combinations: int
    sentence: str


def explain(pattern: WrittenRule, event: Event) -> Explanation:
    """Whether and why, of a pattern or a Filter. Raises PatternError when it is not valid; never for any event.

    The conditions of a Filter's other languages stand after those of the pattern.
    """
    branches, parts = compile_filter(pattern)
    leaves = Leaves(event)
    costly: dict[str, str] = {}
    for path in dict.fromkeys(one.path for branch in branches for one in branch.requirements):
        try:
            leaves[path]
        except TooMuchWork as error:
            leaves[path] = ABSENT
            costly[path] = said("%(path)s was not sought: %(why)s", path=path, why=str(error))
    answers: dict[int, bool] = {}
    closest: tuple[Branch, list[bool], dict[str, str]] | None = None
    nearest = (0, 0)
    for branch in branches:
        found, reasons = _decide(branch, leaves, answers, costly)
        distance = (found.count(False), -found.count(True))
        if closest is None or distance < nearest:
            closest, nearest = (branch, found, reasons), distance
        if not distance[0]:
            break
    assert closest is not None  # a valid pattern has a branch
    branch, found, reasons = closest
    # Of a Filter the pattern is one member.
    root = "/pattern" if isinstance(pattern, Filter) else ""
    choices = tuple(root + pointer for pointer in branch.choices)
    of_pattern, notes = [], {}
    for one, ok in zip(branch.written, found, strict=True):
        reason = reasons.get(one.requirement.path)
        others = None if ok or reason is not None else _others(one, branch, branches, answers)
        wants = one.requirement.alternatives if others is None else others.wants
        of_pattern.append(_condition(one.requirement, root + one.pointer, leaves, ok, reason, wants))
        if others is not None:
            notes[root + one.pointer] = others.note
    conditions = of_pattern + [condition for part in parts for condition in part.explain(event)]
    failed = next((condition for condition in conditions if not condition.ok), None)
    if failed is not None and all(found):
        sentence = failed.sentence
    else:
        sentence = _sentence(conditions, failed, branch.choices, len(branches))
    if notes:
        conditions = [
            replace(one, sentence=joined([one.sentence, notes[one.pointer]], ""))
            if notes.get(one.pointer)
            else one
            for one in conditions
        ]
        failed = next((condition for condition in conditions if not condition.ok), None)
    return Explanation(failed is None, failed, conditions, choices, len(branches), sentence)


class _Others(NamedTuple):
    """What the other entries of an `$or` add to a condition of one: alternatives for its path, or a remark."""

    wants: tuple[Alternative, ...]
    note: str


def _others(
    failed: Written, branch: Branch, branches: Sequence[Branch], answers: dict[int, bool]
) -> _Others | None:
    """None when the condition stands in no `$or`, or another entry holds by itself (only not on the same element)."""
    entry = next((choice for choice in branch.choices if failed.pointer.startswith(choice + "/")), None)
    if entry is None:
        return None
    group = entry.rpartition("/")[0] + "/"
    entries: set[str] = set()
    wants: list[Alternative] = []
    joined = True
    for other in branches:
        inside = [one for one in other.written if one.pointer.startswith(group)]
        if not inside:  # this branch comes from another entry of an `$or` around it
            continue
        failing = [one for one in inside if not answers.get(id(one.requirement), True)]
        if not failing:
            return None
        entries.add(inside[0].pointer[len(group) :].partition("/")[0])
        same = [one for one in failing if one.requirement.path == failed.requirement.path]
        joined = joined and bool(same)
        wants += [alternative for one in same for alternative in one.requirement.alternatives]
    if joined:
        return _Others(tuple(dict.fromkeys(wants)), "")
    note = said(" (the closest of %(n)s alternatives, none of which holds)", n=f"{len(entries):,}")
    return _Others(failed.requirement.alternatives, note)


def _decide(
    branch: Branch, leaves: Leaves, known: dict[int, bool], costly: dict[str, str]
) -> tuple[list[bool], dict[str, str]]:
    """(whether each requirement holds, sentences of those that hold only apart from others or were not sought).

    `known` remembers answers by the identity of a requirement: branches of one `$or` share many.
    """
    requirements = branch.requirements
    answers = []
    for requirement in requirements:
        answer = known.get(id(requirement))
        if answer is None:
            answer = requirement.path not in costly and _holds_alone(requirement, leaves)
            known[id(requirement)] = answer
        answers.append(answer)
    reasons = dict(costly)
    if all(answers) and leaves.members:
        in_order = sorted(requirements, key=lambda requirement: requirement.path)
        try:
            apart = first_disagreement(in_order, leaves)
        except TooMuchWork as error:
            apart = in_order[-1]
            reasons[apart.path] = str(error)
        if apart is not None:
            reasons.setdefault(apart.path, _apart(apart, leaves, in_order))
            answers[requirements.index(apart)] = False
    return answers, reasons


def _holds_alone(requirement: Requirement, leaves: Leaves) -> bool:
    members = leaves.of(requirement.path)
    if requirement.may_be_missing and (not members or requirement.path in leaves.members):
        return (
            True  # whether it is missing in the element chosen is decided together with the other conditions
        )
    return any(requirement.holds(leaf) for leaf, _ in members)


def _condition(
    requirement: Requirement,
    pointer: str,
    leaves: Leaves,
    ok: bool,
    reason: str | None,
    wants: tuple[Alternative, ...],
) -> Condition:
    """wants: what to say of a condition that fails: its own alternatives, or more of them."""
    alternatives = requirement.alternatives
    seen = leaves[requirement.path]
    operators = {one.operator for one in alternatives}
    if len(operators) == 1:
        operator = operators.pop()
        wanted = [one.wanted for one in alternatives]
    else:
        operator = "any of"
        wanted = [
            one.wanted if one.operator in ("exact", "all of") else {one.operator: one.wanted}
            for one in alternatives
        ]
    asked = wanted[0] if len(wanted) == 1 else wanted
    if reason is not None:
        sentence = reason
    elif ok:
        sentence = said("%(seen)s, as the rule wants", seen=_seen(requirement, leaves))
    else:
        sentence = said(
            "%(seen)s, the rule wants %(wanted)s", seen=_seen(requirement, leaves), wanted=in_words(wants)
        )
    return Condition(requirement.path, operator, asked, seen, ok, sentence, pointer)


def _sentence(
    conditions: list[Condition], failed: Condition | None, choices: tuple[str, ...], combinations: int
) -> str:
    if failed is not None:
        if not choices:
            return failed.sentence
        return f"none of {combinations:,} ways to meet `$or` holds; closest came {_list(choices)}: {failed.sentence}"
    if not conditions:
        return "the rule takes every event"
    said = _list([condition.sentence.removesuffix(", as the rule wants") for condition in conditions])
    by = f" by {_list(choices)}" if choices else ""
    return f"{said}, as the rule wants{by}"


def _list(texts: list[str] | tuple[str, ...]) -> str:
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + " and " + texts[-1]


def _seen(requirement: Requirement, leaves: Leaves) -> str:
    path = requirement.path
    seen = leaves[path]
    if seen is ABSENT:
        return _without_leaf(leaves.event, path)
    if type(seen) is list:
        if len(seen) == 1:
            return said(
                "%(path)s has only the element %(value)s", path=path, value=_typed(requirement, seen[0])
            )
        shown = ", ".join(show(leaf) for leaf in seen[:5])
        if len(seen) <= 5:
            return said("%(path)s has the values %(values)s", path=path, values=shown)
        return said(
            "%(path)s has the values %(values)s and %(n)s more",
            path=path,
            values=shown,
            n=f"{len(seen) - 5:,}",
        )
    return said("%(path)s is %(value)s", path=path, value=_typed(requirement, seen))


# Operators that say themselves what type they want, or want none.
_UNTYPED = {"exists", "anything-but"}


def _typed(requirement: Requirement, leaf: Any) -> str:
    """What was seen, with its type when it is the type that differs: "12" and 12 look alike on a page."""
    if isinstance(leaf, bool) or leaf is None:
        return show(leaf)
    numeric = isinstance(leaf, int | float)
    typed = [one for one in requirement.alternatives if one.operator not in _UNTYPED]
    for one in typed:
        if isinstance(one.wanted, bool):
            continue
        if (one.operator == "numeric" or isinstance(one.wanted, int | float)) == numeric:
            return show(leaf)
    return (
        said("%(value)s (%(kind)s)", value=show(leaf), kind=type_names[type(leaf)]) if typed else show(leaf)
    )


def _without_leaf(event: Event, path: str) -> str:
    """Says what stands at a path that has no leaf, following plain objects only."""
    first, *keys = path.split(".")
    value: Any = event.data if first == "data" else ABSENT
    for key in keys:
        value = value.get(key, ABSENT) if isinstance(value, dict) else ABSENT
    if isinstance(value, dict):
        if value:
            return said("%(path)s is an object, not a value", path=path)
        return said("%(path)s is an empty object", path=path)
    if isinstance(value, list):
        if value:
            return said("%(path)s is a list without plain values", path=path)
        return said("%(path)s is an empty list", path=path)
    return said("%(path)s is not in the event", path=path)


def _apart(requirement: Requirement, leaves: Leaves, in_order: list[Requirement]) -> str:
    """The sentence of a condition that array elements meet only apart from the conditions before it."""
    arrays = {array for _, membership in leaves.of(requirement.path) for array, _ in membership}
    before = [
        one.path
        for one in in_order[: in_order.index(requirement)]
        if arrays & {array for _, membership in leaves.of(one.path) for array, _ in membership}
    ]
    wanted = in_words(requirement.alternatives)
    if not before:
        return said(
            "%(path)s is in some elements of the list, the rule wants %(wanted)s",
            path=requirement.path,
            wanted=wanted,
        )
    return said(
        "%(path)s does not fit in the same list element as %(others)s, the rule wants %(wanted)s",
        path=requirement.path,
        others=joined(before, said(" and ")),
        wanted=wanted,
    )
