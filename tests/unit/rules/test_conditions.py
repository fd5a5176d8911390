"""Conditions as rows and as a pattern say the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.conditions import (
    Row,
    RowError,
    from_pattern,
    parse_values,
    to_pattern,
    types_in_words,
    write_values,
)
from rules.engine import validate


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


rows = st.lists(
    st.one_of(
        st.builds(
            Row,
            st.from_regex(r"data(\.[a-z]{1,5}){1,3}", fullmatch=True),
            st.sampled_from(["is", "prefix", "suffix"]),
            st.from_regex(r"[a-z]{1,4}(, [a-z]{1,4}){0,2}", fullmatch=True),
        ),
        st.builds(
            Row,
            st.from_regex(r"data(\.[a-z]{1,5}){1,3}", fullmatch=True),
            st.sampled_from(["present", "absent"]),
            st.just(""),
        ),
    ),
    max_size=4,
)


@given(st.lists(st.from_regex(r"[a-z]+\.[a-z]+", fullmatch=True), max_size=3, unique=True), rows)
def test_a_pattern_made_of_rows_gives_the_same_rows(types: list[str], listed: list[Row]) -> None:
    try:
        pattern = to_pattern(types, listed, {})
    except RowError:
        return  # two rows of one path, or one inside the other
    assert from_pattern(pattern) is not None
    found_types, found_rows = from_pattern(pattern) or ([], [])
    assert found_types == types
    assert to_pattern(found_types, found_rows, {}) == pattern
    if pattern:
        assert validate(pattern) == []


@pytest.mark.parametrize(
    ("listed", "index", "words"),
    [
        ([Row("data.a", "is", "")], 0, "Write a value"),
        ([Row("data.a", "is", "1"), Row("data.a", "prefix", "x")], 1, "two rows"),
        ([Row("data.a", "is", "1"), Row("data.a.b", "is", "1")], 1, "inside a field"),
        ([Row("data.n", "is", "many")], 0, "is a number"),
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
    "pattern",
    [{"data": {"a": ["x", {"prefix": "y"}]}}, {"data": {"a": [{"anything-but": "x"}]}}, {"a": [[1]]}],
)
def test_what_rows_cannot_say_is_left_to_json(pattern: dict[str, object]) -> None:
    assert from_pattern(pattern) is None


def test_a_type_by_prefix_is_said_in_words() -> None:
    types, listed = from_pattern({"type": [{"prefix": "order."}]}) or ([], [])
    assert types == []
    assert types_in_words(listed) == "order.…"
