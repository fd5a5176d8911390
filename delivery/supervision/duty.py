"""A duty: work that a worker process does one at a time, however often it is rung for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connection

from delivery.supervision.queues import DUTIES
from delivery.supervision.stopping import asked_to_stop

on_this_process: dict[str, Duty] = {}
"""The duties of this process by name."""


class Duty:
    """`work(relieve)` is called by `perform`; it may call `relieve()` early, when the next one may begin beside its end."""

    def __init__(self, name: str, work: Callable[[Callable[[], None]], Any]) -> None:
        """`name` is one of DUTIES. Raises KeyError for another."""
        self.name = name
        self.queue, self.every = DUTIES[name]
        self._work = work
        self._lock = threading.Lock()
        self._left = float("-inf")  # a worker that starts has waited long enough
        on_this_process[name] = self

    def perform(self) -> None:
        """Does the work in the calling thread, unless this process does it already or is asked to stop."""
        if asked_to_stop.is_set() or not self._lock.acquire(blocking=False):
            return
        relieved = threading.Event()

        def relieve() -> None:
            if not relieved.is_set():
                relieved.set()
                self._left = time.monotonic()
                self._lock.release()

        try:
            self._work(relieve)
        finally:
            relieve()
            # Kept where it works: to connect, again each second for each duty, cost more than what duties find to do.
            connection.close_if_unusable_or_obsolete()

    def idle(self) -> float:
        """Seconds since this process did it last, for ever if it never did; 0 while it does."""
        return 0.0 if self._lock.locked() else time.monotonic() - self._left
