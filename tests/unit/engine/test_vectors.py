"""The cases of other engines, extracted from their own test suites, as far as the language is there.

Where we differ on purpose:
* numbers are equal by value: 300.0 is 300; RocketMQ EventBridge compares their text;
* a key written twice in one object is refused; event-ruler takes the last one silently, which is a trap;
* an empty prefix or suffix takes every string, as in AWS; RocketMQ EventBridge refuses it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from rules.engine import Event, compile, explain, validate
from tests.vectors import shared

UNDERSTOOD = {"prefix", "suffix", "exists"}

BY_VALUE = "rocketmq-eventbridge:PatternEvaluatorTest.evaluateWithScientificNumber:147"


def operators(value: Any, in_list: bool = False) -> set[str]:
    """The operators a pattern uses, `$or` and a prefix or suffix that ignores case among them."""
    if isinstance(value, list):
        return set().union(*(operators(inner, True) for inner in value))
    if not isinstance(value, dict):
        return set()
    names = {name for name in value if in_list or name == "$or"}
    nested = {f"{name} of {kind}" for name, kind in value.items() if in_list and isinstance(kind, dict)}
    return names | nested | set().union(*(operators(inner) for inner in value.values()))


def rows(name: str) -> Iterator[dict[str, Any]]:
    with (shared() / "vectors" / "matching" / name).open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def applicable(name: str) -> list[dict[str, Any]]:
    return [
        row
        for row in rows(name)
        if all(operators(json.loads(pattern)) <= UNDERSTOOD for pattern in row["patterns"])
    ]


@pytest.mark.parametrize(
    ("name", "at_least", "met_at_least", "different"),
    [
        ("event-ruler.match.jsonl", 740, 50, set()),
        ("rocketmq-eventbridge.match.jsonl", 29, 15, {BY_VALUE}),
    ],
)
def test_every_applicable_case_agrees(name, at_least, met_at_least, different) -> None:
    """Alone, all in one index, and explained. The numbers hold the filter to what it let through when written."""
    cases = applicable(name)
    assert len(cases) >= at_least
    assert sum(case["expected"] for case in cases) >= met_at_least
    rules: dict[int, Any] = {}
    expected: list[tuple[Event, set[int], bool]] = []
    for case in cases:
        patterns = [json.loads(pattern) for pattern in case["patterns"]]
        if name.startswith("event-ruler"):  # its events are any JSON object; ours have that in data
            patterns = [{"data": pattern} for pattern in patterns]
            event = Event({}, case["event"].encode())
        else:
            event = Event.from_json(case["event"].encode())
        numbers = range(len(rules), len(rules) + len(patterns))
        rules.update(zip(numbers, patterns, strict=True))
        met = case["expected"] != (case["id"] in different)
        expected.append((event, set(numbers), met))
        assert bool(compile(enumerate(patterns)).match(event)) is met, case
        assert any(explain(pattern, event).matched for pattern in patterns) is met, case
    everything = compile(rules.items())
    for event, numbers, met in expected:
        assert bool(numbers.intersection(everything.match(event))) is met
    assert everything.failures == {}


@pytest.mark.parametrize(
    ("name", "at_least"), [("event-ruler.validity.jsonl", 820), ("rocketmq-eventbridge.validity.jsonl", 29)]
)
def test_every_applicable_pattern_is_valid_or_not_as_there(name, at_least) -> None:
    applied = 0
    for row in rows(name):
        try:
            understood = operators(json.loads(row["pattern"])) <= UNDERSTOOD
        except ValueError:
            understood = True
        if understood:
            applied += 1
            problems = validate(row["pattern"])
            twice = any("written twice" in problem.message for problem in problems)
            empty = re.search(r'"(prefix|suffix)": ""', row["pattern"]) is not None
            assert (not problems) is ((row["valid"] or empty) and not twice), (row, problems)
    assert applied >= at_least


def test_the_cases_that_differ_are_still_there() -> None:
    """Each deliberate difference is seen in a table: no reason outlives its case."""
    assert BY_VALUE in {case["id"] for case in applicable("rocketmq-eventbridge.match.jsonl")}
    twice = [
        row
        for row in rows("event-ruler.validity.jsonl")
        if row["valid"] and '"eventSource": ["s3' in row["pattern"]
    ]
    assert any("written twice" in problem.message for row in twice for problem in validate(row["pattern"]))
    empty = [
        row for row in rows("rocketmq-eventbridge.validity.jsonl") if re.search(r'fix": ""', row["pattern"])
    ]
    assert [row["valid"] for row in empty] == [False, False]
    assert [validate(row["pattern"]) for row in empty] == [[], []]
