"""The rows of the editor's form: read from it, shown in it, with what is wrong in each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.http import QueryDict
from django.utils.translation import gettext as _

from rules.conditions import NotRows, Row, from_pattern
from rules.pattern_text import TYPE_KEYS

_PLACE = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}")


@dataclass(frozen=True)
class Problem:
    """What is wrong and where: `place` is a section of the form ("row-2", "pattern", "template")."""

    place: str
    message: str
    line: int | None = None
    pointer: str = ""

    @property
    def where(self) -> str:
        """The place inside the text, in words."""
        if self.line is not None and self.pointer:
            return _("Line %(line)d, %(pointer)s") % {"line": self.line, "pointer": self.pointer}
        if self.line is not None:
            return _("Line %(line)d") % {"line": self.line}
        return self.pointer


class Line(NamedTuple):
    """A row as the page shows it: its place in the form, and what is wrong with it."""

    at: int
    row: Row
    problems: list[Problem]


class Group(NamedTuple):
    """ "Any of these": its number, and the lines of each alternative with the alternative's place."""

    number: str
    alternatives: list[tuple[str, list[Line]]]


def rows_in(data: QueryDict) -> list[Row]:
    """The rows of a form, in order. A place that is no place counts as none."""
    paths, methods, values = (data.getlist(name) for name in ("path", "method", "values"))
    places = [*data.getlist("place"), *([""] * len(paths))]
    return in_order(
        Row(path, method, written, place if _PLACE.fullmatch(place) else "")
        for path, method, written, place in zip(paths, methods, values, places, strict=False)
    )


def in_order(rows: Iterable[Row]) -> list[Row]:
    """The rows as the page draws them, and the next form sends them: those that must hold, then group by group.

    Groups stand in the order of their first rows, and so do the alternatives of a group.
    """
    listed = list(rows)
    first: dict[str, int] = {"": -1}
    for at, row in enumerate(listed):
        first.setdefault(row.group, at)
        first.setdefault(row.place, at)
    return sorted(listed, key=lambda row: (first[row.group], first[row.place]))


def conditions_in(pattern: Mapping[str, Any], rows: list[Row] | None = None) -> int:
    """How many conditions a pattern has beside its types; of `rows` when they are known."""
    if rows is None:
        try:
            rows = from_pattern(pattern)[1]
        except NotRows:
            return sum(name not in TYPE_KEYS for name in pattern)
    return sum(bool(row.path.strip()) for row in rows)
