"""A web server that misbehaves: the path of a request chooses how. One line about each in BEHAVIOURS."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import struct
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

DRIP_SECONDS = 0.02
SECOND_ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"


class Peer:
    """One connection as a behaviour sees it."""

    def __init__(self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server = server
        self.reader = reader
        self.writer = writer
        self.requests = 0

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def answer(self, status: str = "200 OK", body: bytes = b"ok", fields: str = "") -> None:
        await self.send(
            f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{fields}\r\n".encode("latin-1") + body
        )

    async def drip(self, part: bytes) -> None:
        while True:
            await self.send(part)
            await asyncio.sleep(DRIP_SECONDS)

    def reset(self) -> None:
        """Closes with RST, so that the other side sees an error and not an end of file."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.close()

    def close(self) -> None:
        self.writer.close()


Behaviour = Callable[[Peer, bytes], Awaitable[None]]
BEHAVIOURS: dict[str, Behaviour] = {}


def behaviour(function: Behaviour) -> Behaviour:
    BEHAVIOURS["/" + function.__name__.replace("_", "-")] = function
    return function


def fixed(path: str, *parts: bytes, close: bool = True) -> None:
    """A behaviour that sends these bytes, then closes or goes on listening."""

    async def send(peer: Peer, request: bytes) -> None:
        await peer.send(*parts)
        if close:
            peer.close()

    BEHAVIOURS[path] = send


def dripping(path: str, head: bytes, part: bytes) -> None:
    async def send(peer: Peer, request: bytes) -> None:
        await peer.send(head)
        await peer.drip(part)

    BEHAVIOURS[path] = send


def broken_off(path: str, part: bytes) -> None:
    """A behaviour that sends the bytes, lets them arrive, and resets the connection."""

    async def send(peer: Peer, request: bytes) -> None:
        await peer.send(part)
        await asyncio.sleep(0.05)
        peer.reset()

    BEHAVIOURS[path] = send


OK = b"HTTP/1.1 200 OK\r\n"
ERROR = b"HTTP/1.1 500 Oh\r\n"
LONG = b"content-length: 1000000\r\n\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n\r\n"

fixed("/ok", OK + b"content-length: 2\r\ncontent-type: text/plain\r\n\r\nok", close=False)
fixed("/no-content", b"HTTP/1.1 204 No Content\r\n\r\n", close=False)
fixed("/chunked", OK + CHUNKED + b"2\r\nok\r\n0\r\nx-trailer: 1\r\n\r\n", close=False)
fixed("/repeated-header", OK + b"X-A: 1\r\nx-a: 2\r\ncontent-length: 0\r\n\r\n", close=False)
fixed("/cookie", OK + b"set-cookie: session=1\r\ncontent-length: 0\r\n\r\n", close=False)
fixed("/redirect", b"HTTP/1.1 302 Found\r\nlocation: /ok\r\ncontent-length: 0\r\n\r\n", close=False)
fixed("/interim", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n",
      OK + b"content-length: 2\r\n\r\nok", close=False)  # fmt: skip
fixed(
    "/switch",
    b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    close=False,
)
fixed("/gzip-bomb", OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n%b"
      % (len(gzip.compress(bytes(10_000_000))), gzip.compress(bytes(10_000_000))), close=False)  # fmt: skip
fixed("/exactly-64k", OK + b"content-length: 65536\r\n\r\n" + b"x" * 65536, close=False)
fixed("/over-64k", OK + b"content-length: 65537\r\n\r\n" + b"x" * 65537, close=False)
fixed("/over-64k-refusal", b"HTTP/1.1 400 Bad\r\ncontent-length: 100000\r\n\r\n" + b"x" * 100000, close=False)
fixed("/big-headers", OK + b"".join(b"x-%d: %b\r\n" % (n, b"y" * 1000) for n in range(60)) + b"content-length: 2\r\n\r\nok",
      close=False)  # fmt: skip
fixed("/huge-header", OK + b"x: " + b"y" * 100_000 + b"\r\ncontent-length: 2\r\n\r\nok", close=False)
fixed("/many-headers", OK + b"".join(b"x-%d: %b\r\n" % (n, b"y" * 1000) for n in range(70)) + b"content-length: 2\r\n\r\nok",
      close=False)  # fmt: skip
fixed("/second-answer", OK + b"content-length: 2\r\n\r\nok" + SECOND_ANSWER, close=False)
fixed("/garbage-after-answer", OK + b"content-length: 2\r\n\r\nok\x00\x01garbage", close=False)
fixed("/http10", b"HTTP/1.0 200 OK\r\n\r\n", b"until ", b"the end")
fixed("/http10-length", b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok")
fixed("/until-close", OK + b"\r\n", b"until the end")
fixed("/answer-then-close", OK + b"content-length: 2\r\n\r\nok")
fixed("/close")
fixed("/cut-headers", OK + b"content-ty")
fixed("/cut-body-200", OK + LONG + b"some")
fixed("/cut-body-500", ERROR + LONG + b"some")
fixed("/cut-chunk-200", OK + CHUNKED + b"5\r\nso")
fixed("/malformed", b"HELLO WORLD\r\n\r\n", close=False)
fixed("/binary", bytes(range(256)), close=False)
fixed("/http09", b"<html>hello</html>")
fixed("/bare-lf", b"HTTP/1.1 200 OK\ncontent-length: 2\n\nok", close=False)
fixed("/status-999", b"HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n", close=False)
fixed("/status-099", b"HTTP/1.1 099 Odd\r\ncontent-length: 0\r\n\r\n", close=False)
fixed("/both-lengths", OK + b"content-length: 2\r\n" + CHUNKED + b"0\r\n\r\n", close=False)
fixed("/two-lengths", OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\nokk", close=False)
fixed("/bad-chunk-200", OK + CHUNKED + b"zz\r\n", close=False)
fixed("/bad-chunk-500", ERROR + CHUNKED + b"zz\r\n", close=False)
dripping("/slow-headers", OK, b"x: y\r\n")
dripping("/slow-status", b"HTTP/1.1 200 ", b"O")
dripping("/endless-interim", b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 100)
dripping("/endless-headers", OK, b"x: " + b"y" * 5000 + b"\r\n")
dripping("/drip-body-200", OK + LONG, b"x")
dripping("/drip-body-500", ERROR + LONG, b"x")
dripping("/drip-chunks-200", OK + CHUNKED, b"1\r\nx\r\n")
broken_off("/reset", b"")
broken_off("/reset-headers", OK + b"content-ty")
broken_off("/reset-body-200", OK + LONG + b"some")
broken_off("/reset-body-500", ERROR + LONG + b"some")
broken_off("/reset-until-close", OK + b"\r\nsome")


@behaviour
async def silent(peer: Peer, request: bytes) -> None:
    await asyncio.sleep(3600)


@behaviour
async def echo(peer: Peer, request: bytes) -> None:
    await peer.answer(body=request)


@behaviour
async def pause(peer: Peer, request: bytes) -> None:
    """Answers after a moment; the server counts how many it keeps waiting at the same time."""
    server = peer.server
    server.waiting += 1
    server.most_waiting = max(server.most_waiting, server.waiting)
    await asyncio.sleep(0.05)
    server.waiting -= 1
    await peer.answer(body=request.rpartition(b"\r\n\r\n")[2])


@behaviour
async def endless_body(peer: Peer, request: bytes) -> None:
    await peer.send(OK + CHUNKED)
    while True:
        await peer.send(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")


@behaviour
async def endless_error(peer: Peer, request: bytes) -> None:
    await peer.send(ERROR + b"content-length: 1000000000000\r\n\r\n")
    while True:
        await peer.send(b"x" * 0x4000)


@behaviour
async def close_on_second(peer: Peer, request: bytes) -> None:
    """What every server does that gives up a kept-alive connection just when the next request comes."""
    if peer.requests == 1:
        await peer.answer()
    else:
        peer.close()


@behaviour
async def reset_on_second(peer: Peer, request: bytes) -> None:
    if peer.requests == 1:
        await peer.answer()
    else:
        peer.reset()


@behaviour
async def part_on_second(peer: Peer, request: bytes) -> None:
    if peer.requests == 1:
        await peer.answer()
    else:
        await peer.send(b"HTTP/1.1 2")
        peer.close()


@behaviour
async def speaks_unasked(peer: Peer, request: bytes) -> None:
    """Sends another answer a moment after the first: must not be taken for the answer to the next request."""
    await peer.answer()
    await asyncio.sleep(0.05)
    await peer.send(SECOND_ANSWER)


class Server:
    """`async with Server() as server`: listens on a free port of 127.0.0.1, plain or with the TLS `context`."""

    def __init__(self, context: ssl.SSLContext | None = None, greeting: bytes = b"") -> None:
        self.context = context
        self.greeting = greeting
        """Sent as soon as somebody connects, as mail servers do."""
        self.paths: list[str] = []
        """The path of every request that arrived, in order."""
        self.connections = 0
        self.open = 0
        self.waiting = 0
        self.most_waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"{'https' if self.context else 'http'}://{host}:{self.port}{path}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open += 1
        peer = Peer(self, reader, writer)
        try:
            await peer.send(self.greeting)
            while not writer.is_closing():
                head = await reader.readuntil(b"\r\n\r\n")
                fields = dict(line.split(b": ", 1) for line in head[:-4].split(b"\r\n")[1:])
                body = await reader.readexactly(int(fields[b"content-length"]))
                path = head.split(b" ", 2)[1].decode("ascii")
                self.paths.append(path)
                peer.requests += 1
                await BEHAVIOURS[path](peer, head + body)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the other side has gone, or the test is over
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()


def self_signed(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate for `name` that nobody vouches for: its file, and a server context that presents it."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run(
        ["openssl", *request.split(), *names, "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context
