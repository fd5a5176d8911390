"""Kept-alive connections: how many there are, who uses them, when they end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from delivery.http import Client, DeliveryError, Response
from delivery.http import connection as connection_module
from tests.integration.hostile import BEHAVIOURS, Server
from tests.integration.http_scenarios import (
    AMPLE,
    LOOPBACK,
    SHORT,
    Run,
    client,
    in_both_loops,
    post,
)
from tests.processes import free_port

pytestmark = in_both_loops


def test_a_connection_is_kept_for_the_next_request(run: Run) -> None:
    async def scenario() -> None:
        async with Server() as server, client() as made:
            for path in ("/ok", "/chunked", "/no-content", "/redirect", "/interim"):
                endpoint = made.endpoint(server.url(path))
                before = server.connections
                timings = [
                    (await endpoint.request(b"POST", b"", b"", timeout=AMPLE)).timings for _ in range(3)
                ]
                assert server.connections == before + 1
                assert [one.reused for one in timings] == [False, True, True]
                assert timings[0].connect > 0
                assert timings[1].connect == timings[1].dns == timings[1].tls == 0
                assert all(0 < one.first_byte <= one.total for one in timings)

    run(scenario())


def test_a_connection_that_rests_makes_room_where_only_so_many_may_be_open(run: Run) -> None:
    async def scenario() -> None:
        async with Server() as server:
            made = Client(LOOPBACK, "Signalbox/test", most=2)
            try:
                endpoints = [made.endpoint(server.url("/ok")) for _ in range(5)]
                for _ in range(3):
                    for endpoint in endpoints:
                        answer = await endpoint.request(b"POST", b"", b"", timeout=AMPLE)
                        assert answer.status == 200
                        while server.open > 2:  # until it has heard of the end of the one that rested
                            await asyncio.sleep(0.01)
                assert server.connections == 15
                # Whoever is in use stays: a third is opened beside two, and one of them goes when it rests.
                slow = [
                    asyncio.create_task(one.request(b"POST", b"", b"", timeout=AMPLE))
                    for one in endpoints[:3]
                ]
                for task in slow:
                    assert (await task).status == 200
                last = [await one.request(b"POST", b"", b"", timeout=AMPLE) for one in endpoints[3:4]]
                assert [one.status for one in last] == [200]
                # What could not be opened is not counted for ever.
                nobody = made.endpoint(f"http://127.0.0.1:{free_port()}/")
                for _ in range(5):
                    with pytest.raises(DeliveryError):
                        await nobody.request(b"POST", b"", b"", timeout=AMPLE)
                reused = await endpoints[3].request(b"POST", b"", b"", timeout=AMPLE)
                again = await endpoints[3].request(b"POST", b"", b"", timeout=AMPLE)
                assert again.timings.reused
                assert reused.status == 200
            finally:
                await made.close()

    run(scenario())


@pytest.mark.parametrize("path", ["/second-answer", "/garbage-after-answer", "/http10-length", "/over-64k"])
def test_a_spoiled_connection_is_not_used_again(run: Run, path: str) -> None:
    async def scenario() -> None:
        async with Server() as server, client() as made:
            endpoint = made.endpoint(server.url(path))
            for _ in range(3):
                response = await endpoint.request(b"POST", b"", b"", timeout=AMPLE)
                assert response.body[:2] in (b"ok", b"xx")
                assert not response.timings.reused
            assert server.connections == 3

    run(scenario())


def test_what_a_peer_says_unasked_never_answers_the_next_request(run: Run) -> None:
    async def scenario() -> None:
        async with Server() as server, client() as made:
            endpoint = made.endpoint(server.url("/speaks-unasked"))
            for _ in range(2):
                assert (await endpoint.request(b"POST", b"", b"", timeout=AMPLE)).body == b"ok"
                while server.open:  # until the unasked answer has come and cost it the connection
                    await asyncio.sleep(0.01)
            assert server.connections == 2

    run(scenario())


@pytest.mark.parametrize("path", ["/close-on-second", "/reset-on-second"])
def test_a_request_is_sent_again_once_when_the_kept_connection_was_already_closed(
    run: Run, path: str
) -> None:
    async def scenario() -> None:
        async with Server() as server, client() as made:
            endpoint = made.endpoint(server.url(path))
            first = await endpoint.request(b"POST", b"", b"1", timeout=AMPLE)
            second = await endpoint.request(b"POST", b"", b"2", timeout=AMPLE)
            assert not first.timings.resent
            assert second.status == 200
            assert second.timings.resent
            assert not second.timings.reused
            assert server.connections == 2
            assert len(server.paths) == 3

    run(scenario())


def test_a_request_is_not_sent_again_when_a_part_of_the_answer_came(run: Run) -> None:
    async def scenario() -> None:
        async with Server() as server, client() as made:
            endpoint = made.endpoint(server.url("/part-on-second"))
            await endpoint.request(b"POST", b"", b"1", timeout=AMPLE)
            with pytest.raises(DeliveryError) as raised:
                await endpoint.request(b"POST", b"", b"2", timeout=AMPLE)
            assert raised.value.kind == "protocol"
            assert len(server.paths) == 2

    run(scenario())


def test_an_idle_connection_that_the_peer_closed_is_simply_replaced(run: Run) -> None:
    async def scenario() -> None:
        async with Server() as server, client() as made:
            endpoint = made.endpoint(server.url("/answer-then-close"))
            for _ in range(3):
                assert (await endpoint.request(b"POST", b"", b"", timeout=AMPLE)).status == 200
                while server.open:
                    await asyncio.sleep(0.01)
            assert len(server.paths) == 3

    run(scenario())


def test_an_idle_connection_is_closed_after_its_time(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "IDLE_SECONDS", 0.1)

    async def scenario() -> None:
        async with Server() as server, client() as made, asyncio.timeout(10):
            # the timer of a request that ended early goes on to serve as the timer of the idle connection
            await made.endpoint(server.url("/ok")).request(b"POST", b"", b"", timeout=0.2)
            assert server.open == 1
            while server.open:
                await asyncio.sleep(0.01)

    run(scenario())


def test_a_shorter_deadline_on_a_kept_connection_is_held(run: Run) -> None:
    async def scenario() -> None:
        async with Server() as server, client() as made, asyncio.timeout(15):
            endpoint = made.endpoint(server.url("/part-on-second"))
            BEHAVIOURS["/part-on-second"], original = second_is_silent, BEHAVIOURS["/part-on-second"]
            try:
                await endpoint.request(b"POST", b"", b"", timeout=60)
                with pytest.raises(DeliveryError) as raised:
                    await endpoint.request(b"POST", b"", b"", timeout=SHORT)
                assert raised.value.kind == "timeout"
            finally:
                BEHAVIOURS["/part-on-second"] = original

    run(scenario())


def test_no_more_connections_are_opened_than_allowed_and_who_came_first_goes_first(run: Run) -> None:
    async def scenario() -> None:
        async with Server() as server, client() as made:
            endpoint = made.endpoint(server.url("/pause"), max_connections=2)
            ended: list[int] = []

            async def one(number: int) -> None:
                response = await endpoint.request(b"POST", b"", b"%d" % number, timeout=AMPLE)
                assert response.body == b"%d" % number
                ended.append(number)

            async with asyncio.TaskGroup() as group:
                for number in range(10):
                    group.create_task(one(number))
            assert server.most_waiting == 2
            assert server.connections == 2
            assert [number // 2 for number in ended] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]

    run(scenario())


def test_waiting_for_a_free_connection_counts_towards_the_deadline(run: Run) -> None:
    async def scenario() -> None:
        async with Server() as server, client() as made:
            endpoint = made.endpoint(server.url("/silent"), max_connections=1)
            first = asyncio.create_task(endpoint.request(b"POST", b"", b"", timeout=AMPLE))
            with pytest.raises(DeliveryError, match="No connection became free") as raised:
                await asyncio.gather(asyncio.sleep(0), endpoint.request(b"POST", b"", b"", timeout=SHORT))
            assert raised.value.kind == "timeout"
            first.cancel()
            with pytest.raises(asyncio.CancelledError):
                await first

    run(scenario())


def test_requests_that_are_given_up_leave_their_turn_to_others(run: Run) -> None:
    async def scenario() -> None:
        async with Server() as server, client() as made:
            endpoint = made.endpoint(server.url("/pause"), max_connections=2)
            tasks = [
                asyncio.create_task(endpoint.request(b"POST", b"", b"", timeout=AMPLE)) for _ in range(40)
            ]
            for number, task in enumerate(tasks):
                await asyncio.sleep(0.007)
                if number % 3:
                    task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert {type(result) for result in results} == {Response, asyncio.CancelledError}
            # both turns are still there
            async with asyncio.TaskGroup() as group:
                for _ in range(4):
                    group.create_task(endpoint.request(b"POST", b"", b"", timeout=AMPLE))
            assert server.most_waiting == 2 or server.connections > 2

    run(scenario())


def test_closing_the_client_ends_what_is_under_way(run: Run) -> None:
    async def scenario() -> None:
        async with Server() as server:
            made = Client(LOOPBACK, "Signalbox/test")
            endpoint = made.endpoint(server.url("/silent"), max_connections=1)
            tasks = [
                asyncio.create_task(endpoint.request(b"POST", b"", b"", timeout=AMPLE)) for _ in range(3)
            ]
            while not server.paths:
                await asyncio.sleep(0.01)
            await made.close()
            errors = await asyncio.gather(*tasks, return_exceptions=True)
            assert [error.kind for error in errors if isinstance(error, DeliveryError)] == ["closed"] * 3
            with pytest.raises(DeliveryError):
                await endpoint.request(b"POST", b"", b"", timeout=AMPLE)

    run(scenario())


def test_no_cookie_is_kept(run: Run) -> None:
    async def scenario() -> None:
        async with Server() as server, client() as made:
            await made.endpoint(server.url("/cookie")).request(b"POST", b"", b"", timeout=AMPLE)
            response = await made.endpoint(server.url("/echo")).request(b"POST", b"", b"", timeout=AMPLE)
            assert b"cookie" not in response.body.lower()

    run(scenario())


def test_proxy_settings_of_the_environment_are_not_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async def scenario() -> None:
        async with Server() as server:
            assert (await post(server.url("/ok"))).status == 200

    run(scenario())


async def second_is_silent(peer: Any, request: bytes) -> None:
    if peer.requests == 1:
        await peer.answer()
    else:
        await asyncio.sleep(3600)
