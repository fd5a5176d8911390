"""Looking up names, without a name server."""

from __future__ import annotations

import asyncio
import socket
import threading
from ipaddress import ip_address

import pytest

from delivery.http import resolver as resolver_module
from delivery.http.address import IPAddress
from delivery.http.resolver import Resolver


@pytest.mark.parametrize("name", ["localhost", "bin.localhost"])
async def test_localhost_never_reaches_a_name_server(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(name: str) -> list[IPAddress]:
        raise AssertionError(f"{name} was looked up")

    monkeypatch.setattr(resolver_module, "lookup", lookup)
    assert all(address.is_loopback for address in await Resolver().resolve(name))


async def test_those_who_ask_for_one_name_at_one_time_share_a_lookup(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    go = threading.Event()

    def lookup(name: str) -> list[IPAddress]:
        asked.append(name)
        go.wait(20)
        return [ip_address("192.0.2.1")]

    monkeypatch.setattr(resolver_module, "lookup", lookup)
    resolver = Resolver()
    tasks = [asyncio.create_task(resolver.resolve("shop.example")) for _ in range(5)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.sleep(0)
    go.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert asked == ["shop.example"]
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == [[ip_address("192.0.2.1")]] * 4
    assert await resolver.resolve("shop.example") == [ip_address("192.0.2.1")]
    assert asked == ["shop.example"] * 2


async def test_a_failed_lookup_fails_for_all_who_wait_and_is_not_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failing = True

    def lookup(name: str) -> list[IPAddress]:
        if failing:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [ip_address("192.0.2.1")]

    monkeypatch.setattr(resolver_module, "lookup", lookup)
    resolver = Resolver()
    results = await asyncio.gather(
        *[resolver.resolve("shop.example") for _ in range(3)], return_exceptions=True
    )
    assert [type(result) for result in results] == [socket.gaierror] * 3
    failing = False
    assert await resolver.resolve("shop.example") == [ip_address("192.0.2.1")]


async def test_a_name_that_idna_refuses_is_a_name_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def lookup(name: str) -> list[IPAddress]:
        raise UnicodeError("label too long")

    monkeypatch.setattr(resolver_module, "lookup", lookup)
    with pytest.raises(socket.gaierror):
        await Resolver().resolve("shop.example")
