"""One thread's connection as shifts use it: short SQL, explicit transactions, kill-safe commits without fsync.

What a shift commits can be done again from the log (a power cut may send twice, never lose), so it does not pay for
an fsync each time: SQLite synchronous=NORMAL, PostgreSQL synchronous_commit=off.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

# What a lost or locked database raises, through Django or past it.
DATABASE_ERRORS = (DatabaseError, sqlite3.Error, psycopg.Error)


@lru_cache(maxsize=512)
def _question_marks(sql: str) -> str:
    return sql.replace("%s", "?")


class Database:
    """The calling thread's connection. Statements are written with %s for both databases."""

    def __init__(self) -> None:
        # The thread's own, behind the proxy that looks it up each time it is asked for anything.
        self._wrapper: Any = connections[DEFAULT_DB_ALIAS]
        self._wrapper.ensure_connection()
        self.vendor = self._wrapper.vendor
        self._raw: Any = None
        self._within = False

    @property
    def raw(self) -> Any:
        """The driver's connection, opened anew after trouble."""
        if self._within:
            return self._raw
        self._wrapper.ensure_connection()
        raw = self._wrapper.connection
        if raw is not self._raw:
            if self.vendor == "sqlite":
                raw.execute("PRAGMA synchronous=NORMAL")
            else:
                raw.execute("SET synchronous_commit = off")
                raw.execute("SET lock_timeout = '5s'")
                # A shift that is frozen in a transaction must not keep its slots from the one that replaces it, which
                # waits for them a second longer than the server waits for the frozen one.
                raw.execute("SET idle_in_transaction_session_timeout = '4s'")
            self._raw = raw
        return raw

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        return self._cursor(sql, values).fetchall()  # type: ignore[no-any-return]

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """How many rows a statement changed. Inside `transaction` only."""
        return int(self._cursor(sql, values).rowcount)

    def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """One statement for many rows; how many rows it changed. Inside `transaction` only."""
        if self.vendor == "sqlite":
            return int(self.raw.executemany(_question_marks(sql), rows).rowcount)
        cursor = psycopg.Cursor(self.raw)
        cursor.executemany(sql, rows)
        return cursor.rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A writing transaction; on SQLite it queues for the write lock first."""
        raw = self.raw
        self._within = True
        try:
            if self.vendor != "sqlite":
                with raw.transaction():
                    yield
                return
            self._wrapper.lock_for_writing()
            try:
                raw.execute("BEGIN IMMEDIATE")
                try:
                    yield
                    raw.execute("COMMIT")
                except BaseException:
                    if raw.in_transaction:
                        raw.execute("ROLLBACK")
                    raise
            finally:
                self._wrapper.release_lock()
        finally:
            self._within = False

    def now(self) -> int:
        """The database's clock in microseconds: leases must not depend on which machine asks."""
        if self.vendor == "sqlite":
            return time.time_ns() // 1000  # The file is on this machine.
        return int(self.rows("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")[0][0])

    def ahead(self) -> int:
        """How far its clock is before this process's monotonic one, in microseconds; never more than it is."""
        return self.now() - time.monotonic_ns() // 1000

    def close(self) -> None:
        """Closes the thread's connection."""
        self._wrapper.close()
        self._raw = None

    def _cursor(self, sql: str, values: Sequence[Any]) -> Any:
        if self.vendor == "sqlite":
            return self.raw.execute(_question_marks(sql), values)
        return psycopg.Cursor(self.raw).execute(sql, values)
