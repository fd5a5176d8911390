"""What one target's progress is made of: the events on their way, their flights, a lane's position, an outbox.

Plain records without rules of their own but one, which the lane keeps: its cursor passes no gap.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import msgspec


class Item(msgspec.Struct, eq=False, gc=False):
    """One event on its way to this target. A struct, because tens of thousands a second are made.

    `attempts`: how often it was tried, by the record; `failures`: how many of them count for the policy.
    `held`: it is an exception with a row of its own; `blocking`: later events of its chain wait for it.
    `clock`: the target's running clock at its first attempt. `chain`: what it keeps its order with, once it was offered.
    """

    seq: int
    lane: int
    key: int
    raw: bytes
    received_at: int
    attempts: int = 0
    failures: int = 0
    held: bool = False
    blocking: bool = False
    state: int = 0
    first_at: int = 0
    redriven: int = 0
    clock: int | None = None
    chain: int = 0
    flight: Flight | None = None


@dataclass(slots=True, eq=False)
class Flight:
    """Events recorded as about to be sent, closed when all of them are accounted for."""

    id: int
    open: int


@dataclass(slots=True)
class Lane:
    """A lane's position: everything at or below `cursor` is done or an exception; `read` is how far it was read."""

    cursor: int
    read: int
    pending: deque[int] = field(default_factory=deque)
    done: set[int] = field(default_factory=set)

    def complete(self, seq: int) -> None:
        """Accounts for `seq` and moves the cursor over what is accounted for without a gap."""
        pending, done = self.pending, self.done
        if pending and pending[0] == seq:
            self.cursor = pending.popleft()
        else:
            done.add(seq)
        while pending and pending[0] in done:
            self.cursor = pending.popleft()
            done.remove(self.cursor)
        if not pending:
            self.cursor = max(self.cursor, self.read)


@dataclass(slots=True)
class Outbox:
    """What one commit records for this target."""

    target: int
    positions: list[tuple[int, int, list[int]]] = field(
        default_factory=list
    )  # slot, fence, its lanes' cursors
    slots: set[int] = field(default_factory=set)  # lane groups touched
    attempts: list[tuple[Any, ...]] = field(default_factory=list)
    held: list[tuple[Any, ...]] = field(default_factory=list)  # new exceptions, whole rows
    changed: list[tuple[Any, ...]] = field(default_factory=list)  # exceptions tried again
    settled: list[int] = field(default_factory=list)  # exceptions that are none any more
    discarded: list[int] = field(default_factory=list)  # those of them that a person dropped
    freed: set[int | None] = field(default_factory=set)  # keys (None: all) whose next exception waits no more
    closed: list[int] = field(default_factory=list)  # flights
    latencies: list[int] = field(default_factory=list)  # milliseconds from received to delivered
    retried: int = 0
    dead: int = 0
    size: int = 0  # bytes of the events as the connector was given them

    @property
    def presses(self) -> bool:
        """Whether it holds more than what became of events that were delivered."""
        return bool(self.held or self.changed or self.settled or self.discarded or self.freed)

    def __bool__(self) -> bool:
        return bool(self.attempts or self.held or self.changed or self.settled or self.closed or self.slots)
