"""Two texts line by line, as a page shows it: what is gone, what came, and a few lines around."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Any, NamedTuple

CONTEXT = 3
# Comparing takes lines × lines in the worst case: this much takes about a second.
LARGEST = 4_000_000


class Line(NamedTuple):
    """`sign` is "+", "-", " ", or "…" for lines left out between two places; `text` the line."""

    sign: str
    text: str


def json_lines(value: Any) -> list[str]:
    """A JSON value as lines, so that only what differs differs; members stay in their order."""
    return json.dumps(value, indent=2, ensure_ascii=False).split("\n")


def changed_lines(before: list[str], after: list[str]) -> list[Line] | None:
    """What changed, with CONTEXT lines around each place; empty when nothing did, None when it is too much to compare."""
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    first = max(start - CONTEXT, 0)
    old = before[first : len(before) - max(end - CONTEXT, 0)]
    new = after[first : len(after) - max(end - CONTEXT, 0)]
    if len(old) * len(new) > LARGEST:
        return None
    return list(_lines(old, new))


def _lines(old: list[str], new: list[str]) -> Iterator[Line]:
    groups = SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(CONTEXT)
    for place, group in enumerate(groups):
        if place:
            yield Line("…", "")
        for word, old_from, old_to, new_from, new_to in group:
            if word == "equal":
                yield from (Line(" ", text) for text in old[old_from:old_to])
                continue
            yield from (Line("-", text) for text in old[old_from:old_to])
            yield from (Line("+", text) for text in new[new_from:new_to])
