"""A broker behind TLS: its certificate is checked, events go in and come out. In front of Tansu, which has no TLS."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from delivery.log.kafka.address import Address
from delivery.log.kafka.log import KafkaLog
from delivery.log.writer import Unavailable
from delivery.router.work import Router
from tests import kafka
from tests.databases import Database
from tests.events import a_bus, an_entry, current_versions
from tests.integration.hostile import self_signed
from tests.integration.logs import positions
from tests.processes import free_port


@contextlib.contextmanager
def in_front_of(port: int, listens: int, context: ssl.SSLContext) -> Iterator[None]:
    """Takes TLS on port `listens` and passes what is inside on to `port`."""
    ready, ends = threading.Event(), threading.Event()

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.closing(writer), contextlib.closing(there_writer):
            await asyncio.gather(copy(reader, there_writer), copy(there_reader, writer))

    async def serve() -> None:
        async with await asyncio.start_server(passed_on, "127.0.0.1", listens, ssl=context):
            ready.set()
            await asyncio.to_thread(ends.wait)

    thread = threading.Thread(target=asyncio.run, args=[serve()])
    thread.start()
    try:
        assert ready.wait(10)
        yield
    finally:
        ends.set()
        thread.join()


@pytest.mark.service("kafka-tansu")
def test_events_go_through_tls_and_only_to_a_broker_whose_certificate_is_trusted(
    sqlite_database: Database, tmp_path: Path
) -> None:
    certificate, context = self_signed(tmp_path, "localhost")
    port = free_port()
    servers = f"localhost:{port}"
    url = f"kafka://{servers}/signalbox?partitions=2&tls=1"
    entry, versions = an_entry("a", bus=a_bus().pk), current_versions()
    with kafka.broker("tansu", told=servers) as broker, in_front_of(broker.port, port, context):
        address = Address.parse(f"{url}&ca={certificate}")
        KafkaLog(address, lambda bus: "city", 1024).append([[entry]], versions)
        with closing(Router(address)) as router:
            for _ in range(100):
                router.step(0.1)
                if positions() == 1:
                    break
        assert positions() == 1
        # The system vouches for no such certificate, and nothing goes where TLS is expected without it.
        for other in (url, url.replace("tls=1", "tls=0")):
            with pytest.raises(Unavailable):
                KafkaLog(Address.parse(other), lambda bus: "city", 1024).append([[entry]], versions)
