"""A web server that keeps what it is sent and answers what the test says, and an HTTP proxy that does as much."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Self

from delivery.connectors.http.target import HTTPTarget
from delivery.connectors.remembered import Permissions, Tokens, TokensInMemory
from delivery.connectors.spi import Delivery, Services
from delivery.http import Client
from tests.integration.http_scenarios import client


@dataclass
class Request:
    """`headers` by lower-case name."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    peer: dict[str, object] = field(default_factory=dict)


@dataclass
class Answer:
    status: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)


class _Listening:
    """Listens on a free port of 127.0.0.1 and leaves nothing behind."""

    context: ssl.SSLContext | None

    async def __aenter__(self) -> Self:
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._served, "127.0.0.1", 0, ssl=self.context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *problem: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0)

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
                await self._talk(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError


class Receiver(_Listening):
    """`async with Receiver(answer) as receiver`: `answer(request)` says what each request gets; 200 without it."""

    def __init__(
        self, answer: Callable[[Request], Answer] | None = None, context: ssl.SSLContext | None = None
    ) -> None:
        self.answer = answer or (lambda request: Answer())
        self.context = context
        self.requests: list[Request] = []
        self.connections = 0

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{'https' if self.context else 'http'}://{host}:{self.port}{path}"

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while (request := await read_request(reader)) is not None:
            request.peer = writer.get_extra_info("peercert") or {}
            self.requests.append(request)
            answer = self.answer(request)
            lines = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
            head = f"HTTP/1.1 {answer.status} X\r\ncontent-length: {len(answer.body)}\r\n{lines}\r\n"
            writer.write(head.encode() + answer.body)
            await writer.drain()


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *fields = head.decode("ascii").rstrip("\r\n").split("\r\n")
    method, target, _version = first.split(" ")
    headers: dict[str, str] = {}
    for text in fields:
        name, _colon, value = text.partition(": ")
        assert name.lower() not in headers, f"{name} comes twice"
        headers[name.lower()] = value
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, target, headers, body)


class ProxyServer(_Listening):
    """Opens tunnels to 127.0.0.1 whatever host it is told, and passes whole URLs on; `refuses` with a status."""

    def __init__(self, refuses: int = 0, context: ssl.SSLContext | None = None) -> None:
        self.refuses = refuses
        self.context = context
        self.asked: list[Request] = []

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await read_request(reader)
        if request is None:
            return
        self.asked.append(request)
        if self.refuses:
            writer.write(f"HTTP/1.1 {self.refuses} No\r\ncontent-length: 2\r\n\r\nno".encode())
            await writer.drain()
            return
        tunnel = request.method == "CONNECT"
        authority = request.target if tunnel else request.target.removeprefix("http://").partition("/")[0]
        there, back = await asyncio.open_connection("127.0.0.1", int(authority.rpartition(":")[2]))
        try:
            if tunnel:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                path = "/" + request.target.removeprefix("http://").partition("/")[2]
                lines = "".join(
                    f"{name}: {value}\r\n"
                    for name, value in request.headers.items()
                    if name != "proxy-authorization"
                )
                back.write(f"{request.method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + request.body)
            await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))
        finally:
            back.transport.abort()


async def _pass_on(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, ssl.SSLError):
        while data := await source.read(65536):
            to.write(data)
            await to.drain()
    to.close()


EVENT = (
    b'{"specversion":"1.0","id":"1","source":"/shop","type":"order.paid","subject":"o/../7 \xe2\x82\xac",'
    b'"data":{"total":1,"tags":["a"],"none":null}}'
)


def delivery(event: bytes = EVENT, **changes: object) -> Delivery:
    """A whole event on its first attempt."""
    given: dict[str, object] = {
        "event": event, "attributes": {}, "delivery_id": "msg_1", "attempt": 1, "whole": True,
    }  # fmt: skip
    return Delivery(**{**given, **changes})  # type: ignore[arg-type]


@asynccontextmanager
async def opened(
    url: str,
    http: Client | None = None,
    *,
    permissions: Permissions | None = None,
    tokens: Tokens | None = None,
    **config: object,
) -> AsyncIterator[HTTPTarget]:
    """An open target with those settings; `http`: the client to use, else one that may reach loopback."""
    async with client() as made:
        services = Services(http or made, 7, permissions, tokens or TokensInMemory())
        target = HTTPTarget(HTTPTarget.Config.load({"url": url, **config}), services)
        await target.open()
        try:
            yield target
        finally:
            await target.close()
