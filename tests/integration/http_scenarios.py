"""What the tests of the HTTP client share: both event loops, clients, name servers that say what they are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
import uvloop

from delivery.http import AddressPolicy, Client, DeliveryError, Response
from delivery.http.address import IPAddress
from delivery.http.resolver import Resolver

LOOPBACK = AddressPolicy([ip_network("127.0.0.0/8")])
SHORT = 0.4
"""Seconds: the deadline of requests that are to run into it."""
AMPLE = 20.0
"""Seconds: the deadline of requests that are not."""

Run = Callable[[Coroutine[Any, Any, None]], None]


def with_asyncio(scenario: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(scenario)


def with_uvloop(scenario: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario)


in_both_loops = pytest.mark.parametrize("run", [with_asyncio, with_uvloop])


class Answers(Resolver):
    """A name server that gives these answers, one list after the other, and the last for ever."""

    def __init__(self, *answers: list[str]) -> None:
        super().__init__()
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(self, name: str) -> list[IPAddress]:
        self.asked.append(name)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [ip_address(address) for address in answer]


@asynccontextmanager
async def client(policy: AddressPolicy = LOOPBACK, resolver: Resolver | None = None) -> AsyncIterator[Client]:
    made = Client(policy, "Signalbox/test", resolver=resolver)
    try:
        yield made
    finally:
        await made.close()


async def post(
    url: str, *, timeout: float = AMPLE, body: bytes = b"{}", resolver: Resolver | None = None
) -> Response:
    """One POST with a client of its own. The guard turns a request that outlives its deadline into a failure."""
    async with client(resolver=resolver) as made, asyncio.timeout(timeout + 10):
        return await made.endpoint(url).request(
            b"POST", b"content-type: text/plain\r\n", body, timeout=timeout
        )


async def post_error(url: str, **options: Any) -> DeliveryError:
    with pytest.raises(DeliveryError) as raised:
        await post(url, **options)
    error = raised.value
    assert error.sentence.endswith(".")
    assert error.timings.total > 0
    return error
