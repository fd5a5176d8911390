"""A Receiver in a thread of its own, for tests whose own code blocks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Self

from tests.integration.receiver import Answer, Receiver, Request


class Threaded:
    """`with Threaded(answer) as receiver`: as Receiver."""

    def __init__(self, answer: Callable[[Request], Answer] | None = None) -> None:
        self.receiver = Receiver(answer)
        self._ready, self._loop = threading.Event(), asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run)

    def url(self, path: str = "/") -> str:
        return self.receiver.url(path)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *problem: object) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(10)

    def _run(self) -> None:
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._done = asyncio.Event()
        async with self.receiver:
            self._ready.set()
            await self._done.wait()
