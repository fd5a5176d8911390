"""An open-loop publisher: one event each 1/RATE seconds whether or not earlier ones were answered.

`python -m tests.benchmarks.open_loop PORT PATH PREFIX RATE SECONDS TOKEN` prints {"begun": when the first was due, in seconds
since 1970, "events": how many}. An event counts from when it was due: what waits for a connection waits as a publisher would.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque

import httptools
import uvloop

from tests.benchmarks.events import singles

MOST = 256  # connections
EARLY = 0.001  # seconds between looks at the clock


class Connection(asyncio.Protocol):
    """Publishes one event at a time."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._parser = httptools.HttpResponseParser(self)

    def send(self, data: bytes) -> None:
        self._transport.write(data)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        assert status == 202, status
        self._parser = httptools.HttpResponseParser(self)
        self._publisher.answered(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._publisher.lost(self)

    def close(self) -> None:
        self._transport.close()


class Publisher:
    """`requests`: whole HTTP requests in the order they are sent."""

    def __init__(self, requests: list[bytes]) -> None:
        self._requests = requests
        self._due = 0  # how many should have gone
        self._sent = self._answered = 0
        self._idle: deque[Connection] = deque()  # each gets its turn: a server closes those that rest

    async def run(self, port: int, rate: float) -> float:
        """Returns when the first was due, once all are answered."""
        loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        for _ in range(MOST):
            _, connection = await loop.create_connection(lambda: Connection(self), "127.0.0.1", port)
            self._idle.append(connection)
        begun = time.time() + 0.1
        while self._due < len(self._requests):
            await asyncio.sleep(EARLY)
            self._due = min(len(self._requests), max(0, int((time.time() - begun) * rate) + 1))
            self._send()
        await self._over.wait()
        if self._answered < len(self._requests):
            raise ConnectionError("The server closed a connection that had not been answered.")
        for connection in list(self._idle):
            connection.close()
        return begun

    def answered(self, connection: Connection) -> None:
        """It may take another."""
        self._answered += 1
        self._idle.append(connection)
        self._send()
        if self._answered == len(self._requests):
            self._over.set()

    def lost(self, connection: Connection) -> None:
        """It is closed: no harm while another is left and nothing was under way on it."""
        if connection in self._idle and len(self._idle) > 1:
            self._idle.remove(connection)
        else:
            self._over.set()

    def _send(self) -> None:
        while self._idle and self._sent < self._due:
            self._idle.popleft().send(self._requests[self._sent])
            self._sent += 1


def main() -> None:
    port, path, prefix, rate, seconds, token = sys.argv[1:]
    requests = singles(path, prefix, 0, int(float(rate) * float(seconds)), token)
    begun = uvloop.run(Publisher(requests).run(int(port), float(rate)))
    print(json.dumps({"begun": begun, "events": len(requests)}))


if __name__ == "__main__":
    main()
