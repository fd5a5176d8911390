"""Comparisons of numbers as text and as the `numeric` operator say the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.numbers import parse_comparisons, write_comparisons


@pytest.mark.parametrize(
    ("text", "operands"),
    [
        ("500", [["=", 500]]),
        ("≥500", [[">=", 500]]),
        (" >= 500 ", [[">=", 500]]),
        ("== 1.5", [["=", 1.5]]),
        ("<> 3", [["!=", 3]]),
        ("> 1, < 5", [[">", 1, "<", 5]]),
        ("> 1 and < 5", [[">", 1, "<", 5]]),
        ("5 to 10", [[">=", 5, "<=", 10]]),
        ("5..10", [[">=", 5, "<=", 10]]),
        ("-5 – -1", [[">=", -5, "<=", -1]]),
        ("between 5 and 10", [[">=", 5, "<=", 10]]),
        ("< 0 or > 10 or = 5", [["<", 0], [">", 10], ["=", 5]]),
        ("= 1e3", [["=", 1000.0]]),
    ],
)
def test_comparisons_are_read_as_people_write_them(text: str, operands: list[list[object]]) -> None:
    assert parse_comparisons(text) == [{"numeric": one} for one in operands]


@pytest.mark.parametrize(
    "text", ["", "many", "> ", "> 1 <", "1 2", "> 1 or", "01", "0x1", "NaN", "> 1,", "≥ ≥ 1"]
)
def test_what_is_no_comparison_is_refused(text: str) -> None:
    assert parse_comparisons(text) is None


numbers = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
pairs = st.tuples(st.sampled_from([">", ">=", "<", "<=", "=", "!="]), numbers)
operands = st.lists(pairs, min_size=1, max_size=3).map(
    lambda listed: [part for pair in listed for part in pair]
)


@given(st.lists(operands, min_size=1, max_size=3))
def test_what_is_written_is_read_back(alternatives: list[list[object]]) -> None:
    text = write_comparisons(alternatives)
    assert text is not None
    assert parse_comparisons(text) == [{"numeric": one} for one in alternatives]


@pytest.mark.parametrize("operand", [[], [">"], [">", "1"], [">", True], [1, 2], ["~", 1], [">", None]])
def test_what_is_no_numeric_is_not_written(operand: list[object]) -> None:
    assert write_comparisons([operand]) is None
