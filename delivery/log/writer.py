"""Group commit: one thread per process appends whatever has queued, so that one fsync serves many requests.

While one commit is on its way to the disk, the next group gathers by itself, and an event that comes alone is committed at
once. Where the disk is fast and publishers are many, groups would be small, and a commit costs the same for each: so after
a group of several the next one gathers for a moment.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Protocol

from django.db import connection
from django.db.utils import DatabaseError

from delivery.cloudevents import Refused
from delivery.log.entry import Accepted, Entry, StaleVersions, Versions
from delivery.log.interface import Log, open_log

logger = logging.getLogger(__name__)

# Events in one commit: enough to spread the fsync, few enough to hold the lock for well under 100 ms.
GROUP = 2000
# Seconds from the beginning of a commit of several requests to that of the next: so many for each of them, up to a most.
# Few publishers that wait for their answers are not kept waiting, and what more of them send at once makes large groups.
EACH, GATHER = 0.001, 0.004
# Events that may wait. Beyond, publishers are told to come back (503), which costs less than memory does.
QUEUE = 50_000


class Unavailable(Exception):
    """The log could not store anything now; the publisher should try again after `retry_after` seconds."""

    def __init__(self, reason: str, retry_after: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class Draft(Protocol):
    """Events of one request, checked and matched; they are stored together or not at all."""

    @property
    def entries(self) -> Sequence[Entry]: ...
    @property
    def versions(self) -> Versions: ...

    def redo(self, current: Versions) -> None:
        """Checks and matches again after a change of rules or catalog. Raises what the publisher is to be told."""
        ...


class Answer(Protocol):
    """Where the outcome of one request goes: a future for threads, or the event loop's."""

    def set_result(self, result: list[Accepted], /) -> None: ...
    def set_exception(self, exception: BaseException | None, /) -> None: ...


Settled = tuple["asyncio.Future[list[Accepted]]", list[Accepted] | None, BaseException | None]


class LoopAnswer:
    """An answer for a coroutine. All answers of a commit wake the event loop once: waking it costs a system call."""

    __slots__ = ("_future", "_settled")

    def __init__(self, future: asyncio.Future[list[Accepted]], settled: list[Settled]) -> None:
        self._future, self._settled = future, settled

    def set_result(self, result: list[Accepted], /) -> None:
        self._settled.append((self._future, result, None))

    def set_exception(self, exception: BaseException | None, /) -> None:
        self._settled.append((self._future, None, exception))


def _settle(settled: list[Settled]) -> None:
    for future, result, error in settled:
        if future.done():
            continue  # The publisher stopped waiting; its events are stored all the same.
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result or [])


class Writer:
    """The process's one appender. `submit` from any thread; answers come as futures."""

    def __init__(self, after_commit: Callable[[bool], None], log: Callable[[], Log] = open_log) -> None:
        """`after_commit(routed)` runs on the writer's thread after each commit: the doorbell."""
        self._after_commit = after_commit
        self._open = log
        self._queue: SimpleQueue[tuple[Draft, Answer] | None] = SimpleQueue()
        self._settled: list[Settled] = []  # answers for coroutines, filled by the writer's thread alone
        self._waiting = 0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, draft: Draft) -> concurrent.futures.Future[list[Accepted]]:
        """Queues one request's events. The future ends with their places, or with Unavailable or what `redo` raised."""
        answer: concurrent.futures.Future[list[Accepted]] = concurrent.futures.Future()
        # A publisher may stop waiting, but what it handed over is on its way: an answer that were cancelled could not
        # be set any more, and would end the thread that everybody waits for.
        answer.set_running_or_notify_cancel()
        try:
            self._enqueue(draft, answer)
        except Unavailable as error:
            answer.set_exception(error)
        return answer

    async def store(self, draft: Draft) -> list[Accepted]:
        """`submit` for the event loop: returns the places, or raises."""
        future: asyncio.Future[list[Accepted]] = asyncio.get_running_loop().create_future()
        answer = LoopAnswer(future, self._settled)
        self._enqueue(draft, answer)
        return await future

    def _enqueue(self, draft: Draft, answer: Answer) -> None:
        with self._lock:
            full = self._waiting + len(draft.entries) > QUEUE
            if not full:
                self._waiting += len(draft.entries)
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="log-writer", daemon=True)
                    self._thread.start()
        if full:
            raise Unavailable("Too many events are waiting to be stored.")
        self._queue.put((draft, answer))

    @property
    def waiting(self) -> int:
        """Events that are not stored yet."""
        return self._waiting

    def close(self) -> None:
        """Stores what is queued and ends the thread."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(timeout=10)
            self._thread = None

    def _run(self) -> None:
        log = self._open()
        gathers_until = 0.0
        try:
            while True:
                item = self._queue.get()
                if item is not None and (wait := gathers_until - time.monotonic()) > 0:
                    time.sleep(wait)
                group, last = self._gather(item)
                if group:
                    gathers_until = (
                        time.monotonic() + min(len(group) * EACH, GATHER) if len(group) > 1 else 0.0
                    )
                    self._store(log, group)
                    self._tell()
                    with self._lock:
                        self._waiting -= sum(len(draft.entries) for draft, _ in group)
                if last:
                    return
        finally:
            connection.close()

    def _tell(self) -> None:
        """Wakes the event loops that wait for answers, each once."""
        if not self._settled:
            return
        settled, self._settled[:] = list(self._settled), []
        loops: dict[asyncio.AbstractEventLoop, list[Settled]] = {}
        for one in settled:
            loops.setdefault(one[0].get_loop(), []).append(one)
        for loop, mine in loops.items():
            with contextlib.suppress(RuntimeError):  # The loop is closed: nobody waits any more.
                loop.call_soon_threadsafe(_settle, mine)

    def _gather(self, item: tuple[Draft, Answer] | None) -> tuple[list[tuple[Draft, Answer]], bool]:
        group: list[tuple[Draft, Answer]] = []
        size = 0
        while item is not None:
            group.append(item)
            size += len(item[0].entries)
            if size >= GROUP:
                return group, False
            try:
                item = self._queue.get_nowait()
            except Empty:
                return group, False
        return group, True

    def _store(self, log: Log, group: list[tuple[Draft, Answer]]) -> None:
        try:
            self._append(log, group)
        except StaleVersions as stale:
            self._redo(log, group, stale.current)
        except Unavailable as error:
            for _, answer in group:
                answer.set_exception(error)
        except Exception as error:
            if len(group) == 1:
                if isinstance(error, Refused):  # by a broker that takes no event as large
                    group[0][1].set_exception(error)
                    return
                logger.exception("An event could not be stored.")
                group[0][1].set_exception(Unavailable(f"The log failed: {type(error).__name__}."))
                return
            # One request's bad row must not fail its neighbours: each on its own.
            for one in group:
                self._store(log, [one])

    def _append(self, log: Log, group: list[tuple[Draft, Answer]]) -> None:
        versions = max(draft.versions for draft, _ in group)
        behind = [draft for draft, _ in group if draft.versions != versions]
        if behind:
            raise StaleVersions(versions)
        try:
            answers = log.append([draft.entries for draft, _ in group], versions)
        except DatabaseError as error:
            if passes(error):
                logger.warning("The log is not available: %s", error)
                raise Unavailable("The database does not answer in time.") from error
            raise
        routed = any(entry.targets for draft, _ in group for entry in draft.entries)
        try:
            self._after_commit(routed)
        except Exception:  # It is stored; shifts look by themselves within a second.
            logger.exception("The bell could not be rung.")
        for (_, answer), accepted in zip(group, answers, strict=True):
            answer.set_result(accepted)

    def _redo(self, log: Log, group: list[tuple[Draft, Answer]], current: Versions) -> None:
        """Outside the lock: rules compile here while other processes may commit."""
        left = []
        for draft, answer in group:
            try:
                draft.redo(current)
            except Exception as error:
                answer.set_exception(error)
            else:
                left.append((draft, answer))
        if left:
            self._store(log, left)


def passes(error: DatabaseError) -> bool:
    """Whether the trouble is the database's (locked, full, restarting) and not the row's."""
    from django.db.utils import InterfaceError, OperationalError

    # PostgreSQL's class 54: one value is beyond a limit, such as that of an index entry.
    beyond_limit = str(getattr(error.__cause__, "sqlstate", "") or "").startswith("54")
    return isinstance(error, OperationalError | InterfaceError) and not beyond_limit
