"""What an event waits behind: the first exception of its chain, by the order of its target."""

from __future__ import annotations

from typing import NamedTuple

from delivery.tracking.read import rows
from delivery.tracking.words import State


class Blocker(NamedTuple):
    """The event that holds others up. `dead`: it waits for a person, not for its next try."""

    seq: int
    name: str
    dead: bool


def of_event(target: int, order: str, key: int, seq: int) -> Blocker | None:
    """What the event `seq` with that order key waits behind at `target`; None when nothing holds it up."""
    if order == "none":
        return None
    of_key, values = (" AND x.key = %s", [key]) if order == "key" else ("", [])
    found = rows(
        "SELECT x.seq, e.ce_id, x.state FROM runner_exception x LEFT JOIN log_event e ON e.seq = x.seq "
        f"WHERE x.target = %s{of_key} AND x.seq < %s AND x.blocks = 1 ORDER BY x.seq LIMIT 1",
        [target, *values, seq],
    )
    return (
        Blocker(found[0][0], found[0][1] or f"#{found[0][0]}", found[0][2] == State.DEAD) if found else None
    )
