"""From a part of the log to rows: shapes of data per type, day and source, and counts per source."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db import connection
from django.db.models import Count, F

from catalog.models import Bus, EventType, Observation, Source
from catalog.schemas.shape import Shape, StoredShapeUnreadable
from catalog.schemas.shape.paths import sensitive_pointer
from delivery.observer.reading import Came, Kind, Part
from delivery.tracking.read import moment

logger = logging.getLogger(__name__)

# Sources of one type and day that are told apart, beside those that are registered; the rest is counted under "".
SOURCES = 50
# Types of one day that nobody registered; anybody can send more of them, which are not noted.
STRANGERS = 500
UPSERT_SOURCE = """
INSERT INTO rollup_source (source, type, slot, events, first_at, last_at) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (source, type, slot) DO UPDATE SET events = rollup_source.events + excluded.events,
    first_at = CASE WHEN excluded.first_at < rollup_source.first_at THEN excluded.first_at ELSE rollup_source.first_at END,
    last_at = CASE WHEN excluded.last_at > rollup_source.last_at THEN excluded.last_at ELSE rollup_source.last_at END
"""
KEY = ["type_name", "day", "source", "bus"]
Name = tuple[str, date, str, str]  # as KEY


class Known:
    """What the catalog and earlier parts say about the kinds of a part."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        kinds = list(kinds)
        names, days = {kind.type for kind in kinds}, {kind.day for kind in kinds}
        self.buses = dict(Bus.objects.values_list("id", "name"))
        self.personal = {
            name: [sensitive_pointer(path) for path in paths if isinstance(path, str)]
            for name, paths in EventType.objects.filter(name__in=names).values_list("name", "personal")
        }
        self._registered = set(
            Source.objects.filter(uri__in={kind.source for kind in kinds}).values_list("uri", flat=True)
        )
        self.rows: dict[Name, tuple[int, int]] = {}
        """Row id and samples so far."""
        self._sources: dict[tuple[str, date], set[str]] = {}
        found = Observation.objects.filter(type_name__in=names, day__in=days).order_by()
        for pk, name, day, source, bus, sampled in found.values_list("id", *KEY, "sampled"):
            self.rows[name, day, source, bus] = (pk, sampled)
            self._sources.setdefault((name, day), set()).add(source)
        self._strangers: dict[date, int] = {}

    def place(self, kind: Kind) -> Kind | None:
        """The kind under which `kind` is noted, None when it is not."""
        sources = self._sources.get((kind.type, kind.day))
        if sources is None:
            if kind.type not in self.personal:
                if kind.day not in self._strangers:
                    self._strangers[kind.day] = self._count_types(kind.day)
                if self._strangers[kind.day] >= STRANGERS:
                    return None
                self._strangers[kind.day] += 1
            sources = self._sources.setdefault((kind.type, kind.day), set())
        if kind.source not in sources and kind.source not in self._registered and len(sources) >= SOURCES:
            return kind._replace(source="")
        sources.add(kind.source)
        return kind

    def name(self, kind: Kind) -> Name:
        """The key of the kind's row."""
        return kind.type, kind.day, kind.source, self.buses.get(kind.bus, str(kind.bus))

    def _count_types(self, day: date) -> int:
        """Unregistered types that have rows of `day`."""
        registered = EventType.objects.values("name")
        found = Observation.objects.filter(day=day).exclude(type_name__in=registered).order_by()
        return int(found.aggregate(types=Count("type_name", distinct=True))["types"])


@dataclass
class Notes:
    """What a part comes to: rows whose shape changed or is new, rows that only count, counts per source."""

    shapes: list[Observation]
    counts: dict[int, Came]
    slots: list[tuple[str, str, int, int, int, int]]


def folded(part: Part, known: Known) -> tuple[dict[Kind, Came], dict[tuple[str, str, int], Came]]:
    """The part's kinds and slots with the sources and types beyond the bounds put together or left out."""
    kinds: dict[Kind, Came] = {}
    places: dict[tuple[str, str], str] = {}
    for kind, came in part.kinds.items():
        place = known.place(kind)
        if place is not None:
            _join(kinds.setdefault(place, Came()), came)
            places[kind.source, kind.type] = place.source
    slots: dict[tuple[str, str, int], Came] = {}
    for (source, name, slot), came in part.slots.items():
        if (source, name) in places:
            _join(slots.setdefault((places[source, name], name, slot), Came()), came)
    return kinds, slots


def noted(
    kinds: dict[Kind, Came], slots: dict[tuple[str, str, int], Came], known: Known, fresh: dict[Kind, Shape]
) -> Notes:
    """The rows of a part. `fresh`: the shapes of its samples, by kind."""
    notes = Notes([], {}, [])
    changed = [known.rows[known.name(kind)][0] for kind in fresh if known.name(kind) in known.rows]
    before = {row.pk: row for row in Observation.objects.filter(pk__in=changed)}
    for kind, came in kinds.items():
        row_id, _ = known.rows.get(known.name(kind), (0, 0))
        shape = fresh.get(kind)
        if shape is None and row_id:
            notes.counts[row_id] = came
            continue
        row = before.get(row_id)
        if row is None:
            name, day, source, bus = known.name(kind)
            row = Observation(type_name=name, day=day, source=source, bus=bus, first_at=moment(came.first_at))
            row.last_at, whole = moment(came.last_at), Shape(known.personal.get(kind.type, ()))
        else:
            whole = _read(row.shape, known.personal.get(kind.type, ()))
        if shape is not None:
            whole.merge(shape)
            row.sampled += shape.samples
        row.shape = whole.to_json()
        row.events += came.events
        row.last_at = max(row.last_at, moment(came.last_at))
        notes.shapes.append(row)
    notes.slots = [(*slot, came.events, came.first_at, came.last_at) for slot, came in sorted(slots.items())]
    return notes


def write(notes: Notes) -> None:
    """Writes the rows. Call it in the transaction that moves the observer's place."""
    Observation.objects.bulk_create(
        notes.shapes,
        update_conflicts=True,
        unique_fields=KEY,
        update_fields=["shape", "events", "sampled", "last_at"],
    )
    for pk, came in notes.counts.items():
        Observation.objects.filter(pk=pk).update(
            events=F("events") + came.events, last_at=moment(came.last_at)
        )
    with connection.cursor() as cursor:
        cursor.executemany(UPSERT_SOURCE, notes.slots)


def _read(text: str, sensitive: Iterable[str]) -> Shape:
    whole = Shape(sensitive)
    try:
        whole.merge(Shape.from_json(text))
    except StoredShapeUnreadable:
        logger.warning("A day's shape was written by another version of Signalbox; it begins anew.")
    return whole


def _join(came: Came, other: Came) -> None:
    came.first_at = min(came.first_at, other.first_at) if came.events else other.first_at
    came.last_at = max(came.last_at, other.last_at)
    came.events += other.events
    came.seqs += other.seqs
