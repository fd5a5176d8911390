"""A real HTTP server on the loopback that a test tells how to answer, and shifts in threads that deliver to it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httptools

from tests.processes import eventually

REASONS = {200: "OK", 404: "Not Found", 422: "Unprocessable Content", 503: "Service Unavailable"}

# Seconds in which a shift with `quick_looks` has looked at its targets and renewed its leases, also on a busy machine.
SOON = 0.8


class Seen(NamedTuple):
    """One request: CloudEvents id and subject, the attempt's number, what it was answered, when it came (Unix seconds)."""

    path: str
    id: str
    subject: str
    attempt: int
    status: int
    at: float = 0.0
    redriven: bool = False


@dataclass
class Sink:
    """`answer(path, id, subject, times)` gives a status, or a status and seconds to wait; `times` counts this event.

    `retry_after(times)` gives the header of that name for an answer that is no success, "" for none.
    """

    answer: Callable[[str, str, str, int], int | tuple[int, float]] = lambda path, event_id, subject, times: (
        200
    )
    retry_after: Callable[[int], str] = lambda times: ""
    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    connected: int = 0
    most_connected: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def taken(self) -> list[str]:
        """The ids that were answered 2xx, in the order they came."""
        return [seen.id for seen in list(self.seen) if seen.status == 200]

    def taken_of(self, subject: str) -> list[str]:
        return [seen.id for seen in list(self.seen) if seen.status == 200 and seen.subject == subject]

    def by_subject(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for seen in list(self.seen):
            if seen.status == 200:
                found[seen.subject].append(seen.id)
        return found

    def wait_for(self, count: int, within: float = 60) -> None:
        """Returns when that many different events were taken."""
        eventually(
            lambda: len(set(self.taken)) >= count,
            f"{count} events arrive, {len(set(self.taken))} did",
            within,
        )

    def wait_for_path(self, path: str, count: int, within: float = 60) -> None:
        """Returns when so many different events were taken at that path."""

        def taken() -> set[str]:
            return {seen.id for seen in list(self.seen) if seen.status == 200 and seen.path == path}

        eventually(
            lambda: len(taken()) >= count, f"{count} events arrive at {path}, {len(taken())} did", within
        )


class _Connection(asyncio.Protocol):
    def __init__(self, sink: Sink, connected: set[asyncio.Transport]) -> None:
        self._sink = sink
        self._connected = connected
        self._tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._connected.add(transport)
        self._sink.connected += 1
        self._sink.most_connected = max(self._sink.most_connected, self._sink.connected)
        self._parser = httptools.HttpRequestParser(self)  # type: ignore[no-untyped-call]

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._headers: dict[str, str] = {}
        self._path = ""
        self._body = b""

    def on_url(self, url: bytes) -> None:
        self._path += url.decode()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode().lower()] = value.decode()

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        sink, headers = self._sink, self._headers
        if "ce-id" not in headers:  # structured mode
            headers |= {
                f"ce-{name}": value for name, value in json.loads(self._body).items() if name != "data"
            }
        event_id, subject = headers["ce-id"], headers.get("ce-subject", "")
        sink.counts[self._path, event_id] += 1
        answer = sink.answer(self._path, event_id, subject, sink.counts[self._path, event_id])
        status, wait = answer if isinstance(answer, tuple) else (answer, 0.0)
        sink.seen.append(
            Seen(
                self._path, event_id, subject, int(headers["signalbox-attempt"]), status, time.time(),
                headers.get("signalbox-redriven") == "true",
            )
        )  # fmt: skip
        asks = sink.retry_after(sink.counts[self._path, event_id]) if status >= 300 else ""
        extra = f"retry-after: {asks}\r\n".encode() if asks else b""
        if wait:
            task = asyncio.get_running_loop().create_task(self._later(status, wait, extra))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._write(status, extra)

    def connection_lost(self, error: Exception | None) -> None:
        self._connected.discard(self._transport)
        self._sink.connected -= 1
        for task in self._tasks:
            task.cancel()

    async def _later(self, status: int, wait: float, extra: bytes) -> None:
        await asyncio.sleep(wait)
        self._write(status, extra)

    def _write(self, status: int, extra: bytes) -> None:
        body = f"the answer is {status}".encode()
        self._transport.write(
            b"HTTP/1.1 %d %b\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n%b\r\n%b"
            % (status, REASONS.get(status, "Other").encode(), len(body), extra, body)
        )


@contextmanager
def a_sink() -> Iterator[Sink]:
    """A sink that takes everything until the test says otherwise."""
    sink = Sink()
    loop = asyncio.new_event_loop()
    ready = threading.Event()
    connected: set[asyncio.Transport] = set()

    async def serve() -> None:
        server = await loop.create_server(lambda: _Connection(sink, connected), "127.0.0.1", 0)
        sink.port = server.sockets[0].getsockname()[1]
        ready.set()
        await stopping
        server.close()
        # What a worker that a test left behind still holds: nobody else would close it, and that is a warning.
        for transport in list(connected):
            transport.abort()
        await asyncio.sleep(0)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    stopping: asyncio.Future[None] = loop.create_future()
    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="sink")
    thread.start()
    assert ready.wait(10)
    try:
        yield sink
    finally:
        loop.call_soon_threadsafe(stopping.set_result, None)
        thread.join(10)
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


class OnDuty:
    """One shift in a thread of its own."""

    def __init__(self, stay: float = 600.0) -> None:
        from delivery.runner.shift import Shift

        self.asked_to_stop = threading.Event()
        self.relieved = threading.Event()
        self.trouble: BaseException | None = None
        self._shift = Shift
        self._stay = stay
        self.id = ""
        self._thread = threading.Thread(target=self._run, name="shift")
        self._made = threading.Event()
        self._thread.start()
        assert self._made.wait(10)

    def _run(self) -> None:
        import uvloop

        shift = self._shift(self.asked_to_stop, self._stay)
        self.id = shift.id
        self._made.set()
        try:
            uvloop.run(shift.run(self.relieved.set))
        except BaseException as error:
            self.trouble = error

    @property
    def works(self) -> bool:
        return self._thread.is_alive()

    def wait(self, within: float = 60) -> None:
        """Waits until it has left by itself."""
        self._thread.join(within)
        assert not self._thread.is_alive(), f"the shift has not left after {within:.0f} s"
        if self.trouble is not None:
            raise self.trouble

    def stop(self, within: float = 60) -> None:
        """Asks it to stop, as the end of its process does, and waits."""
        from delivery.doorbell import Doorbell

        self.asked_to_stop.set()
        with closing(Doorbell()) as bell:
            bell.ring()
        self.wait(within)


@contextmanager
def on_duty(*stays: float) -> Iterator[list[OnDuty]]:
    """As many shifts as numbers of seconds are given (one if none), stopped at the end."""
    shifts = [OnDuty(stay) for stay in stays or (600.0,)]
    try:
        yield shifts
    finally:
        for shift in shifts:
            if shift.works:
                shift.stop()
    for shift in shifts:
        assert shift.trouble is None, shift.trouble


def rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """What a query finds now."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [tuple(row) for row in cursor.fetchall()]


def execute(sql: str, *values: Any) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def publish(targets: list[int], *names: tuple[str, str]) -> None:
    """Stores events, (id, subject) each, routed to `targets`, and rings the shifts."""
    from delivery.doorbell import Doorbell
    from delivery.log.entry import StaleVersions
    from delivery.log.interface import open_log
    from tests.events import a_bus, an_entry, current_versions

    bus = a_bus().pk
    for at in range(0, len(names), 500):
        part = names[at : at + 500]
        while True:
            try:
                open_log().append(
                    [[an_entry(event_id, subject, bus=bus, targets=targets) for event_id, subject in part]],
                    current_versions(),
                )
                break
            except StaleVersions:
                continue
    with closing(Doorbell()) as bell:
        bell.ring()


def exceptions(target: int) -> dict[int, int]:
    """seq -> state of a target's exceptions."""
    return dict(rows("SELECT seq, state FROM runner_exception WHERE target = %s", target))  # type: ignore[arg-type]


def leases() -> list[tuple[Any, ...]]:
    """(target, lanes, owner) of the leases that somebody holds."""
    return rows("SELECT target, lanes, owner FROM runner_slot WHERE until > 0 AND owner IS NOT NULL")
