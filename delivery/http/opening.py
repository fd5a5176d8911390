"""From a name to a connection to an address that was checked."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from delivery.http.address import AddressPolicy, IPAddress, ParsedURL
from delivery.http.connection import Connection
from delivery.http.errors import Blocked, DeliveryError, Kind
from delivery.http.proxy import Proxy, ProxyRefused, Tunnel
from delivery.http.resolver import Resolver
from delivery.http.response import Timings


class Opening:
    """One attempt to open a connection: resolve, check every address, connect to one of them, TLS.

    With a proxy that is what is connected to; the target's own addresses are checked all the same, and the tunnel is
    asked for one of them, unless the proxy is to look names up itself.
    """

    def __init__(
        self,
        policy: AddressPolicy,
        resolver: Resolver,
        tls: ssl.SSLContext | None,
        url: ParsedURL,
        started: float,
        proxy: Proxy | None = None,
        proxy_tls: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._resolver = resolver
        self._context = tls
        self._url = url
        self._proxy = proxy
        self._proxy_context = proxy_tls
        self._started = started
        self._phase = "Finding the address of its name"
        self._address: str | None = None
        self._dns = self._connecting = self._handshake = 0.0  # seconds

    async def run(self, make: Callable[[str], Connection], deadline: float) -> Connection:
        """An open connection, made by `make(address)`. Raises DeliveryError; ends by `deadline` (perf_counter)."""
        try:
            async with asyncio.timeout(deadline - perf_counter()):
                if self._proxy is None:
                    addresses = await self._addresses(self._url)
                    stream = await self._connect(addresses, self._url.port, deadline)
                    connection = await self._speak(stream, make)
                else:
                    connection = await self._through(self._proxy, make, deadline)
        except TimeoutError:
            limit = deadline - self._started
            raise self._error("timeout", f"{self._phase} was not done within {limit:g} s.") from None
        connection.opened = (self._dns, self._connecting, self._handshake)
        return connection

    async def _through(self, proxy: Proxy, make: Callable[[str], Connection], deadline: float) -> Connection:
        """A connection through a proxy."""
        host = self._url.host
        if not proxy.looks_up:
            checked = (await self._addresses(self._url))[0]
            host = str(checked)
        self._phase = "Finding the address of the proxy"
        stream = await self._connect(await self._addresses(proxy.url), proxy.url.port, deadline)
        if self._context is None:
            return await self._speak(stream, make, self._proxy_context, proxy.url.host)
        loop = asyncio.get_running_loop()
        begun = perf_counter()
        self._phase = f"The proxy's tunnel to {host} port {self._url.port}"
        with self._tls_errors():
            transport, tunnel = await loop.create_connection(
                Tunnel,
                sock=stream,
                ssl=self._proxy_context,
                server_hostname=proxy.url.host if self._proxy_context else None,
            )
        upgraded = False
        try:
            authority = f"[{host}]" if ":" in host else host
            try:
                await tunnel.ask(transport, f"{authority}:{self._url.port}", proxy)
            except ProxyRefused as refused:
                raise self._error("proxy", refused.sentence, refused.status) from None
            self._connecting += perf_counter() - begun
            begun = perf_counter()
            self._phase = f"The TLS handshake with {self._url.host} through the proxy"
            connection = make(self._address or "")
            with self._tls_errors():
                over = await loop.start_tls(
                    transport, connection, self._context, server_hostname=self._url.host
                )
            if over is None:
                raise self._error("tls", f"{self._phase} failed: it closed the connection.")
            connection.connection_made(over)
            upgraded = True
            return connection
        finally:
            self._handshake = perf_counter() - begun
            if not upgraded:
                transport.abort()

    async def _addresses(self, url: ParsedURL) -> list[IPAddress]:
        """Addresses that `url` may be reached at, all of them checked."""
        if url.address is not None:
            addresses = [url.address]
        else:
            begun = perf_counter()
            try:
                addresses = await self._resolver.resolve(url.host)
            except OSError as error:
                raise self._error(
                    "dns", f"The name {url.host} cannot be resolved: {error.strerror or error}."
                ) from None
            finally:
                self._dns += perf_counter() - begun
            if not addresses:
                raise self._error("dns", f"The name {url.host} has no address.")
        return self._checked(url, addresses)

    def _checked(self, url: ParsedURL, addresses: list[IPAddress]) -> list[IPAddress]:
        """The addresses, if all may be connected to: a name that mixes public and private ones is not trusted."""
        localhost = url.local and all(address.is_loopback for address in addresses)
        allowed = []
        refused: Blocked | None = None
        for address in addresses:
            try:
                self._policy.check_address(address, local=url.local)
            except Blocked as error:
                refused = error
            else:
                allowed.append(address)
        # localhost always has both 127.0.0.1 and ::1; to allow one of them is enough
        if refused is not None and not (localhost and allowed):
            refused.timings = self._timings()
            raise refused
        return allowed

    async def _connect(self, addresses: list[IPAddress], port: int, deadline: float) -> socket.socket:
        loop = asyncio.get_running_loop()
        begun = perf_counter()
        failure = ""
        try:
            for number, address in enumerate(addresses):
                self._address = str(address)
                self._phase = f"Connecting to {address} port {port}"
                # one address that swallows packets must not eat the time of the others
                share = (deadline - perf_counter()) / (len(addresses) - number)
                stream = socket.socket(
                    socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM
                )
                try:
                    stream.setblocking(False)
                    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    async with asyncio.timeout(share):
                        await loop.sock_connect(stream, (self._address, port))
                except OSError as error:  # TimeoutError is one
                    stream.close()
                    failure = os.strerror(error.errno).lower() if error.errno else "no answer"
                except BaseException:
                    stream.close()
                    raise
                else:
                    return stream
        finally:
            self._connecting = perf_counter() - begun
        if perf_counter() >= deadline:
            raise TimeoutError
        raise self._error("connect", f"{self._phase} failed: {failure}.")

    async def _speak(
        self,
        stream: socket.socket,
        make: Callable[[str], Connection],
        context: ssl.SSLContext | None = None,
        name: str = "",
    ) -> Connection:
        """A connection over an open socket, in TLS with the target, or with a proxy of that name and context."""
        loop = asyncio.get_running_loop()
        address = self._address or ""
        context = context or self._context
        if context is None:
            _, connection = await loop.create_connection(lambda: make(address), sock=stream)
            return connection
        begun = perf_counter()
        self._phase = f"The TLS handshake with {address} port {stream.getpeername()[1]}"
        try:
            with self._tls_errors():
                _, connection = await loop.create_connection(
                    lambda: make(address), sock=stream, ssl=context, server_hostname=name or self._url.host
                )
        finally:
            self._handshake = perf_counter() - begun
        return connection

    @contextmanager
    def _tls_errors(self) -> Iterator[None]:
        """Says what went wrong in a handshake."""
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            raise self._error("tls", f"Its certificate is not accepted: {error.verify_message}.") from None
        except ssl.SSLError as error:
            reason = (error.reason or str(error)).replace("_", " ").lower()
            raise self._error("tls", f"{self._phase} failed: {reason}.") from None
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
            raise self._error("tls", f"{self._phase} failed: it closed the connection.") from None

    def _timings(self) -> Timings:
        return Timings(self._dns, self._connecting, self._handshake, total=perf_counter() - self._started)

    def _error(self, kind: Kind, sentence: str, status: int | None = None) -> DeliveryError:
        return DeliveryError(kind, sentence, timings=self._timings(), address=self._address, status=status)
