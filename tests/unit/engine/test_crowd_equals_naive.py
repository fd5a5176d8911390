"""Many rules that one event leads to are decided together, as a plain scan decides them one by one."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.engine import Event, Filter, compile, crowd, explain, index
from rules.engine.matcher import Matcher
from tests.unit.engine import naive
from tests.unit.engine.test_many_equal_naive import random_element

Json = dict[str, Any]
MANY = 30

OTHERS: list[list[Any]] = [
    *([1], ["x"], [True], [None], [{"exists": True}], [{"exists": False}], [{"anything-but": "x"}]),
    *([{"prefix": "k"}, "x"], [{"numeric": [">", 3]}], [3, {"exists": False}], ["x", "y", 2]),
]


@pytest.fixture(autouse=True, scope="module")
def _few_are_a_crowd() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(crowd, "CROWD", 3)
        patched.setattr(index, "CROWD", 3)
        patched.setattr(crowd, "MOST_SETS", 3)
        yield


def alternatives(rng: random.Random, shape: str) -> list[Any]:
    """Of one rule: a value of its own, one with company that no element has, or something that many rules ask for."""
    value = rng.choice([rng.randrange(6), f"k{rng.randrange(6)}", "x", "x"])
    if shape == "own":
        return [value]
    if shape == "company":
        return [value, rng.choice(["nowhere", "elsewhere", {"prefix": "z"}])]
    return rng.choice([[value], [value, {"exists": False}], *rng.sample(OTHERS, 3)])


def crowd_of_rules(rng: random.Random, above: list[str]) -> list[Json]:
    """Rules on the same two or three paths; on each path they are of one shape."""
    paths = rng.sample([f"{path}.{key}" for path in above for key in "abc"], rng.choice([2, 2, 3]))
    shapes = [rng.choice(["own", "own", "company", "weak"]) for _ in paths]
    alike = [rng.choice(OTHERS) if rng.random() < 0.3 else None for _ in paths]
    rules: list[Json] = []
    for _ in range(MANY):
        fields = {
            path: common or alternatives(rng, shape)
            for path, shape, common in zip(paths, shapes, alike, strict=True)
        }
        if rng.random() < 0.1:
            fields["$or"] = [{paths[0]: fields.pop(paths[0])}, {paths[0]: alternatives(rng, "weak")}]
        rules.append({"type": ["t"], "data": fields} if rng.random() < 0.5 else {"data": fields})
    return rules


def elements(rng: random.Random, length: int) -> list[Any]:
    """Objects of an array: often each with the same members, as an array of goods has them."""
    if rng.random() < 0.5:
        return [random_element(rng, rng.choice([0, 0, 1])) for _ in range(length)]
    missing = rng.choice([0, 0, 0.3])
    found = []
    for number in range(length):
        leaves = {
            key: rng.choice([number, number % 3, f"k{number}", "x", True, None, 1.0])
            for key in "abc"
            if rng.random() >= missing
        }
        if rng.random() < 0.5:
            leaves["d"] = [
                {key: rng.choice([number, "x", 3]) for key in "abc"} for _ in range(rng.randrange(3))
            ]
        found.append(leaves)
    return found


def event_data(rng: random.Random) -> Json:
    data: Json = {"items": elements(rng, rng.choice([1, 3, 12, 20]))}
    if rng.random() < 0.3:
        data["others"] = elements(rng, rng.choice([1, 12]))
    if rng.random() < 0.3:
        data["q"] = {"items": elements(rng, 5)}
        data["q.items"] = elements(rng, 5)
    if rng.random() < 0.2:
        data["items.d"] = elements(rng, 4)
    return data


PLACES = [["items"], ["items"], ["items", "items.d"], ["items", "others"], ["q.items"], ["q.items", "items"]]


def is_decided_as_a_plain_scan_decides(rng: random.Random) -> tuple[int, Matcher]:
    rules = crowd_of_rules(rng, rng.choice(PLACES))
    data = event_data(rng)
    event = {"type": "t", "data": data}
    expected = [number for number, rule in enumerate(rules) if naive.matches(rule, event)]
    matcher = compile(enumerate(rules))
    assert matcher.match(Event({"type": "t"}, json.dumps(data).encode())) == expected
    assert matcher.failures == {}
    return len(expected), matcher


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**9))
def test_rules_on_the_same_elements_are_met_as_one_by_one(seed) -> None:
    is_decided_as_a_plain_scan_decides(random.Random(seed))


def test_they_are_decided_in_every_way_there_is(monkeypatch) -> None:
    ways: Counter[str] = Counter()

    def count(name: str) -> None:
        work = getattr(crowd, name)

        def counted(*arguments: Any) -> Any:
            answer = work(*arguments)
            ways[name] += answer is not None or name.startswith("_check") or name == "check_each"
            return answer

        monkeypatch.setattr(crowd, name, counted)

    for name in ("_joined_in", "_signatures", "_check_by_signature", "check_each", "_meeting"):
        count(name)
    met = 0
    for seed in range(120):
        met += is_decided_as_a_plain_scan_decides(random.Random(seed))[0]
    assert met > 200
    assert len(ways) == 5, ways
    assert min(ways.values()) > 5, ways


@pytest.mark.parametrize("more", [["nowhere"], [{"prefix": "no"}, None], ["k1"], [True]])
def test_of_rules_with_several_alternatives_those_count_that_an_element_has(more, monkeypatch) -> None:
    answers: list[Any] = []
    keys_held = crowd._keys_held
    monkeypatch.setattr(crowd, "_keys_held", lambda kinds: answers.append(keys_held(kinds)) or answers[-1])
    rules = [
        {"data": {"items": {"a": [f"k{number}", *more], "b": [number % 3, number % 3 + 9]}}}
        for number in range(MANY)
    ]
    items = [{"a": f"k{number}", "b": number % 2, "c": True} for number in range(MANY)]
    expected = [at for at, rule in enumerate(rules) if naive.matches(rule, {"data": {"items": items}})]
    assert compile(enumerate(rules)).match(Event({}, json.dumps({"items": items}).encode())) == expected
    assert 0 < len(expected) < MANY
    assert any(answer is not None for answer in answers) == (more != ["k1"])


def test_what_is_explained_of_a_rule_in_a_crowd_is_what_was_decided() -> None:
    rng = random.Random(1)
    rules = crowd_of_rules(rng, ["items"])
    event = Event({"type": "t"}, json.dumps({"items": elements(rng, 40)}).encode())
    met = set(compile(enumerate(rules)).match(event))
    assert 0 < len(met) < len(rules)
    for number, rule in enumerate(rules):
        assert (explain(rule, event).failed is None) == (number in met)


def test_rules_added_one_by_one_are_decided_as_those_compiled_at_once() -> None:
    rng = random.Random(2)
    rules = crowd_of_rules(rng, ["items"])
    at_once, one_by_one = compile(enumerate(rules)), compile([])
    for number, rule in enumerate(rules):
        one_by_one = one_by_one.with_changes([(number, rule)], [])
    for _ in range(5):
        raw = json.dumps({"items": elements(rng, 30)}).encode()
        assert one_by_one.match(Event({"type": "t"}, raw)) == at_once.match(Event({"type": "t"}, raw))


def test_a_rule_in_a_crowd_that_asks_more_of_the_event_is_asked_by_itself() -> None:
    """Some of the other language hold, some do not, and some raise."""
    asks = ["source = '/s'", "source = '/t'", "INT(source) = 1"]
    rules = [
        (number, Filter({"data": {"items": {"a": [f"k{number}"], "b": [number % 2]}}}, sql=asks[number % 3]))
        for number in range(MANY)
    ]
    items = [{"a": f"k{number}", "b": 0} for number in range(MANY)]
    told: list[int] = []
    matcher = compile(rules, on_error=lambda rule_id, event, error: told.append(rule_id))
    event = Event({"source": "/s"}, json.dumps({"items": items}).encode())
    assert matcher.match(event) == list(range(0, MANY, 6))
    assert sorted(told) == sorted(matcher.failures)


@pytest.mark.parametrize("operator", ["prefix", "suffix"])
def test_anything_but_what_all_of_many_texts_begin_or_end_with_is_not_met(operator) -> None:
    met = 0
    for seed in range(60):
        rng = random.Random(seed)
        texts: list[Any] = [
            "a" * rng.randrange(4) + rng.choice(["", "b"]) + "d" * rng.randrange(4) for _ in range(30)
        ]
        texts = [f"aa{text}d" for text in texts] if rng.random() < 0.7 else texts
        texts += rng.choice([[], [], [1], [None]])
        rules = [
            {"data": {"a": [{"anything-but": {operator: rng.sample(["a", "aa", "aaa", "d", "ad", "b"], 3)}}]}}
            for _ in range(20)
        ]
        expected = [at for at, rule in enumerate(rules) if naive.matches(rule, {"data": {"a": texts}})]
        assert compile(enumerate(rules)).match(Event({}, json.dumps({"a": texts}).encode())) == expected
        met += len(expected)
    assert 100 < met < 1100
