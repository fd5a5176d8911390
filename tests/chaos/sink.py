"""The receiving side: one process of its own that writes down every request, at once, before it answers.

It is never killed, so what its file says is what targets saw. The first part of the path chooses how it answers.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httptools
import msgspec

from tests.vectors import REPOSITORY

# Target name -> share of requests answered 503, and seconds before each answer.
BEHAVIOURS: dict[str, tuple[float, float]] = {
    "healthy": (0.0, 0.0),
    "refusing": (0.1, 0.0),
    "slow": (0.0, 0.02),
}


class Arrival(msgspec.Struct, frozen=True, array_like=True):
    """One request as the sink saw it. `at`: monotonic nanoseconds; `delivery`: its webhook-id; `status`: our answer."""

    at: int
    target: str
    event: str
    delivery: str
    attempt: int
    status: int
    data: Any
    redriven: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the sink took the event."""
        return self.status < 300


class Sink:
    """Runs the process and reads its file. `urls` holds each target's URL by name."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.path = folder / "arrivals.jsonl"
        self._seed = seed
        self._offset = 0
        self._decoder = msgspec.json.Decoder(Arrival)
        self.arrivals: list[Arrival] = []

    def __enter__(self) -> Self:
        self.path.touch()
        with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
            self.port = int(listening.getsockname()[1])
            options = ("--fd", str(listening.fileno()), "--seed", str(self._seed))
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.chaos.sink", str(self.path), *options],
                cwd=REPOSITORY,
                stdin=subprocess.PIPE,  # its end tells the sink that the run is over, also after a kill
                pass_fds=(listening.fileno(),),
                start_new_session=True,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate(timeout=30)

    @property
    def urls(self) -> dict[str, str]:
        """Each target's URL by its name."""
        return {name: f"http://127.0.0.1:{self.port}/{name}" for name in BEHAVIOURS}

    def read(self) -> list[Arrival]:
        """All requests so far, in the order they arrived; what came since the last call is added to `arrivals`."""
        assert self._process.poll() is None, f"the sink ended with {self._process.returncode}"
        with self.path.open("rb") as file:
            file.seek(self._offset)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        self.arrivals += [self._decoder.decode(line) for line in whole.splitlines()]
        return self.arrivals


class Receiver(asyncio.Protocol):
    """One connection: keep-alive, one request after the other."""

    transport: asyncio.Transport

    def __init__(self, log: int, dice: random.Random) -> None:
        self._log = log
        self._dice = dice
        self._parser = httptools.HttpRequestParser(self)
        self._begin()

    def _begin(self) -> None:
        self._headers: dict[bytes, bytes] = {}
        self._body = b""
        self._url = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

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
        refused, seconds = BEHAVIOURS[target]
        status = 503 if self._dice.random() < refused else 200
        os.write(self._log, msgspec.json.encode(self._arrival(target, status)) + b"\n")
        self._begin()
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self._answer, status)
        else:
            self._answer(status)

    def _arrival(self, target: str, status: int) -> Arrival:
        headers = self._headers
        whole = headers.get(b"content-type", b"").startswith(b"application/cloudevents+json")
        body = msgspec.json.decode(self._body)
        return Arrival(
            time.monotonic_ns(),
            target,
            body["id"] if whole else headers[b"ce-id"].decode(),
            headers[b"webhook-id"].decode(),
            int(headers[b"signalbox-attempt"]),
            status,
            body["data"] if whole else body,
            headers.get(b"signalbox-redriven") == b"true",
        )

    def _answer(self, status: int) -> None:
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 %d Answer\r\ncontent-length: 0\r\n\r\n" % status)


async def serve(path: Path, descriptor: int, seed: int) -> None:
    """Receives until standard input ends."""
    loop = asyncio.get_running_loop()
    log = os.open(path, os.O_WRONLY | os.O_APPEND)
    dice = random.Random(seed)
    server = await loop.create_server(lambda: Receiver(log, dice), sock=socket.socket(fileno=descriptor))
    over = asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), over.set)
    async with server:
        await over.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, help="file to which each request is appended")
    parser.add_argument("--fd", type=int, required=True, help="descriptor of a listening socket")
    parser.add_argument("--seed", type=int, required=True, help="which requests are refused")
    found = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(found.path, found.fd, found.seed))
