"""One TCP or TLS connection that carries one HTTP/1.1 exchange at a time (RFC 9112)."""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Protocol, cast

import httptools

from delivery.http.errors import DeliveryError, Kind
from delivery.http.response import HeaderReader, Response, Timings

BODY_LIMIT = 64 * 1024
"""Bytes of an answer's body that are kept; the connection is closed when more comes."""
HEAD_LIMIT = 64 * 1024
"""Bytes of status line and header fields, interim answers included."""
IDLE_SECONDS = 15.0
"""How long a connection is kept open for the next request."""
SMALL_HEAD = 4096
"""Heads up to here are kept as they came, and parsed when asked for."""


class Stale(Exception):
    """The kept-alive connection was closed before a byte of the answer arrived."""


class Pool(Protocol):
    """Decides who may use a connection, and hears from it."""

    def dropped(self, connection: Connection) -> None:
        """The connection is closed: nothing more can be sent over it."""

    def lost(self, connection: Connection) -> None:
        """Its socket is closed too."""


class Connection(asyncio.Protocol):
    """One exchange at a time; whoever sends must have seen that it is `ready`."""

    __slots__ = (
        "_body", "_body_size", "_fault", "_first_byte", "_head", "_head_read", "_keep_alive",
        "_limit", "_loop", "_overflow", "_parser", "_pool", "_started", "_status", "_timer", "_timer_at",
        "_transport", "_used", "_waiter", "_whole", "_writing", "_written", "address", "closed", "opened", "resent",
    )  # fmt: skip

    def __init__(self, pool: Pool, loop: asyncio.AbstractEventLoop, address: str, resent: bool) -> None:
        self.address = address
        self.closed = False
        self.opened = (0.0, 0.0, 0.0)
        """Seconds for dns, connect and tls, set by who opened it."""
        self.resent = resent
        self._pool = pool
        self._loop = loop
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Response] | None = None
        self._used = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._limit = 0.0
        self._started = self._writing = self._written = self._first_byte = 0.0
        self._reset()

    def _reset(self) -> None:
        self._head = b""
        self._head_read = False
        self._status = 0
        self._body: bytes | list[bytes] = b""
        self._body_size = 0
        self._overflow = False
        self._whole = False
        self._keep_alive = False
        self._fault = ""

    # What the pool calls

    def send(self, request: bytes, started: float, deadline: float) -> asyncio.Future[Response]:
        """Writes one request. The future ends with the Response, a DeliveryError, or Stale (kept alive, but closed)."""
        waiter: asyncio.Future[Response] = self._loop.create_future()
        transport = self._transport
        if self.closed or transport is None:
            sentence = "It closed the connection, or spoke, before the request was sent."
            error = DeliveryError(
                "closed", sentence, timings=self._timings(perf_counter(), started), address=self.address
            )
            waiter.set_exception(Stale() if self._used else error)
            return waiter
        self._waiter = waiter
        self._started = started
        self._first_byte = 0.0
        self._limit = deadline
        if self._timer is None or self._timer_at > deadline:
            self._arm(perf_counter())
        self._writing = perf_counter()
        self._written = 0.0
        transport.write(request)
        if (
            not self._written
        ):  # else it was too much for the system's buffer, and `resume_writing` tells when it is gone
            self._written = perf_counter()
        return waiter

    @property
    def ready(self) -> bool:
        """Open, and the last exchange is over."""
        return not self.closed and self._waiter is None

    def abort(self) -> None:
        """Closes at once; a request in flight fails."""
        if not self.closed:
            self._fail("closed", "The request was given up because the client was closed.")

    # One timer serves the deadlines of all requests and the idle time: set when it would come too late, never per request.

    def _arm(self, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = self._limit
        self._timer = self._loop.call_later(self._limit - now, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        now = perf_counter()
        if self._limit > now:
            self._arm(now)
        elif self._waiter is None:
            self._close(abort=False)
        elif self._head_read and 200 <= self._status < 300:
            self._finish(truncated=True)
        else:
            limit = self._limit - self._started
            if self._head_read:
                state = f"it answered {self._status}, but its body did not end"
            elif self._first_byte:
                state = "its answer began, but the headers did not end"
            else:
                state = "the request was sent, nothing came back"
            self._fail("timeout", f"No complete answer within {limit:g} s: {state}.")

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        # Asked to say when all of a request has been handed to the system, not when little of it is left.
        self._transport.set_write_buffer_limits(high=1, low=0)

    def pause_writing(self) -> None:
        self._written = _NOT_YET

    def resume_writing(self) -> None:
        self._written = perf_counter()

    def data_received(self, data: bytes) -> None:
        if self._waiter is None:
            # Whatever this is, it must not become the answer to the next request.
            self._close()
            return
        if not self._first_byte:
            self._first_byte = perf_counter()
        if not self._head_read:
            self._head = self._head + data if self._head else data
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fault = (
                f"It answers {self._status or 101} and wants another protocol; only HTTP/1.1 is spoken here."
            )
        except httptools.HttpParserError as error:
            # What follows a complete answer spoils the connection, not the answer.
            self._fault = f"Its answer is not valid HTTP/1.1: {error}."
        if self._whole:
            self._finish(truncated=False)
        elif self._fault:
            self._break_off(self._fault)
        elif self._overflow:
            self._finish(truncated=True)
        elif not self._head_read and len(self._head) > HEAD_LIMIT:
            self._fail("protocol", _HEAD_TOO_LONG)

    def eof_received(self) -> None:
        self._hang_up(clean=True)

    def connection_lost(self, error: Exception | None) -> None:
        self._hang_up(clean=False)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._pool.lost(self)

    def _hang_up(self, clean: bool) -> None:
        if self.closed:
            return
        if self._waiter is None:
            self._close()
        elif self._head_read:
            if clean and not HeaderReader(self._head).framed:
                self._finish(truncated=False)
            else:
                self._break_off("It closed the connection in the middle of its answer.")
        elif self._first_byte:
            self._fail("protocol", "It closed the connection in the middle of its headers.")
        elif self._used:
            waiter, self._waiter = self._waiter, None
            self._close()
            if not waiter.done():
                waiter.set_exception(Stale())
        else:
            self._fail("closed", "It closed the connection without an answer.")

    # httptools callbacks, all inside feed_data

    def on_message_begin(self) -> None:
        if self._whole:
            self._fault = "It sent more than it was asked for."

    def on_headers_complete(self) -> None:
        if self._whole:
            return
        status = self._parser.get_status_code()
        if 200 <= status <= 599:
            self._status = status
            self._head_read = True
        elif not 100 <= status <= 199:
            self._fault = f"Its answer is not valid HTTP/1.1: there is no status {status}."

    def on_body(self, data: bytes) -> None:
        if self._whole or self._overflow:
            return
        size = self._body_size + len(data)
        if size > BODY_LIMIT:
            self._overflow = True
            data = data[: BODY_LIMIT - self._body_size]
            size = BODY_LIMIT
        if not self._body:
            self._body = data
        elif isinstance(self._body, list):
            self._body.append(data)
        else:
            self._body = [self._body, data]
        self._body_size = size

    def on_message_complete(self) -> None:
        if self._head_read and not self._overflow:
            self._whole = True
            self._keep_alive = self._parser.should_keep_alive()

    # Ends of an exchange

    def _timings(self, now: float, started: float) -> Timings:
        dns, connect, tls = (0.0, 0.0, 0.0) if self._used else self.opened
        if not self._writing:
            return Timings(dns, connect, tls, 0.0, now - started, self._used, self.resent)
        first_byte, written = self._first_byte, self._written
        # An answer may begin, or the time end, before all of the request is gone.
        latest = first_byte or now
        if written > latest:
            written = latest
        return Timings(
            dns,
            connect,
            tls,
            first_byte - written if first_byte else 0.0,
            now - started,
            self._used,
            self.resent,
            written - self._writing,
            now - first_byte if first_byte else 0.0,
        )

    def _finish(self, truncated: bool) -> None:
        """Ends with a response: complete, longer than is kept, or broken after a 2xx head."""
        now = perf_counter()
        head: bytes | dict[str, str] = self._head
        if len(self._head) > SMALL_HEAD:
            reader = HeaderReader(self._head)
            if reader.size > HEAD_LIMIT:
                self._head_read = False  # what was read of it does not count
                self._fail("protocol", _HEAD_TOO_LONG)
                return
            head = reader.fields
        body = self._body
        response = Response(
            self._status,
            head,
            b"".join(body) if isinstance(body, list) else body,
            truncated,
            self._timings(now, self._started),
            self.address,
        )
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(response)
        transport = self._transport
        if (
            truncated
            or self._fault
            or self.closed
            or transport is None
            or not self._keep_alive
            or transport.get_write_buffer_size()  # it answered before it had read the request: the rest is in the way
        ):
            self._close()
            return
        self._reset()
        self._used = True
        self.resent = False
        self._limit = now + IDLE_SECONDS

    def _break_off(self, sentence: str) -> None:
        """The answer went wrong. After a 2xx head it counts all the same: the target said that it took the event."""
        if self._head_read and 200 <= self._status < 300:
            self._finish(truncated=True)
        elif self._head_read:
            self._fail("protocol", f"It answered {self._status}, then the answer broke off. {sentence}")
        else:
            self._fail("protocol", sentence)

    def _fail(self, kind: Kind, sentence: str) -> None:
        now = perf_counter()
        waiter, self._waiter = self._waiter, None
        status = self._status if self._head_read else None
        self._close()
        if waiter is not None and not waiter.done():
            error = DeliveryError(
                kind, sentence, timings=self._timings(now, self._started), address=self.address, status=status
            )
            waiter.set_exception(error)

    def _close(self, abort: bool = True) -> None:
        if self.closed:
            return
        self.closed = True
        self._pool.dropped(self)
        if self._transport is not None:
            if abort:
                self._transport.abort()
            else:
                self._transport.close()


_NOT_YET = float("inf")
_HEAD_TOO_LONG = f"Its headers are longer than {HEAD_LIMIT // 1024} KiB."
