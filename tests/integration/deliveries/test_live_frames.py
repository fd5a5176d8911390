"""The live feed's frames: never more than four a second, made once for all who have the same view, caught up with."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.integration import rows as write
from tests.integration.deliveries.billing import order, refuse

pytestmark = pytest.mark.django_db(transaction=True)
PART = {"for": "wire", "topic": "wire", "html": "<li>", "how": "prepend", "sampled": ""}
WIRE = frozenset({"wire"})


def unpacked(message: bytes) -> dict[str, Any]:
    return dict(json.loads(zlib.decompress(message, wbits=-15)))


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A feed that has news at every look, at once. Holds how often it looked."""
    from delivery.live import feed

    looks: list[int] = []

    def parts(self: Any, asked: Any) -> tuple[int, dict[str, list[Any]]]:
        looks.append(len(looks))
        return len(looks), {language: [PART] for language in asked}

    monkeypatch.setattr(feed.Feed, "_parts", parts)
    monkeypatch.setattr(feed.Feed, "_missed", lambda *_: {"head": 0, "parts": [], "note": ""})
    return looks


class Person:
    """Somebody who may see everything."""

    is_authenticated = True
    pk = 1

    def has_perm(self, permission: str) -> bool:
        return True


class Tab:
    """A socket of the console, without a server between."""

    def __init__(self) -> None:
        from asgiref.testing import ApplicationCommunicator

        from delivery.consumers import ConsoleConsumer

        scope = {"type": "websocket", "path": "/ws/console/", "user": Person()}
        self._application = ApplicationCommunicator(ConsoleConsumer.as_asgi(), scope)

    async def open(self) -> None:
        await self._application.send_input({"type": "websocket.connect"})
        assert (await self._application.receive_output(5))["type"] == "websocket.accept"

    async def ask(self, **more: int) -> None:
        await self._application.send_input(
            {"type": "websocket.receive", "text": json.dumps({"topics": ["wire"]} | more)}
        )

    async def frame(self) -> dict[str, Any]:
        return unpacked((await self._application.receive_output(5))["bytes"])

    async def close(self) -> None:
        await self._application.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._application.wait(5)


async def sockets(count: int, meanwhile: Callable[[list[Tab]], Any]) -> Any:
    """Opens so many sockets that watch the wire, and closes them after `meanwhile`."""
    opened = [Tab() for _ in range(count)]
    for one in opened:
        await one.open()
        await one.ask()
    found = await meanwhile(opened)
    for one in opened:
        await one.close()
    return found


def test_a_socket_gets_four_frames_a_second_at_most_whatever_happens(busy: list[int]) -> None:
    async def count(opened: list[Tab]) -> list[float]:
        loop, times = asyncio.get_running_loop(), []
        ends = loop.time() + 3
        while loop.time() < ends:
            await opened[0].frame()
            times.append(loop.time())
            if len(times) % 3 == 0:  # asking again and again makes it no more
                await opened[0].ask(head=1)
        return times

    times = asyncio.run(sockets(1, count))
    assert len(times) >= 4
    assert max(sum(start <= at < start + 0.95 for at in times) for start in times) <= 4


def test_what_many_see_is_rendered_and_packed_once(busy: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    from delivery.live import feed

    made: list[bytes] = []

    def packed(message: Any) -> bytes:
        text = whole(message)
        made.extend([text] if message.get("parts") else [])
        return text

    whole = feed.packed
    monkeypatch.setattr(feed, "packed", packed)

    async def one_each(opened: list[Tab]) -> None:
        for one in opened:
            while not (await one.frame())["parts"]:
                pass

    asyncio.run(sockets(30, one_each))
    assert 1 <= len(made) <= len(busy)


def test_a_watcher_that_does_not_read_holds_few_messages_and_is_told_to_ask_again() -> None:
    from delivery.live.feed import AGAIN, QUEUED, Watcher

    watcher = Watcher()
    for number in range(QUEUED):
        watcher.tell(b"%d" % number)
    assert watcher.queue.qsize() == QUEUED
    for number in range(1000):
        watcher.tell(b"%d" % number)
    assert watcher.queue.qsize() == 1
    assert watcher.queue.get_nowait() == AGAIN
    watcher.tell(b"later")
    assert watcher.queue.empty()  # nothing more until it asks


def test_a_page_that_does_not_read_catches_up_when_it_reads_again(busy: list[int]) -> None:
    from delivery.live.feed import QUEUED, feed

    async def go(opened: list[Tab]) -> None:
        await opened[0].frame()
        (watcher,) = feed._views["en", WIRE]
        while not watcher.queue.full():
            watcher.tell(b"late")
        watcher.tell(b"too late")
        assert watcher.behind
        assert watcher.queue.qsize() < QUEUED
        await feed.catch_up(watcher, {}, 3)
        assert not watcher.behind

    asyncio.run(sockets(1, go))


def test_the_more_watch_the_less_often_each_is_told() -> None:
    from delivery.live.feed import EVERY, Feed, Watcher

    feed = Feed()
    assert feed.distance == EVERY
    for language, count in (("en", 90), ("zh-hans", 10)):
        feed._views[language, WIRE] = {Watcher(language) for _ in range(count)}
    assert feed.distance == EVERY
    feed._views["en", frozenset()] = {Watcher() for _ in range(100)}
    assert feed.distance == 2 * EVERY


def test_the_feed_rests_while_nobody_watches(busy: list[int]) -> None:
    from delivery.live.feed import feed

    async def nothing(opened: list[Tab]) -> None:
        await opened[0].frame()
        assert feed.running

    async def then_rest() -> None:
        await sockets(2, nothing)
        looked = len(busy)
        await asyncio.sleep(0.7)
        assert not feed.running
        assert len(busy) <= looked + 1

    asyncio.run(then_rest())


def test_who_comes_back_is_told_how_many_events_there_were_and_how_everything_is(
    town: SimpleNamespace,
) -> None:
    from delivery.live.parts import Look

    look, topics = Look(), frozenset({"rate", "dead-letters", "deliveries", "summary:1h"})
    head = look.head
    for _ in range(3):
        refuse(town)
    look.parts({"en": topics})
    found = look.missed("en", topics, {"deliveries": 0}, head)
    assert (found["head"], found["note"]) == (head + 3, "Reconnected, 3 events since")
    by_place = {part["topic"]: part["html"] for part in found["parts"]}
    assert by_place.keys() == {
        "rate", "dead-letters", "deliveries", "summary:1h", "charts:summary:1h", "targets:summary:1h",
    }  # fmt: skip
    assert by_place["dead-letters"] == "3"
    assert by_place["deliveries"].count("<tr") == 3
    assert "Billing has not taken 3 events" in by_place["summary:1h"]
    assert look.missed("en", topics, {}, head + 3)["note"] == ""
    assert look.missed("zh-hans", topics, {}, head)["note"] == "已重新连接，期间有 3 个事件"


def test_a_new_page_is_told_what_changed_long_ago(town: SimpleNamespace) -> None:
    from delivery.live.parts import Look

    look, topics = Look(), frozenset({"rate", "dead-letters", "summary:1h"})
    look.parts({"en": topics})
    found = look.missed("en", topics, {}, None)
    assert found["note"] == ""
    # Its summary was rendered with it.
    assert {part["topic"] for part in found["parts"]} == {"rate", "dead-letters"}


def test_a_summary_is_sent_when_it_changed(town: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    from delivery.live import parts

    monkeypatch.setattr(parts, "SUMMARY_EVERY", 0.0)
    monkeypatch.setattr(parts, "SPARING", 0)
    look, asked = parts.Look(), {"en": frozenset({"summary:24h"})}

    def places() -> list[str]:
        return [part["topic"] for part in look.parts(asked)["en"] if part["topic"].endswith("summary:24h")]

    assert places() == ["summary:24h", "charts:summary:24h", "targets:summary:24h"]
    assert "charts:summary:24h" not in places()
    order(town)
    write.hold(town.billing.pk, order(town), write.State.DEAD)
    assert "summary:24h" in places()
