"""The rows of the editor's form stand in one order, whatever path made them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rules.conditions import Row
from rules.draft import Draft
from rules.draft_lines import in_order

PLACES = st.sampled_from(["", "0.0", "0.1", "1.0", "1.1", "7.2"])
ROWS = st.lists(st.builds(Row, st.sampled_from("ab"), st.just("is"), st.sampled_from("12"), PLACES))


def test_rows_that_must_hold_come_before_groups_and_a_group_stays_together() -> None:
    rows = [Row("a", "is", "1", place) for place in ("1.0", "", "0.0", "1.1", "1.0", "")]
    assert [row.place for row in in_order(rows)] == ["", "", "1.0", "1.0", "1.1", "0.0"]


@given(ROWS)
def test_the_order_is_the_one_that_the_page_draws_and_loses_nothing(rows: list[Row]) -> None:
    draft = Draft(rows=in_order(rows))
    drawn = [line.at for line in draft.plain_lines]
    drawn += [line.at for group in draft.groups for _place, lines in group.alternatives for line in lines]
    assert drawn == list(range(len(rows)))
    assert sorted(draft.rows) == sorted(rows)
    assert in_order(draft.rows) == draft.rows
