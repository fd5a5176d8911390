"""The log on SQLite: one writer at a time by the file lock, WAL, every commit fsynced (synchronous=FULL)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection

from delivery.log.entry import Accepted, Advance, Entry, LostLease, StaleVersions, Stored, Versions, name_of
from delivery.log.planning import (
    ADVANCE,
    EVENT_COLUMNS,
    FLOOR,
    RAISE_FLOOR,
    Name,
    above_floor,
    forget,
    plan,
    seek,
)
from delivery.log.sqlite_backend.base import DatabaseWrapper

# Rows per INSERT: every sqlite3 step gives the GIL up and must win it back, so few, wide statements (and SQLite
# allows 32,766 variables). Sizes are fixed so that the prepared statements are found again.
WIDE = 64
PATIENCE = 5.0
"""Seconds that events wait for whoever writes, as on PostgreSQL. Then publishers are told to come again (503), while they
still listen; whatever else writes waits for as long as the connection says."""
UPSERT_READY = (
    "INSERT INTO log_ready (target, lanes, seq) VALUES {rows} "
    "ON CONFLICT (target, lanes) DO UPDATE SET seq = excluded.seq"
)
UPSERT_RECEIVED = (
    "INSERT INTO rollup_received (bus, type, minute, events, invalid, bytes) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (bus, type, minute) DO UPDATE SET events = events + excluded.events, "
    "invalid = invalid + excluded.invalid, bytes = bytes + excluded.bytes"
)
UPSERT_VERSION = (
    "INSERT INTO rollup_version (type, hour, version, events) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (type, hour, version) DO UPDATE SET events = events + excluded.events"
)


class SqliteLog:
    """The log in the default database's file, through the calling thread's connection."""

    def _raw(self) -> sqlite3.Connection:
        connection.ensure_connection()
        raw: sqlite3.Connection = connection.connection
        return raw

    @contextmanager
    def _writing(self, within: float | None = None) -> Iterator[sqlite3.Connection]:
        raw = self._raw()
        wrapper: DatabaseWrapper = connection  # type: ignore[assignment]
        with wrapper.wrap_database_errors:
            wrapper.lock_for_writing(within)
            try:
                if within is not None:  # A foreign program may hold SQLite's own lock, and no other.
                    raw.execute(f"PRAGMA busy_timeout = {within * 1000:.0f}")
                raw.execute("BEGIN IMMEDIATE")
                yield raw
                raw.execute("COMMIT")
            except BaseException:
                if raw.in_transaction:
                    raw.execute("ROLLBACK")
                raise
            finally:
                wrapper.release_lock()

    def append(
        self, groups: Sequence[Sequence[Entry]], versions: Versions, advances: Sequence[Advance] = ()
    ) -> list[list[Accepted]]:
        with self._writing(PATIENCE) as raw:
            current, head = self._state(raw)
            if current != versions:
                raise StaleVersions(current)
            for one in advances:
                values = (one.after, one.skipped, one.bus, one.partition, one.fence, one.before)
                if raw.execute(ADVANCE, values).rowcount != 1:
                    raise LostLease(f"partition {one.partition} of bus {one.bus}")
            planned = plan(groups, self._known(raw, groups), head)
            if planned.events:
                _insert(
                    raw,
                    f"log_event ({EVENT_COLUMNS})",
                    14,
                    [(seq, *entry[:13]) for seq, entry in planned.events],
                )
                _insert(
                    raw,
                    "log_duplicate (bus, ce_id, source, seq, digest)",
                    5,
                    [
                        (entry.bus, name_of(entry.ce_id), entry.source_key, seq, entry.digest)
                        for seq, entry in planned.events
                    ],
                )
                if planned.routes:
                    _insert(raw, "log_route (target, lanes, seq, lane)", 4, planned.routes)
                    raw.executemany(
                        UPSERT_READY.format(rows="(?, ?, ?)"),
                        [(*slot, seq) for slot, seq in planned.ready.items()],
                    )
                raw.executemany(
                    UPSERT_RECEIVED, [(*name, *counts) for name, counts in planned.received.items()]
                )
                raw.executemany(UPSERT_VERSION, [(*name, count) for name, count in planned.versions.items()])
                raw.execute("UPDATE log_head SET seq = ? WHERE id = 1", (planned.head,))
        return planned.answers

    def _state(self, raw: sqlite3.Connection) -> tuple[Versions, int]:
        row = raw.execute(
            "SELECT seq, (SELECT version FROM catalog_stamp WHERE name = 'catalog'), "
            "(SELECT version FROM catalog_stamp WHERE name = 'rules') FROM log_head WHERE id = 1"
        ).fetchone()
        return Versions(row[1] or 0, row[2] or 0), row[0]

    def _known(
        self, raw: sqlite3.Connection, groups: Sequence[Sequence[Entry]]
    ) -> dict[Name, tuple[int, int]]:
        names = [(entry.bus, name_of(entry.ce_id), entry.source_key) for group in groups for entry in group]
        known: dict[Name, tuple[int, int]] = {}
        for at in range(0, len(names), WIDE):
            part = names[at : at + WIDE]
            size = WIDE if len(part) > 1 else 1
            # Padded to a fixed width, so that one prepared statement serves every size.
            values: list[Any] = [value for name in part for value in name] + [0, "", 0] * (size - len(part))
            # CROSS JOIN keeps the order of the tables: SQLite scans the whole index for (bus, ce_id) IN (VALUES …).
            found = raw.execute(
                "SELECT d.bus, d.ce_id, d.source, d.seq, d.digest "
                f"FROM (VALUES {', '.join(['(?, ?, ?)'] * size)}) n CROSS JOIN log_duplicate d "
                "WHERE d.bus = n.column1 AND d.ce_id = n.column2 AND d.source = n.column3",
                values,
            )
            known.update({(bus, ce_id, source): (seq, digest) for bus, ce_id, source, seq, digest in found})
        return known

    def read(self, after: int, limit: int, bus: int | None = None) -> list[Stored]:
        raw = self._raw()
        where, values = ("", []) if bus is None else (" AND bus = ?", [bus])
        # One statement, so one snapshot: the floor and the rows belong together.
        rows = raw.execute(
            f"SELECT f.floor, e.seq, e.bus, e.lane, e.key, e.received_at, e.raw FROM ({FLOOR}{where}) f LEFT JOIN "
            f"(SELECT * FROM log_event WHERE seq > ?{where} ORDER BY seq LIMIT ?) e ON 1 ORDER BY e.seq",
            [*values, after, *values, limit],
        ).fetchall()
        return above_floor(after, rows)

    def head(self) -> int:
        return int(self._raw().execute("SELECT seq FROM log_head WHERE id = 1").fetchone()[0])

    def seek(self, at: int) -> int:
        return seek(lambda sql, values: self._raw().execute(sql.replace("%s", "?"), values).fetchone(), at)

    def retain(self, bus: int, before: int, keep_above: int, limit: int) -> int:
        with self._writing() as raw:
            rows = raw.execute(
                "SELECT seq, source, ce_id FROM log_event WHERE seq < ? AND bus = ? AND received_at < ? "
                "ORDER BY seq LIMIT ?",
                (keep_above, bus, before, limit),
            ).fetchall()
            if rows:
                forget(raw.executemany, "?", bus, rows)
                raw.execute(RAISE_FLOOR.replace("%s", "?"), (bus, rows[-1][0]))
        return len(rows)


def _insert(raw: sqlite3.Connection, into: str, width: int, rows: Sequence[tuple[Any, ...]]) -> None:
    """Inserts rows, WIDE at a time and the rest one by one."""
    one = "(" + ", ".join("?" * width) + ")"
    whole = len(rows) - len(rows) % WIDE
    if whole:
        wide = f"INSERT INTO {into} VALUES " + ", ".join([one] * WIDE)
        for at in range(0, whole, WIDE):
            raw.execute(wide, [value for row in rows[at : at + WIDE] for value in row])
    rest = rows[whole:]
    if len(rest) == 1:
        raw.execute(f"INSERT INTO {into} VALUES {one}", rest[0])
    elif rest:
        raw.execute(
            f"INSERT INTO {into} VALUES " + ", ".join([one] * len(rest)), [v for row in rest for v in row]
        )
