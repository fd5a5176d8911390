"""Stores what bins receive, off the event loop: one thread, and one transaction for all that has queued.

A burst of deliveries to a bin would otherwise cost one fsync each, while the log waits for the same disk.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction

from delivery.models import BinRequest, RequestBin

logger = logging.getLogger(__name__)

KEPT = 500
GROUP = 200
# With bodies of at most 64 KiB the queue holds 32 MiB at most.
QUEUED = 512


class Busy(Exception):
    """The queue is full, or the database could not be written: the sender should try again."""


@dataclass(frozen=True)
class Received:
    """One request for the bin at `address`. `size` counts the bytes of the whole body, also where `body` is cut."""

    address: str
    at: datetime
    method: str
    headers: list[list[str]]
    body: str
    size: int


@dataclass
class _Waiting:
    received: Received
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[bool] = field(init=False)

    def __post_init__(self) -> None:
        self.answer = self.loop.create_future()

    def resolve(self, found: bool | None) -> None:
        """From the writer's thread: whether the bin exists, None for a failure."""
        try:
            self.loop.call_soon_threadsafe(self._set, found)
        except RuntimeError:
            logger.debug("The event loop was closed while a bin's request was being stored.")

    def _set(self, found: bool | None) -> None:
        if self.answer.done():  # the sender went away
            return
        if found is None:
            self.answer.set_exception(Busy())
        else:
            self.answer.set_result(found)


class Writer:
    """A daemon thread that is started by the first request of its process."""

    def __init__(self) -> None:
        self._queue: queue.Queue[_Waiting] = queue.Queue(QUEUED)
        self._start = threading.Lock()
        self._thread: threading.Thread | None = None

    async def store(self, received: Received) -> bool:
        """Returns True once the row is committed, False when there is no such bin. Raises Busy."""
        self._ensure_thread()
        waiting = _Waiting(received, asyncio.get_running_loop())
        try:
            self._queue.put_nowait(waiting)
        except queue.Full:
            raise Busy from None
        return await waiting.answer

    def _ensure_thread(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            with self._start:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name="bin-writer", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while True:
            group = [self._queue.get()]
            while len(group) < GROUP:
                try:
                    group.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            found: list[bool] | list[None]
            try:
                found = write([waiting.received for waiting in group])
            except (
                Exception
            ):  # whatever it was, the senders wait for an answer and the next group for this thread
                logger.exception("Requests to bins could not be stored; their senders are told to try again.")
                connection.close()
                found = [None] * len(group)
            for waiting, answer in zip(group, found, strict=True):
                waiting.resolve(answer)


def write(group: Sequence[Received]) -> list[bool]:
    """Stores `group` in one transaction; says for each whether its bin exists. Keeps the newest 500 of each bin."""
    addresses = {received.address for received in group}
    if not RequestBin.objects.filter(address__in=addresses).exists():
        return [False] * len(group)  # without taking the lock that the log needs
    with transaction.atomic():
        # The lock keeps a bin from being deleted between this look and the insert (PostgreSQL; SQLite has one writer).
        bins = RequestBin.objects.select_for_update(no_key=True).filter(address__in=addresses).order_by("id")
        ids: dict[str, int] = dict(bins.values_list("address", "id"))
        BinRequest.objects.bulk_create(
            BinRequest(
                bin_id=ids[received.address],
                received_at=received.at,
                method=received.method,
                headers=received.headers,
                body=received.body,
                size=received.size,
            )
            for received in group
            if received.address in ids
        )
        for bin_id in ids.values():
            _prune(bin_id)
    return [received.address in ids for received in group]


def _prune(bin_id: int) -> None:
    requests = BinRequest.objects.filter(bin_id=bin_id)
    oldest = list(requests.order_by("-id").values_list("id", flat=True)[KEPT : KEPT + 1])
    if oldest:
        requests.filter(id__lte=oldest[0]).delete()
