"""What a draft would have done to past events: which pass, which share each condition lets through, why others do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from rules.draft import Draft
from rules.engine import Event, Filter, compile, explain

WHOLE, SQL, FIRST_ROW = 0, 1, 2
MOST_ROWS = 40


class Tried(NamedTuple):
    """`taken`: for each event, whether the whole filter takes it; None while something is wrong in the filter.

    `by_row`: how many events meet each condition alone, by its index in the form; `by_sql`: the expression alone.
    """

    taken: list[bool] | None
    by_row: dict[int, int]
    by_sql: int | None


def try_on(draft: Draft, seen: Sequence[Event]) -> Tried:
    """Matches every event once against the whole filter and each of its conditions together."""
    filters: list[tuple[int, Filter]] = []
    whole = draft.filter
    if whole is not None:
        filters.append((WHOLE, whole))
        if whole.sql:
            filters.append((SQL, Filter({}, whole.sql)))
    for index, row, problems in draft.lines[:MOST_ROWS] if draft.mode == "rows" else []:
        if row.path.strip() and not problems:
            alone = _without_others(draft, index).filter
            if alone is not None:
                filters.append((FIRST_ROW + index, alone))
    counts = dict.fromkeys((number for number, _one in filters), 0)
    taken = []
    together = compile(filters)
    for event in seen:
        met = together.match(event)
        taken.append(WHOLE in met)
        for number in met:
            counts[number] += 1
    by_row = {number - FIRST_ROW: count for number, count in counts.items() if number >= FIRST_ROW}
    return Tried(taken if whole is not None else None, by_row, counts.get(SQL))


def reason(draft: Draft, event: Event) -> str:
    """The first condition that `event` does not meet, in words; "" when it meets all."""
    failed = explain(draft.filter, event).failed if draft.filter is not None else None
    return failed.sentence if failed is not None else ""


def _without_others(draft: Draft, index: int) -> Draft:
    """The draft with one row alone, to count what that row lets pass."""
    row = draft.rows[index]._replace(place="")
    return replace(draft, rows=[row], sql="", filters_text="", problems=[]).checked()
