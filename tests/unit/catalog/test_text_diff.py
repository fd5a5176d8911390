"""Two texts line by line."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.display.text_diff import CONTEXT, changed_lines, json_lines
from catalog.display.words import share

texts = st.lists(st.sampled_from("abcd"), max_size=12)


@settings(max_examples=60)
@given(texts, texts)
def test_what_is_gone_and_what_came_lead_from_one_text_to_the_other(
    before: list[str], after: list[str]
) -> None:
    lines = changed_lines(before, after)
    assert lines is not None
    gone = Counter(line.text for line in lines if line.sign == "-")
    came = Counter(line.text for line in lines if line.sign == "+")
    assert Counter(before) - gone + came == Counter(after)
    assert (lines == []) is (before == after)


def test_only_a_few_lines_around_a_change_are_shown_and_a_gap_between_two_places() -> None:
    before = [str(number) for number in range(100)]
    after = [*before[:20], "new", *before[20:80], *before[81:]]
    lines = changed_lines(before, after)
    assert lines is not None
    assert [line.text for line in lines if line.sign in "+-"] == ["new", "80"]
    assert [line.sign for line in lines].count("…") == 1
    assert len(lines) == 2 + 1 + 4 * CONTEXT


def test_what_would_take_too_long_to_compare_is_not() -> None:
    many = [str(number) for number in range(2001)]
    assert changed_lines(many, many[::-1]) is None
    assert changed_lines([*many, "a", *many], [*many, "b", *many]) is not None


def test_json_is_compared_member_by_member() -> None:
    assert json_lines({"b": 1, "a": [2]}) == ["{", '  "b": 1,', '  "a": [', "    2", "  ]", "}"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0%"), (1, "100%"), (0.5, "50%"), (0.996, "99.6%"), (0.9999, "99.99%"), (0.99999, ">99.99%"),
        (0.004, "0.4%"), (0.00001, "<0.01%"), (0.333, "33%"),
    ],
)  # fmt: skip
def test_a_share_never_reads_as_all_or_nothing_when_it_is_neither(value: float, shown: str) -> None:
    assert share(value) == shown
