"""The console's WebSocket: a page says which topics it shows, and gets what happens there as HTML."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from delivery.live.feed import EVERY, Watcher, feed
from delivery.live.topics import needed_for

TOPICS = 20
MESSAGE_BYTES = 8192
# How often an open socket asks whether its person may still watch: sessions end, accounts are closed.
ASK_EVERY = 60.0
SIGNED_OUT = 4401


class Wish(NamedTuple):
    """What a page shows: its topics, the newest of each that it has, its language, and the seq it was told of last."""

    topics: list[str]
    since: dict[str, int]
    language: str
    head: int | None


class ConsoleConsumer(AsyncWebsocketConsumer):
    """One browser tab. Takes {"topics": [...], "since": {topic: number}, "language": "en", "head": seq}: every topic
    names the permission it needs, and the language is the page's. Sends messages of `delivery.live.feed`, deflated.
    """

    watcher: Watcher | None = None
    tasks: tuple[asyncio.Task[None], ...] = ()

    async def connect(self) -> None:
        """Refuses who is not signed in."""
        user = self.scope.get("user")
        if user is None or not user.is_authenticated:
            await self.close(SIGNED_OUT)
            return
        self.watcher = Watcher()
        await self.accept()
        loop = asyncio.get_running_loop()
        self.tasks = loop.create_task(self._send_all(self.watcher)), loop.create_task(self._check())

    async def disconnect(self, code: int) -> None:
        """Ends what was begun."""
        for task in self.tasks:
            task.cancel()
        if self.watcher is not None:
            feed.remove(self.watcher)
            self.watcher = None

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Sets the topics. What is no such message closes the socket."""
        if self.watcher is None:
            return
        wish = read(text_data)
        if wish is None:
            await self.close(1003)
            return
        began = asyncio.get_running_loop().time()
        feed.watch(self.watcher, wish.language, frozenset(await self._allowed(wish.topics)))
        await feed.catch_up(self.watcher, wish.since, wish.head)
        # Messages of a socket are taken one after the other: one that asks without end is answered four times a second.
        await asyncio.sleep(max(0.0, EVERY - (asyncio.get_running_loop().time() - began)))

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

    async def _check(self) -> None:
        while True:
            await asyncio.sleep(ASK_EVERY)
            if not await self._still_here():
                await self.close(SIGNED_OUT)
                return

    async def _send_all(self, watcher: Watcher) -> None:
        loop, sent = asyncio.get_running_loop(), 0.0
        while True:
            message = await watcher.queue.get()
            # The feed keeps its distance; what else is said must, too: an answer to a page that asked, what queued.
            early = sent + EVERY - loop.time()
            if early > EVERY / 10:
                await asyncio.sleep(early)
            sent = loop.time()
            await self.send(bytes_data=message)


def read(text: str | None) -> Wish | None:
    """What a page asks for; None when the message is not understood."""
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
    numbers = {topic: number for topic, number in since.items() if _is_number(number)}
    language, head = message.get("language"), message.get("head")
    if not isinstance(language, str) or language not in dict(settings.LANGUAGES):
        language = settings.LANGUAGE_CODE
    return Wish(topics, numbers, language, head if _is_number(head) else None)


def _is_number(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**62
