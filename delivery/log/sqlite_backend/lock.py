"""A write lock between processes and threads: `flock` on a file beside the database.

SQLite's busy handler sleeps and tries again, so under load one process commits and the others starve
(measured: 1, 1, 1 and 665 commits of four processes); the kernel keeps a queue.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
import weakref
from typing import Final

FREE: Final = 0
# Most commits are over within this (seconds). A thread to wait in the kernel's queue takes about as long to begin, and
# two changes of the interpreter's lock: under load it was half of what a shift's database thread did.
SOON: Final = 0.003
LOOK: Final = 0.000_15


class LockTimeout(Exception):
    """Another writer held the database longer than the deadline."""


class WriteLock:
    """One open file description, so one holder: each database connection has its own. Not shared between threads."""

    def __init__(self, path: str, timeout: float) -> None:
        """`path`: the lock file, made if missing. `timeout`: seconds to wait in `acquire`."""
        self.path = path
        self.timeout = timeout
        self.depth = FREE
        self._descriptor = -1
        _locks.add(self)

    def acquire(self, within: float | None = None) -> None:
        """Takes the lock, waiting in the kernel's queue. May be nested by its holder.

        Raises LockTimeout after `within` seconds, None: after its own timeout.
        """
        if self.depth:
            self.depth += 1
            return
        descriptor = self._open()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            seconds = self.timeout if within is None else within
            if not _soon(descriptor, min(SOON, seconds)):
                self._wait(descriptor, seconds)
        self.depth = 1

    def release(self) -> None:
        """Gives the lock back, or leaves one level of nesting."""
        if self.depth > 1:
            self.depth -= 1
        elif self.depth:
            self.depth = FREE
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def close(self) -> None:
        """Releases and closes; the lock opens again at the next acquire."""
        self.depth = FREE
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _open(self) -> int:
        if self._descriptor < 0:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self._descriptor

    def _wait(self, descriptor: int, seconds: float) -> None:
        """Blocks in flock on a thread: only the kernel's queue is fair, and flock itself knows no deadline."""
        turn = threading.Lock()
        done = threading.Event()
        abandoned = False
        granted = False

        def block() -> None:
            nonlocal granted
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            except OSError:
                return
            with turn:
                if abandoned:
                    os.close(descriptor)
                    return
                granted = True
            done.set()

        threading.Thread(target=block, name="sqlite-write-lock", daemon=True).start()
        done.wait(seconds)
        with turn:
            if granted:
                return
            abandoned = True
            self._descriptor = -1  # The thread closes it, which also drops the lock it may still be given.
        raise LockTimeout(f"Another process held {self.path} for {seconds:g} seconds.")


def _soon(descriptor: int, seconds: float) -> bool:
    """Looks for the lock a few times; who does not get it so joins the queue."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        time.sleep(LOOK)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        return True
    return False


_locks: weakref.WeakSet[WriteLock] = weakref.WeakSet()


def _leave_to_parent() -> None:
    """A forked child has copies of its parent's descriptors, and a lock is held until the last copy is closed."""
    for lock in _locks:
        lock.close()


os.register_at_fork(after_in_child=_leave_to_parent)
