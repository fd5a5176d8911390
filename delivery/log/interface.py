"""What a log can do. SQLite, PostgreSQL and brokers of Kafka's protocol implement it; readers and writers know only this."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from delivery.log.entry import Accepted, Advance, Entry, Stored, Versions


class Log(Protocol):
    """An append-only record of events; `seq` grows by one per event in commit order and never repeats."""

    def append(self, groups: Sequence[Sequence[Entry]], versions: Versions) -> list[list[Accepted]]:
        """Stores every group in one durable commit, events and routes together; answers in the order given.

        A repeat of (source, id) on its bus within the window answers with what was stored first and changes nothing.
        Raises StaleVersions when `versions` are no longer current (nothing stored), and the database's own errors.
        """
        ...

    def read(self, after: int, limit: int, bus: int | None = None) -> list[Stored]:
        """Up to `limit` events with seq > `after`, in order. Raises BelowFloor when some of them were dropped."""
        ...

    def head(self) -> int:
        """The seq of the newest event, 0 for a log that never had one."""
        ...

    def seek(self, at: int) -> int:
        """The seq before the first event received at or after `at` (microseconds): read after it to begin there."""
        ...

    def retain(self, bus: int, before: int, keep_above: int, limit: int) -> int:
        """Drops up to `limit` of `bus`'s events received before `before` with seq < `keep_above`; returns how many."""
        ...


class DatabaseLog(Log, Protocol):
    """A log in our database: all that is read is there, whoever took it in first."""

    def append(
        self, groups: Sequence[Sequence[Entry]], versions: Versions, advances: Sequence[Advance] = ()
    ) -> list[list[Accepted]]:
        """As Log.append; the `advances` of a broker's partitions are in the same commit. Raises LostLease."""
        ...


def open_log() -> DatabaseLog:
    """The log of the default database, for the calling thread: its connection belongs to this thread alone."""
    from django.db import connection

    if connection.vendor == "postgresql":
        from delivery.log.postgresql import PostgresLog

        return PostgresLog()
    from delivery.log.sqlite import SqliteLog

    return SqliteLog()
