"""The process that receives: it writes down every request, at once, before it answers.

The first part of the path chooses how it answers. Lines on standard input change how the fickle target behaves.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import socket
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

import httptools
import msgspec

from tests.chaos.load import POISON
from tests.chaos.sink import ASKED, BEHAVIOURS, FICKLE, FOLLOWED, Arrival

# What is no HTTP answer, and answers that say what is not so. Each of these is a failure, and is tried again.
LIES = (
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"HTTP/1.1 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
    b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
    b"\x00\xff\x16\x03\x01",
)
# An answer that is shorter than it says. Its status came, so the event was taken.
SHORT = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort"
WAYS = ("well", "hang", "drip", "reset", "lie", "short", "redirect", "flap", "throttle", "gone", "refuse")
FLAP = 0.7  # seconds up, and as many down
DRIP = 0.2  # seconds between two bytes


class Mood:
    """How the fickle target behaves; it listens on `port` unless it refuses."""

    def __init__(self, port: int, serve: Callable[[], asyncio.Protocol]) -> None:
        self.way = "well"
        self.connections: set[asyncio.Transport] = set()
        self._port = port
        self._serve = serve
        self._server: asyncio.Server | None = None

    async def change(self, way: str) -> None:
        """From now on `way`. One that refuses listens no more, and hangs up on who is connected."""
        if way == "refuse":
            if self._server is not None:
                self._server.close()
                self._server = None
            for one in list(self.connections):
                one.abort()
        elif self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._serve, "127.0.0.1", self._port)
        self.way = way


class Receiver(asyncio.Protocol):
    """One connection: keep-alive, one request after the other."""

    transport: asyncio.Transport
    _lies = count()

    def __init__(self, log: int, dice: random.Random, mood: Mood) -> None:
        self._log = log
        self._dice = dice
        self._mood = mood
        self._parser = httptools.HttpRequestParser(self)
        self._begin()

    def _begin(self) -> None:
        self._headers: dict[bytes, bytes] = {}
        self._body = b""
        self._url = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        self._mood.connections.discard(self.transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        target = self._url.decode().strip("/")
        refused, seconds = BEHAVIOURS.get(target, (0.0, 0.0))
        if target == FICKLE:
            self._mood.connections.add(self.transport)
            self._be_fickle(self._mood.way)
        else:
            status = 503 if self._dice.random() < refused else 200
            self._note(target, status)
            if seconds:
                asyncio.get_running_loop().call_later(seconds, self._answer, status)
            else:
                self._answer(status)

    def _be_fickle(self, way: str) -> None:
        if way == "flap":
            way = "well" if int(time.monotonic() / FLAP) % 2 else "unavailable"
        status = {
            "well": 200,
            "short": 200,
            "unavailable": 503,
            "redirect": 302,
            "throttle": 429,
            "gone": 410,
        }
        if self._is_poison():
            way = "hang"
        self._note(FICKLE, status.get(way, 0))
        if way == "drip":
            self._drip(b"HTTP/1.1 200 OK\r\nx-slow: " + b"x" * 1000)
        elif way == "reset":
            # Closed with a linger of 0 s: the other side sees a reset, whatever it had sent.
            self.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            self.transport.abort()
        elif way in ("lie", "short"):
            self.transport.write(SHORT if way == "short" else LIES[next(self._lies) % len(LIES)])
            self.transport.close()
        elif way == "redirect":
            place = self.transport.get_extra_info("sockname")[1]
            self._answer(302, f"location: http://127.0.0.1:{place}/{FOLLOWED}\r\n")
        elif way == "throttle":
            self._answer(429, f"retry-after: {ASKED:.0f}\r\n")
        elif way != "hang":
            self._answer(status[way])

    def _is_poison(self) -> bool:
        return f'"{POISON}"'.encode() in self._body

    def _drip(self, rest: bytes) -> None:
        if rest and not self.transport.is_closing():
            self.transport.write(rest[:1])
            asyncio.get_running_loop().call_later(DRIP, self._drip, rest[1:])

    def _note(self, target: str, status: int) -> None:
        os.write(self._log, msgspec.json.encode(self._arrival(target, status)) + b"\n")
        self._begin()

    def _arrival(self, target: str, status: int) -> Arrival:
        headers = self._headers
        whole = headers.get(b"content-type", b"").startswith(b"application/cloudevents+json")
        body = msgspec.json.decode(self._body) if self._body else {}
        return Arrival(
            time.monotonic_ns(),
            target,
            body["id"] if whole else headers.get(b"ce-id", b"").decode(),
            headers.get(b"webhook-id", b"").decode(),
            int(headers.get(b"signalbox-attempt", b"0")),
            status,
            body["data"] if whole else body,
            headers.get(b"signalbox-redriven") == b"true",
        )

    def _answer(self, status: int, more: str = "") -> None:
        if not self.transport.is_closing():
            head = f"HTTP/1.1 {status} Answer\r\n{more}content-length: 0\r\n\r\n"
            self.transport.write(head.encode())


async def serve(path: Path, descriptor: int, port: int, seed: int) -> None:
    """Receives until standard input ends, of which each line says how the target on `port` behaves from now on."""
    loop = asyncio.get_running_loop()
    log = os.open(path, os.O_WRONLY | os.O_APPEND)
    dice = random.Random(seed)

    def receiver() -> Receiver:
        return Receiver(log, dice, mood)

    mood = Mood(port, receiver)
    await mood.change("well")
    told = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(told), sys.stdin)
    async with await loop.create_server(receiver, sock=socket.socket(fileno=descriptor)):
        while line := await told.readline():
            await mood.change(line.decode().strip())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, help="file to which each request is appended")
    parser.add_argument("--fd", type=int, required=True, help="descriptor of a listening socket")
    parser.add_argument("--port", type=int, required=True, help="where the fickle target listens")
    parser.add_argument("--seed", type=int, required=True, help="which requests are refused")
    found = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(found.path, found.fd, found.port, found.seed))
