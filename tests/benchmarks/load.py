"""A closed-loop load generator: a number of kept-alive connections that each send the next request at an answer.

`python -m tests.benchmarks.load PORT PATH PREFIX CONNECTIONS SECONDS SIZE [TOKEN]` prints one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import httptools
import uvloop

from tests.benchmarks.events import batches, singles


class Connection(asyncio.Protocol):
    """Sends the next request when the answer of the last one is complete."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.next()

    def next(self) -> None:
        if time.perf_counter() < self.load.ends and self.load.requests:
            self.transport.write(self.load.requests.pop())  # type: ignore[attr-defined]
        else:
            self.load.finished(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        status = self.parser.get_status_code()
        self.load.statuses[status] = self.load.statuses.get(status, 0) + 1
        self.parser = httptools.HttpResponseParser(self)
        self.next()


class Load:
    """One run."""

    def __init__(self, requests: list[bytes], connections: int, seconds: float) -> None:
        self.requests, self.connections, self.seconds = requests, connections, seconds
        self.statuses: dict[int, int] = {}

    def finished(self, connection: Connection) -> None:
        connection.transport.close()
        self.open -= 1
        if not self.open:
            self.over.set()

    async def run(self, port: int) -> dict[str, object]:
        loop = asyncio.get_running_loop()
        self.over = asyncio.Event()
        self.open = self.connections
        started = time.perf_counter()
        self.ends = started + self.seconds
        await asyncio.gather(
            *(
                loop.create_connection(lambda: Connection(self), "127.0.0.1", port)
                for _ in range(self.connections)
            )
        )
        await self.over.wait()
        return {
            "seconds": time.perf_counter() - started,
            "statuses": self.statuses,
            "left": len(self.requests),
        }


def main() -> None:
    port, path, prefix, connections, seconds, size, *token = sys.argv[1:]
    # More than any server here can take in the time, made before the clock starts.
    if int(size) == 1:
        requests = singles(path, prefix, 0, int(float(seconds) * 40_000), *token)
    else:
        requests = batches(path, prefix, int(float(seconds) * 100_000) // int(size), int(size), *token)
    print(json.dumps(uvloop.run(Load(requests, int(connections), float(seconds)).run(int(port)))))


if __name__ == "__main__":
    main()
