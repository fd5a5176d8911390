"""The sentences people read when a rule did not take their event."""

from __future__ import annotations

from typing import Any

import pytest

from rules.engine import ABSENT, Condition, Event, PatternError, explain

EVENT = Event(
    {"type": "order.paid", "source": "/shop"},
    b"""{"amount": "12", "total": 129.9, "gift": false, "coupon": "NOV25", "customer": {"tier": "gold"}, "none": {},
        "tags": ["a", "b"], "one": ["a"], "empty": [], "many": [1, 2, 3, 4, 5, 6, 7], "nothing": null,
        "items": [{"sku": "a", "count": 1}, {"sku": "b", "count": 2}]}""",
)

# (path, alternatives, the sentence, whether it holds)
SENTENCES = [
    ("data.amount", [12], 'data.amount is "12" (a string), the rule wants the number 12', False),
    ("data.total", ["129.9"], 'data.total is 129.9 (a number), the rule wants "129.9"', False),
    ("data.gift", [True], "data.gift is false, the rule wants true", False),
    ("type", ["order.made"], 'type is "order.paid", the rule wants "order.made"', False),
    ("type", ["a", "b", "c"], 'type is "order.paid", the rule wants "a", "b" or "c"', False),
    ("type", ["order.paid"], 'type is "order.paid", as the rule wants', True),
    (
        "type",
        [{"prefix": "com."}],
        'type is "order.paid", the rule wants a string that starts with "com."',
        False,
    ),
    (
        "type",
        [{"suffix": ".x"}, 5],
        'type is "order.paid", the rule wants a string that ends with ".x" or the number 5',
        False,
    ),
    ("subject", ["x"], 'subject is not in the event, the rule wants "x"', False),
    ("data.x.y", [None], "data.x.y is not in the event, the rule wants null", False),
    ("data.nothing", ["x"], 'data.nothing is null, the rule wants "x"', False),
    ("data.coupon", [{"exists": False}], 'data.coupon is "NOV25", the rule wants it not to be there', False),
    ("data.voucher", [{"exists": False}], "data.voucher is not in the event, as the rule wants", True),
    (
        "data.voucher",
        [{"exists": True}],
        "data.voucher is not in the event, the rule wants it to be there",
        False,
    ),
    ("data.customer", ["gold"], 'data.customer is an object, not a value, the rule wants "gold"', False),
    ("data.none", ["x"], 'data.none is an empty object, the rule wants "x"', False),
    ("data.empty", ["x"], 'data.empty is an empty list, the rule wants "x"', False),
    ("data.items", ["x"], 'data.items is a list without plain values, the rule wants "x"', False),
    ("data.tags", ["c"], 'data.tags has the values "a", "b", the rule wants "c"', False),
    ("data.one", ["c"], 'data.one has only the element "a", the rule wants "c"', False),
    (
        "data.many",
        [9],
        "data.many has the values 1, 2, 3, 4, 5 and 2 more, the rule wants the number 9",
        False,
    ),
    ("data.tags", ["b"], 'data.tags has the values "a", "b", as the rule wants', True),
    (
        "type",
        [{"contains": "made"}],
        'type is "order.paid", the rule wants a string that contains "made"',
        False,
    ),
    (
        "type",
        [{"prefix": {"equals-ignore-case": "COM"}}],
        'type is "order.paid", the rule wants a string that starts with "COM", whatever the case',
        False,
    ),
    (
        "type",
        [{"equals-ignore-case": "A"}],
        'type is "order.paid", the rule wants "A", whatever the case',
        False,
    ),
    ("type", [{"exactly": "A"}], 'type is "order.paid", the rule wants exactly the string "A"', False),
    ("type", [{"wildcard": "*.made"}], 'type is "order.paid", the rule wants a string like "*.made"', False),
    (
        "type",
        [{"anything-but": "order.paid"}],
        'type is "order.paid", the rule wants anything but "order.paid"',
        False,
    ),
    (
        "data.total",
        [{"numeric": [">", 5, "<=", 100]}],
        "data.total is 129.9, the rule wants a number > 5 and <= 100",
        False,
    ),
    (
        "data.amount",
        [{"numeric": [">", 5]}],
        'data.amount is "12" (a string), the rule wants a number > 5',
        False,
    ),
    (
        "data.coupon",
        [{"cidr": "10.0.0.0/8"}, {"cidr": "::1"}],
        'data.coupon is "NOV25", the rule wants an address in 10.0.0.0/8 or the address ::1',
        False,
    ),
    (
        "data.gift",
        [{"anything-but": [False, 5, "x"]}],
        'data.gift is false, the rule wants anything but false, the number 5 or "x"',
        False,
    ),
    (
        "type",
        [{"anything-but": {"prefix": ["order", "cart"]}}],
        'type is "order.paid", the rule wants anything but a string that starts with "order" or a string that starts with "cart"',
        False,
    ),
    ("data.x", [{"anything-but": []}], "data.x is not in the event, the rule wants any value", False),
    (
        "type",
        [{"prefix": "order", "suffix": ".made"}],
        'type is "order.paid", the rule wants a string that starts with "order" and a string that ends with ".made"',
        False,
    ),
    (
        "type",
        ["a", "b", "c", "d", "e", "f", "g", "h"],
        'type is "order.paid", the rule wants "a", "b", "c", "d", "e" or one of 3 others',
        False,
    ),
]


@pytest.mark.parametrize(("path", "alternatives", "sentence", "ok"), SENTENCES)
def test_the_sentence_says_what_was_seen_and_what_is_wanted(path, alternatives, sentence, ok) -> None:
    explanation = explain({path: alternatives}, EVENT)
    [condition] = explanation.conditions
    assert condition.sentence == sentence
    assert condition.ok is explanation.matched is ok


def test_the_first_condition_that_fails_is_named_in_the_order_written() -> None:
    pattern = {"type": ["order.paid"], "data": {"total": [5], "amount": [12]}, "source": ["/x"]}
    explanation = explain(pattern, EVENT)
    assert [(one.path, one.ok) for one in explanation.conditions] == [
        ("type", True),
        ("data.total", False),
        ("data.amount", False),
        ("source", False),
    ]
    assert explanation.failed is explanation.conditions[1]


def test_a_condition_holds_json_values() -> None:
    pattern = {"type": [{"prefix": "a"}], "data": {"tags": ["x", {"exists": False}], "x": [1, 2]}}
    first, second, third = explain(pattern, EVENT).conditions
    assert first == Condition("type", "prefix", "a", "order.paid", False, first.sentence, "/type")
    assert (second.operator, second.wanted, second.seen) == ("any of", ["x", {"exists": False}], ["a", "b"])
    assert (third.operator, third.wanted, third.seen) == ("exact", [1, 2], ABSENT)


def test_conditions_met_only_by_different_elements_are_explained() -> None:
    explanation = explain({"data": {"items": {"sku": ["a"], "count": [2]}}}, EVENT)
    assert explanation.failed is not None
    assert explanation.failed.sentence == (
        'data.items.sku does not fit in the same list element as data.items.count, the rule wants "a"'
    )
    explanation = explain({"data": {"items": {"count": [{"exists": False}]}}}, EVENT)
    assert explanation.failed is not None
    assert explanation.failed.sentence == (
        "data.items.count is in some elements of the list, the rule wants it not to be there"
    )


def test_an_empty_pattern_has_nothing_to_explain() -> None:
    explanation = explain("{}", EVENT)
    assert (explanation.matched, explanation.failed, explanation.conditions) == (True, None, [])


def test_an_invalid_pattern_is_not_explained() -> None:
    with pytest.raises(PatternError):
        explain({"type": "a"}, EVENT)


def test_long_values_are_cut_in_sentences() -> None:
    [condition] = explain({"type": ["y" * 500]}, Event({"type": "x" * 50_000}, None)).conditions
    assert len(condition.sentence) < 300


def test_without_or_the_sentence_is_that_of_the_first_failure_or_of_all_conditions() -> None:
    failing = explain({"type": ["order.paid"], "source": ["/x"], "subject": ["y"]}, EVENT)
    assert failing.sentence == 'source is "/shop", the rule wants "/x"'
    assert (failing.choices, failing.combinations) == ((), 1)
    holding = explain({"type": ["order.paid"], "source": ["/shop"]}, EVENT)
    assert holding.sentence == 'type is "order.paid" and source is "/shop", as the rule wants'
    assert explain({}, EVENT).sentence == "the rule takes every event"


def test_with_or_the_combination_that_came_closest_is_explained() -> None:
    pattern = {
        "type": ["order.paid"],
        "$or": [
            {"source": ["/a"], "subject": ["s"]},
            {"source": ["/shop"], "data": {"coupon": ["X"]}},
            {"source": ["/c"]},
        ],
    }
    explanation = explain(pattern, EVENT)
    assert explanation.choices == ("/$or/1",)
    assert explanation.combinations == 3
    assert [(one.pointer, one.ok) for one in explanation.conditions] == [
        ("/type", True),
        ("/$or/1/source", True),
        ("/$or/1/data/coupon", False),
    ]
    assert explanation.sentence == (
        'none of 3 ways to meet `$or` holds; closest came /$or/1: data.coupon is "NOV25", the rule wants "X"'
    )


def test_with_or_the_combination_that_holds_is_told() -> None:
    pattern = {
        "$or": [{"type": ["x"]}, {"source": ["/shop"]}],
        "data": {"$or": [{"coupon": ["NOV25"]}, {"amount": ["12"]}]},
    }
    explanation = explain(pattern, EVENT)
    assert explanation.matched
    assert explanation.choices == ("/$or/1", "/data/$or/0")
    assert explanation.sentence == (
        'source is "/shop" and data.coupon is "NOV25", as the rule wants by /$or/1 and /data/$or/0'
    )


@pytest.mark.parametrize(
    ("pattern", "sentence", "pointer"),
    [
        (
            {"$or": [{"data": {"coupon": ["SE"]}}, {"data": {"coupon": ["NO", "DK"]}}]},
            'data.coupon is "NOV25", the rule wants "SE", "NO" or "DK"',
            "/$or/0/data/coupon",
        ),
        (
            {"data": {"$or": [{"$or": [{"coupon": ["SE"]}, {"coupon": ["NO"]}]}, {"coupon": ["SE"]}]}},
            'data.coupon is "NOV25", the rule wants "SE" or "NO"',
            "/data/$or/0/$or/0/coupon",
        ),
        (
            {"source": ["/shop"], "$or": [{"type": ["a"]}, {"data": {"coupon": ["X"]}}]},
            'type is "order.paid", the rule wants "a" (the closest of 2 alternatives, none of which holds)',
            "/$or/0/type",
        ),
        (
            {"source": ["/x"], "$or": [{"type": ["a"]}, {"type": ["order.paid"]}]},
            'source is "/shop", the rule wants "/x"',
            "/source",
        ),
    ],
)
def test_the_reason_of_an_alternative_does_not_sound_as_if_it_were_the_rule(
    pattern: dict[str, Any], sentence: str, pointer: str
) -> None:
    failed = explain(pattern, EVENT).failed
    assert failed is not None
    assert (failed.sentence, failed.pointer) == (sentence, pointer)


def test_of_combinations_with_as_many_failures_the_one_with_more_that_holds_came_closest() -> None:
    pattern = {"$or": [{"type": ["a"]}, {"type": ["order.paid"], "data": {"coupon": ["X"]}}]}
    assert explain(pattern, EVENT).choices == ("/$or/1",)
