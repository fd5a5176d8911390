"""What is written seldom, however often it happens: that a person was here, that a token is used."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable

MOST = 100_000  # names that are remembered; beyond, all are forgotten and due once more


class Seldom:
    """Says once in `every` seconds for each name, in this process, that it is due. For any threads."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._last: dict[Hashable, float] = {}
        self._lock = threading.Lock()

    def due(self, name: Hashable) -> bool:
        """Whether it is to be written now."""
        now = time.monotonic()
        if now - self._last.get(name, float("-inf")) < self._every:
            return False
        with self._lock:
            if now - self._last.get(name, float("-inf")) < self._every:
                return False
            if len(self._last) >= MOST:
                self._last.clear()
            self._last[name] = now
        return True

    def forget(self, name: Hashable) -> None:
        """It is due again: it could not be written."""
        with self._lock:
            self._last.pop(name, None)
