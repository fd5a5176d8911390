"""When a shift turns to the database: at once for what waits for it, a little later for what more of may join.

A round costs about the same for one event as for a hundred. So bells that ring close together are answered together, and
outcomes are recorded together; a bell that rings alone is answered at once.
"""

from __future__ import annotations

import asyncio

GATHER = 0.004  # seconds from one answer to a bell to the next
RECORD = 0.01  # seconds that outcomes may wait for others, to be committed together


class Rhythm:
    """Of one shift, in its event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._wake = asyncio.Event()
        self._rung = False
        self._answered = float("-inf")  # when the last round began that a bell asked for
        self._gathering: asyncio.TimerHandle | None = None
        self._recording: asyncio.TimerHandle | None = None
        self._records = False

    def hurry(self) -> None:
        """Something waits for the next round."""
        self._wake.set()

    def ring(self) -> None:
        """There is news in the database."""
        if self._gathering is not None:
            return
        left = self._answered + GATHER - self._loop.time()
        if left > 0:
            self._gathering = self._loop.call_later(left, self._gathered)
        else:
            self._gathered()

    def note(self) -> None:
        """An outcome is to be recorded."""
        if self._recording is None and not self._records:
            self._recording = self._loop.call_later(RECORD, self._record)

    async def rest(self, seconds: float) -> None:
        """Returns when a round is due, after `seconds` at the latest."""
        if not self._wake.is_set():
            timer = self._loop.call_later(seconds, self._wake.set)
            await self._wake.wait()
            timer.cancel()
        self._wake.clear()

    def begin(self) -> bool:
        """A round begins; whether what was noted is recorded in it."""
        if self._rung or self._gathering is not None:
            self._answered, self._rung = self._loop.time(), False
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        records, self._records = self._records, False
        return records

    def close(self) -> None:
        """Nothing is due any more."""
        for timer in (self._gathering, self._recording):
            if timer is not None:
                timer.cancel()

    def _gathered(self) -> None:
        self._gathering, self._rung = None, True
        self._wake.set()

    def _record(self) -> None:
        self._recording, self._records = None, True
        self._wake.set()
