"""Two ways to compute the same: the index of all rules, and a plain scan of each."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from rules.engine import Event, compile, explain, validate
from tests.unit.engine import naive

# A narrow world, so that rules and events meet often.
KEYS = ["a", "b", "c", "a.b", "b.c", "a.b.c", ""]
LEAVES: list[Any] = ["x", "xy", "yx", "xyx", "X", "Xy", "", "1", "*", "x*y", "10.0.0.1", "::ffff:10.0.0.1"]
LEAVES += ["10.0.0.01", "10.0.0.2", "10.1.0.0", "255.255.255.255", "::1", "0:0:0:0:0:0:0:1", "2001:db8::7"]
LEAVES += [
    1,
    1.0,
    0,
    -0.0,
    2.5,
    2**63,
    True,
    False,
    None,
    2**53,
    2**53 + 1,
    "é",
    "É",
    "ß",
    "SS",
    "x" * 70 + "y",
]
TEXTS = ["x", "xy", "y", "10.", "1", "X", "É", "ss", "x" * 70, "x" * 64, ".1"]
WILDCARDS = [
    "x*",
    "*x",
    "*y*",
    "x*x",
    "x*y*",
    "*x*y",
    "10.*.1",
    "*",
    "x",
    "x\\**",
    "x" * 40 + "*y",
    "x*" + "x" * 40 + "*",
]
NUMERIC: list[Any] = [
    ["=", 1],
    ["!=", 1],
    [">", 0],
    ["<=", 2.5],
    [">", 0, "<", 2],
    [">=", 1, "<=", 1],
    ["<", 0],
]
NUMERIC += [[">", 2**53], ["<", 1, ">", 1], ["!=", 1, "!=", 0, "<", 5], [">=", 0, "!=", 0], ["=", 1, "!=", 1]]
BLOCKS = [
    "10.0.0.0/24",
    "10.0.0.1/32",
    "10.0.0.2",
    "10.0.0.0/31",
    "0.0.0.0/0",
    "10.9.9.9/8",
    "::/0",
    "::1/128",
]
BLOCKS += ["2001:db8::/32", "::ffff:10.0.0.0/104", "::/127", "255.255.255.255/1"]
TEXT_OPERATORS: list[Any] = [
    *({"prefix": text} for text in ["", *TEXTS]),
    *({"suffix": text} for text in ["", *TEXTS]),
    *({"contains": text} for text in ["", *TEXTS]),
    *({name: {"equals-ignore-case": text}} for name in ("prefix", "suffix", "contains") for text in TEXTS),
    *({"equals-ignore-case": text} for text in ["", *TEXTS]),
    *({"wildcard": text} for text in WILDCARDS),
]
EXCLUDABLE = [
    one for one in TEXT_OPERATORS if "" not in one.values() and not isinstance(next(iter(one.values())), dict)
]
EXCEPTIONS: list[Any] = [
    *({"anything-but": leaf} for leaf in LEAVES[:24]),
    *({"anything-but": list(LEAVES[at : at + 4])} for at in range(0, 24, 3)),
    {"anything-but": []},
    *({"anything-but": one} for one in EXCLUDABLE),
    *({"anything-but": {"prefix": TEXTS[at : at + 3]}} for at in range(4)),
    *({"anything-but": {"equals-ignore-case": TEXTS[at : at + 3]}} for at in range(4)),
    *({"anything-but": {"wildcard": WILDCARDS[at : at + 3]}} for at in range(6)),
    *({"anything-but": {"cidr": BLOCKS[at : at + 2]}} for at in range(6)),
    *({"anything-but": {"cidr": block}} for block in BLOCKS[:4]),
    *({"anything-but": {"numeric": one}} for one in NUMERIC),
]
TOGETHER: list[Any] = [
    {"prefix": "x", "suffix": "y"},
    {"prefix": "x", "anything-but": ["xy"]},
    {"numeric": [">", 0], "anything-but": [1, 2.5]},
    {"contains": "x", "wildcard": "*y*"},
    {"cidr": "10.0.0.0/8", "anything-but": {"cidr": "10.0.0.0/24"}},
    {"anything-but": ["x"], "wildcard": "*"},
    {"equals-ignore-case": "XY", "exactly": "xy"},
]
OPERATORS: list[Any] = [
    *TEXT_OPERATORS,
    *({"exactly": text} for text in ["x", "10.0.0.1", ""]),
    *({"numeric": one} for one in NUMERIC),
    *({"cidr": block} for block in BLOCKS),
    *EXCEPTIONS,
    *TOGETHER,
]
EXISTENCE: list[Any] = [{"exists": True}, {"exists": False}]
ALTERNATIVES: list[Any] = [*LEAVES, *OPERATORS, *EXISTENCE]
ATTRIBUTES: dict[str, list[Any]] = {
    "type": ["x", "xy", "1"],
    "source": ["x", "yx"],
    "count": [1, 0],
    "flag": [True],
}


def one_of(values: list[Any]) -> st.SearchStrategy[Any]:
    """As sampled_from, without all the values in every message."""
    return st.integers(0, len(values) - 1).map(lambda at: values[at])


leaf = one_of(LEAVES)
value = st.recursive(
    leaf,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=14,
)
attributes = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(of) for name, of in ATTRIBUTES.items()}
)
alternatives = st.lists(one_of(LEAVES) | one_of(OPERATORS) | one_of(EXISTENCE), min_size=1, max_size=3)


def objects_of(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    plain = st.dictionaries(st.sampled_from(KEYS), inner, min_size=1, max_size=3)
    either = st.fixed_dictionaries(
        {"$or": st.lists(plain, min_size=2, max_size=3)}, optional={"c": alternatives, "b.c": alternatives}
    )
    return plain | either


fields = st.recursive(alternatives, objects_of, max_leaves=5)
objects = objects_of(fields)
patterns = st.fixed_dictionaries(
    {},
    optional={
        "data": fields,
        "data.a": fields,
        "type": alternatives,
        "source": alternatives,
        "count": alternatives,
        "flag": alternatives,
        "$or": st.lists(objects, min_size=2, max_size=2),
    },
)
NO_DATA = object()


def valid(patterns: Any) -> list[dict[str, Any]]:
    """Without those that ask for a path twice, as combinations of `$or` may do."""
    return [pattern for pattern in patterns if not validate(pattern)]


def event_of(attributes: dict[str, Any], data: Any) -> tuple[Event, dict[str, Any]]:
    if data is NO_DATA:
        return Event(attributes, None), attributes
    return Event(attributes, json.dumps(data).encode()), {**attributes, "data": data}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(patterns, max_size=30), attributes, st.just(NO_DATA) | value)
def test_the_matcher_finds_what_a_plain_scan_finds(patterns, attributes, data) -> None:
    event, plain = event_of(attributes, data)
    patterns = valid(patterns)
    expected = [number for number, pattern in enumerate(patterns) if naive.matches(pattern, plain)]
    matcher = compile(enumerate(patterns))
    assert matcher.match(event) == expected
    assert matcher.failures == {}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(patterns, attributes, value)
def test_an_explanation_says_what_the_matcher_says(pattern, attributes, data) -> None:
    event, plain = event_of(attributes, data)
    assume(not validate(pattern))
    explanation = explain(pattern, event)
    assert explanation.matched == naive.matches(pattern, plain)
    assert (
        explanation.matched == (explanation.failed is None) == all(one.ok for one in explanation.conditions)
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(patterns, max_size=12),
    st.lists(
        st.tuples(st.dictionaries(st.integers(0, 15), patterns, max_size=4), st.sets(st.integers(0, 15))),
        max_size=4,
    ),
    attributes,
    value,
)
def test_a_changed_matcher_is_the_matcher_of_the_changed_rules(patterns, changes, attributes, data) -> None:
    event, _ = event_of(attributes, data)
    rules = dict(enumerate(valid(patterns)))
    matcher = compile(rules.items())
    for added, removed in changes:
        added = {number: pattern for number, pattern in added.items() if not validate(pattern)}
        before = matcher.match(event)
        changed = matcher.with_changes(added.items(), removed)
        assert matcher.match(event) == before
        rules = {number: pattern for number, pattern in rules.items() if number not in removed} | added
        matcher = changed
        assert len(matcher) == len(rules)
        assert matcher.match(event) == compile(rules.items()).match(event)


FEW: list[Any] = ["x", "y", 1]
FEW_ALTERNATIVES: list[Any] = [
    *FEW,
    {"exists": False},
    {"exists": True},
    {"prefix": "y"},
    {"anything-but": "x"},
]
FEW_ALTERNATIVES += [{"numeric": [">", 0]}, {"wildcard": "*"}]
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


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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
    """Fewer leaves and more arrays of objects than hypothesis draws; some arrays long."""
    kind = rng.random()
    if depth == 0 or kind < 0.3:
        return rng.choice(LEAVES)
    if kind < 0.6:
        if rng.random() < 0.2:
            return [rng.choice(LEAVES) for _ in range(rng.randrange(40))]
        return [random_value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return {rng.choice(KEYS): random_value(rng, depth - 1) for _ in range(rng.randrange(1, 4))}


def random_fields(rng: random.Random, depth: int) -> Any:
    if depth == 0 or rng.random() < 0.3:
        return rng.sample(rng.choice([LEAVES, OPERATORS, ALTERNATIVES]), rng.choice([1, 1, 2, 6]))
    if rng.random() < 0.15:
        return {"$or": [{rng.choice(KEYS): random_fields(rng, depth - 1)} for _ in range(rng.choice([2, 3]))]}
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
        assert matcher.failures == {}
    assert matched > 200


def test_every_operator_meets_the_leaves_it_should_in_an_index_of_all() -> None:
    """Each alternative against each leaf: alone, in lists long and short, and beside a condition that never holds."""
    matcher = compile((number, {"data": {"a": [one]}}) for number, one in enumerate(ALTERNATIVES))
    crowded = compile(
        (number, {"type": ["t"], "data": {"a": [one], "b": ["x"]}}) for number, one in enumerate(ALTERNATIVES)
    )
    many = compile(
        (number, {"data": {"a": [one, {"exactly": "never"}, {"exactly": f"never {number}"}], "b": ["x"]}})
        for number, one in enumerate(ALTERNATIVES)
    )
    for leaf in LEAVES:
        expected = {number for number, one in enumerate(ALTERNATIVES) if naive.holds(one, leaf)}
        for value in (leaf, [leaf], [leaf] * 20):
            event, _ = event_of({"type": "t"}, {"a": value, "b": "x"})
            assert matcher.match(event) == sorted(expected), value
            assert crowded.match(event) == sorted(expected), value
            assert many.match(event) == sorted(expected), value
    texts = [leaf for leaf in LEAVES if isinstance(leaf, str)]
    for leaves in (LEAVES, texts, LEAVES[:19], LEAVES[12:31], LEAVES[19:], [1, 2.5, *range(100, 120)]):
        event, _ = event_of({"type": "t"}, {"a": leaves, "b": "x"})
        expected = {
            number
            for number, one in enumerate(ALTERNATIVES)
            if any(naive.holds(one, leaf) for leaf in leaves)
        }
        assert set(matcher.match(event)) == set(crowded.match(event)) == set(many.match(event)) == expected
