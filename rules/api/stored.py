"""What the API asks of the log: past events, to try a pattern on. Delivery implements and registers it."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class StoredEvent(NamedTuple):
    """An event of the log; `bus` is a row id, `raw` one JSON object in CloudEvents JSON format."""

    seq: int
    bus: int
    raw: bytes


class Stored(Protocol):
    """The questions. Each is bounded in time and bytes."""

    def latest(self, bus: int, limit: int) -> list[StoredEvent]:
        """Up to `limit` of the newest events of a bus, newest first; fewer when they are large."""
        ...

    def at(self, seq: int) -> StoredEvent | None:
        """The event with that seq; None when there is none or its bus no longer keeps it."""
        ...


class NothingStored:
    """Before delivery has registered: there is no log."""

    def latest(self, bus: int, limit: int) -> list[StoredEvent]:
        return []

    def at(self, seq: int) -> StoredEvent | None:
        return None


_stored: Stored = NothingStored()


def register(stored: Stored) -> None:
    """Makes `stored` the answers from now on, in this process."""
    global _stored
    _stored = stored


def stored() -> Stored:
    """Who answers."""
    return _stored
