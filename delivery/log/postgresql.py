"""The log on PostgreSQL: an advisory lock makes seq follow commit order, binary COPY carries the rows.

The seq comes from log_head under the lock and not from a sequence: no gaps, and routes know their seq before the
events are written, so that events, names of repeats and routes each go in one COPY.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection
from django.db.utils import OperationalError

from catalog.stamps import LOG_LOCK
from delivery.log.entry import Accepted, Entry, StaleVersions, Stored, Versions, name_of
from delivery.log.planning import EVENT_COLUMNS, FLOOR, RAISE_FLOOR, Plan, above_floor, forget, plan, seek

DOORBELL = "signalbox"
EVENT_TYPES = (
    "int8", "int8", "int8", "int8", "text", "text", "text", "text", "text", "int8", "int8", "int8", "int8", "bytea"
)  # fmt: skip


class PostgresLog:
    """The log in the default database, through the calling thread's connection."""

    def __init__(self) -> None:
        self._prepared: Any = None

    def _raw(self) -> psycopg.Connection[Any]:
        connection.ensure_connection()
        raw: psycopg.Connection[Any] = connection.connection
        if raw is not self._prepared:
            # A writer that hangs must not keep the others out: the server ends it.
            raw.execute("SET lock_timeout = '5s'")
            raw.execute("SET idle_in_transaction_session_timeout = '5s'")
            self._prepared = raw
        return raw

    @contextmanager
    def _reading(self) -> Iterator[psycopg.Cursor[Any]]:
        """A cursor; errors are Django's, and a connection that broke is opened anew by the next call."""
        try:
            with connection.wrap_database_errors, psycopg.Cursor(self._raw()) as cursor:
                yield cursor
        except OperationalError:
            connection.close()
            raise

    @contextmanager
    def _writing(self) -> Iterator[psycopg.Cursor[Any]]:
        with self._reading() as cursor, cursor.connection.transaction():
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", (LOG_LOCK,))
            yield cursor

    def append(self, groups: Sequence[Sequence[Entry]], versions: Versions) -> list[list[Accepted]]:
        with self._writing() as cursor:
            row = cursor.execute(
                "SELECT seq, (SELECT version FROM catalog_stamp WHERE name = 'catalog'), "
                "(SELECT version FROM catalog_stamp WHERE name = 'rules') FROM log_head WHERE id = 1"
            ).fetchone()
            assert row is not None
            current = Versions(row[1] or 0, row[2] or 0)
            if current != versions:
                raise StaleVersions(current)
            entries = [entry for group in groups for entry in group]
            known = cursor.execute(
                "SELECT d.bus, d.ce_id, d.source, d.seq, d.digest FROM log_duplicate d "
                "JOIN unnest(%s::int8[], %s::text[], %s::int8[]) n(bus, ce_id, source) "
                "ON d.bus = n.bus AND d.ce_id = n.ce_id AND d.source = n.source",
                (
                    [e.bus for e in entries],
                    [name_of(e.ce_id) for e in entries],
                    [e.source_key for e in entries],
                ),
            ).fetchall()
            planned = plan(
                groups, {(bus, i, source): (seq, digest) for bus, i, source, seq, digest in known}, row[0]
            )
            if planned.events:
                self._write(cursor, planned)
        return planned.answers

    def _write(self, cursor: psycopg.Cursor[Any], planned: Plan) -> None:
        _copy(
            cursor,
            f"log_event ({EVENT_COLUMNS})",
            EVENT_TYPES,
            [(seq, *entry[:13]) for seq, entry in planned.events],
        )
        _copy(
            cursor,
            "log_duplicate (bus, ce_id, source, seq, digest)",
            ("int8", "text", "int8", "int8", "int8"),
            [
                (entry.bus, name_of(entry.ce_id), entry.source_key, seq, entry.digest)
                for seq, entry in planned.events
            ],
        )
        if planned.routes:
            _copy(
                cursor,
                "log_route (target, lanes, seq, lane)",
                ("int8", "int8", "int8", "int8"),
                planned.routes,
            )
            # Sorted, so that nobody who locks several of these rows waits for another in a circle.
            slots = sorted(planned.ready)
            cursor.execute(
                "INSERT INTO log_ready (target, lanes, seq) SELECT * FROM unnest(%s::int8[], %s::int8[], %s::int8[]) "
                "ON CONFLICT (target, lanes) DO UPDATE SET seq = excluded.seq",
                ([s[0] for s in slots], [s[1] for s in slots], [planned.ready[s] for s in slots]),
            )
        counted = sorted(planned.received.items())
        cursor.execute(
            "INSERT INTO rollup_received (bus, type, minute, events, invalid, bytes) SELECT * FROM "
            "unnest(%s::int8[], %s::text[], %s::int8[], %s::int8[], %s::int8[], %s::int8[]) "
            "ON CONFLICT (bus, type, minute) DO UPDATE SET events = rollup_received.events + excluded.events, "
            "invalid = rollup_received.invalid + excluded.invalid, bytes = rollup_received.bytes + excluded.bytes",
            [list(column) for column in zip(*((*name, *counts) for name, counts in counted), strict=True)],
        )
        cursor.execute("UPDATE log_head SET seq = %s WHERE id = 1", (planned.head,))
        if planned.routes:
            cursor.execute("SELECT pg_notify(%s, '')", (DOORBELL,))

    def read(self, after: int, limit: int, bus: int | None = None) -> list[Stored]:
        where, values = ("", []) if bus is None else (" AND bus = %s", [bus])
        with self._reading() as cursor:
            cursor.execute(
                f"SELECT f.floor, e.seq, e.bus, e.lane, e.key, e.received_at, e.raw FROM ({FLOOR}{where}) f LEFT JOIN "
                f"(SELECT * FROM log_event WHERE seq > %s{where} ORDER BY seq LIMIT %s) e ON true ORDER BY e.seq",
                [*values, after, *values, limit],
            )
            return above_floor(after, cursor.fetchall())

    def head(self) -> int:
        with self._reading() as cursor:
            row = cursor.execute("SELECT seq FROM log_head WHERE id = 1").fetchone()
            return int(row[0]) if row else 0

    def seek(self, at: int) -> int:
        with self._reading() as cursor:
            return seek(lambda sql, values: cursor.execute(sql, values).fetchone(), at)

    def retain(self, bus: int, before: int, keep_above: int, limit: int) -> int:
        with self._writing() as cursor:
            rows = cursor.execute(
                "SELECT seq, source, ce_id FROM log_event WHERE seq < %s AND bus = %s AND received_at < %s "
                "ORDER BY seq LIMIT %s",
                (keep_above, bus, before, limit),
            ).fetchall()
            if rows:
                forget(cursor.executemany, "%s", bus, rows)
                cursor.execute(RAISE_FLOOR, (bus, rows[-1][0]))
        return len(rows)


def _copy(
    cursor: psycopg.Cursor[Any], into: str, types: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    with cursor.copy(f"COPY {into} FROM STDIN (FORMAT BINARY)".encode()) as copy:
        copy.set_types(types)
        for row in rows:
            copy.write_row(row)
