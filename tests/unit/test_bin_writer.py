"""The bins' writer: groups, a full queue, and a database that fails."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

import pytest
from django.db import DatabaseError
from django.utils import timezone

from catalog.models import Team
from delivery.bins import writer as module
from delivery.bins.writer import Busy, Received, Writer, write
from delivery.models import BinRequest, RequestBin


def received(address: str = "a", body: str = "") -> Received:
    return Received(address, timezone.now(), "POST", [["x", "1"]], body, len(body))


@pytest.fixture
def new_bin(db: None) -> Callable[[], RequestBin]:
    team = Team.objects.create(name="T", slug="t")
    return lambda: RequestBin.objects.create(name="B", team=team)


def test_a_group_is_stored_together_and_each_is_told_whether_its_bin_exists(
    new_bin: Callable[[], RequestBin],
) -> None:
    one, two = new_bin(), new_bin()
    group = [
        received(one.address, "1"),
        received("nowhere"),
        received(two.address, "2"),
        received(one.address, "3"),
    ]
    assert write(group) == [True, False, True, True]
    assert [request.body for request in one.requests.all()] == ["3", "1"]
    assert [request.body for request in two.requests.all()] == ["2"]


def test_each_bin_of_a_group_keeps_its_newest(
    new_bin: Callable[[], RequestBin], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT", 3)
    one, two = new_bin(), new_bin()
    write([received(two.address, "stays")])
    for body in "abcde":
        write([received(one.address, body), received(one.address, body.upper())])
    assert [request.body for request in one.requests.all()] == ["E", "e", "D"]
    assert two.requests.count() == 1


def test_requests_to_addresses_of_no_bin_store_nothing(db: None) -> None:
    assert write([received("x"), received("y")]) == [False, False]
    assert not BinRequest.objects.exists()


async def test_when_the_database_fails_the_senders_are_told_and_the_next_group_is_tried(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answers: list[list[bool] | Exception] = [DatabaseError("locked"), [True]]

    def scripted(group: Sequence[Received]) -> list[bool]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(module, "write", scripted)
    writer = Writer()
    with pytest.raises(Busy):
        await writer.store(received())
    assert "could not be stored" in caplog.text
    assert await writer.store(received()) is True


async def test_what_queues_during_a_commit_goes_into_the_next_one_and_a_full_queue_says_busy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    groups: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def slow(group: Sequence[Received]) -> list[bool]:
        groups.append(len(group))
        begun.set()
        assert go_on.wait(30)
        return [True] * len(group)

    monkeypatch.setattr(module, "write", slow)
    monkeypatch.setattr(module, "QUEUED", 5)
    writer = Writer()
    first = asyncio.create_task(writer.store(received()))
    assert await asyncio.to_thread(begun.wait, 30)
    waiting = [asyncio.create_task(writer.store(received())) for _ in range(5)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await writer.store(received())
    go_on.set()
    assert await asyncio.gather(first, *waiting) == [True] * 6
    assert groups == [1, 5]


async def test_a_sender_that_leaves_does_not_disturb_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(group: Sequence[Received]) -> list[bool]:
        begun.set()
        assert go_on.wait(30)
        return [True] * len(group)

    monkeypatch.setattr(module, "write", slow)
    writer = Writer()
    leaves = asyncio.create_task(writer.store(received()))
    assert await asyncio.to_thread(begun.wait, 30)
    stays = asyncio.create_task(writer.store(received()))
    await asyncio.sleep(0)
    leaves.cancel()
    go_on.set()
    assert await stays is True
