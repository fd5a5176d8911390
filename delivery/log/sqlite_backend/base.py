"""Django's SQLite backend, taking the file lock for every write, autocommit included.

Django's save() issues no BEGIN of its own, so it is the statement that decides: inside a transaction the lock is
taken at BEGIN and given back after COMMIT or ROLLBACK; outside one, around each statement that may write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

from delivery.log.sqlite_backend.lock import LockTimeout, WriteLock

READING = ("SELECT", "PRAGMA", "EXPLAIN", "SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "ROLLBACK")
WRITING = ("INSERT", "UPDATE", "DELETE", "REPLACE")


def _writes(sql: str) -> bool:
    statement = sql.lstrip().upper()
    if statement.startswith("WITH"):
        return any(word in statement for word in WRITING)
    return not statement.startswith(READING)


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection that queues for the write lock of its database file."""

    write_lock: WriteLock | None = None

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        self.write_lock = None
        name = str(conn_params["database"])
        if ":memory:" not in name and "mode=memory" not in name:
            self.write_lock = WriteLock(f"{name}.lock", float(conn_params.get("timeout", 20)))
        return connection

    def lock_for_writing(self, within: float | None = None) -> None:
        """Takes the write lock; raises OperationalError after `within` seconds, else the connection's timeout."""
        if self.write_lock is not None:
            try:
                self.write_lock.acquire(within)
            except LockTimeout as error:
                raise OperationalError(f"database is locked: {error}") from error

    def release_lock(self) -> None:
        """Gives the write lock back."""
        if self.write_lock is not None:
            self.write_lock.release()

    def _start_transaction_under_autocommit(self) -> None:
        self.lock_for_writing()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self.release_lock()
            raise

    # Released here and not when the atomic block ends: hooks of on_commit must not run with the lock held.
    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        self.release_lock()

    def _rollback(self) -> None:
        super()._rollback()  # type: ignore[misc]
        self.release_lock()

    def _close(self) -> None:
        super()._close()  # type: ignore[misc]
        if self.write_lock is not None:
            self.write_lock.close()

    def create_cursor(self, name: str | None = None) -> Any:
        cursor: Any = self.connection.cursor(factory=LockingCursor)
        cursor.wrapper = self
        return cursor


class LockingCursor(base.SQLiteCursorWrapper):
    """A cursor that takes the lock around a writing statement outside a transaction."""

    wrapper: DatabaseWrapper
    _returned: Iterator[Any] | None = None

    def execute(self, query: str, params: Any = None) -> Any:
        return self._locked(query, lambda: super(LockingCursor, self).execute(query, params))

    def executemany(self, query: str, param_list: Iterable[Any]) -> Any:
        return self._locked(query, lambda: super(LockingCursor, self).executemany(query, param_list))

    def _locked(self, query: str, run: Callable[[], Any]) -> Any:
        wrapper = self.wrapper
        self._returned = None
        if wrapper.in_atomic_block or wrapper.connection.in_transaction or not _writes(query):
            return run()
        wrapper.lock_for_writing()
        try:
            done = run()
            # INSERT … RETURNING commits when its last row was read: with the lock, not whenever somebody reads it.
            if self.description is not None:
                self._returned = iter(super().fetchall())
            return done
        finally:
            wrapper.release_lock()

    def fetchone(self) -> Any:
        return super().fetchone() if self._returned is None else next(self._returned, None)

    def fetchmany(self, size: int | None = 1) -> list[Any]:
        return super().fetchmany(size) if self._returned is None else list(islice(self._returned, size))

    def fetchall(self) -> list[Any]:
        return super().fetchall() if self._returned is None else list(self._returned)

    def __next__(self) -> Any:
        return super().__next__() if self._returned is None else next(self._returned)
