"""Conditions as rows and as a pattern say the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.conditions import (
    METHODS,
    RARE,
    NotRows,
    Row,
    RowError,
    from_pattern,
    same,
    to_pattern,
    types_in_words,
    write,
)
from rules.engine import validate
from rules.values import parse_values, write_values


@pytest.mark.parametrize(
    ("text", "kind", "values"),
    [
        ("SEK, NOK", None, ["SEK", "NOK"]),
        ("12", None, [12]),
        ("12", "string", ["12"]),
        ('"12"', None, ["12"]),
        ("12.5, -3", "number", [12.5, -3]),
        ("true, null", None, [True, None]),
        ('"a, b", c', None, ["a, b", "c"]),
        ('he said "hi"', None, ['he said "hi"']),
        ("NaN", None, ["NaN"]),
        ("[1]", None, ["[1]"]),
        ("  ,  , ", None, []),
        ("", None, []),
    ],
)
def test_values_are_read_as_they_look(text: str, kind: str | None, values: list[object]) -> None:
    assert parse_values(text, kind) == values
    assert [type(value) for value in parse_values(text, kind)] == [type(value) for value in values]


scalars = st.one_of(
    st.text(max_size=12),
    st.integers(-1000, 1000),
    st.booleans(),
    st.none(),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
)


@given(st.lists(scalars, min_size=1, max_size=4))
def test_values_that_were_written_are_read_back(values: list[object]) -> None:
    assert parse_values(write_values(values), None) == values


@given(st.lists(st.text(max_size=12), min_size=1, max_size=4))
def test_strings_of_a_method_are_read_back(values: list[str]) -> None:
    assert parse_values(write_values(values, plain=True), "string") == values


PATHS = st.from_regex(r"data(\.[a-z]{1,5}){1,3}", fullmatch=True)
PLACES = st.sampled_from(["", "", "0.0", "0.1", "1.0", "1.1"])
WORDS = st.from_regex(r"[a-z]{1,4}(, [a-z]{1,4}){0,2}", fullmatch=True)
VALUES = {
    "number": st.sampled_from(["≥ 500", "> 1 and < 5", "5 to 10", "!= 3", "= 1.5 or > 7e3", "-2"]),
    "ip": st.sampled_from(["10.0.0.0/8", "10.0.0.0/8, 192.168.1.0/24", "::1/128"]),
    "wildcard": st.sampled_from(["a*", "*b, c*d"]),
    "present": st.just(""),
    "absent": st.just(""),
    "null": st.just(""),
}
rows = st.lists(
    st.one_of(
        *(
            st.builds(Row, PATHS, st.just(method), VALUES.get(method, WORDS), PLACES)
            for method in (*METHODS, *RARE)
            if method != "not-ip"
        )
    ),
    max_size=6,
)


@given(st.lists(st.from_regex(r"[a-z]+\.[a-z]+", fullmatch=True), max_size=3, unique=True), rows)
def test_a_pattern_made_of_rows_gives_the_same_rows(types: list[str], listed: list[Row]) -> None:
    try:
        pattern = to_pattern(types, listed, {})
    except RowError:
        return  # two rows of one path, one inside the other, or two groups that find no place
    found = from_pattern(pattern)
    assert found[0] == types
    again = to_pattern(*found, {})
    assert same(from_pattern(again), found)
    wrong = [problem.message for problem in validate(pattern)]
    # What only the engine sees: a path in a group and beside it.
    assert [message for message in wrong if "already" not in message] == []


@pytest.mark.parametrize(
    ("rows", "pattern"),
    [
        ([Row("data.n", "number", "≥ 500")], {"n": [{"numeric": [">=", 500]}]}),
        ([Row("data.n", "number", "5 to 10")], {"n": [{"numeric": [">=", 5, "<=", 10]}]}),
        ([Row("data.n", "number", "between 5 and 10")], {"n": [{"numeric": [">=", 5, "<=", 10]}]}),
        ([Row("data.n", "number", "< 1 or > 9")], {"n": [{"numeric": ["<", 1]}, {"numeric": [">", 9]}]}),
        ([Row("data.n", "number", "≠ 3")], {"n": [{"numeric": ["!=", 3]}]}),
        ([Row("data.a", "not", "x, 1")], {"a": [{"anything-but": ["x", 1]}]}),
        ([Row("data.a", "not-suffix", "@x")], {"a": [{"anything-but": {"suffix": "@x"}}]}),
        ([Row("data.a", "not-prefix", "x, y")], {"a": [{"anything-but": {"prefix": ["x", "y"]}}]}),
        ([Row("data.a", "contains", "x, y")], {"a": [{"contains": "x"}, {"contains": "y"}]}),
        ([Row("data.a", "ignore-case", "Abc")], {"a": [{"equals-ignore-case": "Abc"}]}),
        ([Row("data.a", "wildcard", "a*z")], {"a": [{"wildcard": "a*z"}]}),
        ([Row("data.a", "ip", "10.0.0.0/8")], {"a": [{"cidr": "10.0.0.0/8"}]}),
        ([Row("data.a", "null", "")], {"a": [None]}),
        ([Row("data.a", "absent", "")], {"a": [{"exists": False}]}),
    ],
)
def test_every_method_is_an_operator_and_back(rows: list[Row], pattern: dict[str, object]) -> None:
    assert to_pattern([], rows, {}) == {"data": pattern}
    [back] = from_pattern({"data": pattern})[1]
    assert to_pattern([], [back], {}) == {"data": pattern}
    assert (back.path, back.method) == (rows[0].path, rows[0].method)


def test_alternatives_of_a_group_become_an_or() -> None:
    rows = [
        Row("source", "is", "/a"),
        Row("data.a", "is", "1", "0.0"),
        Row("data.b", "is", "2", "0.0"),
        Row("data.c", "is", "3", "0.1"),
    ]
    pattern = to_pattern(["t"], rows, {})
    assert pattern == {
        "type": ["t"],
        "source": ["/a"],
        "$or": [{"data": {"a": [1], "b": [2]}}, {"data": {"c": [3]}}],
    }
    assert from_pattern(pattern) == (["t"], rows)


def test_a_group_of_one_alternative_is_the_same_as_its_rows() -> None:
    rows = [Row("data.a", "is", "1", "0.0"), Row("", "is", "", "0.1")]
    assert to_pattern([], rows, {}) == {"data": {"a": [1]}}


def test_a_second_group_stands_deeper_when_its_paths_go_together() -> None:
    rows = [
        Row("source", "is", "/a", "0.0"),
        Row("subject", "is", "b", "0.1"),
        Row("data.x", "is", "1", "1.0"),
        Row("data.y", "is", "2", "1.1"),
    ]
    written = write([], rows, {})
    assert written.pattern == {
        "$or": [{"source": ["/a"]}, {"subject": ["b"]}],
        "data": {"$or": [{"x": [1]}, {"y": [2]}]},
    }
    assert written.row_of("/data/$or/1/y/0") == 3
    assert written.row_of("/nowhere") is None
    assert same(from_pattern(written.pattern), ([], rows))


def test_two_groups_that_cannot_both_be_written_are_refused() -> None:
    rows = [Row("source", "is", "a", f"{group}.{alternative}") for group in (0, 1) for alternative in (0, 1)]
    with pytest.raises(RowError, match="Two groups"):
        to_pattern([], rows, {})


@pytest.mark.parametrize(
    ("listed", "index", "words"),
    [
        ([Row("data.a", "is", "")], 0, "Write a value"),
        ([Row("data.a", "is", "1"), Row("data.a", "prefix", "x")], 1, "two rows"),
        ([Row("data.a", "is", "1"), Row("data.a.b", "is", "1")], 1, "inside a field"),
        ([Row("data.n", "is", "many")], 0, "is a number"),
        ([Row("data.n", "number", "much")], 0, "Write it like"),
        ([Row("data.n", "number", "5 to 3")], 0, "5 is above 3: write the lower end first, 3 to 5."),
        ([Row("data.n", "is", "≥ 5")], 0, "For ≥ or a range choose “number”"),
        ([Row("data.a", "is", 'a, "b')], 0, 'The quote in "b is not closed. Close it, as in "b"'),
        ([Row("data.a", "prefix", '"')], 0, "is not closed"),
        ([Row("data.a", "is", '"a" b')], 0, "is not closed"),
        ([Row("data.a", "sounds like", "x")], 0, "no method"),
        ([Row("", "is", ""), Row("data.a", "not-prefix", " ")], 1, "Write a value"),
    ],
)
def test_a_wrong_row_is_named(listed: list[Row], index: int, words: str) -> None:
    with pytest.raises(RowError) as error:
        to_pattern([], listed, {"data.n": "number"})
    assert error.value.index == index
    assert words in error.value.message


def test_a_number_in_a_string_field_stays_a_string() -> None:
    assert to_pattern(["a"], [Row("data.zip", "is", "12345")], {"data.zip": "string"}) == {
        "type": ["a"],
        "data": {"zip": ["12345"]},
    }


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ({"data": {"a": ["x", {"prefix": "y"}]}}, "data.a mixes several methods"),
        ({"data": {"a": [{"prefix": {"equals-ignore-case": "y"}}]}}, "`prefix`"),
        ({"data": {"a": [{"anything-but": {"numeric": [">", 1]}}]}}, "`anything-but`"),
        ({"$or": [{"a": ["1"]}, {"$or": [{"b": ["1"]}, {"c": ["1"]}]}]}, "stands inside another"),
        ({"a": [[1]]}, "mixes"),
        ({"a": []}, "empty list"),
    ],
)
def test_what_rows_cannot_say_is_left_to_json_with_the_reason(
    pattern: dict[str, object], reason: str
) -> None:
    with pytest.raises(NotRows, match=reason):
        from_pattern(pattern)


def test_a_type_by_prefix_is_said_in_words() -> None:
    types, listed = from_pattern({"type": [{"prefix": "order."}]})
    assert types == []
    assert types_in_words(listed) == "order.…"
