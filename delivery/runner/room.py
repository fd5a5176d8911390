"""How many sends one shift may have under way: each holds an open file, of which a process may have so many.

Without it, some targets with many sends each would take all of them, and what then fails to connect would count as the
failure of a target that is well.
"""

from __future__ import annotations

import resource
from collections.abc import Callable
from contextlib import suppress

# The database, the log's files, sockets of the doorbell and of whoever looks on.
OTHERS = 256
# A shift and the one that relieves it work side by side, and a third of the files stays free.
SHARES = 3
MOST_FILES = 65_536


class Room:
    """Places for sends, shared by the targets of one event loop. Who finds none is called when one is free, in turn."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._taken = 0
        self._waiting: dict[Callable[[], None], None] = {}

    @property
    def crowded(self) -> bool:
        """Whether somebody waits: then no place is kept for more than one send."""
        return bool(self._waiting)

    def take(self, waits: Callable[[], None]) -> bool:
        """A place, if one is free; else `waits` is called when one is."""
        if self._taken < self.most:
            self._taken += 1
            return True
        self.wait(waits)
        return False

    def wait(self, waits: Callable[[], None]) -> None:
        """`waits` is called when it is its turn."""
        self._waiting.setdefault(waits)

    def give(self) -> None:
        """A place is free again: the first who waits is called."""
        self._taken -= 1
        if self._waiting:
            first = next(iter(self._waiting))
            del self._waiting[first]
            first()

    def forget(self, waits: Callable[[], None]) -> None:
        """Calls it no more."""
        self._waiting.pop(waits, None)


def most_sends() -> int:
    """Sends that one shift of this process may have under way; raises what the process may open as far as it can."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    files = MOST_FILES if soft == resource.RLIM_INFINITY else min(soft, MOST_FILES)
    return max(8, (files - OTHERS) // SHARES)
