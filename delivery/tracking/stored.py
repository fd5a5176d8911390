"""What the API asks of the log (rules.api.stored), answered from it."""

from __future__ import annotations

from delivery.tracking.read import rows
from rules.api.stored import StoredEvent

PART = 50
BYTES = 16 * 1024 * 1024
# Other buses' events lie between: no more than so many seqs are looked at per event asked for.
SPARSE = 50


class LogStored:
    """The stored events of this installation."""

    def latest(self, bus: int, limit: int) -> list[StoredEvent]:
        """Up to `limit` of the newest events of a bus, newest first, and no more than some MiB of them."""
        found: list[StoredEvent] = []
        head = rows("SELECT seq FROM log_head WHERE id = 1")
        lowest = (int(head[0][0]) if head else 0) - SPARSE * limit
        below, size = 2**62, 0
        while len(found) < limit and size < BYTES:
            part = rows(
                "SELECT seq, raw FROM log_event WHERE +bus = %s AND seq < %s AND seq > %s ORDER BY seq DESC LIMIT %s",
                [bus, below, lowest, min(PART, limit - len(found))],
            )
            for seq, raw in part:
                found.append(StoredEvent(seq, bus, bytes(raw)))
                size += len(found[-1].raw)
                below = seq
            if not part:
                break
        return found

    def at(self, seq: int) -> StoredEvent | None:
        """The event with that seq."""
        found = rows("SELECT seq, bus, raw FROM log_event WHERE seq = %s", [seq])
        return StoredEvent(found[0][0], found[0][1], bytes(found[0][2])) if found else None
