"""The console's WebSocket: a page says which topics it shows, and gets what happens there as HTML."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from delivery.live import Watcher, feed, needed_for

TOPICS = 20
MESSAGE_BYTES = 8192
# How often an open socket asks whether its person may still watch: sessions end, accounts are closed.
ASK_EVERY = 60.0
SIGNED_OUT = 4401


class ConsoleConsumer(AsyncWebsocketConsumer):
    """One browser tab. Takes {"topics": [...], "since": {topic: number}, "language": "en"}: every topic names the
    permission it needs, and the language is the page's.
    """

    watcher: Watcher | None = None
    sender: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Refuses who is not signed in."""
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            await self.close(SIGNED_OUT)
            return
        self.watcher = Watcher()
        await self.accept()
        self.sender = asyncio.get_running_loop().create_task(self._send_all(self.watcher))

    async def disconnect(self, code: int) -> None:
        """Ends what was begun."""
        if self.sender is not None:
            self.sender.cancel()
        if self.watcher is not None:
            feed.remove(self.watcher)
            self.watcher = None

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Sets the topics. What is no such message closes the socket."""
        if self.watcher is None:
            return
        wanted = _read(text_data)
        if wanted is None:
            await self.close(1003)
            return
        topics, since, self.watcher.language = wanted
        self.watcher.topics = frozenset(await self._allowed(topics))
        feed.add(self.watcher)
        await feed.catch_up(self.watcher, since)

    @database_sync_to_async
    def _allowed(self, topics: list[str]) -> list[str]:
        user = self.scope["user"]
        return [topic for topic in topics if (needed := needed_for(topic)) and user.has_perm(needed)]

    @database_sync_to_async
    def _still_here(self) -> bool:
        from django.contrib.auth import get_user_model

        session = self.scope.get("session")
        signed_in = session is None or session.session_key is None or session.exists(session.session_key)
        return (
            signed_in and get_user_model().objects.filter(pk=self.scope["user"].pk, is_active=True).exists()
        )

    async def _send_all(self, watcher: Watcher) -> None:
        while True:
            try:
                message = await asyncio.wait_for(watcher.queue.get(), ASK_EVERY)
            except TimeoutError:
                message = None
            if self._due() and not await self._still_here():
                await self.close(SIGNED_OUT)
                return
            if message is not None:
                await self.send(text_data=message)

    _asked = 0.0

    def _due(self) -> bool:
        at = asyncio.get_running_loop().time()
        self._asked = self._asked or at
        if at - self._asked < ASK_EVERY:
            return False
        self._asked = at
        return True


def _read(text: str | None) -> tuple[list[str], dict[str, int], str] | None:
    """Topics, what the page already shows of each, and its language; None when the message is not understood."""
    if text is None or len(text) > MESSAGE_BYTES:
        return None
    try:
        message: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    topics, since = message.get("topics"), message.get("since", {})
    if (
        not isinstance(topics, list)
        or len(topics) > TOPICS
        or not all(isinstance(one, str) for one in topics)
    ):
        return None
    if not isinstance(since, dict):
        return None
    numbers = {
        topic: number for topic, number in since.items() if type(number) is int and 0 <= number < 2**62
    }
    language = message.get("language")
    if not isinstance(language, str) or language not in dict(settings.LANGUAGES):
        language = settings.LANGUAGE_CODE
    return topics, numbers, language
