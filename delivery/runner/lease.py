"""What a lease is: how long it lasts, what its holder must know, and how it is lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

# A lease lasts this long (microseconds), is renewed well before, and its holder stops sending before it ends.
LEASE = 5_000_000


class LeaseLost(Exception):
    """Another shift holds a lane group of this target now: whatever was not committed is its to do."""

    def __init__(self, target: int) -> None:
        super().__init__(f"target {target}: the lease was taken over")
        self.target = target


class Claimed(NamedTuple):
    """A lease that was granted, with everything the holder must know."""

    target: int
    slot: int
    fence: int
    cursors: tuple[int, ...]
    parked: list[tuple[int, int, int, int]]  # key, seq, blocks, state
    skip: set[int]  # delivered or held above the cursors
    attempts: dict[int, int]  # seq -> attempts on record, above the cursors
    drains: str | None = None  # the order whose parked events are to be finished before anything new is read
    suspects: Mapping[
        int, tuple[int, bool]
    ] = {}  # delivery/runner/suspects.py: seq -> last attempt, whether alone
    places: int = 0  # sends that may be under way, where the shift held nothing of the target before
