"""Two ways to compute the same: the index of all rules, and a plain scan of each."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.engine import Event, compile, explain, validate
from tests.unit.engine import naive

# A narrow world, so that rules and events meet often.
KEYS = ["a", "b", "c", "a.b", "b.c", "a.b.c", ""]
LEAVES: list[Any] = [
    "x",
    "xy",
    "yx",
    "",
    "1",
    "10.0.0.1",
    "::ffff:10.0.0.1",
    "10.0.0.01",
    1,
    1.0,
    0,
    -0.0,
    2.5,
    2**63,
]
LEAVES += [True, False, None, 2**53, 2**53 + 1, "é"]
ALTERNATIVES: list[Any] = [
    *LEAVES,
    *({"prefix": text} for text in ["", "x", "xy", "10."]),
    *({"suffix": text} for text in ["", "x", "yx", ".1"]),
    {"exists": True},
    {"exists": False},
]
ATTRIBUTES: dict[str, list[Any]] = {
    "type": ["x", "xy", "1"],
    "source": ["x", "yx"],
    "count": [1, 0],
    "flag": [True],
}

leaf = st.sampled_from(LEAVES)
value = st.recursive(
    leaf,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=14,
)
attributes = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(of) for name, of in ATTRIBUTES.items()}
)
alternatives = st.lists(st.sampled_from(ALTERNATIVES), min_size=1, max_size=6)
fields = st.recursive(
    alternatives,
    lambda inner: st.dictionaries(st.sampled_from(KEYS), inner, min_size=1, max_size=3),
    max_leaves=5,
)
patterns = st.fixed_dictionaries(
    {},
    optional={
        "data": fields,
        "data.a": fields,
        "type": alternatives,
        "source": alternatives,
        "count": alternatives,
        "flag": alternatives,
    },
).filter(lambda pattern: not validate(pattern))
NO_DATA = object()


def event_of(attributes: dict[str, Any], data: Any) -> tuple[Event, dict[str, Any]]:
    if data is NO_DATA:
        return Event(attributes, None), attributes
    return Event(attributes, json.dumps(data).encode()), {**attributes, "data": data}


@settings(max_examples=200, deadline=None)
@given(st.lists(patterns, max_size=30), attributes, st.just(NO_DATA) | value)
def test_the_matcher_finds_what_a_plain_scan_finds(patterns, attributes, data) -> None:
    event, plain = event_of(attributes, data)
    expected = [number for number, pattern in enumerate(patterns) if naive.matches(pattern, plain)]
    matcher = compile(enumerate(patterns))
    assert matcher.match(event) == expected
    assert matcher.failures == {}


@settings(max_examples=200, deadline=None)
@given(patterns, attributes, value)
def test_an_explanation_says_what_the_matcher_says(pattern, attributes, data) -> None:
    event, plain = event_of(attributes, data)
    explanation = explain(pattern, event)
    assert explanation.matched == naive.matches(pattern, plain)
    assert (
        explanation.matched == (explanation.failed is None) == all(one.ok for one in explanation.conditions)
    )


@settings(max_examples=80, deadline=None)
@given(
    st.lists(patterns, max_size=12),
    st.lists(
        st.tuples(st.dictionaries(st.integers(0, 15), patterns, max_size=4), st.sets(st.integers(0, 15)))
    ),
    attributes,
    value,
)
def test_a_changed_matcher_is_the_matcher_of_the_changed_rules(patterns, changes, attributes, data) -> None:
    event, _ = event_of(attributes, data)
    rules = dict(enumerate(patterns))
    matcher = compile(rules.items())
    for added, removed in changes:
        before = matcher.match(event)
        changed = matcher.with_changes(added.items(), removed)
        assert matcher.match(event) == before
        rules = {number: pattern for number, pattern in rules.items() if number not in removed} | added
        matcher = changed
        assert len(matcher) == len(rules)
        assert matcher.match(event) == compile(rules.items()).match(event)


FEW: list[Any] = ["x", "y", 1]
FEW_ALTERNATIVES: list[Any] = [*FEW, {"exists": False}, {"exists": True}, {"prefix": "y"}]
ELEMENT_KEYS = ["a", "b", "c", "d.a", "d"]

element = st.recursive(
    st.sampled_from(FEW),
    lambda inner: (
        st.dictionaries(st.sampled_from(ELEMENT_KEYS), inner, min_size=1, max_size=4)
        | st.lists(inner, max_size=4)
    ),
    max_leaves=10,
)
elements = st.lists(
    st.dictionaries(st.sampled_from(ELEMENT_KEYS), element, min_size=1), min_size=1, max_size=4
)
few_alternatives = st.lists(st.sampled_from(FEW_ALTERNATIVES), min_size=1, max_size=2)
element_patterns = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d.a", "d.b", "d.d.a"]), few_alternatives, min_size=2, max_size=4
)


@settings(max_examples=500, deadline=None)
@given(st.lists(element_patterns, min_size=1, max_size=15), elements)
def test_conditions_on_one_array_element_stay_together(wanted, elements) -> None:
    patterns = [{"data": {"items": one}} for one in wanted]
    event, plain = event_of({}, {"items": elements})
    expected = [number for number, pattern in enumerate(patterns) if naive.matches(pattern, plain)]
    assert compile(enumerate(patterns)).match(event) == expected
    assert [explain(pattern, event).matched for pattern in patterns] == [
        number in expected for number in range(len(patterns))
    ]


def random_value(rng: random.Random, depth: int) -> Any:
    """Fewer leaves and more arrays of objects than hypothesis draws."""
    kind = rng.random()
    if depth == 0 or kind < 0.3:
        return rng.choice(LEAVES)
    if kind < 0.6:
        return [random_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {rng.choice(KEYS): random_value(rng, depth - 1) for _ in range(rng.randrange(1, 4))}


def random_fields(rng: random.Random, depth: int) -> Any:
    if depth == 0 or rng.random() < 0.3:
        return rng.sample(ALTERNATIVES, rng.choice([1, 1, 2, 6]))
    return {rng.choice(KEYS): random_fields(rng, depth - 1) for _ in range(rng.randrange(1, 4))}


def test_twenty_thousand_random_pairs_agree_in_crowded_indexes() -> None:
    rng = random.Random(11)
    matched = 0
    for _ in range(10):
        rules: list[dict[str, Any]] = []
        while len(rules) < 200:
            pattern: dict[str, Any] = {"data": random_fields(rng, 3)}
            if rng.random() < 0.6:  # one type for many rules: places that need an index of their own
                pattern["type"] = ["x"] if rng.random() < 0.8 else ["x", "xy"]
            if not validate(pattern):
                rules.append(pattern)
        matcher = compile(enumerate(rules))
        for _ in range(10):
            event, plain = event_of({"type": "x"}, random_value(rng, 5))
            expected = [number for number, pattern in enumerate(rules) if naive.matches(pattern, plain)]
            assert matcher.match(event) == expected
            matched += len(expected)
    assert matched > 200
