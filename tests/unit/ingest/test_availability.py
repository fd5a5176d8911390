"""When events come faster than they can be stored, or cannot be stored at all."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.db import connections, transaction
from django.db.utils import OperationalError

from catalog.models import Bus, Team, Token
from delivery.ingest import app, pipeline
from delivery.log import writer
from delivery.log.entry import Accepted, Entry, Versions
from delivery.log.interface import Log, open_log
from tests.unit.ingest.calling import STRUCTURED, Answer, Caller, assert_problem, event, stored


class Gate:
    """The real log behind a gate that can be shut, and that counts who came to it."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.reached = threading.Event()

    def __call__(self) -> Log:
        log = open_log()
        append = log.append

        def wait(groups: Sequence[Sequence[Entry]], versions: Versions) -> list[list[Accepted]]:
            self.reached.set()
            assert self.opened.wait(30)
            return append(groups, versions)

        log.append = wait  # type: ignore[method-assign]
        return log


@pytest.fixture
def gate(caller: Caller) -> Iterator[Gate]:
    """Shut: what is sent waits in the queue until the test opens it."""
    found = Gate()
    pipe = pipeline.pipeline()
    pipe.writer = writer.Writer(lambda routed: None, found)
    yield found
    found.opened.set()


def posting(caller: Caller, found: Any, **named: Any) -> Any:
    return caller.calling(json.dumps(found).encode(), {"content-type": STRUCTURED}, **named)


async def fill(caller: Caller, gate: Gate, count: int) -> list[asyncio.Task[Answer]]:
    """`count` requests that wait to be stored."""
    tasks = [asyncio.create_task(posting(caller, event(id=f"w{number}"))) for number in range(count)]
    await asyncio.to_thread(gate.reached.wait, 30)
    while pipeline.pipeline().writer._waiting < count:  # what a publisher cannot see from outside
        await asyncio.sleep(0.001)
    return tasks


def test_a_token_may_fill_its_share_of_the_queue_and_no_more(
    caller: Caller, bus: Bus, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "SHARE", 3)
    _, other = Token.issue(name="other", team=Team.objects.get(), bus=bus)

    async def scene() -> tuple[Answer, Answer, list[Answer]]:
        waiting = await fill(caller, gate, 3)
        refused = await posting(caller, event(id="one too many"))
        others = asyncio.create_task(posting(caller, event(id="of another token"), token=other))
        gate.opened.set()
        return refused, await others, await asyncio.gather(*waiting)

    refused, others, waited = caller.run(scene())
    assert_problem(refused, 429, "too-many")
    assert int(refused.headers["retry-after"]) >= 1
    assert others.status == 202
    assert [answer.status for answer in waited] == [202] * 3
    assert {row["ce_id"] for row in stored(bus)} == {"w0", "w1", "w2", "of another token"}
    # What was stored counts no more.
    assert caller.structured(event(id="later")).status == 202


def test_what_was_refused_does_not_count_towards_the_share(
    caller: Caller, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "SHARE", 2)
    for _ in range(5):
        assert caller.structured(event(type=None)).status == 400
        assert caller.batch([event(id="a"), event(id="b"), event(id="c")]).status == 429
    assert caller.batch([event(id="a"), event(id="b")]).status == 202


def test_a_full_queue_asks_everybody_to_come_back(
    caller: Caller, bus: Bus, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "QUEUE", 2)

    async def scene() -> Answer:
        waiting = await fill(caller, gate, 2)
        refused = await posting(caller, event(id="one too many"))
        gate.opened.set()
        await asyncio.gather(*waiting)
        return refused

    refused = caller.run(scene())
    assert_problem(refused, 503, "unavailable")
    assert int(refused.headers["retry-after"]) >= 1
    assert len(stored(bus)) == 2


def test_a_database_that_stays_locked_is_said_and_the_next_event_is_stored(
    caller: Caller, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections["default"].settings_dict["OPTIONS"], "timeout", 0.05)
    with transaction.atomic():
        Team.objects.create(name="Slow", slug="slow")
        answer = caller.structured(event())
    problem = assert_problem(answer, 503, "unavailable")
    assert "Send it again" in problem["detail"]
    assert int(answer.headers["retry-after"]) >= 1
    assert stored(bus) == []
    assert caller.structured(event()).status == 202


def test_a_log_that_fails_is_said_without_its_words_and_recovers(
    caller: Caller, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors: list[Exception] = [
        OperationalError("password=hunter2"),
        ValueError("hunter2"),
        RuntimeError("hunter2"),
    ]

    def opened() -> Log:
        log = open_log()
        append = log.append

        def fail(groups: Sequence[Sequence[Entry]], versions: Versions) -> list[list[Accepted]]:
            if errors:
                raise errors.pop(0)
            return append(groups, versions)

        log.append = fail  # type: ignore[method-assign]
        return log

    pipeline.pipeline().writer = writer.Writer(lambda routed: None, opened)
    assert caller.structured(event(), token="x").status == 401  # The directory is read by now.
    for _ in range(3):
        answer = caller.structured(event())
        assert_problem(answer, 503, "unavailable")
        assert b"hunter2" not in answer.body
    assert not errors
    assert caller.structured(event()).status == 202
    assert len(stored(bus)) == 1


def test_a_directory_that_cannot_be_read_is_said_and_recovers(
    caller: Caller, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    from delivery.ingest import snapshot

    read = snapshot._tokens

    def fails() -> Any:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr(snapshot, "_tokens", fails)
    answer = caller.structured(event())
    assert_problem(answer, 503, "unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    monkeypatch.setattr(snapshot, "_tokens", read)
    assert caller.structured(event()).status == 202


def test_a_publisher_that_gives_up_while_its_event_is_stored_harms_nobody(
    caller: Caller, bus: Bus, gate: Gate
) -> None:
    """Some servers cancel the request when its client leaves, and all do when they are stopped."""

    async def scene() -> list[Answer]:
        first = (await fill(caller, gate, 1))[0]
        others = [asyncio.create_task(posting(caller, event(id=f"o{number}"))) for number in range(3)]
        await asyncio.sleep(0.05)
        first.cancel()
        others[1].cancel()
        await asyncio.gather(first, others[1], return_exceptions=True)
        gate.opened.set()
        return await asyncio.gather(others[0], others[2], posting(caller, event(id="later")))

    answers = caller.run(asyncio.wait_for(scene(), 30))
    assert [answer.json()["accepted"][0].get("duplicate") for answer in answers] == [None] * 3
    # Whether the two that left are stored is nobody's promise; what was stored is stored once.
    ids = [row["ce_id"] for row in stored(bus)]
    assert {"o0", "o2", "later"} <= set(ids)
    assert len(ids) == len(set(ids))


def test_what_waits_when_the_process_ends_is_stored(caller: Caller, bus: Bus, gate: Gate) -> None:
    async def scene() -> list[Answer]:
        waiting = await fill(caller, gate, 5)
        closing = asyncio.create_task(asyncio.to_thread(pipeline.pipeline().close))
        gate.opened.set()
        await closing
        return await asyncio.gather(*waiting)

    assert [answer.status for answer in caller.run(scene())] == [202] * 5
    assert len(stored(bus)) == 5


def test_an_answer_comes_only_after_the_commit(caller: Caller, bus: Bus, gate: Gate) -> None:
    async def scene() -> Answer:
        [waiting] = await fill(caller, gate, 1)
        await asyncio.sleep(0.05)
        assert not waiting.done()
        gate.opened.set()
        return await waiting

    assert caller.run(scene()).status == 202
    assert [row["ce_id"] for row in stored(bus)] == ["w0"]
