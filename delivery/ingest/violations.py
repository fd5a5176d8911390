"""Counts what does not fit: in memory at once, in the catalog's table about once a second.

Nothing here may hold up or fail an event. What a process had not written when it was killed is not counted.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import Count

from catalog.models import Violation
from delivery.ingest.judging import STRANGER, Fault
from delivery.ingest.samples import READ, sample_of

logger = logging.getLogger(__name__)

EVERY = 1.0  # seconds
# Ways of breaking a schema that are told apart: of one type and day, and in the memory of a process.
WAYS, WAITING = 50, 500
# Names that nobody registered, of one day; anybody can send more of them.
STRANGERS = 100
OTHER = "Other ways."
NAME, MESSAGE = 255, 300
COLUMNS = "type_name, version, day, source, pointer, message, rejected, count, sample, last_event, last_at"
UPSERT = f"""
INSERT INTO catalog_violation ({COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (type_name, version, day, source, pointer, message, rejected) DO UPDATE SET
    count = catalog_violation.count + excluded.count, sample = excluded.sample, last_event = excluded.last_event,
    last_at = excluded.last_at
"""

# type, version, day, source, pointer, message, rejected: the columns that make a row one.
Way = tuple[str, int, date, str, str, str, bool]


@dataclass(slots=True)
class Seen:
    """How often one way came since the last writing, and the newest event of it: its id, and its data if it may be shown.

    `personal` as in Fault. Nothing else of the event is kept, however large it is.
    """

    last_at: datetime
    last_event: str
    data: bytes | None
    personal: tuple[str, ...]
    stranger: bool
    count: int = 1


class Violations:
    """The counter of one process. `refused` and `warned` may be called from any thread and return at once."""

    def __init__(self, every: float = EVERY) -> None:
        self._every = every
        self._lock = threading.Lock()
        self._waiting: dict[Way, Seen] = {}
        self._thread: threading.Thread | None = None
        self._some = threading.Event()
        self._ended = threading.Event()

    def refused(self, fault: Fault) -> None:
        """Counts an event that was answered with 422."""
        self._note(fault, rejected=True)

    def warned(self, faults: Iterable[Fault]) -> None:
        """Counts events that were stored although they do not fit."""
        for fault in faults:
            self._note(fault, rejected=False)

    def close(self) -> None:
        """Writes what is counted and ends the thread."""
        thread = self._thread
        if thread is not None:
            self._ended.set()
            self._some.set()
            thread.join(timeout=10)
            self._thread = None
            self._ended.clear()

    def _note(self, fault: Fault, rejected: bool) -> None:
        try:
            way, now = _way(fault, rejected), datetime.now(UTC)
            with self._lock:
                if way not in self._waiting and len(self._waiting) >= WAITING:
                    way = _other(way)
                    if way not in self._waiting and len(self._waiting) >= 2 * WAITING:
                        return
                _add(self._waiting, way, _seen(fault, now))
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="ingest-violations", daemon=True)
                    self._thread.start()
            self._some.set()
        except Exception:
            logger.exception("A violation could not be counted.")

    def _run(self) -> None:
        try:
            while not self._ended.is_set():
                self._some.wait()
                self._ended.wait(self._every)
                self._some.clear()
                self._write()
            self._write()  # What came, or was given back, while the end was asked for.
        finally:
            connection.close()

    def _write(self) -> None:
        with self._lock:
            taken, self._waiting = self._waiting, {}
        if not taken:
            return
        try:
            write(taken)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("Violations could not be written; they are kept for the next time: %s", error)
            connection.close()
            with self._lock:
                for way, seen in self._waiting.items():
                    _add(taken, way, seen)
                self._waiting = dict(list(taken.items())[: 2 * WAITING])
            self._some.set()
        except Exception:
            logger.exception("Violations could not be written.")


def write(counted: dict[Way, Seen]) -> None:
    """Adds `counted` to the table, in one transaction. Beyond WAYS of a type and day they are counted as other ways."""
    known = _known(counted)
    strangers = _strangers({way[2] for way in counted})
    rows: dict[Way, Seen] = {}
    for way, seen in counted.items():
        ways = known.setdefault((way[0], way[2]), set())
        if way not in ways:
            if seen.stranger and not ways:
                if strangers.get(way[2], 0) >= STRANGERS:
                    continue
                strangers[way[2]] = strangers.get(way[2], 0) + 1
            if len(ways) >= WAYS:
                way = _other(way)
            ways.add(way)
        _add(rows, way, seen)
    adapt_date, adapt = connection.ops.adapt_datefield_value, connection.ops.adapt_datetimefield_value
    values = [
        (
            *way[:2], adapt_date(way[2]), *way[3:], seen.count, sample_of(seen.data, seen.personal),
            seen.last_event, adapt(seen.last_at),
        )
        # Sorted, so that no two processes wait for each other's rows in a circle.
        for way, seen in sorted(rows.items(), key=lambda one: one[0])
    ]  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(UPSERT, values)


def _way(fault: Fault, rejected: bool) -> Way:
    return (
        fault.event.type[:NAME],
        fault.version,
        datetime.now(UTC).date(),
        fault.event.source[:NAME],
        fault.place[:NAME],
        fault.cause[:MESSAGE],
        rejected,
    )


def _other(way: Way) -> Way:
    return (way[0], 0, way[2], "", "", OTHER, way[6])


def _add(ways: dict[Way, Seen], way: Way, seen: Seen) -> None:
    there = ways.get(way)
    if there is None:
        ways[way] = seen
    else:
        newest = max(there, seen, key=lambda one: one.last_at)
        ways[way] = replace(newest, count=there.count + seen.count)


def _seen(fault: Fault, now: datetime) -> Seen:
    event = fault.event
    data = event.data
    if fault.personal is None or not event.data_is_json or len(data or b"") > READ:
        data = None
    return Seen(now, event.id[:NAME], data, fault.personal or (), fault.kind == "unregistered")


def _known(counted: dict[Way, Seen]) -> dict[tuple[str, date], set[Way]]:
    """The rows that the types and days of `counted` have, by type and day."""
    found: dict[tuple[str, date], set[Way]] = {}
    names, days = sorted({way[0] for way in counted}), {way[2] for way in counted}
    for at in range(0, len(names), 200):
        for way in Violation.objects.filter(type_name__in=names[at : at + 200], day__in=days).values_list(
            "type_name", "version", "day", "source", "pointer", "message", "rejected"
        ):
            found.setdefault((way[0], way[2]), set()).add(way)
    return found


def _strangers(days: set[date]) -> dict[date, int]:
    """How many types that nobody registered have rows, by day."""
    rows = (
        Violation.objects.filter(day__in=days, version=0, rejected=True, message=STRANGER)
        .order_by()
        .values_list("day")
        .annotate(types=Count("type_name", distinct=True))
    )
    return dict(rows)
