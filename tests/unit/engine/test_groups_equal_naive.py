"""Branches that an index keeps together by a text, or by what a type and a source lead to, are decided as a plain scan
decides them, whatever paths turn out to be in array elements."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from rules.engine import Event, compile, groups, validate
from rules.engine.allowance import Allowance
from rules.engine.index import CROWDED
from tests.unit.engine import naive

Json = dict[str, Any]
TYPES = ["a.b", "a.c", "a"]
LEAVES: list[Any] = ["x", "y", "z", 1, 2.5, True, None, "x" * 3000]


def value(rng: random.Random) -> Any:
    """A leaf, or several, or one or several in array elements, or nothing."""
    kind = rng.random()
    if kind < 0.5:
        return rng.choice(LEAVES)
    if kind < 0.7:
        return [rng.choice(LEAVES) for _ in range(rng.choice([0, 1, 3, 30]))]
    return {}


def data(rng: random.Random) -> Json:
    found: Json = {key: value(rng) for key in "abc"}
    if rng.random() < 0.7:
        elements = [{key: rng.choice(LEAVES) for key in "abc" if rng.random() < 0.7} for _ in range(3)]
        found["o"] = rng.choice([elements, elements[0]])
    return found


ALTERNATIVES: list[list[Any]] = [["x"], ["x", "y"], ["y"], ["z"], [1, "x"], [True], [{"anything-but": "x"}]]
ALTERNATIVES += [[{"exists": True}], [{"numeric": [">", 1]}], [{"prefix": "x"}]]
ALTERNATIVES += [[{"exists": False}], [{"exists": False}, "x"]]


def rule(rng: random.Random) -> Json:
    paths = rng.sample(
        ["data.a", "data.b", "data.c", "data.o.a", "data.o.b", "data.o.c"], rng.choice([0, 1, 1, 2, 3])
    )
    pattern: Json = {path: rng.choice(ALTERNATIVES) for path in paths}
    pattern["type"] = rng.choice([["a.b"], ["a.b", "a.c"], [{"prefix": "a"}], [{"wildcard": "a*"}], ["a"]])
    if rng.random() < 0.4:
        pattern["source"] = rng.choice([["/s"], ["/t"], [{"prefix": "/"}], [{"anything-but": "/u"}]])
    return pattern


@pytest.mark.parametrize("seed", range(2))
def test_what_is_kept_together_is_decided_as_a_plain_scan_decides_it(seed) -> None:
    rng = random.Random(seed)
    rules = [one for one in (rule(rng) for _ in range(300)) if not validate(one)]
    matcher = compile(enumerate(rules))
    met = 0
    for _ in range(60):  # more often than there are types and sources: what they lead to is remembered
        attributes = {"type": rng.choice(TYPES), "source": rng.choice(["/s", "/t", "/u"])}
        inside = data(rng)
        plain = {**attributes, "data": inside}
        expected = [at for at, one in enumerate(rules) if naive.matches(one, plain)]
        assert matcher.match(Event(attributes, json.dumps(inside).encode())) == expected
        met += len(expected)
    assert matcher.failures == {}
    assert met > 600


def test_a_type_seen_often_leads_to_the_rules_that_were_changed_since() -> None:
    rules: list[tuple[int, Json]] = [(at, {"type": ["t"], "data": {"a": [f"{at}"]}}) for at in range(40)]
    matcher = compile(rules)
    event = Event({"type": "t"}, b'{"a": ["7", "8"]}')
    for _ in range(4):
        assert matcher.match(event) == [7, 8]
    changed = matcher.with_changes([(100, {"type": ["t"]}), (8, {"type": ["u"]})], [])
    assert changed.match(event) == [7, 100]
    assert matcher.match(event) == [7, 8]


def test_no_more_values_are_remembered_than_a_bus_may_have(monkeypatch) -> None:
    monkeypatch.setattr(groups, "MOST_VALUES", 5)
    matcher = compile([(1, {"type": [{"prefix": "a"}]}), (2, {"type": [{"suffix": "7"}]})])
    [(_, field)] = matcher._layers[0].index._fields  # type: ignore[union-attr]
    assert field.repeated is not None
    for _ in range(2):
        for at in range(40):
            for _ in range(2):
                expected = [1] if at % 10 != 7 else [1, 2]
                assert matcher.match(Event({"type": f"a{at}"}, None)) == expected
            assert len(field.repeated.groups) <= 5
    long = "a" * (groups.LONGEST_VALUE + 1)
    for _ in range(3):
        assert matcher.match(Event({"type": long}, None)) == [1]
    assert long not in field.repeated.groups


def test_when_a_path_is_too_much_work_every_rule_that_asks_for_it_fails(monkeypatch) -> None:
    rules: list[tuple[int, Json]] = [
        (at, {"type": ["t"], "data": {"a": {"a": {"a": {"a": [f"{at}"]}}}}}) for at in range(CROWDED + 4)
    ]
    matcher = compile([*rules, (100, {"type": ["t"]})])
    event: Callable[[], Event] = lambda: Event({"type": "t"}, b'{"a.a": {"a.a": "3"}, "a": {"b.b": 1}}')  # noqa: E731
    assert matcher.match(event()) == [3, 100]
    monkeypatch.setattr(Allowance, "left", 10)
    assert matcher.match(event()) == [100]
    assert set(matcher.failures) == {at for at, _ in rules}


@pytest.mark.parametrize("more", [{}, {"c": [{"exists": False}]}, {"c": ["c"]}])
def test_conditions_on_one_element_stay_together_where_the_index_has_answered_each(more) -> None:
    rules: list[Json] = [
        {"type": ["t"], "data": {"o": {"a": [f"a{at % 3}"], "b": [f"b{at % 7}"], **more}}}
        for at in range(200)
    ]
    elements = [{"a": "a0", "b": "b1"}, {"a": "a1", "b": "b0", "c": "c"}, {"a": "a2", "b": "b6", "c": "c"}]
    event = {"type": "t", "data": {"o": elements}}
    expected = [at for at, one in enumerate(rules) if naive.matches(one, event)]
    assert 0 < len(expected) < 60
    matcher = compile(enumerate(rules))
    for _ in range(3):
        assert matcher.match(Event({"type": "t"}, json.dumps(event["data"]).encode())) == expected
