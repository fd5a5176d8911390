"""What an endpoint answered, and how long each phase took."""

from __future__ import annotations

from contextlib import suppress

import httptools
import msgspec


class Timings(msgspec.Struct, frozen=True, gc=False):
    """Seconds per phase of one request. `dns`, `connect` (a proxy's tunnel included) and `tls` are 0 on a connection that
    was kept alive."""

    dns: float = 0.0
    connect: float = 0.0
    tls: float = 0.0
    first_byte: float = 0.0
    """From the request being written to the first byte of the answer."""
    total: float = 0.0
    """From the call to its end, waiting for a free connection included."""
    reused: bool = False
    """The answer came over a connection that had been kept alive."""
    resent: bool = False
    """A kept-alive connection turned out to be closed, and the request was written a second time on a fresh one."""
    write: float = 0.0
    """From the first byte of the request to its last being handed to the system."""
    end: float = 0.0
    """From the first byte of the answer to its last that was read."""


NO_TIMINGS = Timings()


class HeaderReader:
    """Reads the final message head in `raw` (interim 1xx heads before it are dropped).

    Same parser as on the wire, so that both never disagree. `fields` maps lower-case names to values, repeated ones
    joined by ", " (RFC 9110 §5.3); `size` is the length in bytes of all heads, interim ones included.
    """

    def __init__(self, raw: bytes) -> None:
        self.fields: dict[str, str] = {}
        self.size = 0
        self._complete = False
        self._parser = httptools.HttpResponseParser(self)
        # `raw` may go on with a body that broke; the head before it was valid, else there would be no response.
        with suppress(httptools.HttpParserError):
            self._parser.feed_data(raw)

    def on_message_begin(self) -> None:
        if not self._complete:
            self.fields = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._complete:  # a trailer, or a message nobody asked for
            return
        self.size += len(name) + len(value) + 4
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        self.fields[key] = f"{self.fields[key]}, {text}" if key in self.fields else text

    def on_headers_complete(self) -> None:
        self._complete = self._parser.get_status_code() >= 200

    @property
    def framed(self) -> bool:
        """The head says where the body ends; if not, it ends with the connection (RFC 9112 §6.3)."""
        return "content-length" in self.fields or "transfer-encoding" in self.fields


class Response:
    """A complete answer, or one with a 2xx status whose body broke off or was longer than is kept (`truncated`)."""

    __slots__ = ("_head", "address", "body", "status", "timings", "truncated")

    def __init__(
        self,
        status: int,
        head: bytes | dict[str, str],
        body: bytes,
        truncated: bool,
        timings: Timings,
        address: str,
    ) -> None:
        self.status = status
        self.body = body
        """As sent, not decompressed; at most `connection.BODY_LIMIT` bytes."""
        self.truncated = truncated
        """The body is longer than what was kept, or broke off."""
        self.timings = timings
        self.address = address
        """The IP address that answered."""
        self._head = head

    @property
    def headers(self) -> dict[str, str]:
        """Header fields by lower-case name. Parsed when first asked for: most deliveries never look."""
        if isinstance(self._head, bytes):
            self._head = HeaderReader(self._head).fields
        return self._head

    def __repr__(self) -> str:
        return f"<Response {self.status} {len(self.body)} bytes{' truncated' if self.truncated else ''} {self.address}>"
