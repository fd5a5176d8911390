"""One URL with its prebuilt request head and its pool of kept-alive connections."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections import deque
from collections.abc import Sequence
from time import perf_counter
from typing import Protocol

from delivery.http.address import AddressPolicy
from delivery.http.connection import Connection, Stale
from delivery.http.errors import DeliveryError
from delivery.http.headers import TOKEN, InvalidHeader, header_block
from delivery.http.opening import Opening
from delivery.http.proxy import Proxy
from delivery.http.resolver import Resolver
from delivery.http.response import Response, Timings
from delivery.http.tls import TLS

_TARGET = re.compile(r"/[\x21-\x7e]*")
BODILESS_METHODS = frozenset({"HEAD", "CONNECT"})
"""Answers to these end differently (RFC 9112 §6.3); a delivery never uses them."""


class Surroundings(Protocol):
    """What endpoints share: a Client."""

    policy: AddressPolicy
    user_agent: str
    resolver: Resolver

    @property
    def tls_context(self) -> ssl.SSLContext: ...

    def way(self, proxy: str) -> Proxy | None: ...

    def opens(self) -> None: ...

    def closed(self) -> None: ...

    def forget(self, endpoint: Endpoint) -> None: ...


class Endpoint:
    """Made by `Client.endpoint`. Requests share at most `max_connections` connections, first come, first served."""

    def __init__(
        self,
        client: Surroundings,
        url: str,
        headers: Sequence[tuple[str, str]],
        max_connections: int,
        tls: TLS | None = None,
        proxy: str = "",
    ) -> None:
        if max_connections < 1:
            raise ValueError("An endpoint needs at least one connection.")
        self.url = client.policy.check_url(url)
        self.max_connections = max_connections
        fields = list(headers)
        names = {name.lower() for name, _ in fields}
        if self.url.authorization is not None:
            if "authorization" in names:
                raise InvalidHeader(
                    "The URL holds a user and there is an Authorization header too; keep one of them."
                )
            fields.insert(0, ("authorization", self.url.authorization))
        if "user-agent" not in names:
            fields.insert(0, ("user-agent", client.user_agent))
        self._client = client
        self._proxy = None if self._is_inside() else client.way(proxy)
        self._tls = tls.context() if tls is not None and self.url.tls else None
        self._fixed = f"host: {self.url.authority}\r\n".encode("ascii") + header_block(fields)
        self._before_target = ""
        if self._proxy is not None and not self.url.tls:
            self._before_target = f"http://{self.url.authority}"
            self._fixed += self._proxy.authorization.encode("ascii")
        self._heads: dict[bytes, bytes] = {}
        self._idle: list[Connection] = []
        self._waiters: deque[asyncio.Future[Connection | None]] = deque()
        self._in_use = 0
        self._all: set[Connection] = set()
        self._closed = False

    async def request(
        self, method: bytes, headers: bytes, body: bytes, *, timeout: float, target: str = ""
    ) -> Response:
        """Sends once and returns the answer, whatever its status (redirects included).

        `headers` are prebuilt lines that end in CRLF; `target` is a path and query of this host instead of the URL's own,
        percent-encoded; `timeout` is in seconds and covers everything from here to the last byte of the answer. Raises DeliveryError. A kept-alive connection that turns out to be closed before
        anything of the answer came is replaced once by a fresh one; `Timings.resent` says so.
        """
        started = perf_counter()
        deadline = started + timeout
        head = self._head_for(method, target) if target else self._heads.get(method) or self._head(method)
        if headers and (headers[-2:] != b"\r\n" or headers[:1] == b"\r" or b"\r\n\r\n" in headers):
            raise InvalidHeader("The prebuilt headers must be whole lines, without an empty one.")
        request = b"%b%bcontent-length: %d\r\n\r\n%b" % (head, headers, len(body), body)
        connection: Connection | None
        if self._idle:
            connection = self._idle.pop()
            self._in_use += 1
        else:
            connection = await self._take_turn(started, deadline)
        try:
            if connection is None:
                connection = await self._open(started, deadline)
            try:
                return await connection.send(request, started, deadline)
            except Stale:
                connection = await self._open(started, deadline, resent=True)
                return await connection.send(request, started, deadline)
        finally:
            self._pass_on(connection)

    async def connect(self, *, timeout: float) -> Timings:
        """Opens a connection, which the next request may use, and says how long each phase took. Raises DeliveryError."""
        started = perf_counter()
        deadline = started + timeout
        connection = await self._take_turn(started, deadline)
        try:
            if connection is None:
                connection = await self._open(started, deadline)
        finally:
            self._pass_on(connection)
        return Timings(*connection.opened, total=perf_counter() - started)

    async def close(self) -> None:
        """Closes all connections; requests under way fail with kind "closed"."""
        self._closed = True
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_exception(_closed_error())
        self._waiters.clear()
        for connection in list(self._all):
            connection.abort()
        while self._all:  # until the loop has told each that its socket is gone
            await asyncio.sleep(0)
        self._client.forget(self)

    # What a Connection tells

    def dropped(self, connection: Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)

    def lost(self, connection: Connection) -> None:
        if connection in self._all:
            self._all.discard(connection)
            self._client.closed()

    def drop_resting(self) -> bool:
        """Closes the connection that has rested longest; False when all are in use."""
        if not self._idle:
            return False
        self._idle.pop(0).abort()
        return True

    # Turns

    async def _take_turn(self, started: float, deadline: float) -> Connection | None:
        """Waits until a connection may be used: one that just became free, or None for a new one."""
        if self._closed:
            raise _closed_error()
        if self._in_use < self.max_connections:
            self._in_use += 1
            return None
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Connection | None] = loop.create_future()
        self._waiters.append(waiter)
        timer = loop.call_later(deadline - perf_counter(), self._turn_timed_out, waiter, started, deadline)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._pass_on(waiter.result())
            raise
        finally:
            timer.cancel()

    def _turn_timed_out(
        self, waiter: asyncio.Future[Connection | None], started: float, deadline: float
    ) -> None:
        if not waiter.done():
            waiter.set_exception(
                DeliveryError(
                    "timeout",
                    f"No connection became free within {deadline - started:g} s:"
                    f" all {self.max_connections} are waiting for answers.",
                    timings=Timings(total=perf_counter() - started),
                )
            )

    def _pass_on(self, connection: Connection | None) -> None:
        """Ends a turn: the next who waits gets the connection, or the right to open one."""
        if connection is not None and not connection.ready:
            connection.abort()  # nothing to do when closed; given up by its caller when not
            connection = None
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(connection)
                return
        self._in_use -= 1
        if connection is not None:
            self._idle.append(connection)

    # Opening

    def _head(self, method: bytes) -> bytes:
        head = self._heads[method] = self._head_for(method, self.url.target)
        return head

    def _head_for(self, method: bytes, target: str) -> bytes:
        text = method.decode("ascii")
        if not TOKEN.fullmatch(text) or text in BODILESS_METHODS:
            raise ValueError(f"{text!r} is not a method that a delivery can use.")
        if not _TARGET.fullmatch(target):
            raise ValueError("A request's target is a path and query, percent-encoded.")
        return f"{text} {self._before_target}{target} HTTP/1.1\r\n".encode("ascii") + self._fixed

    def _is_inside(self) -> bool:
        """Whether the host is of this machine or of a network that is allowed: a proxy is for the others."""
        address = self.url.address
        allowed = self._client.policy.allow
        return self.url.local or (address is not None and any(address in network for network in allowed))

    async def _open(self, started: float, deadline: float, *, resent: bool = False) -> Connection:
        """A new connection to a checked address of the host. Raises DeliveryError."""
        client = self._client
        context = self._tls or client.tls_context if self.url.tls else None
        proxy_context = client.tls_context if self._proxy is not None and self._proxy.url.tls else None
        opening = Opening(
            client.policy, client.resolver, context, self.url, started, self._proxy, proxy_context
        )
        loop = asyncio.get_running_loop()

        def make(address: str) -> Connection:
            return Connection(self, loop, address, resent)

        client.opens()
        try:
            connection = await opening.run(make, deadline)
            if self._closed:
                connection.abort()
                raise _closed_error()
        except BaseException as error:
            client.closed()
            if isinstance(error, DeliveryError) and self._closed:
                raise _closed_error() from None
            raise
        if connection.closed:
            client.closed()  # Lost already, before anybody could be told.
        else:
            self._all.add(connection)
        return connection


def _closed_error() -> DeliveryError:
    return DeliveryError("closed", "The request was given up because the client was closed.")
