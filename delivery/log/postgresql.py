"""The log on PostgreSQL: an advisory lock makes seq follow commit order, one statement carries all rows of a commit.

The seq comes from log_head under the lock and not from a sequence: no gaps, and routes know their seq before the
events are written. A commit talks to libpq itself, in four round trips: lock, look, write, commit. Binary COPY, one table after
the other, took twelve; psycopg's cursors cost 0.8 ms of processor time for each commit, more than all else together.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection
from django.db.utils import OperationalError
from psycopg.errors import error_from_result
from psycopg.pq import ConnStatus, ExecStatus, Format
from psycopg.pq.abc import PGconn, PGresult

from catalog.stamps import LOG_LOCK
from delivery.log.arrays import INT8, blobs, number, numbers, texts
from delivery.log.entry import Accepted, Advance, Entry, LostLease, StaleVersions, Stored, Versions, name_of
from delivery.log.planning import (
    ADVANCE,
    EVENT_COLUMNS,
    FLOOR,
    RAISE_FLOOR,
    Name,
    Plan,
    above_floor,
    forget,
    plan,
    seek,
)

DOORBELL = "signalbox"
# Without sequential scans, because plans are kept: one made while the tables were empty would read all of them later.
BEGIN = f"BEGIN; SET LOCAL enable_seqscan = off; SELECT pg_advisory_xact_lock({LOG_LOCK})"
LOOK = """
SELECT h.seq, (SELECT version FROM catalog_stamp WHERE name = 'catalog'),
    (SELECT version FROM catalog_stamp WHERE name = 'rules'), d.bus, d.ce_id, d.source, d.seq, d.digest
FROM log_head h LEFT JOIN (
    log_duplicate d JOIN unnest(%s::int8[], %s::text[], %s::int8[]) n(bus, ce_id, source)
    ON d.bus = n.bus AND d.ce_id = n.ce_id AND d.source = n.source
) ON true WHERE h.id = 1
"""
WRITE = f"""
WITH events AS (
    INSERT INTO log_event ({EVENT_COLUMNS}) SELECT * FROM unnest(
        %s::int8[], %s::int8[], %s::int8[], %s::int8[], %s::text[], %s::text[], %s::text[], %s::text[], %s::text[],
        %s::int8[], %s::int8[], %s::int8[], %s::int8[], %s::bytea[])
), repeats AS (
    INSERT INTO log_duplicate (bus, ce_id, source, seq, digest)
    SELECT * FROM unnest(%s::int8[], %s::text[], %s::int8[], %s::int8[], %s::int8[])
), routes AS (
    INSERT INTO log_route (target, lanes, seq, lane)
    SELECT * FROM unnest(%s::int8[], %s::int8[], %s::int8[], %s::int8[])
), ready AS (
    INSERT INTO log_ready (target, lanes, seq) SELECT * FROM unnest(%s::int8[], %s::int8[], %s::int8[])
    ON CONFLICT (target, lanes) DO UPDATE SET seq = excluded.seq
), received AS (
    INSERT INTO rollup_received (bus, type, minute, events, invalid, bytes)
    SELECT * FROM unnest(%s::int8[], %s::text[], %s::int8[], %s::int8[], %s::int8[], %s::int8[])
    ON CONFLICT (bus, type, minute) DO UPDATE SET events = rollup_received.events + excluded.events,
        invalid = rollup_received.invalid + excluded.invalid, bytes = rollup_received.bytes + excluded.bytes
), versions AS (
    INSERT INTO rollup_version (type, hour, version, events)
    SELECT * FROM unnest(%s::text[], %s::int8[], %s::int8[], %s::int8[])
    ON CONFLICT (type, hour, version) DO UPDATE SET events = rollup_version.events + excluded.events
), head AS (
    UPDATE log_head SET seq = %s::int8 WHERE id = 1
)
SELECT CASE WHEN %s::int8 > 0 THEN pg_notify('{DOORBELL}', '') END
"""


# Connections with our settings and statements: a thread may open the log more than once.
_prepared: weakref.WeakSet[psycopg.Connection[Any]] = weakref.WeakSet()


class PostgresLog:
    """The log in the default database, through the calling thread's connection."""

    def _raw(self) -> psycopg.Connection[Any]:
        connection.ensure_connection()
        raw: psycopg.Connection[Any] = connection.connection
        if raw not in _prepared:
            # A writer that hangs must not keep the others out: the server ends it.
            raw.execute("SET lock_timeout = '5s'")
            raw.execute("SET idle_in_transaction_session_timeout = '5s'")
            for name, sql in ((b"look", LOOK), (b"write", WRITE)):
                _good(raw.pgconn.prepare(name, _numbered(sql)))
            _prepared.add(raw)
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

    def append(
        self, groups: Sequence[Sequence[Entry]], versions: Versions, advances: Sequence[Advance] = ()
    ) -> list[list[Accepted]]:
        entries = [entry for group in groups for entry in group]
        names = [
            numbers([entry.bus for entry in entries]),
            texts([name_of(entry.ce_id) for entry in entries]),
            numbers([entry.source_key for entry in entries]),
        ]
        with self._reading() as cursor:
            server = cursor.connection.pgconn
            try:
                _good(server.exec_(BEGIN.encode()))
                current, head, known = _look(_run(server, b"look", names))
                if current != versions:
                    raise StaleVersions(current)
                for one in advances:
                    order = (one.after, one.skipped, one.bus, one.partition, one.fence, one.before)
                    values = [number(value) for value in order]
                    formats = [Format.BINARY] * len(order)
                    moved = _good(server.exec_params(MOVE, values, [INT8] * len(order), formats))
                    if moved.command_tuples != 1:
                        raise LostLease(f"partition {one.partition} of bus {one.bus}")
                planned = plan(groups, known, head)
                if planned.events:
                    _run(server, b"write", _parameters(planned))
                _good(server.exec_(b"COMMIT"))
            except BaseException as error:
                if server.status != ConnStatus.OK:
                    raise psycopg.OperationalError(f"The connection was lost: {error}") from error
                server.exec_(b"ROLLBACK")
                raise
        return planned.answers

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


def _numbered(sql: str) -> bytes:
    """The statement with $1, $2 … in place of %s."""
    first, *rest = sql.split("%s")
    return (first + "".join(f"${number}{text}" for number, text in enumerate(rest, 1))).encode()


def _run(server: PGconn, name: bytes, values: Sequence[bytes]) -> PGresult:
    """Executes a prepared statement; parameters in the binary format, results as text."""
    return _good(server.exec_prepared(name, values, [Format.BINARY] * len(values)))


MOVE = _numbered(ADVANCE.replace("?", "%s"))


def _good(result: PGresult) -> PGresult:
    if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
        raise error_from_result(result)
    return result


def _look(result: PGresult) -> tuple[Versions, int, dict[Name, tuple[int, int]]]:
    """(versions, head, repeats) of LOOK's rows."""
    get = result.get_value
    known: dict[Name, tuple[int, int]] = {}
    for row in range(result.ntuples):
        bus, ce_id, source, seq, digest = (get(row, column) for column in range(3, 8))
        if bus is not None and ce_id is not None:
            known[int(bus), ce_id.decode(), int(source or 0)] = (int(seq or 0), int(digest or 0))
    return Versions(int(get(0, 1) or 0), int(get(0, 2) or 0)), int(get(0, 0) or 0), known


def _parameters(planned: Plan) -> list[bytes]:
    """The columns of `planned`, in the order of WRITE."""
    seqs = numbers([seq for seq, _ in planned.events])
    entries = [entry for _, entry in planned.events]
    columns: list[list[Any]] = [[entry[at] for entry in entries] for at in range(13)]
    (buses, lanes, keys, sources, types, subjects, ids, times, received_at, schemas, rules, valid, raws) = (
        columns
    )
    bus = numbers(buses)
    routes: list[tuple[int, ...]] = list(zip(*planned.routes, strict=True)) or [()] * 4
    # Sorted, so that nobody who locks several of these rows waits for another in a circle.
    slots = sorted(planned.ready)
    counted = [(*name, *counts) for name, counts in sorted(planned.received.items())]
    minutes: list[tuple[Any, ...]] = list(zip(*counted, strict=True))
    versions: list[tuple[Any, ...]] = list(
        zip(*((*name, count) for name, count in sorted(planned.versions.items())), strict=True)
    )
    return [
        seqs, bus, numbers(lanes), numbers(keys), texts(sources), texts(types), texts(subjects), texts(ids),
        texts(times), numbers(received_at), numbers(schemas), numbers(rules), numbers(valid), blobs(raws),
        bus, texts([name_of(one) for one in ids]), numbers([entry.source_key for entry in entries]), seqs,
        numbers([entry.digest for entry in entries]),
        *map(numbers, routes),
        numbers([slot[0] for slot in slots]), numbers([slot[1] for slot in slots]),
        numbers([planned.ready[slot] for slot in slots]),
        numbers(minutes[0]), texts(minutes[1]), *map(numbers, minutes[2:]),
        texts(versions[0]), *map(numbers, versions[1:]),
        number(planned.head), number(len(planned.routes)),
    ]  # fmt: skip
