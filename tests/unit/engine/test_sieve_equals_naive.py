"""What a sieve decides at once, a plain scan decides the same: for all kinds of leaves, several of them, and elements."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from rules.engine import Event, compile, sieve, validate
from rules.engine.allowance import Allowance, TooMuchWork
from tests.unit.engine import naive

Json = dict[str, Any]
LEAVES = ["x", "y", "", "x" * 1500, -1, 0, 1, 1.0, 1.5, 2, 2**60, True, False, None]
PATHS = ["data.a", "data.b", "data.o.a", "data.o.b", "data.o.c.d", "source"]

number = some.sampled_from([0, 1, 1.5, 2, 2**60, 2**60 + 1])
excluded = some.lists(some.sampled_from(["x", "y", "z"]), min_size=1, max_size=3, unique=True) | some.lists(
    number, min_size=1, max_size=2, unique=True
)
alternative = (
    some.sampled_from(["x", "y", "z", 0, 1, 1.5, True, None, {"exists": True}, {"exists": False}])
    | excluded.map(lambda some: {"anything-but": some})
    | some.tuples(some.sampled_from(["<", "<=", ">", ">=", "=", "!="]), number).map(
        lambda one: {"numeric": list(one)}
    )
)
fields = some.dictionaries(
    some.sampled_from(PATHS), some.lists(alternative, min_size=1, max_size=2), min_size=1, max_size=3
)
leaf = some.sampled_from(LEAVES)
several = some.lists(leaf, max_size=3) | some.lists(leaf, min_size=20, max_size=20)
inside: some.SearchStrategy[Json] = some.fixed_dictionaries(
    {},
    optional={
        "a": leaf | several,
        "b": leaf | several,
        "c": leaf | some.fixed_dictionaries({}, optional={"d": leaf | several}),
        "c.d": leaf,
    },
)
data = some.fixed_dictionaries(
    {},
    optional={"a": leaf | several, "b": leaf, "o": inside | some.lists(inside, max_size=3), "o.a": leaf},
)


@pytest.fixture(autouse=True, scope="module")
def _tables_at_once():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sieve, "ASKED_BEFORE", 0)
        yield


@given(some.lists(fields, min_size=4, max_size=12), some.lists(data, min_size=1, max_size=4))
def test_a_sieve_decides_as_a_plain_scan_does(written, events) -> None:
    rules = [one for one in ({"type": ["t"], **each} for each in written) if not validate(one)]
    matcher = compile(enumerate(rules))
    for one in events * 2:
        event = {"type": "t", "source": "x", "data": one}
        expected = [at for at, rule in enumerate(rules) if naive.matches(rule, event)]
        attributes = {"type": "t", "source": "x"}
        assert matcher.match(Event(attributes, json.dumps(one).encode())) == expected
    assert matcher.failures == {}


def test_a_rule_that_is_found_in_two_ways_is_named_once() -> None:
    ways = {"$or": [{"type": ["t"]}, {"source": ["x"]}], "data": {"a": ["x"], "b": [{"numeric": [">", 1]}]}}
    listed = {"data": {"c": ["p", "q"]}}
    matcher = compile(enumerate([*[ways] * 6, *[listed] * 3, {"type": [{"prefix": "t"}, {"suffix": "t"}]}]))
    event = Event({"type": "t", "source": "x"}, b'{"a": "x", "b": 2, "c": ["q", "p"]}')
    for _ in range(5):
        assert matcher.match(event) == list(range(10))


def test_where_a_path_is_too_much_work_only_those_that_need_it_fail(monkeypatch) -> None:
    rules: list[Json] = [
        {"type": ["t"], "data": {"b": [f"{at}", "y"], "a": {"a": {"a": {"a": [1, f"{at}"]}}}}}
        for at in range(5)
    ]
    rules += [{"type": ["t"], "data": {"b": [at, "x"], "c": [{"exists": False}]}} for at in range(5)]
    matcher = compile(enumerate(rules))
    event = b'{"a.a": {"a.a": "3"}, "a": {"b.b": 1}, "b": %s}'
    assert matcher.match(Event({"type": "t"}, event % b'"y"')) == [3]
    monkeypatch.setattr(Allowance, "left", 10)
    assert matcher.match(Event({"type": "t"}, event % b'"x"')) == [5, 6, 7, 8, 9]
    assert matcher.failures == {}
    assert matcher.match(Event({"type": "t"}, event % b'"y"')) == []
    assert {at: type(error) for at, error in matcher.failures.items()} == dict.fromkeys(range(5), TooMuchWork)
