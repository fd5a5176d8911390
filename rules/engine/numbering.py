"""The innermost elements of an array, numbered, so that those which meet a requirement are the bits of an integer."""

from __future__ import annotations

from itertools import repeat
from typing import NamedTuple

from rules.engine.leaves import Leaves
from rules.engine.path_leaves import PathLeaves

OUTSIDE = 0
"""Instead of an array: of leaves that are in no element."""
STEPS_OF_A_NUMBER = 4
"""To number an element takes so many steps of allowance.py."""
ASKED_AT_ONCE = 16
"""Of more leaves than this at one path it is asked at once which alternatives any of them meets."""


class Numbers(NamedTuple):
    """The innermost elements of an array. spans: (array, index) → those that an element is or holds, (first, last
    + 1); None when there are no arrays inside, so that they are as numbered as they are; size: how many; starts:
    instead of spans where all leaves are in rows, by index in the array the first of the elements, then the size."""

    spans: dict[tuple[int, int], tuple[int, int]] | None
    size: int
    starts: list[int] | None = None


def number_elements(array: int, there: list[PathLeaves], leaves: Leaves, depth: int) -> Numbers | None:
    """None when an element holds several arrays with leaves at the paths; there: the leaves at them; depth: how many
    arrays are above."""
    if array == OUTSIDE:
        return Numbers(None, 1)
    rows = [here.row_of(array) for here in there if array in here.outermost]
    of_rows = {id(row.inner): row.inner for row in rows if row and row.inner}
    if len(of_rows) == 1 and all(rows):
        [below] = of_rows.values()
        starts = below.starts
        leaves.spend(STEPS_OF_A_NUMBER * (len(starts) + starts[-1]) if starts[-1] > ASKED_AT_ONCE else 0)
        return Numbers({}, starts[-1], starts)
    inner = {one for here in there for one in here.innermost.get(array, ())}
    if inner == {array}:
        return Numbers(None, leaves.length(array))
    inside: dict[tuple[int, int], int] = {}
    for one in inner:
        outside = leaves.outside(one)[depth:]
        for element in reversed(outside):
            if inside.setdefault(element, one) != one:
                return None
            one = element[0]
    spans: dict[tuple[int, int], tuple[int, int]] = {}

    def number(one: int, first: int) -> int:
        for element in zip(repeat(one), range(leaves.length(one)), strict=False):
            below = inside.get(element)
            after = first + 1 if below is None else number(below, first)
            spans[element] = (first, after)
            first = after
        return first

    size = number(array, 0)
    leaves.spend(STEPS_OF_A_NUMBER * len(spans) if len(spans) > ASKED_AT_ONCE else 0)
    return Numbers(spans, size)
