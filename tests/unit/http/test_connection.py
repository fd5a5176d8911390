"""One connection fed by hand: no socket, any bytes, cut anywhere."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from time import perf_counter
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from delivery.http import DeliveryError
from delivery.http.connection import BODY_LIMIT, Connection

GOOD = [
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-a: b\r\n\r\nok",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.0 500 Oh\r\n\r\nuntil the end",
    b"HTTP/1.1 422 No\r\nconnection: close\r\ncontent-length: 70000\r\n\r\n" + b"x" * 70000,
    b"HTTP/1.1 200 OK\r\nx: " + b"y" * 9000 + b"\r\ncontent-length: 2\r\n\r\nok",
    b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
]


class FakeTransport:
    def __init__(self) -> None:
        self.closed = False

    def write(self, data: bytes) -> None: ...

    def set_write_buffer_limits(self, high: int, low: int) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0

    def abort(self) -> None:
        self.closed = True

    close = abort


class FakePool:
    def dropped(self, connection: Connection) -> None: ...

    def lost(self, connection: Connection) -> None: ...


def fed(answer: bytes, cuts: list[int], *, ended: bool) -> tuple[Any, ...]:
    """What one request over a connection comes to that receives `answer` in pieces."""

    async def exchange() -> tuple[Any, ...]:
        connection = Connection(FakePool(), asyncio.get_running_loop(), "192.0.2.1", resent=False)
        transport = FakeTransport()
        connection.connection_made(cast(asyncio.Transport, transport))
        now = perf_counter()
        waiter = connection.send(b"", now, now + 60)
        places = sorted({0, len(answer), *(cut % (len(answer) + 1) for cut in cuts)})
        for start, end in pairwise(places):
            if not transport.closed:
                connection.data_received(answer[start:end])
        if ended and not transport.closed:
            connection.eof_received()
        connection.connection_lost(None)
        assert waiter.done()
        try:
            response = await waiter
        except DeliveryError as error:
            return error.kind, error.status
        assert len(response.body) <= BODY_LIMIT
        return response.status, response.body, response.headers, response.truncated

    return asyncio.run(exchange())


@given(st.sampled_from(GOOD), st.lists(st.integers(min_value=0), max_size=8), st.booleans())
def test_an_answer_is_the_same_however_it_is_cut(answer: bytes, cuts: list[int], ended: bool) -> None:
    assert fed(answer, cuts, ended=ended) == fed(answer, [], ended=ended)


@given(
    st.one_of(
        st.binary(max_size=200),
        st.tuples(st.sampled_from(GOOD), st.integers(0, 300), st.binary(max_size=20)).map(
            lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] :]
        ),
    ),
    st.lists(st.integers(min_value=0), max_size=4),
    st.booleans(),
)
def test_any_bytes_end_as_a_response_or_as_an_error(answer: bytes, cuts: list[int], ended: bool) -> None:
    result = fed(answer, cuts, ended=ended)
    assert result[0] in ("protocol", "closed") or 200 <= result[0] <= 599
