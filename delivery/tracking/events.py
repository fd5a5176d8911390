"""Stored events: one by its seq, the latest of some types, those that tell of the same thing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from delivery.log.entry import key_number, lane_of, name_of, subject_key
from delivery.tracking.read import marks, moment, rows

COLUMNS = "seq, bus, lane, key, source, type, subject, ce_id, time, received_at, schema_version, rules_version, valid, raw"


class StoredEvent(NamedTuple):
    """A row of the log. `received_at` in microseconds; `valid` 1, 0, or None when there was no schema to check."""

    seq: int
    bus: int
    lane: int
    key: int
    source: str
    type: str
    subject: str | None
    ce_id: str
    time: str | None
    received_at: int
    schema_version: int | None
    rules_version: int
    valid: int | None
    raw: bytes

    @property
    def received(self) -> datetime:
        """When it was received, with its time zone."""
        return moment(self.received_at)


class Headline(NamedTuple):
    """What a list shows of an event."""

    seq: int
    bus: int
    source: str
    type: str
    subject: str | None
    ce_id: str
    received_at: int

    @property
    def received(self) -> datetime:
        """When it was received, with its time zone."""
        return moment(self.received_at)


def _stored(row: tuple[Any, ...]) -> StoredEvent:
    *columns, raw = row
    return StoredEvent(*columns, raw=bytes(raw))  # type: ignore[misc]


def at(seq: int) -> StoredEvent | None:
    """The event with that seq, None when there is none or its bus no longer keeps it."""
    found = rows(f"SELECT {COLUMNS} FROM log_event WHERE seq = %s", [seq])
    return _stored(found[0]) if found else None


def latest(bus: int | None, types: Sequence[str], limit: int) -> list[StoredEvent]:
    """The newest events, newest first: of one bus or all, of the given types or (when empty) of every type."""
    if not types:
        where, parameters = ("WHERE bus = %s", [bus]) if bus is not None else ("", [])
        # Other buses' events lie between: bounded by looking at the newest 50 × limit seqs only.
        if bus is not None:
            where += " AND seq > (SELECT seq FROM log_head WHERE id = 1) - %s"
            parameters = [bus, 50 * limit]
        return [
            _stored(row)
            for row in rows(
                f"SELECT {COLUMNS} FROM log_event {where} ORDER BY seq DESC LIMIT %s", [*parameters, limit]
            )
        ]
    seqs: list[int] = []
    for name in types:
        for each in buses() if bus is None else [bus]:
            seqs += [
                seq
                for (seq,) in rows(
                    "SELECT seq FROM log_event WHERE bus = %s AND type = %s ORDER BY seq DESC LIMIT %s",
                    [each, name, limit],
                )
            ]
    seqs = sorted(seqs, reverse=True)[:limit]
    return [
        _stored(row)
        for row in rows(
            f"SELECT {COLUMNS} FROM log_event WHERE seq IN ({marks(seqs)}) ORDER BY seq DESC",
            seqs,
        )
    ]


def newest(types: Sequence[str]) -> dict[str, int]:
    """When the newest event of each of `types` was received, in microseconds: one look into the index per bus and type."""
    found: dict[str, int] = {}
    for at in range(0, len(types), AT_ONCE):
        some = types[at : at + AT_ONCE]
        names = " UNION ALL ".join(["SELECT %s AS name"] * len(some))
        # A look in the select list, never a join: SQLite without statistics walks the log and looks into the names.
        last = (
            "SELECT received_at FROM log_event WHERE bus = b.id AND type = t.name ORDER BY seq DESC LIMIT 1"
        )
        sql = f"SELECT t.name, ({last}) FROM catalog_bus b CROSS JOIN ({names}) AS t"
        for name, received in rows(sql, some):
            if received is not None:
                found[name] = max(int(received), found.get(name, 0))
    return found


def buses() -> list[int]:
    """The ids of all buses."""
    return [int(bus) for (bus,) in rows("SELECT id FROM catalog_bus ORDER BY id")]


# Names in one query; SQLite joins at most 500.
AT_ONCE = 400
# A story is looked for this far around an event: its lane holds one in 64 of all events.
NEAR = 1_000_000
# Likewise for events with its subject, by the keys of known sources, and by the subject itself.
AROUND, BESIDE = 20_000, 500
HEADLINE = "seq, bus, source, type, subject, ce_id, received_at"


def headlines(limit: int, after: int | None = None) -> list[Headline]:
    """The newest events of all buses, newest first; only those above seq `after` when given."""
    where, parameters = ("WHERE seq > %s", [after]) if after is not None else ("", [])
    sql = f"SELECT {HEADLINE} FROM log_event {where} ORDER BY seq DESC LIMIT %s"
    return [Headline(*row) for row in rows(sql, [*parameters, limit])]


def headlines_of(seqs: Sequence[int]) -> list[Headline]:
    """The events with those seqs, newest first."""
    sql = f"SELECT {HEADLINE} FROM log_event WHERE seq IN ({marks(seqs)}) ORDER BY seq DESC"
    return [Headline(*row) for row in rows(sql, list(seqs))]


def same_key(event: StoredEvent, limit: int = 12) -> list[Headline]:
    """Events of the same key (partition key, else source and subject) around `event`, oldest first, itself among them."""
    half = limit // 2
    before = rows(
        f"SELECT {HEADLINE} FROM log_event WHERE lane = %s AND key = %s AND seq BETWEEN %s AND %s "
        "ORDER BY seq DESC LIMIT %s",
        [event.lane, event.key, event.seq - NEAR, event.seq, half],
    )
    after = rows(
        f"SELECT {HEADLINE} FROM log_event WHERE lane = %s AND key = %s AND seq > %s AND seq <= %s "
        "ORDER BY seq LIMIT %s",
        [event.lane, event.key, event.seq, event.seq + NEAR, half],
    )
    return [Headline(*row) for row in [*reversed(before), *after]]


def about(event: StoredEvent, limit: int = 12) -> list[Headline]:
    """The story of what `event` is about: events with its subject from any source, oldest first.

    Without a subject: those of the same key. Events have no index by subject, but their keys are made of source and
    subject: those of every known source are looked for within 20,000 events of this one, and any other, whose publisher
    chose its key, within 500.
    """
    if not event.subject:
        return same_key(event, limit)
    keys: dict[int, list[int]] = defaultdict(list)
    for source in _sources():
        key = subject_key(source, event.subject)
        keys[lane_of(key)].append(key_number(key))
    seqs = {line.seq for line in same_key(event, limit)}
    for lane, numbers in keys.items():
        seqs.update(
            seq
            for (seq,) in rows(
                f"SELECT seq FROM log_event WHERE lane = %s AND seq BETWEEN %s AND %s AND key IN ({marks(numbers)})",
                [lane, event.seq - AROUND, event.seq + AROUND, *numbers],
            )
        )
    seqs.update(
        seq
        for (seq,) in rows(
            "SELECT seq FROM log_event WHERE seq BETWEEN %s AND %s AND subject = %s",
            [event.seq - BESIDE, event.seq + BESIDE, event.subject],
        )
    )
    # Nearest first, and some more of them: another key may have the same number, another bus the same subject.
    nearest = sorted(seqs, key=lambda seq: abs(seq - event.seq))[: 4 * limit]
    found = [
        line
        for line in headlines_of(nearest)
        if line.bus == event.bus and (line.subject == event.subject or line.seq == event.seq)
    ]
    found.sort(key=lambda line: abs(line.seq - event.seq))
    return sorted(found[:limit], key=lambda line: line.seq)


def _sources() -> list[str]:
    """The sources that have sent something, at most 500: one search each in an index that begins with them."""
    return [
        str(source)
        for (source,) in rows(
            "WITH RECURSIVE known(source, n) AS (SELECT MIN(source), 1 FROM rollup_source UNION ALL "
            "SELECT (SELECT MIN(r.source) FROM rollup_source r WHERE r.source > known.source), n + 1 FROM known "
            "WHERE known.source IS NOT NULL AND n < 500) SELECT source FROM known WHERE source IS NOT NULL"
        )
    ]


def head() -> int:
    """The newest seq, 0 before the first event."""
    found = rows("SELECT seq FROM log_head WHERE id = 1")
    return int(found[0][0]) if found else 0


def find(text: str, limit: int = 20) -> list[Headline]:
    """Events whose seq or CloudEvents id is `text`, newest first. The same id from several sources gives several."""
    text = text.strip()
    seqs: set[int] = set()
    number = text.replace(",", "").removeprefix("#")
    if number.isdecimal() and len(number) < 19:
        seqs.add(int(number))
    for bus in buses():
        sql = "SELECT seq FROM log_duplicate WHERE bus = %s AND ce_id = %s LIMIT %s"
        seqs.update(int(seq) for (seq,) in rows(sql, [bus, name_of(text), limit]))
    return [line for line in headlines_of(sorted(seqs)) if line.ce_id == text or str(line.seq) == number]
