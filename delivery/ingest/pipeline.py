"""From decoded events to a durable acceptance: schema check, matching, group commit."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple, TypeVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from catalog.changes import RESERVED, SYSTEM
from delivery.cloudevents import CloudEvent
from delivery.doorbell import Doorbell
from delivery.ingest.judging import Fault, NotTaken, Verdict, judge
from delivery.ingest.notices import Notice
from delivery.ingest.repeats import settled
from delivery.ingest.snapshot import EMPTY, BusFacts, Directory, Snapshot
from delivery.ingest.violations import Violations
from delivery.log.entry import Accepted, Entry, Versions, entry_of
from delivery.log.interface import open_log
from delivery.log.kafka.address import Address
from delivery.log.kafka.log import KafkaLog
from delivery.log.writer import Unavailable, Writer
from rules.engine import Event

logger = logging.getLogger(__name__)
T = TypeVar("T")

# With a broker in front, seconds that the catalog is believed, and that a database is waited for.
SEEN, PATIENCE = 1.0, 0.5

# Stands for a token where the console publishes for a signed-in person.
CONSOLE = "console"


class Published(NamedTuple):
    """One accepted event: its identity, its place in the log, and what of it is deprecated."""

    id: str
    source: str
    accepted: Accepted
    notice: Notice | None = None


class Denied(Exception):
    """Who asks may not publish here. `status`: 401 no valid token, 403 a token for another bus, 404 no such bus, 410 a bus that is retired."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


def admit(snapshot: Snapshot, bus: str, token: str | None) -> BusFacts:
    """The bus that the holder of `token` (a public id, checked already; None: no token) may publish on, or Denied."""
    facts = snapshot.buses.get(bus)
    if bus in RESERVED:
        what = "what changes in its catalog" if bus == SYSTEM else "dead letters that go on to another target"
        raise Denied(403, f"Signalbox alone publishes on the bus {bus!r}: {what}.")
    if token is None:
        if facts is not None and facts.open:
            return _still_open(facts)
        raise Denied(
            401,
            "This needs a token: send `Authorization: Bearer <token>`. Make one in the console: Settings, Tokens.",
        )
    held = snapshot.tokens.get(token)
    if held is None:
        raise Denied(
            401,
            "This token is not known or was revoked. Make a new one in the console: Settings, Tokens.",
        )
    if facts is None:
        raise Denied(404, f"There is no bus called {bus!r}.")
    if held[1] is not None and held[1] != facts.id:
        raise Denied(403, f"This token is for another bus than {bus!r}.")
    return _still_open(facts)


def _still_open(facts: BusFacts) -> BusFacts:
    if facts.retired_at is not None:
        raise Denied(
            410,
            f"The bus {facts.name!r} was retired on {facts.retired_at:%Y-%m-%d} and takes no more events. "
            "Ask its team where they go now.",
        )
    return facts


class Request:
    """The events of one request on their way to the log (a Draft of delivery/log/writer)."""

    __slots__ = (
        "_batched", "_bus", "_directory", "_events", "_matches", "_received_at", "_token", "_verdicts", "entries", "versions",
    )  # fmt: skip

    def __init__(
        self,
        directory: Directory,
        bus: str,
        token: str | None,
        events: Sequence[CloudEvent],
        received_at: int,
        batched: bool,
        matches: bool = True,
    ) -> None:
        """`matches`: whether it is matched against the rules here, and not by the router of a broker."""
        self._directory, self._bus, self._token = directory, bus, token
        self._events, self._received_at, self._batched = events, received_at, batched
        self._matches = matches
        self.versions = Versions(-1, -1)
        self.entries: list[Entry] = []
        self._verdicts: list[Verdict] = []
        self._check(directory.current)

    def redo(self, current: Versions) -> None:
        self._check(self._directory.refresh(current))

    def published(self, accepted: Sequence[Accepted]) -> list[Published]:
        """What became of each event, once the log has accepted them."""
        return [
            Published(event.id, event.source, place, verdict.notice)
            for event, place, verdict in zip(self._events, accepted, self._verdicts, strict=True)
        ]

    def faults(self, accepted: Sequence[Accepted]) -> list[Fault]:
        """Why those that were stored now, and not before, do not fit."""
        return [
            verdict.fault
            for place, verdict in zip(accepted, self._verdicts, strict=True)
            if verdict.fault is not None and not place.duplicate
        ]

    def _check(self, snapshot: Snapshot) -> None:
        if self._token is CONSOLE:
            bus = _still_open(snapshot.buses[self._bus])
        else:
            bus = admit(snapshot, self._bus, self._token)
        routing = snapshot.routing.get(bus.id) if self._matches else None
        entries, verdicts = [], []
        for index, event in enumerate(self._events):
            view = Event(event.attributes, event.data, event.data_is_json)
            verdict = judge(event, view, bus, snapshot)
            if not verdict.taken:
                assert verdict.fault is not None
                raise NotTaken(verdict.fault, index if self._batched else None)
            verdicts.append(verdict)
            targets = routing.targets_of(view) if routing is not None else ()
            entries.append(
                entry_of(
                    event,
                    bus.id,
                    self._received_at,
                    snapshot.versions,
                    targets,
                    verdict.schema_version,
                    verdict.valid,
                )
            )
        self.entries, self._verdicts, self.versions = entries, verdicts, snapshot.versions


class Pipeline:
    """The process's ingest: one directory, one writer, one doorbell."""

    def __init__(self) -> None:
        self.directory = Directory()
        self._doorbell = Doorbell()
        self.writer = Writer(self._committed)
        self._broker: Address | None = settings.LOG_BROKER
        # What publishers send goes by the broker, if there is one. Signalbox's own events need none in between: whoever
        # publishes them has the database already.
        self._door = Writer(lambda routed: None, self._open_broker) if self._broker is not None else None
        self._seen_at = float("-inf")  # when the catalog was last known to be current; with a broker only
        self._looking: asyncio.Future[None] | None = None
        self.violations = Violations()
        self._reader: ThreadPoolExecutor | None = None

    def request(
        self, bus: str, token: str | None, events: Sequence[CloudEvent], batched: bool = False
    ) -> Request:
        """Checks and matches `events` for `bus`. Raises Refused (422, with the index when `batched`) and Denied."""
        return Request(
            self.directory,
            bus,
            token,
            events,
            time.time_ns() // 1000,
            batched,
            token is CONSOLE or self._broker is None,
        )

    @property
    def front(self) -> Writer:
        """Where publishers' events go: to the broker, if there is one, else to the database."""
        return self._door or self.writer

    async def fresh(self) -> None:
        """With a broker: reads what changed in the catalog, if a second has passed since that was done.

        Without one the log itself tells with each commit. A database that is away keeps nobody: what is known counts on.
        """
        if self._broker is None or time.monotonic() - self._seen_at < SEEN:
            return
        if self._looking is None or self._looking.get_loop() is not asyncio.get_running_loop():
            self._looking = asyncio.ensure_future(self.refresh())
            self._looking.add_done_callback(self._looked)
        waited = asyncio.shield(self._looking)
        try:
            await asyncio.wait_for(waited, PATIENCE)
        except (TimeoutError, Unavailable):
            if self.directory.current is EMPTY:
                raise Unavailable("The database does not answer.") from None
            self._seen_at = time.monotonic()

    def _looked(self, looking: asyncio.Future[None]) -> None:
        self._looking = None
        if looking.cancelled():
            return
        if (error := looking.exception()) is not None:
            logger.warning("What changed in the catalog is not known now: %s", error)
        self._seen_at = time.monotonic()

    def _open_broker(self) -> KafkaLog:
        assert self._broker is not None
        return KafkaLog(self._broker, self._bus_name, settings.EVENT_BYTES_LIMIT)

    def _bus_name(self, bus: int) -> str:
        return next(facts.name for facts in self.directory.current.buses.values() if facts.id == bus)

    async def refresh(self) -> None:
        """Reads what changed in the catalog and the rules, in a thread: the event loop serves everybody."""
        await self._in_reader(self._refresh)

    async def _in_reader(self, ask: Callable[[], T]) -> T:
        if self._reader is None:
            self._reader = ThreadPoolExecutor(1, thread_name_prefix="ingest-directory")
        return await asyncio.get_running_loop().run_in_executor(self._reader, ask)

    def _refresh(self) -> None:
        try:
            self.directory.refresh()
        except (DatabaseError, InterfaceError) as error:
            # Django replaces a broken connection between its own requests; in this thread nobody else would.
            connection.close()
            raise Unavailable("The database does not answer.") from error

    async def store(self, request: Request) -> list[Accepted]:
        """Stores all of `request`; returns after the durable commit, or when the broker has it safe on all its replicas.

        Raises Unavailable, Refused, Denied.
        """
        accepted = await self.front.store(request)
        if any(place.differs for place in accepted):
            accepted = await self._in_reader(lambda: self._settled(request, accepted))
        self.violations.warned(request.faults(accepted))
        return accepted

    def _settled(self, request: Request, accepted: list[Accepted]) -> list[Accepted]:
        """Rare, and after the commit: what is stored is read again for the repeats whose bytes are others."""
        try:
            return settled(open_log(), request.entries, accepted)
        except (DatabaseError, InterfaceError) as error:
            connection.close()
            logger.warning("A repeat is not compared with what is stored: %s", error)
            return accepted

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Counts what the block refuses. Whoever asks again after a refusal does so inside."""
        try:
            yield
        except NotTaken as refused:
            self.violations.refused(refused.fault)
            raise

    def close(self) -> None:
        """Stores what is queued and ends the threads."""
        if self._door is not None:
            self._door.close()
        self.writer.close()
        self.violations.close()
        self._doorbell.close()
        if self._reader is not None:
            self._reader.submit(lambda: connection.close())  # the reader's own, so looked up in its thread
            self._reader.shutdown()
            self._reader = None

    def _committed(self, routed: bool) -> None:
        if not routed:
            return
        try:
            self._doorbell.ring()
        except OSError as error:
            # The events are stored and must be answered so; shifts look by themselves within a second.
            logger.warning("The doorbell does not ring: %s", error)


_pipeline: Pipeline | None = None


def pipeline() -> Pipeline:
    """This process's pipeline, made at the first call."""
    global _pipeline
    if _pipeline is None:
        _pipeline = Pipeline()
    return _pipeline


def publish(bus: str, body: bytes) -> Published:
    """Publishes one structured event from inside the process, by the same way as HTTP. For the console's test event.

    The caller has checked that the person may. Raises Refused with the place and the reason, Unavailable, Denied for
    a bus that is retired, KeyError for one that does not exist.
    """
    from delivery.cloudevents import decode_structured

    way = pipeline()
    way.directory.refresh()
    event = decode_structured(body)
    with way.noting():
        request = way.request(bus, CONSOLE, [event])
        accepted = way.writer.submit(request).result()
    way.violations.warned(request.faults(accepted))
    return request.published(accepted)[0]
