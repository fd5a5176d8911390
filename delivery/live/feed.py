"""Who watches, and how news gets to them: once rendered and once packed for all who have the same view.

The task begins with the first watcher and ends with the last. Four times a second at most it looks for news. Whoever
does not keep up is left behind, and then told what changed in the meantime instead of everything that was missed.
"""

from __future__ import annotations

import asyncio
import json
import logging
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection

from delivery.live.parts import Look, Part

EVERY = 0.25
# A message to a socket costs a tenth of a millisecond of processor time. With more than 100 of them the distance from one
# message to the next grows, so that sending takes a twentieth of a core at most, whoever looks on.
SENT_PER_SECOND = 400
# Messages on their way to a watcher that does not read: two seconds of a busy feed.
QUEUED = 8
View = tuple[str, frozenset[str]]
log = logging.getLogger(__name__)


def packed(message: Mapping[str, Any]) -> bytes:
    """A message as it travels: JSON, deflated here once instead of by every socket for itself."""
    squeeze = zlib.compressobj(wbits=-15)
    return squeeze.compress(json.dumps(message).encode()) + squeeze.flush()


# Tells a page that was left behind to ask again.
AGAIN = packed({"again": True})


class Watcher:
    """One socket: its view (language and topics), and the messages on their way to it."""

    def __init__(self, language: str = settings.LANGUAGE_CODE) -> None:
        self.language = language
        self.topics: frozenset[str] = frozenset()
        self.queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUED)
        self.behind = False

    @property
    def view(self) -> View:
        """All who have the same are sent the same."""
        return self.language, self.topics

    def tell(self, message: bytes) -> None:
        """Queues `message`. One that does not keep up loses what is queued, and is told to ask again."""
        if self.behind:
            return
        try:
            self.queue.put_nowait(message)
        except asyncio.QueueFull:
            self.behind = True
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(AGAIN)


class Feed:
    """All watchers of this process by their view, and the task that looks for them."""

    def __init__(self) -> None:
        self._views: dict[View, set[Watcher]] = {}
        self._task: asyncio.Task[None] | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._looking: Look | None = None

    @property
    def running(self) -> bool:
        """Whether the task is there: somebody watches."""
        return self._task is not None and not self._task.done()

    @property
    def distance(self) -> float:
        """Seconds from one message to the next."""
        return max(EVERY, sum(map(len, self._views.values())) / SENT_PER_SECOND)

    def watch(self, watcher: Watcher, language: str, topics: frozenset[str]) -> None:
        """Looks for `topics` for `watcher` from now on. Called in the event loop."""
        self._take_out(watcher)
        watcher.language, watcher.topics = language, topics
        self._views.setdefault(watcher.view, set()).add(watcher)
        if not self.running:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="live")
            self._task = asyncio.get_running_loop().create_task(self._look(self._thread))

    def remove(self, watcher: Watcher) -> None:
        """Stops looking for `watcher`; the last one ends the task."""
        self._take_out(watcher)
        if not self._views and self._task is not None:
            self._task.cancel()
            self._task = self._thread = self._looking = None

    def _take_out(self, watcher: Watcher) -> None:
        same = self._views.get(watcher.view, set())
        same.discard(watcher)
        if not same:
            self._views.pop(watcher.view, None)

    async def catch_up(self, watcher: Watcher, since: Mapping[str, int], head: int | None) -> None:
        """Tells `watcher` how its topics are, and what it missed.

        since[topic] is the newest seq or id that its page shows; `head`: the seq that it was told of last, None when
        it was just opened.
        """
        thread = self._thread
        if thread is None:
            return
        asked = {topic: number for topic, number in since.items() if topic in watcher.topics}
        work = partial(self._missed, watcher.view, asked, head)
        found = await asyncio.get_running_loop().run_in_executor(thread, work)
        watcher.behind = False
        watcher.tell(packed(found))

    def _missed(self, view: View, since: Mapping[str, int], head: int | None) -> dict[str, Any]:
        return self._looker().missed(*view, since, head)

    def _looker(self) -> Look:
        """The state of looking; used in the feed's one thread."""
        if self._looking is None:
            self._looking = Look()
        return self._looking

    def _parts(self, asked: Mapping[str, frozenset[str]]) -> tuple[int, dict[str, list[Part]]]:
        looking = self._looker()
        parts = looking.parts(asked)
        return looking.head, parts

    async def _look(self, thread: ThreadPoolExecutor) -> None:
        loop = asyncio.get_running_loop()
        parts: dict[str, list[Part]]
        try:
            while True:
                try:
                    asked: dict[str, frozenset[str]] = {}
                    for language, topics in self._views:
                        asked[language] = asked.get(language, frozenset()) | topics
                    head, parts = await loop.run_in_executor(thread, self._parts, asked)
                except Exception:
                    log.exception("The live feed could not look; it tries again.")
                    self._looking, head, parts = None, 0, {}
                    await asyncio.sleep(1)
                self._tell(head, parts)
                # From one message to the next, however long it took to look: nobody gets more than four a second.
                await asyncio.sleep(self.distance)
        finally:
            thread.submit(connection.close)
            thread.shutdown(wait=False)

    def _tell(self, head: int, parts: Mapping[str, Sequence[Part]]) -> None:
        for (language, topics), watchers in self._views.items():
            mine = [part for part in parts.get(language, ()) if part["for"] in topics]
            if mine:
                message = packed({"head": head, "parts": mine})
                for watcher in watchers:
                    watcher.tell(message)


feed = Feed()
