"""Which event types a filter could take: told by the engine from all languages, never too few."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.engine import Event, Filter, PatternError, compile, compile_types, types_taken
from tests.unit.engine.cesql_strategies import VALUES, expressions, filters_of_sql
from tests.unit.engine.test_subscriptions_equal_naive import filters

ANY: None = None
KNOWN = ["order.paid", "order.sent", "user.made", "x"]

# (filter, the types it names or ANY, which of KNOWN it could take)
CASES: list[tuple[Any, list[str] | None, list[str]]] = [
    ({}, ANY, KNOWN),
    ({"type": ["order.paid"]}, ["order.paid"], ["order.paid"]),
    ({"type": ["x", "order.paid", 5]}, ["x", "order.paid"], ["order.paid", "x"]),
    ({"detail-type": ["x"], "detail": {"a": [1]}}, ["x"], ["x"]),
    ({"type": [{"prefix": "order."}]}, ANY, ["order.paid", "order.sent"]),
    ({"type": ["x", {"suffix": ".made"}]}, ANY, ["user.made", "x"]),
    ({"type": [{"anything-but": {"prefix": "order."}}]}, ANY, ["user.made", "x"]),
    ({"type": [{"exists": False}]}, ANY, []),
    ({"data": {"type": ["x"]}}, ANY, KNOWN),
    ({"$or": [{"type": ["x"]}, {"type": ["order.paid"], "source": ["/a"]}]}, ["x", "order.paid"],
     ["order.paid", "x"]),
    ({"$or": [{"type": ["x"]}, {"source": ["/a"]}]}, ANY, KNOWN),
    ({"$or": [{"type": ["x"]}, {"type": [{"suffix": ".paid"}]}]}, ANY, ["order.paid", "x"]),
    (Filter(sql="type = 'x'"), ["x"], ["x"]),
    (Filter(sql="type = 'x' OR type IN ('order.paid', 'nobody')"), ["x", "order.paid", "nobody"],
     ["order.paid", "x"]),
    (Filter(sql="type LIKE 'order.%' AND priority > 3"), ANY, ["order.paid", "order.sent"]),
    (Filter(sql="type != 'x' AND subject = 'a'"), ANY, ["order.paid", "order.sent", "user.made"]),
    (Filter(sql="NOT (type = 'x' OR type LIKE 'order.%')"), ANY, ["user.made"]),
    (Filter(sql="subject = 'x'"), ANY, KNOWN),
    (Filter(sql="LENGTH(type) = 1"), ANY, ["x"]),
    (Filter(sql="type = 'x' XOR EXISTS subject"), ANY, KNOWN),
    (Filter(sql="ABS(LENGTH(type)) > 9 XOR FALSE"), ANY, ["order.paid", "order.sent"]),
    (Filter({"type": ["x", "user.made"]}, "type != 'x'"), ["user.made"], ["user.made"]),
    (Filter({"type": ["x"]}, "type = 'y'"), [], []),
    (Filter(filters=[{"exact": {"type": "x"}}]), ["x"], ["x"]),
    (Filter(filters=[{"exact": {"type": "x", "subject": "a"}}]), ["x"], ["x"]),
    (Filter(filters=[{"any": [{"exact": {"type": "x"}}, {"prefix": {"type": "user."}}]}]), ANY,
     ["user.made", "x"]),
    (Filter(filters=[{"not": {"prefix": {"type": "order."}}}]), ANY, ["user.made", "x"]),
    (Filter(filters=[{"not": {"exact": {"type": "x", "subject": "a"}}}]), ANY, KNOWN),
    (Filter(filters=[{"not": {"all": [{"exact": {"type": "x"}}, {"sql": "type LIKE '%'"}]}}]), ANY,
     ["order.paid", "order.sent", "user.made"]),
    (Filter(filters=[{"sql": "type = 'x'"}, {"suffix": {"source": "/a"}}]), ["x"], ["x"]),
    (Filter(filters=[{"prefix": {"type": "order."}}, {"suffix": {"type": ".paid"}}]), ANY, ["order.paid"]),
]  # fmt: skip


@pytest.mark.parametrize(("written", "named", "could"), CASES)
def test_a_filter_says_which_types_it_could_take(written: Any, named: Any, could: list[str]) -> None:
    assert types_taken(written) == named
    matcher = compile_types([(7, written)])
    assert [name for name in KNOWN if matcher.match(Event({"type": name}, None))] == could


def test_many_rules_are_asked_at_once() -> None:
    matcher = compile_types((number, written) for number, (written, _named, _could) in enumerate(CASES))
    for name in KNOWN:
        wanted = [number for number, (_written, _named, could) in enumerate(CASES) if name in could]
        assert matcher.match(Event({"type": name}, None)) == wanted
    assert matcher.failures == {}


def test_a_filter_that_is_not_valid_is_left_out_of_many_and_refused_alone() -> None:
    matcher = compile_types([(1, {"type": "x"}), (2, Filter(sql="type =")), (3, {"type": ["x"]})])
    assert matcher.match(Event({"type": "x"}, None)) == [3]
    with pytest.raises(PatternError):
        types_taken({"type": "x"})


TYPES = ["x", "xy", "yx", "true", "1", "a_b", "12"]
attributes = st.fixed_dictionaries(
    {"type": st.sampled_from(TYPES)},
    optional={"a": st.sampled_from(VALUES), "b": st.sampled_from(VALUES), "source": st.sampled_from(TYPES)},
)


def no_type_is_left_out(written: Filter, event: dict[str, Any]) -> None:
    if compile([(1, written)]).match(Event(event, None)):
        assert compile_types([(1, written)]).match(Event({"type": event["type"]}, None)) == [1]
        named = types_taken(written)
        assert named is None or event["type"] in named


@settings(max_examples=300)
@given(expressions | filters_of_sql, attributes)
def test_no_type_that_an_expression_takes_is_left_out(text: str, event: dict[str, Any]) -> None:
    try:
        written = Filter(sql=text)
        compile([(1, written)])
    except PatternError:
        return  # refused as a filter
    no_type_is_left_out(written, event)


@settings(max_examples=200)
@given(st.lists(filters, min_size=1, max_size=2), attributes)
def test_no_type_that_filters_take_is_left_out(written: list[Any], event: dict[str, Any]) -> None:
    no_type_is_left_out(Filter(filters=written), event)


def test_no_type_that_patterns_take_is_left_out() -> None:
    rng = random.Random(7)
    alternatives = ["x", "xy", {"prefix": "x"}, {"suffix": "y"}, {"anything-but": ["x"]}, {"exists": True}]
    for _ in range(500):
        parts = [
            {rng.choice(["type", "source"]): rng.sample(alternatives, rng.randint(1, 2))} for _ in range(3)
        ]
        pattern = rng.choice([{"$or": parts}, parts[0], {"$or": parts[:2], "subject": ["s"]}])
        event = {"type": rng.choice(TYPES), "source": rng.choice(TYPES), "subject": "s"}
        no_type_is_left_out(Filter(pattern), event)
