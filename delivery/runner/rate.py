"""A target's rate over all shifts: they draw from one schedule in the database, and pace what they drew. Pure.

The schedule is one number per target: when the next event may go (virtual scheduling, as in ITU-T I.371). A shift draws
what it needs for the next moment, so that a lane group that has much to do uses the whole rate while the others rest.
What was drawn and not used in time is lost, never saved up. Times are microseconds.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

BURST = 1_000_000
"""What was not used in this time may be made up for at once: one second's worth."""
AHEAD = 200_000
"""How far ahead a shift draws, so that it asks about five times a second."""
KEPT = 500_000
"""How long after its time what was drawn may be used; a busy event loop comes a little late."""


class Drawn(NamedTuple):
    """`events` may go, the first at `first` and each `interval` later; `next` is what the schedule says then."""

    first: int
    interval: float
    events: int
    next: int


def draw(schedule: int, now: int, rate: float, wanted: int) -> Drawn:
    """Up to `wanted` events at `rate` a second, from the schedule as it stands at `now`."""
    interval = 1_000_000 / rate
    first = max(schedule, now - max(0, BURST - int(interval)))
    fit = int((now + AHEAD - first) // interval) + 1 if first <= now + AHEAD else 0
    count = max(0, min(wanted, fit))
    return Drawn(first, interval, count, int(first + count * interval) if count else schedule)


class Pace:
    """What one shift drew and has not used yet, by a clock of its own."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self.ask_at = 0.0

    def add(self, drawn: Drawn, at: int, wanted: int, now: float) -> None:
        """`at`: when it was drawn, by the clock of `drawn`; `now`: the same moment by this one's."""
        shift = now - at
        self._times.extend(max(drawn.first + n * drawn.interval, at) + shift for n in range(drawn.events))
        if drawn.events < wanted:  # It is of no use to ask before there is something to draw.
            self.ask_at = max(now + AHEAD / 2, drawn.next + shift - AHEAD / 2)

    def take(self, now: float) -> bool:
        """Whether one event may go now; it is used up then."""
        times = self._times
        while times and times[0] < now - KEPT:
            times.popleft()
        if times and times[0] <= now:
            times.popleft()
            return True
        return False

    @property
    def next_at(self) -> float | None:
        """When the next one may go; None when nothing is drawn."""
        return self._times[0] if self._times else None
