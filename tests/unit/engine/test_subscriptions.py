"""Filters of the CloudEvents Subscriptions API: what they take, what is refused, why an event was not taken."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from rules.engine import ABSENT, Event, PatternError
from rules.engine.subscriptions import (
    MAX_BYTES,
    MAX_CONDITIONS,
    MAX_DEPTH,
    parse_filters,
    validate_filters,
)
from rules.engine.subscriptions_explanation import explain_filters

EVENT = Event(
    {
        "specversion": "1.0",
        "id": "1",
        "source": "/shop",
        "type": "order.paid",
        "retries": 2,
        "urgent": True,
        "level": -5,
    },
    b'{"type": "x"}',
)

# (filters, whether they take the event)
CASES: list[tuple[list[Any], bool]] = [
    ([], True),
    ([{"exact": {"type": "order.paid"}}], True),
    ([{"exact": {"type": "Order.Paid"}}], False),
    ([{"exact": {"type": "order"}}], False),
    ([{"exact": {"type": "order.paid", "source": "/shop"}}], True),
    ([{"exact": {"type": "order.paid", "source": "/x"}}], False),
    ([{"exact": {"subject": "x"}}], False),
    ([{"exact": {"retries": "2", "urgent": "true", "level": "-5"}}], True),
    ([{"exact": {"urgent": "TRUE"}}], False),
    ([{"exact": {"retries": "02"}}], False),
    ([{"prefix": {"type": "order.", "level": "-", "urgent": "t"}}], True),
    ([{"prefix": {"type": "order.paid"}}], True),
    ([{"prefix": {"type": "order.paid."}}], False),
    ([{"prefix": {"subject": "x"}}], False),
    ([{"suffix": {"type": ".paid", "level": "5", "urgent": "e"}}], True),
    ([{"suffix": {"type": ".sent"}}], False),
    ([{"exact": {"type": "order.paid"}}, {"prefix": {"source": "/x"}}], False),
    ([{"all": [{"exact": {"type": "order.paid"}}, {"prefix": {"source": "/"}}]}], True),
    ([{"all": [{"exact": {"type": "order.paid"}}, {"prefix": {"source": "x"}}]}], False),
    ([{"any": [{"exact": {"type": "x"}}, {"prefix": {"source": "/"}}]}], True),
    ([{"any": [{"exact": {"type": "x"}}]}], False),
    ([{"not": {"exact": {"type": "x"}}}], True),
    ([{"not": {"exact": {"type": "order.paid"}}}], False),
    ([{"not": {"exact": {"subject": "x"}}}], True),
    ([{"not": {"not": {"prefix": {"type": "order."}}}}], True),
    ([{"not": {"any": [{"exact": {"type": "x"}}, {"exact": {"type": "y"}}]}}], True),
    ([{"sql": "retries + 1 = 3"}], True),
    ([{"sql": "subject = 'x'"}], False),
    ([{"not": {"sql": "subject = 'x'"}}], True),
    ([{"sql": "retries"}], False),
    ([{"any": [{"sql": "subject = 'x'"}, {"sql": "urgent"}]}], True),
]


@pytest.mark.parametrize(("filters", "takes"), CASES, ids=[json.dumps(row[0]) for row in CASES])
def test_filters_take_an_event_or_not(filters, takes) -> None:
    for written in (filters, json.dumps(filters), json.dumps(filters).encode()):
        compiled = parse_filters(written)
        assert compiled.holds(EVENT) is takes
        explanation = explain_filters(compiled, EVENT)
        assert explanation.matched is takes
        assert (explanation.failed is None) is takes


# (filters, pointer, message)
ERRORS: list[tuple[Any, str, str]] = [
    (
        {"exact": {"type": "a"}},
        "",
        'filters are a list, as in [{"prefix": {"type": "com.example."}}], not an object',
    ),
    (None, "", 'filters are a list, as in [{"prefix": {"type": "com.example."}}], not null'),
    (["a"], "/0", 'a filter is an object with one dialect, as in {"exact": {"type": "a"}}, not a string'),
    ([{}], "/0", 'a filter is an object with one dialect, as in {"exact": {"type": "a"}}, not one with 0'),
    (
        [{"exact": {"type": "a"}, "prefix": {"type": "a"}}],
        "/0",
        'a filter is an object with one dialect, as in {"exact": {"type": "a"}}, not one with 2',
    ),
    (
        [{"contains": {"type": "a"}}],
        "/0/contains",
        "`contains` is no filter dialect; understood are exact, prefix, suffix, all, any, not, sql",
    ),
    (
        [{"a/b~": 1}],
        "/0/a~1b~0",
        "`a/b~` is no filter dialect; understood are exact, prefix, suffix, all, any, not, sql",
    ),
    (
        [{"exact": {}}],
        "/0/exact",
        '`exact` takes attributes and strings, as in {"exact": {"type": "com.example"}}, not an empty object',
    ),
    (
        [{"prefix": "a"}],
        "/0/prefix",
        '`prefix` takes attributes and strings, as in {"prefix": {"type": "com.example"}}, not a string',
    ),
    (
        [{"suffix": {"type": ""}}],
        "/0/suffix/type",
        "the string must not be empty; to ask for an attribute whatever it is, use sql: EXISTS subject",
    ),
    ([{"exact": {"": "a"}}], "/0/exact/", "the name of an attribute is a string that is not empty"),
    (
        [{"exact": {"retries": 5}}],
        "/0/exact/retries",
        'values are strings, numbers too, as in "5", not a number',
    ),
    (
        [{"exact": {"Type": "a"}}],
        "/0/exact/Type",
        "`Type` is no name of an attribute: those have lower-case letters and digits only",
    ),
    (
        [{"exact": {"data.type": "a"}}],
        "/0/exact/data.type",
        "`data` cannot be asked for, only attributes: for data use a pattern",
    ),
    (
        [{"exact": {"type": "\ud800"}}],
        "/0/exact/type",
        r"half of a surrogate pair (\ud800 to \udfff) is not a character",
    ),
    ([{"all": []}], "/0/all", "`all` needs at least one filter"),
    ([{"any": {"exact": {"type": "a"}}}], "/0/any", "`any` takes a list of filters, not an object"),
    (
        [{"not": [{"exact": {"type": "a"}}]}],
        "/0/not",
        'a filter is an object with one dialect, as in {"exact": {"type": "a"}}, not a list',
    ),
    (
        [{"any": [{"not": {"exact": {"type": "a"}}}, {"not": {"all": [{"exact": {"x": 1}}]}}]}],
        "/0/any/1/not/all/0/exact/x",
        'values are strings, numbers too, as in "5", not a number',
    ),
    ([{"sql": {"a": "b"}}], "/0/sql", "`sql` takes an expression as a string, not an object"),
    (
        [{"sql": "type =\n  == 'a'"}],
        "/0/sql",
        "in the expression at line 2, column 3: `==` is not understood: write a single =",
    ),
    (
        [{"sql": "LENGTH(type)"}],
        "/0/sql",
        "in the expression at line 1, column 1: the expression gives a number, a filter gives true or false: "
        "compare it, as in LENGTH(subject) > 5",
    ),
]


@pytest.mark.parametrize(
    ("filters", "pointer", "message"), ERRORS, ids=[row[1] + row[2][:20] for row in ERRORS]
)
def test_an_error_names_the_place_and_what_would_be_right(filters, pointer, message) -> None:
    [problem] = validate_filters(filters)
    assert (problem.pointer, problem.line, problem.message) == (pointer, None, message)
    with pytest.raises(PatternError) as caught:
        parse_filters(filters)
    assert caught.value.message == message
    [problem] = validate_filters(json.dumps(filters, indent=1))
    assert (problem.pointer, problem.message) == (pointer, message)
    assert problem.line is not None


def test_all_that_is_wrong_is_told_with_lines() -> None:
    problems = validate_filters('[\n{"exact": {"type": ""}},\n{"any": [\n{"near": 1},\n{"sql": "AND"}]}]')
    assert [(one.pointer, one.line) for one in problems] == [
        ("/0/exact/type", 2),
        ("/1/any/0/near", 4),
        ("/1/any/1/sql", 5),
    ]


@pytest.mark.parametrize(
    ("written", "pointer", "line", "message"),
    [
        ("[{]", "", 1, "not JSON at line 1, column 3"),
        (b"\xff", "", None, "filters must be UTF-8 text: byte 0 is not"),
        (
            '[{"exact":\n{"type": "a",\n"type": "b"}}]',
            "/0/exact/type",
            3,
            "this key is written twice in one object: keep one, or write a second filter",
        ),
        ("[NaN]", "", None, "not JSON: NaN is not JSON"),
        ("[" * 100_00, "", None, "nested too deep: at most 32 levels are understood"),
    ],
)
def test_what_is_no_json_is_refused(written, pointer, line, message) -> None:
    [problem] = validate_filters(written)
    assert (problem.pointer, problem.line) == (pointer, line)
    assert problem.message.startswith(message)


def nested(levels: int) -> list[Any]:
    inner: dict[str, Any] = {"exact": {"type": "a"}}
    for _ in range(levels - 1):
        inner = {"not": inner}
    return [inner]


def test_deep_and_large_filters_are_refused() -> None:
    assert validate_filters(nested(MAX_DEPTH)) == []
    for deep in (MAX_DEPTH + 1, 400, 5000):
        [problem] = validate_filters(nested(deep))
        assert problem.message == "nested too deep: at most 32 levels are understood"
    circle: list[Any] = []
    circle.append({"all": circle})
    assert "nested too deep" in validate_filters(circle)[0].message
    half = MAX_CONDITIONS // 2
    assert validate_filters([{"exact": {"a": "b"}}] * half) == []
    [problem] = validate_filters([{"exact": {"a": "b"}}] * (half + 1))
    assert problem.message == "more than 1,000 conditions: at most that many are understood"
    for big in ([{"exact": {"type": "x" * MAX_BYTES}}], json.dumps([{"exact": {"type": "é" * MAX_BYTES}}])):
        [problem] = validate_filters(big)
        assert "at most 65,536 are understood" in problem.message


# (filters, pointer, sentence)
SENTENCES: list[tuple[list[Any], str, str]] = [
    ([{"exact": {"type": "a"}}], "/0/exact/type", 'type is "order.paid", the rule wants "a"'),
    (
        [{"exact": {"source": "/shop", "type": "a"}}],
        "/0/exact/type",
        'type is "order.paid", the rule wants "a"',
    ),
    (
        [{"prefix": {"type": "com."}}],
        "/0/prefix/type",
        'type is "order.paid", the rule wants a string that starts with "com."',
    ),
    (
        [{"exact": {"source": "/shop"}}, {"suffix": {"subject": "x"}}],
        "/1/suffix/subject",
        'subject is not in the event, the rule wants a string that ends with "x"',
    ),
    (
        [{"not": {"prefix": {"type": "order."}}}],
        "/0/not/prefix/type",
        'type is "order.paid", the rule wants a string that does not start with "order."',
    ),
    (
        [{"not": {"exact": {"retries": "2"}}}],
        "/0/not/exact/retries",
        'retries is 2, the rule wants anything but "2"',
    ),
    (
        [{"all": [{"exact": {"source": "/shop"}}, {"exact": {"type": "a"}}]}],
        "/0/all/1/exact/type",
        'type is "order.paid", the rule wants "a"',
    ),
    (
        [{"any": [{"exact": {"type": "a"}}, {"exact": {"source": "b"}}]}],
        "/0/any/0/exact/type",
        'type is "order.paid", the rule wants "a" (the first of 2 alternatives, none of which holds)',
    ),
    (
        [{"not": {"any": [{"exact": {"type": "a"}}, {"exact": {"source": "/shop"}}]}}],
        "/0/not/any/1/exact/source",
        'source is "/shop", the rule wants anything but "/shop"',
    ),
    ([{"sql": "urgent AND retries > 2"}], "/0/sql", "retries is 2, the rule wants more than 2"),
    (
        [{"not": {"sql": "retries = 2"}}],
        "/0/not/sql",
        "the expression holds (retries is 2, as the rule wants), the rule wants it not to hold",
    ),
]


@pytest.mark.parametrize(("filters", "pointer", "sentence"), SENTENCES, ids=[row[1] for row in SENTENCES])
def test_the_first_condition_that_fails_is_told(filters, pointer, sentence) -> None:
    failed = explain_filters(parse_filters(filters), EVENT).failed
    assert failed is not None
    assert (failed.condition.pointer, failed.condition.sentence, failed.condition.ok) == (
        pointer,
        sentence,
        False,
    )


def test_each_filter_is_told_and_an_expression_with_its_place() -> None:
    filters = parse_filters(
        [
            {"exact": {"type": "order.paid"}},
            {"sql": "urgent AND retries = 3"},
            {"not": {"exact": {"subject": "x"}}},
        ]
    )
    explanation = explain_filters(filters, EVENT)
    first, second, third = explanation.findings
    assert first.condition.sentence == 'type is "order.paid", as the rule wants'
    assert explanation.failed is second
    assert second.sql is not None
    assert (second.sql.text, second.sql.column) == ("retries = 3", 12)
    one = third.condition
    assert (one.path, one.operator, one.wanted, one.seen, one.ok) == (
        "subject",
        "not exact",
        "x",
        ABSENT,
        True,
    )
    assert one.sentence == "subject is not in the event, as the rule wants"


def test_conditions_are_given_in_the_language_of_patterns() -> None:
    def branches(*written: dict[str, Any]) -> list[dict[str, list[Any]]]:
        found = parse_filters(list(written)).branches()
        return [{atom.attribute: atom.alternatives for atom in branch} for branch in found]

    assert branches() == [{}]
    assert branches({"exact": {"type": "a", "n": "5"}}, {"prefix": {"source": "/x"}}) == [
        {"type": ["a"], "n": ["5", 5], "source": [{"prefix": "/x"}]}
    ]
    assert branches(
        {"any": [{"exact": {"type": "a"}}, {"suffix": {"type": "b"}}, {"prefix": {"id": "1"}}]}
    ) == [
        {"type": ["a", {"suffix": "b"}]},
        {"id": [{"exists": True}]},
    ]
    assert branches({"not": {"exact": {"type": "a"}}}) == [{}]
    assert branches({"sql": "type IN ('a', 'b') AND EXISTS subject"}, {"exact": {"type": "b"}}) == [
        {"type": ["b"], "subject": [{"exists": True}]}
    ]
    assert branches({"sql": "type = 'a'"}, {"exact": {"type": "b"}}) == []


def test_the_largest_filters_are_quick() -> None:
    many = [
        {"any": [{"exact": {f"a{number}": "x"}}, {"prefix": {f"b{number}": "y"}}]} for number in range(190)
    ]
    before = time.process_time()
    compiled = parse_filters(many)
    compiled.branches()
    explain_filters(compiled, EVENT)
    assert time.process_time() - before < 1
