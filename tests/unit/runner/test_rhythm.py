"""When a shift's next round begins, by a clock of its own."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from typing import Any

from delivery.runner.rhythm import GATHER, RECORD, Rhythm


class Clocked(asyncio.SelectorEventLoop):
    """An event loop whose time goes on when it would sleep."""

    at = 0.0

    def time(self) -> float:
        return self.at

    def _run_once(self) -> None:
        scheduled = self._scheduled  # type: ignore[attr-defined]
        while scheduled and scheduled[0]._cancelled:
            heapq.heappop(scheduled)
            self._timer_cancelled_count -= 1  # type: ignore[attr-defined]
        if scheduled and not self._ready:  # type: ignore[attr-defined]
            self.at = max(self.at, scheduled[0].when())
        super()._run_once()  # type: ignore[misc]


def _run(test: Callable[[Clocked, Rhythm], Coroutine[Any, Any, None]]) -> None:
    loop = Clocked()
    try:
        loop.run_until_complete(test(loop, Rhythm(loop)))
    finally:
        loop.close()


def test_a_bell_that_rings_alone_is_answered_at_once() -> None:
    async def test(loop: Clocked, rhythm: Rhythm) -> None:
        for _ in range(3):
            await asyncio.sleep(0.02)
            rang = loop.time()
            rhythm.ring()
            await rhythm.rest(10)
            assert loop.time() == rang
            assert not rhythm.begin()

    _run(test)


def test_bells_that_ring_close_together_are_answered_together() -> None:
    async def test(loop: Clocked, rhythm: Rhythm) -> None:
        answered = []
        for number in range(100):
            loop.call_later(number / 1000, rhythm.ring)
        while loop.time() < 0.2:
            await rhythm.rest(0.2)
            rhythm.begin()
            answered.append(loop.time())
        assert len(answered) <= 0.1 / GATHER + 2
        assert answered[-2] >= 0.099  # the last bell's

    _run(test)


def test_a_bell_that_rings_while_a_round_goes_on_is_answered_by_the_next() -> None:
    async def test(loop: Clocked, rhythm: Rhythm) -> None:
        rhythm.ring()
        await rhythm.rest(10)
        rhythm.begin()
        rhythm.ring()
        await rhythm.rest(10)
        assert loop.time() <= GATHER + 1e-9

    _run(test)


def test_what_waits_does_not_wait_for_bells() -> None:
    async def test(loop: Clocked, rhythm: Rhythm) -> None:
        rhythm.ring()
        await rhythm.rest(10)
        rhythm.begin()
        rhythm.ring()
        rhythm.hurry()
        await rhythm.rest(10)
        assert loop.time() == 0.0
        rhythm.begin()  # This round reads what the second bell told of.
        await rhythm.rest(10)
        assert loop.time() == 10.0

    _run(test)


def test_outcomes_are_recorded_together_and_none_waits_longer_than_it_may() -> None:
    async def test(loop: Clocked, rhythm: Rhythm) -> None:
        for _ in range(5):
            rhythm.note()
        rhythm.hurry()
        await rhythm.rest(10)
        assert not rhythm.begin()
        await rhythm.rest(10)
        assert loop.time() == RECORD
        rhythm.note()  # One more, before the round begins that records them.
        assert rhythm.begin()
        rhythm.note()
        await rhythm.rest(10)
        assert loop.time() == 2 * RECORD
        assert rhythm.begin()

    _run(test)
