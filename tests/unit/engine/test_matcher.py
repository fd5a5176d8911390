"""The matcher: what each part of the language takes, that rules do not harm each other, that its cost is bounded."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rules.engine import ABSENT, Event, Filter, PatternError, compile, explain
from rules.engine import allowance as allowance_module
from rules.engine import matcher as matcher_module
from rules.engine.branches import IndexedBranch
from rules.engine.cesql.conditions import NOTHING_KNOWN
from rules.engine.filter import LANGUAGES, Part

ITEMS = {"items": [{"sku": "a", "quantity": 1}, {"sku": "b", "quantity": 2}]}

# (pattern for data, data, whether it is met)
CASES: list[tuple[dict[str, Any], Any, bool]] = [
    # exact: the type counts, numbers by value
    ({"a": ["1"]}, {"a": 1}, False),
    ({"a": [1]}, {"a": "1"}, False),
    ({"a": [1]}, {"a": True}, False),
    ({"a": [True]}, {"a": 1}, False),
    ({"a": [0]}, {"a": False}, False),
    ({"a": ["true"]}, {"a": True}, False),
    ({"a": [300]}, {"a": 300.0}, True),
    ({"a": [3.0e2]}, {"a": 300}, True),
    ({"a": [9007199254740993]}, {"a": 9007199254740993}, True),
    ({"a": [9007199254740993]}, {"a": 9007199254740992}, False),
    ({"a": [9007199254740993]}, {"a": 9007199254740992.0}, False),
    ({"a": [None]}, {"a": None}, True),
    ({"a": [None]}, {}, False),
    ({"a": ["A"]}, {"a": "a"}, False),
    # alternatives, fields, paths
    ({"a": ["x", 2]}, {"a": 2}, True),
    ({"a": ["x"], "b": ["y"]}, {"a": "x"}, False),
    ({"a.b": ["x"]}, {"a": {"b": "x"}}, True),
    ({"a": {"b": ["x"]}}, {"a.b": "x"}, True),
    ({"a": {"b.c": ["x"]}}, {"a.b": {"c": "x"}}, True),
    ({"a": {"b": ["x"]}}, {"a": {"b": "y"}, "a.b": "x"}, True),
    # prefix, suffix
    ({"a": [{"prefix": "or"}]}, {"a": "order"}, True),
    ({"a": [{"prefix": ""}]}, {"a": ""}, True),
    ({"a": [{"prefix": "1"}]}, {"a": 12}, False),
    ({"a": [{"suffix": ".png"}]}, {"a": "x.png"}, True),
    ({"a": [{"suffix": "long enough"}]}, {"a": "g"}, False),
    # exists: leaves only
    ({"a": [{"exists": True}]}, {"a": None}, True),
    ({"a": [{"exists": True}]}, {"a": {"b": 1}}, False),
    ({"a": [{"exists": False}]}, {"a": []}, True),
    ({"a": [{"exists": False}]}, {"a": {}}, True),
    ({"a": [{"exists": False}]}, {"a": {"b": 1}}, True),
    ({"a": [{"exists": False}]}, {"a": 0}, False),
    ({"a": [{"exists": False}, "x"]}, {"a": "x"}, True),
    ({"a": [{"exists": False}, "x"]}, {"a": "y"}, False),
    # arrays: any leaf, but the conditions on one element stay together
    ({"a": ["y"]}, {"a": ["x", "y"]}, True),
    ({"a": ["y"]}, {"a": [["x"], [["y"]]]}, True),
    ({"items": {"sku": ["a"], "quantity": [1]}}, ITEMS, True),
    ({"items": {"sku": ["a"], "quantity": [2]}}, ITEMS, False),
    ({"items": {"sku": ["a"]}, "x": ["y"]}, {**ITEMS, "x": ["x", "y"]}, True),
    ({"d": {"a": ["x"], "b": [{"exists": False}]}}, {"d": [{"a": "x"}, {"b": 1}]}, True),
    ({"d": {"a": [{"exists": False}], "b": ["y"]}}, {"d": [{"a": "x"}, {"b": "y"}]}, False),
    ({"d": {"a": [{"exists": False}, "x"], "b": [{"exists": False}]}}, {"d": [{"a": "x"}, {"b": 1}]}, True),
    ({"a": {"x": [1], "y": [2]}}, {"a": [{"b": 1, "x": 1}, [{"x": 3, "y": 2}]]}, False),
    (
        {"a": {"b": {"x": [1], "y": [2]}}},
        {"a": {"b": [{"x": n, "y": 9} for n in range(9)]}, "a.b": {"y": 2}},
        True,
    ),
    (
        {"a": {"b": {"x": [1], "y": [2]}}},
        {"a": {"b": [{"x": n, "y": n} for n in range(9)]}, "a.b": {"z": 2}},
        False,
    ),
    # long lists are looked up by value
    ({"a": [{"prefix": "x"}], "b": [1, "7"]}, {"a": "x", "b": [*range(2, 40), True, "1", 7]}, False),
    ({"a": [{"prefix": "x"}], "b": [1, "7"]}, {"a": "x", "b": [*range(2, 40), 1.0]}, True),
    ({"a": [{"prefix": "x"}], "b": [True]}, {"a": "x", "b": [1] * 40}, False),
    ({"a": [{"prefix": "x"}], "b": [None]}, {"a": "x", "b": [*range(40), None]}, True),
    ({"a": [{"prefix": "x"}], "b": ["::1"]}, {"a": "x", "b": [*range(40), "0:0:0:0:0:0:0:1"]}, True),
    # IP literals are compared as addresses
    ({"a": ["::1"]}, {"a": "0:0:0:0:0:0:0:1"}, True),
    ({"a": ["10.0.0.1"]}, {"a": "::ffff:10.0.0.1"}, True),
    ({"a": ["10.0.0.1"]}, {"a": "10.0.0.01"}, False),
    ({"a": ["10.0.0.1"]}, {"a": "10.0.0.2"}, False),
]


@pytest.mark.parametrize(("pattern", "data", "met"), CASES)
def test_a_pattern_on_data(pattern, data, met) -> None:
    event = Event({}, json.dumps(data).encode())
    assert compile([(7, {"data": pattern})]).match(event) == ([7] if met else [])
    assert explain({"data": pattern}, event).matched is met


def test_all_cases_in_one_index_do_not_disturb_each_other() -> None:
    matcher = compile((number, {"data": pattern}) for number, (pattern, _, _) in enumerate(CASES))
    for number, (_, data, met) in enumerate(CASES):
        assert (number in matcher.match(Event({}, json.dumps(data).encode()))) is met


def test_attributes_and_extensions_are_matched_without_decoding_data() -> None:
    event = Event({"type": "order.paid", "sequence": 4, "sampled": True}, b'{"a": 1}')
    rules = {
        1: {"type": ["order.paid"], "sequence": [4], "sampled": [True]},
        2: {"type": [{"exists": False}]},
        3: {},
    }
    assert compile(rules.items()).match(event) == [1, 3]
    assert event._decoded is False


def test_the_empty_pattern_takes_everything_and_no_rules_take_nothing() -> None:
    assert compile([(1, {})]).match(Event({}, None)) == [1]
    assert compile([]).match(Event({"type": "a"}, None)) == []


def test_an_aws_pattern_is_about_the_same_event() -> None:
    pattern = {
        "detail-type": ["order.paid"],
        "detail": {"total": [5]},
        "detail.currency": ["SEK"],
        "region": ["eu"],
    }
    event = Event({"type": "order.paid", "region": "eu"}, b'{"total": 5, "currency": "SEK"}')
    assert compile([(1, pattern)]).match(event) == [1]


def test_an_event_without_data_lacks_every_field_of_it() -> None:
    rules = [
        (1, {"data": {"a": [{"exists": False}]}}),
        (2, {"data": {"a": [{"exists": True}]}}),
        (3, {"data": [None]}),
    ]
    assert compile(rules).match(Event({}, None)) == [1]
    assert compile(rules).match(Event({}, b"null")) == [1, 3]


def test_the_first_invalid_rule_is_named() -> None:
    with pytest.raises(PatternError, match="rule 8, /type: alternatives are written in a list") as caught:
        compile([(7, {"type": ["a"]}), (8, {"type": "a"})])
    assert caught.value.rule_id == 8


def test_a_rule_that_raises_is_reported_and_harms_no_other(monkeypatch) -> None:
    told: list[tuple[int, Exception]] = []
    event = Event({"type": "a"}, b'{"a": "x"}')
    broken = RuntimeError("broken")

    def explode(event: Event) -> bool:
        raise broken

    monkeypatch.setitem(LANGUAGES, "sql", lambda written: Part(NOTHING_KNOWN, explode, explode, explode))
    pattern = {"type": ["a"], "data": {"a": [{"prefix": "x"}]}}
    rules = [(0, pattern), (1, Filter(pattern, sql="broken")), (2, pattern), (3, Filter(sql="broken"))]
    matcher = compile(rules, on_error=lambda rule_id, _, error: told.append((rule_id, error)))
    assert matcher.match(event) == [0, 2]
    assert matcher.failures == {1: broken, 3: broken}
    assert sorted(rule_id for rule_id, _ in told) == [1, 3]
    assert matcher.with_changes([], [1]).failures == {3: broken}


def test_when_the_index_itself_raises_each_rule_is_asked(monkeypatch) -> None:
    matcher = compile([(1, {"type": ["a"]}), (2, {"type": ["b"]}), (3, {"type": [{"prefix": "a"}]}), (4, {})])

    def explode(*_: object) -> None:
        raise RuntimeError("broken index")

    monkeypatch.setattr(matcher_module.Index, "find", explode)
    real = matcher_module.met

    def met(branch: IndexedBranch, leaves: Any) -> bool:
        if branch.rule_id == 3:
            raise RuntimeError("broken rule")
        return real(branch, leaves)

    monkeypatch.setattr(matcher_module, "met", met)
    assert matcher.match(Event({"type": "a"}, None)) == [1, 4]
    assert list(matcher.failures) == [3]


def test_a_failing_reporter_does_not_fail_the_match(monkeypatch) -> None:
    def explode(*_: object) -> None:
        raise RuntimeError("reporter")

    matcher = compile([(1, {"data": {"a": {"x": [1], "y": [1]}}}), (2, {})], on_error=explode)
    monkeypatch.setattr("rules.engine.branches.still_agree", explode)
    assert matcher.match(Event({}, b'{"a": [{"x": 1}, {"y": 1}]}')) == [2]
    assert list(matcher.failures) == [1]


@pytest.mark.parametrize(
    "data",
    [
        b"{not json",
        b"[" * 3000,
        b"[" * 300 + b"]" * 300,
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b"\xff\xfe",
        b"1e999",
        b'{"a": ' + b"9" * 5000 + b"}",
        b'"\\ud800"',
        b'{"a.b.c.d.e": {"": [{"": []}]}}',
    ],
)
def test_no_event_makes_matching_raise(data) -> None:
    matcher = compile(
        [(1, {"data": {"a": [{"exists": True}], "b": {"c": ["x"]}}}), (2, {"data": [{"suffix": "n"}]})]
    )
    assert matcher.match(Event({}, data)) == ([2] if data == b"{not json" else [])
    assert matcher.failures == {}


def test_leaves_inside_more_than_32_arrays_are_not_seen() -> None:
    def nested(levels: int) -> Event:
        return Event({}, b'{"a":' + b"[" * levels + b'"x"' + b"]" * levels + b"}")

    matcher = compile([(1, {"data": {"a": ["x"]}})])
    assert matcher.match(nested(33)) == [1]  # the leaf is inside 32 elements that are arrays
    assert matcher.match(nested(34)) == []


def test_an_event_that_multiplies_choices_fails_only_the_rule_that_asks() -> None:
    """Two arrays at one path, by two spellings, and arrays in them: whether z is missing would be asked of every pair
    of elements."""
    left = [{"x": 1, "z": [{"w": 0}]} for _ in range(1500)]
    right = [{"y": 1, "z": [{"w": 0}]} for _ in range(1500)]
    event = Event({}, json.dumps({"p": {"a": left}, "p.a": right}).encode())
    rules = [
        (1, {"data": {"p": {"a": {"x": [1], "y": [1], "z": {"w": [1, {"exists": False}]}}}}}),
        (2, {"data": {"p": {"a": {"x": [1]}}}}),
        (3, {"data": {"p": {"a": {"x": [1], "y": [1], "z": {"w": [0]}}}}}),
    ]
    matcher = compile(rules)
    assert matcher.match(event) == [2, 3]
    assert isinstance(matcher.failures[1], allowance_module.TooMuchWork)
    assert not explain(rules[0][1], event).matched


@pytest.mark.parametrize(("spare", "met"), [({}, [1, 2]), ({"z": 0}, [2]), ({"z": 1}, [1, 2])])
def test_what_is_missing_in_long_arrays_at_one_path_is_decided(spare, met) -> None:
    left = [*({"x": 1, "z": 0} for _ in range(1500)), {"x": 1}]
    right = [*({"y": 1, "z": 0} for _ in range(1500)), {"y": 1, **spare}]
    rules = [
        (1, {"data": {"p": {"a": {"x": [1], "y": [1], "z": [1, {"exists": False}]}}}}),
        (2, {"data": {"p": {"a": {"x": [1], "y": [1], "z": [0]}}}}),
    ]
    matcher = compile(rules)
    assert matcher.match(Event({}, json.dumps({"p": {"a": left}, "p.a": right}).encode())) == met
    assert matcher.failures == {}


def test_conditions_on_several_lists_of_one_event_are_all_decided() -> None:
    """None of it is work that multiplies, however many rules ask."""
    data = {
        "items": [{"sku": f"s{n}", "count": n % 5} for n in range(60)],
        "discounts": [{"code": f"c{n}", "percent": n % 7} for n in range(60)],
        "parcels": [{"id": n, "lines": [{"sku": f"s{n}", "place": k} for k in range(3)]} for n in range(20)],
    }
    rules = {
        n: {
            "data": {
                "items": {"sku": [{"prefix": "s"}], "count": [{"numeric": [">", 1]}, f"{n}"]},
                "discounts": {"code": [f"c{n}"], "percent": [{"anything-but": n % 7 if n % 2 else 9}]},
                "parcels": {
                    "id": [{"numeric": ["<", 5]}],
                    "lines": {"place": [n % 3], "sku": [{"prefix": "s"}]},
                },
            }
        }
        for n in range(400)
    }
    matcher = compile(rules.items())
    assert matcher.match(Event({}, json.dumps(data).encode())) == list(range(0, 60, 2))
    assert matcher.failures == {}


def test_identical_rules_with_many_alternatives_do_not_multiply_in_the_index() -> None:
    pattern = {"data": {f"field{number}": ["a", "b", "c", "d"] for number in range(40)}}
    matcher = compile((number, pattern) for number in range(40))
    event = Event({}, json.dumps({f"field{number}": "d" for number in range(40)}).encode())
    assert matcher.match(event) == list(range(40))
    assert _copies(matcher) <= 40 * 4 * 5


def _copies(matcher: Any) -> int:
    return sum(len(list(layer.index.rule_ids())) for layer in matcher._layers)


def test_rules_added_one_by_one_make_few_layers() -> None:
    matcher = compile([])
    for number in range(300):
        matcher = matcher.with_changes([(number, {"type": [f"t{number}"]})], [])
    assert len(matcher) == 300
    assert len(matcher._layers) <= 9
    assert matcher.match(Event({"type": "t17"}, None)) == [17]
    for number in range(290):
        matcher = matcher.with_changes([], [number])
    assert len(matcher) == 10
    assert sum(len(layer.rules) for layer in matcher._layers) <= 2 * 10
    assert matcher.match(Event({"type": "t17"}, None)) == []
    assert matcher.match(Event({"type": "t295"}, None)) == [295]


def test_replacing_a_rule_replaces_it() -> None:
    before = compile([(1, {"type": ["a"]}), (2, {"type": ["a"]})])
    after = before.with_changes(added=[(1, {"type": ["b"]})], removed=[2, 99])
    assert before.match(Event({"type": "a"}, None)) == [1, 2]
    assert after.match(Event({"type": "a"}, None)) == []
    assert after.match(Event({"type": "b"}, None)) == [1]


def test_absent_is_false_and_says_its_name() -> None:
    assert not ABSENT
    assert repr(ABSENT) == "ABSENT"
