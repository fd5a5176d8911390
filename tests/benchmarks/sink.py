"""A bare HTTP target: answers 200 at once and remembers when each event arrived. GET /arrivals tells, GET /count counts.

Under /stamped events are remembered by their id, under /stamped/NAME by NAME and id. At /hang it answers after 30 s, and
an event whose subject begins with "poison" is answered 503.

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
HANGS = 30.0  # seconds
UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class Sink(asyncio.Protocol):
    count = 0
    poison = False
    id = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.url = url

    def on_header(self, name: bytes, value: bytes) -> None:
        if name == b"ce-id":
            self.id = value
        elif name == b"ce-subject":
            self.poison = value.startswith(b"poison")

    def on_message_complete(self) -> None:
        if self.url in (b"/arrivals", b"/count"):
            body = json.dumps(ARRIVALS if self.url == b"/arrivals" else Sink.count).encode()
            self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)  # type: ignore[attr-defined]
            return
        poison, self.poison = self.poison, False
        if poison:
            self.transport.write(UNAVAILABLE)  # type: ignore[attr-defined]
            return
        Sink.count += 1
        if self.url == b"/hang":
            asyncio.get_running_loop().call_later(HANGS, self.transport.write, OK)  # type: ignore[attr-defined]
            return
        if self.url.startswith(b"/stamped"):
            name = self.url.removeprefix(b"/stamped").removeprefix(b"/")
            ARRIVALS[b" ".join(filter(None, (name, self.id))).decode()] = time.time()
        self.transport.write(OK)  # type: ignore[attr-defined]


async def main() -> None:
    parent = os.getppid()
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", int(sys.argv[1]))
    while os.getppid() == parent:
        await asyncio.sleep(0.5)
    server.close()


if __name__ == "__main__":
    uvloop.run(main())
