"""The cases of other engines, extracted from their own test suites; where we differ on purpose, by name.

docs/coming-from.md has the same differences for people: a test holds the two together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from rules.engine import Event, compile, explain, validate
from tests.vectors import REPOSITORY, shared

RULER = "event-ruler"
ROCKETMQ = "rocketmq-eventbridge"

OVERRIDE = "one path asked for twice is refused"
TWICE = "a key written twice is refused"
MIXED = "anything-but may mix types"
EMPTY_RANGE = "a numeric range may be empty"
TINY = "numbers too small for a double are zero"
BY_VALUE = "numbers are equal by value"
EXACT_NUMBERS = "numbers are compared without tolerance"
WIDE_NUMBERS = "numbers are not held to ±1e9"
EMPTY_AFFIX = "an empty prefix or suffix takes every string"
BUT_CIDR = "anything-but may exclude address blocks"


class Case(NamedTuple):
    """A case that differs: which engine's, the end of its id, a part of its pattern, why, and what is right here:
    whether it matches, or the part of the message that refuses it ("" when it is valid)."""

    engine: str
    id: str
    part: str
    why: str
    ours: bool | str


DIFFERENT_MATCHES = [
    Case(RULER, "testWithRuleOverride:655", '"name"', OVERRIDE, "is asked for at /data/name already"),
    Case(RULER, "testWithRuleOverride:660", '"name"', OVERRIDE, "is asked for at /data/name already"),
    Case(ROCKETMQ, "evaluateWithScientificNumber:147", "300.0", BY_VALUE, True),
    Case(ROCKETMQ, "evaluateWithNumericCondition:441", "1.1234567", EXACT_NUMBERS, False),
]
DIFFERENT_VALIDITY = [
    Case(RULER, "testWithRuleOverride:648", '"name"', OVERRIDE, "is asked for at /name already"),
    Case(
        RULER, "testWithRuleOverride:680", '"eventSource"', TWICE, "this key is written twice in one object"
    ),
    Case(RULER, "JsonRuleCompilerTest.testCompile:251", '["child0",111,"child2"]', MIXED, ""),
    Case(RULER, "testNumericExpressions:317", '["=", 1E-325]', TINY, ""),
    Case(RULER, "testNumericExpressions:317", '[">", 1, "<", 1]', EMPTY_RANGE, ""),
    Case(RULER, "testNumericExpressions:317", '[">", 30, "<", 1]', EMPTY_RANGE, ""),
    Case(ROCKETMQ, "evaluateWithInValidNumericCondition:365", "1.0e10", WIDE_NUMBERS, ""),
    Case(ROCKETMQ, "evaluateWithInValidNumericCondition:375", "-1.0e10", WIDE_NUMBERS, ""),
    Case(ROCKETMQ, "build_InvalidNumericConditionValue:298", "1.0e10", WIDE_NUMBERS, ""),
    Case(ROCKETMQ, "build_EmptyPrefixCondition:210", '"prefix"', EMPTY_AFFIX, ""),
    Case(ROCKETMQ, "build_EmptySuffixCondition:226", '"suffix"', EMPTY_AFFIX, ""),
    Case(ROCKETMQ, "build_InvalidNestedAnythingButCondition:282", "127.0.0.1", BUT_CIDR, ""),
]


def rows(name: str) -> Iterator[dict[str, Any]]:
    with (shared() / "vectors" / "matching" / name).open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def difference(cases: list[Case], engine: str, row: dict[str, Any], pattern: str) -> Case | None:
    for case in cases:
        if case.engine == engine and row["id"].endswith(case.id) and case.part in pattern:
            return case
    return None


class Expected(NamedTuple):
    """A case as it should end here: patterns of which one must match the event or none."""

    patterns: list[Any]
    event: Event
    met: bool


def expected_matches(engine: str) -> tuple[list[Expected], list[Case]]:
    """(the cases of an engine with what is right here, the differences used)."""
    found: list[Expected] = []
    used: list[Case] = []
    for case in rows(f"{engine}.match.jsonl"):
        patterns = [json.loads(pattern) for pattern in case["patterns"]]
        if engine == RULER:  # its events are any JSON object; ours have that in data
            patterns = [{"data": pattern} for pattern in patterns]
            event = Event({}, case["event"].encode())
        else:
            event = Event.from_json(case["event"].encode())
        differs = difference(DIFFERENT_MATCHES, engine, case, "".join(case["patterns"]))
        met = case["expected"]
        if differs is not None:
            used.append(differs)
            if isinstance(differs.ours, str):
                assert any(differs.ours in problem.message for problem in validate(patterns[0])), case
                continue
            assert differs.ours is not met, "no longer a difference"
            met = differs.ours
        found.append(Expected(patterns, event, met))
    return found, used


@pytest.mark.parametrize(("engine", "count", "met_count"), [(RULER, 1928, 455), (ROCKETMQ, 50, 27)])
def test_every_case_matches_as_there_or_differs_by_name(engine, count, met_count) -> None:
    """Each alone, and explained."""
    cases, used = expected_matches(engine)
    assert (len(cases), sum(case.met for case in cases)) == (count, met_count)
    assert sorted(used) == sorted(case for case in DIFFERENT_MATCHES if case.engine == engine)
    for patterns, event, met in cases:
        assert bool(compile(enumerate(patterns)).match(event)) is met, patterns
        assert any(explain(pattern, event).matched for pattern in patterns) is met, patterns


def test_all_cases_of_both_engines_in_one_index_do_not_disturb_each_other() -> None:
    cases = [*expected_matches(RULER)[0], *expected_matches(ROCKETMQ)[0]]
    rules: dict[int, Any] = {}
    numbers: list[range] = []
    for case in cases:
        numbers.append(range(len(rules), len(rules) + len(case.patterns)))
        rules.update(zip(numbers[-1], case.patterns, strict=True))
    everything = compile(rules.items())
    for case, own in zip(cases, numbers, strict=True):
        assert bool(set(own).intersection(everything.match(case.event))) is case.met, case.patterns
    assert everything.failures == {}


@pytest.mark.parametrize(("engine", "count", "invalid"), [(RULER, 996, 83), (ROCKETMQ, 53, 26)])
def test_every_pattern_is_valid_as_there_or_differs_by_name(engine, count, invalid) -> None:
    patterns = list(rows(f"{engine}.validity.jsonl"))
    assert len(patterns) == count
    assert sum(not row["valid"] for row in patterns) == invalid
    used: list[Case] = []
    for row in patterns:
        problems = validate(row["pattern"])
        differs = difference(DIFFERENT_VALIDITY, engine, row, row["pattern"])
        # Of an override the same suite says with another option that it is invalid: there we agree.
        if differs is not None and (differs.ours == "") is not row["valid"]:
            used.append(differs)
            assert (not problems) is (differs.ours == ""), row
            assert not problems or str(differs.ours) in problems[0].message
        else:
            assert (not problems) is row["valid"], (row, problems)
    assert sorted(used) == sorted(case for case in DIFFERENT_VALIDITY if case.engine == engine)


def test_every_difference_is_told_to_people() -> None:
    told = (REPOSITORY / "docs" / "coming-from.md").read_text(encoding="utf-8")
    for case in [*DIFFERENT_MATCHES, *DIFFERENT_VALIDITY]:
        assert case.id in told, case
        assert case.why in told, case
