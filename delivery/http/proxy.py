"""A way through an HTTP proxy: a tunnel by CONNECT for https targets, whole URLs in the request line for http ones.

RFC 9110 §9.3.6 and RFC 9112 §3.2. The proxy's own address is judged by the policy like any other.
"""

from __future__ import annotations

import asyncio

import httptools
import msgspec

from delivery.http.address import ParsedURL

HEAD_LIMIT = 16 * 1024


class Proxy(msgspec.Struct, frozen=True):
    """`looks_up`: it is given names and finds their addresses itself; otherwise it is given addresses we have checked."""

    url: ParsedURL
    looks_up: bool = False

    @property
    def authorization(self) -> str:
        """A header line with the user and password of its URL, or ""."""
        given = self.url.authorization
        return f"proxy-authorization: {given}\r\n" if given else ""


class ProxyRefused(Exception):
    """It did not open the tunnel. `status` is its answer, None when there was none that can be read."""

    def __init__(self, sentence: str, status: int | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status


class Tunnel(asyncio.Protocol):
    """Asks a proxy for a tunnel over a connection that is open, and reads its answer."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[int] = loop.create_future()
        self._read = 0
        self._complete = False
        self._parser = httptools.HttpResponseParser(self)

    async def ask(self, transport: asyncio.WriteTransport, authority: str, proxy: Proxy) -> None:
        """Returns once the tunnel is open. Raises ProxyRefused."""
        request = f"CONNECT {authority} HTTP/1.1\r\nhost: {authority}\r\n{proxy.authorization}\r\n"
        transport.write(request.encode("ascii"))
        status = await self._answer
        if not 200 <= status < 300:
            meaning = {407: ": it wants other credentials", 403: ": it forbids this target"}.get(status, "")
            raise ProxyRefused(f"The proxy answers {status} instead of opening a tunnel{meaning}.", status)

    # asyncio.Protocol

    def data_received(self, data: bytes) -> None:
        self._read += len(data)
        try:
            # A 2xx answer to CONNECT has no body whatever it says (RFC 9110 §9.3.6): only the head is read.
            head, _end, rest = data.partition(b"\r\n\r\n")
            self._parser.feed_data(data if not _end else head + b"\r\n\r\n")
        except httptools.HttpParserError:
            if not self._complete:
                self._fail("The proxy's answer is not valid HTTP/1.1.")
                return
            rest = b""
        if self._read > HEAD_LIMIT:
            self._fail("The proxy's answer has too many headers.")
        elif self._complete and not self._answer.done():
            status = self._parser.get_status_code()
            if rest and 200 <= status < 300:
                self._fail("The proxy spoke before the tunnel was used.")
            else:
                self._answer.set_result(status)

    def on_headers_complete(self) -> None:
        self._complete = self._parser.get_status_code() >= 200

    def connection_lost(self, error: Exception | None) -> None:
        self._fail("The proxy closed the connection instead of opening a tunnel.")

    def _fail(self, sentence: str) -> None:
        if not self._answer.done():
            self._answer.set_exception(ProxyRefused(sentence))
