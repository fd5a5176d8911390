"""The floor of delivery: a bare loop that posts the same bytes over kept-alive connections and reads the status.

`python -m tests.benchmarks.reference.bare PORT CONNECTIONS SECONDS` prints requests per second.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import httptools
import uvloop

from tests.benchmarks.events import event, request


class Poster(asyncio.Protocol):
    done = 0

    def __init__(self, data: bytes, ends: float, over: asyncio.Event) -> None:
        self.data, self.ends, self.over = data, ends, over

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.parser = httptools.HttpResponseParser(self)
        transport.write(self.data)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        Poster.done += 1
        if time.perf_counter() < self.ends:
            self.parser = httptools.HttpResponseParser(self)
            self.transport.write(self.data)  # type: ignore[attr-defined]
        else:
            self.transport.close()
            self.over.set()


async def main() -> None:
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    data = request("/hook", json.dumps(event("bare", 1)).encode(), "application/cloudevents+json")
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    started, cpu = time.perf_counter(), time.process_time()
    for _ in range(connections):
        await loop.create_connection(lambda: Poster(data, started + seconds, over), "127.0.0.1", port)
    await over.wait()
    took = time.perf_counter() - started
    print(json.dumps({"rate": Poster.done / took, "cpu_us": (time.process_time() - cpu) / Poster.done * 1e6}))


if __name__ == "__main__":
    uvloop.run(main())
