"""Fields that a filter or a transform asks for and that no schema and no event has. Mostly they are misspelt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rules.conditions import NotRows, Row, from_pattern
from rules.draft import Draft
from rules.engine import Event
from rules.fields import Field, places_in
from rules.pattern_text import our_path
from rules.reading import has_at, nearest

# Of so many past events the fields are read for a guess, and so many are asked whether they have the field.
READ, ASKED = 20, 2_000


class Unknown(NamedTuple):
    """A condition's field that nothing has. `at`: its row in the form, -1 in a pattern; `meant`: "" when none is like it.

    `looked`: how many past events were asked; 0 where only schemas were.
    """

    at: int
    path: str
    meant: str
    looked: int


def unknown_fields(draft: Draft, seen: Sequence[Event]) -> list[Unknown]:
    """The fields that conditions of `draft` ask for and that no schema of its types and none of the `seen` events has.

    A condition that a field is absent counts only where a known field has nearly its name. Empty while nothing is
    known of the data of these types.
    """
    rows = [(at, row) for at, row in _rows(draft) if _asks(row)]
    if not rows:
        return []
    known = [field.path for field in draft.fields]
    known += [place.replace("[0]", "") for event in seen[:READ] for place in places_in(event)]
    if not any(path.startswith("data.") for path in known):
        return []
    found = []
    asked = seen[:ASKED]
    for at, row in rows:
        path = our_path(row.path)
        meant = nearest(path, known)
        if meant is None or (row.method == "absent" and not meant):
            continue
        if not any(has_at(event.data, path.split(".")[1:]) for event in asked):
            found.append(Unknown(at, path, meant, len(asked)))
    return found


def misread(paths: Iterable[str], fields: Iterable[Field], events: Iterable[Event]) -> list[tuple[str, str]]:
    """Of the paths that a transform reads and `events` lack, those that nothing knows, with the place that is meant.

    The place is "" when none is like the path. What the types' schemas know may well be absent from these events.
    """
    places = [field.place for field in fields] + [place for event in events for place in places_in(event)]
    guesses = [(path, nearest(path, places)) for path in paths]
    return [(path, meant) for path, meant in guesses if meant is not None]


def _asks(row: Row) -> bool:
    return our_path(row.path).startswith("data.")


def _rows(draft: Draft) -> list[tuple[int, Row]]:
    if draft.mode == "rows":
        return [(line.at, line.row) for line in draft.lines if not line.problems]
    try:
        return [(-1, row) for row in from_pattern(draft.pattern or {})[1]]
    except NotRows:
        return []
