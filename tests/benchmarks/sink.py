"""A bare HTTP target: answers 200 at once and remembers when each event arrived. GET /arrivals tells, GET /count counts.

`python -m tests.benchmarks.sink PORT`; stops with its parent.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time

import httptools
import uvloop

ARRIVALS: dict[str, float] = {}
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class Sink(asyncio.Protocol):
    count = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.url = url

    def on_header(self, name: bytes, value: bytes) -> None:
        if name == b"ce-id" and self.url == b"/stamped":
            ARRIVALS[value.decode()] = time.time()

    def on_message_complete(self) -> None:
        if self.url in (b"/arrivals", b"/count"):
            body = json.dumps(ARRIVALS if self.url == b"/arrivals" else Sink.count).encode()
            self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)  # type: ignore[attr-defined]
            return
        Sink.count += 1
        self.transport.write(OK)  # type: ignore[attr-defined]


async def main() -> None:
    parent = os.getppid()
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", int(sys.argv[1]))
    while os.getppid() == parent:
        await asyncio.sleep(0.5)
    server.close()


if __name__ == "__main__":
    uvloop.run(main())
