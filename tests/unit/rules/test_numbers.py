"""Comparisons of numbers as text and as the `numeric` operator say the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.numbers import parse_comparisons, problem_in, write_comparisons


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


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("5 to 3", "5 is above 3: write the lower end first, 3 to 5."),
        ("1 or between 7 and 2", "7 is above 2: write the lower end first, 2 to 7."),
        ("> 5 and < 3", "No number is > 5 and < 3 at once. For either write > 5 or < 3."),
        ("> 5 and < 5", "No number is > 5 and < 5 at once."),
        ("< 3, ≥ 5", "No number is < 3 and ≥ 5 at once."),
        ("1, 500", "No number is 1 and 500 at once. For either write 1 or 500."),
        ("= 5 and > 7", "No number is = 5 and > 7 at once."),
        ("1,000", "Write 1000: digits are not grouped"),
        ("≥ 1 000 000", "Write 1000000: digits are not grouped"),
        ("5-10", "Write a range as 5 to 10."),
        ("≥ 5 to 10", "Write a range as 5 to 10."),
        ("1000 to", "A range has two ends, as in 5 to 10. For one end alone write ≥ 1000 or ≤ 1000."),
        ("between 1000", "A range has two ends"),
        ("to 1000", "A range has two ends, as in 5 to 10. For one end alone write ≥ 1000 or ≤ 1000."),
        ("1000-", "A range has two ends"),
        ("many", "Write it like ≥ 500, > 1 and < 5, 5 to 10, or ≠ 3."),
        ("", "Write it like"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_write(text: str, says: str) -> None:
    assert problem_in(text).startswith(says)


@pytest.mark.parametrize(
    "text",
    [
        "500",
        "1000",
        "5 to 5",
        "≥ 5 and ≤ 5",
        "≠ 1 and ≠ 2",
        "= 5 and < 7",
        "> 1, < 5",
        "< 1 or > 5",
        "> 1 and > 2",
    ],
)
def test_what_a_number_can_meet_is_not_complained_of(text: str) -> None:
    assert problem_in(text) == ""


@given(st.sampled_from([">", ">=", "<", "<=", "="]), st.integers(-3, 3), st.sampled_from([">", ">=", "<", "<=", "="]),
       st.integers(-3, 3))  # fmt: skip
def test_two_comparisons_are_refused_when_no_number_meets_both(one: str, a: int, two: str, b: int) -> None:
    holds = {
        ">": lambda n, m: n > m, ">=": lambda n, m: n >= m, "<": lambda n, m: n < m, "<=": lambda n, m: n <= m,
        "=": lambda n, m: n == m,
    }  # fmt: skip
    some = any(holds[one](n / 2, a) and holds[two](n / 2, b) for n in range(-10, 11))
    assert (problem_in(f"{one} {a} and {two} {b}") == "") is some


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
