"""What an event type's data really looked like of late, beside what its schema declares: for the table of fields."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from catalog.models import Observation
from catalog.personal import counts_as_personal, pointers
from catalog.schemas.fields import Field
from catalog.schemas.shape import Row, Shape, StoredShapeUnreadable, drift, seen
from catalog.schemas.shape.drift import Undeclared

# Days (UTC) that are looked at, today included: at midnight there would be nothing to see of today alone.
DAYS = 2
# A type may have very many sources; the shapes of those that sent most tell enough, and each takes milliseconds to read.
SHAPES = 6
NEVER_DECLARED = 40


@dataclass(frozen=True)
class Emitter:
    """A source that sent events of the type: how many of late, and how many a minute since `first_at`."""

    uri: str
    bus: str
    events: int
    first_at: datetime
    last_at: datetime
    rate: float


@dataclass(frozen=True)
class FieldRow:
    """A declared field and what was seen of it: `row` is None when it never came. `personal` values are not told."""

    field: Field
    personal: bool
    row: Row | None
    added: bool


@dataclass(frozen=True)
class Seen:
    """The events of the last DAYS days: how many came, how many were looked at, and the shape of those."""

    events: int
    sampled: int
    shape: Shape
    emitters: list[Emitter]

    @property
    def rows(self) -> dict[tuple[str, ...], Row]:
        """What was seen by path."""
        return {row.path: row for row in seen(self.shape)}


def seen_of(type_name: str, personal: Collection[str], *, shapes: bool = True) -> Seen:
    """What was seen of a type. Values at `personal` paths are not in it, even if they were observed before.

    `shapes`: whether to read what the events looked like; without, only who sent how many.
    """
    now = timezone.now()
    since = now.date() - timedelta(days=DAYS - 1)
    found = Observation.objects.filter(type_name=type_name, day__gte=since)
    shape = Shape(pointers(personal))
    # The counts of all, the shapes of few: a shape may have 64 KiB.
    best = found.order_by(F("sampled").desc(), "-day").values_list("shape", flat=True)[:SHAPES]
    for text in best if shapes else ():
        try:
            shape.merge(Shape.from_json(text))
        except StoredShapeUnreadable:
            continue
    counts = list(found.order_by().values_list("source", "bus", "events", "sampled", "first_at", "last_at"))
    return Seen(
        sum(row[2] for row in counts),
        sum(row[3] for row in counts),
        shape,
        _emitters(counts, now),
    )


def _emitters(
    counts: Sequence[tuple[str, str, int, int, datetime, datetime]], now: datetime
) -> list[Emitter]:
    by_source: dict[tuple[str, str], list[tuple[int, datetime, datetime]]] = {}
    for source, bus, events, _sampled, first, last in counts:
        by_source.setdefault((source, bus), []).append((events, first, last))
    found = []
    for (source, bus), days in by_source.items():
        first, last = min(day[1] for day in days), max(day[2] for day in days)
        events = sum(day[0] for day in days)
        minutes = max((now - first).total_seconds() / 60, 1.0)
        found.append(Emitter(source, bus, events, first, last, events / minutes))
    return sorted(found, key=lambda one: (-one.events, one.uri))


def field_rows(
    fields: Sequence[Field], what: Seen, personal: Collection[str], before: Collection[tuple[str, ...]] | None
) -> list[FieldRow]:
    """A row for each of `fields`. `before`: paths of the version before, to mark what is new; None marks nothing."""
    rows = what.rows
    return [
        FieldRow(
            field,
            counts_as_personal(field.path, personal),
            rows.get(field.path),
            before is not None and field.path not in before,
        )
        for field in fields
    ]


def never_declared(what: Seen, schema: Any) -> list[Undeclared]:
    """Fields that came and are not in `schema` (parsed), the most frequent first."""
    if not what.shape.samples:
        return []
    found = drift(what.shape, schema).undeclared
    return sorted(found, key=lambda one: -one.share)[:NEVER_DECLARED]


def words_of(value: Any) -> str:
    """A value of an event as it stands in a table: text without quotes, the rest as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
