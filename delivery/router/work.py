"""The router: reads leased partitions from where the log is, and commits events, routes, repeats and offsets together.

Killed at any moment, it has committed a batch with its offsets or nothing of it. One that lost its lease cannot
commit: the fence and the offset are part of the commit.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection

from catalog.models import Bus
from delivery.doorbell import Doorbell
from delivery.ingest.snapshot import Directory
from delivery.log.entry import Advance, Entry, LostLease, StaleVersions, entry_of
from delivery.log.interface import open_log
from delivery.log.kafka.address import Address
from delivery.log.kafka.records import NoEvent, Record, read
from delivery.log.writer import passes
from delivery.router import partitions
from delivery.router.consuming import Consumer, Part
from delivery.router.partitions import Held, Key
from rules.engine import Event

if TYPE_CHECKING:
    from confluent_kafka import Message

logger = logging.getLogger(__name__)

LOOK = 1.0  # seconds between two looks for partitions to lease; leases are renewed as often
STAY = 60.0  # seconds of one run
REST = 1.0  # seconds after trouble
# What a database says of a value that it cannot hold, itself or its driver.
REFUSED = (DatabaseError, psycopg.Error, UnicodeError, OverflowError)


class Read(NamedTuple):
    """What was read of one partition: its events with their offsets, and how far it goes with those that are none."""

    key: Key
    events: list[tuple[int, Record]]
    after: int
    skipped: int


def route(stop: Callable[[], bool]) -> int:
    """Routes for a minute, if a broker is configured; returns how many events it stored."""
    if settings.LOG_BROKER is None:
        return 0
    router = Router(settings.LOG_BROKER)
    try:
        return router.run(stop, time.monotonic() + STAY)
    finally:
        router.close()


class Router:
    """For one thread."""

    def __init__(self, address: Address) -> None:
        self.owner = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._address = address
        self._consumer = Consumer(address, self._warn)
        self._directory = Directory()
        self._doorbell = Doorbell()
        self._held: dict[Key, Held] = {}
        self._buses: dict[str, int] = {}  # topic -> bus
        self._looked = float("-inf")
        self._warned = float("-inf")

    def run(self, stop: Callable[[], bool], ends: float) -> int:
        """Routes until `stop()` or `ends` (monotonic seconds); returns how many events were stored. Trouble is waited out."""
        stored = 0
        while not stop() and time.monotonic() < ends:
            try:
                stored += self.step()
            except (DatabaseError, LostLease) as error:
                self._rest(f"{type(error).__name__}: {error}")
            except Exception as error:
                if not _of_the_broker(error):
                    raise
                self._rest(str(error))
        return stored

    def step(self, wait: float = 0.2) -> int:
        """Reads once and commits what came; returns how many events were stored. Raises what the broker and database do."""
        if time.monotonic() - self._looked >= LOOK:
            self._look()
        batch = self._consumer.read(wait)
        for part in batch.gone:
            self._find_again(part)
        reads = [self._judged(part, records) for part, records in batch.records.items()]
        return self._commit([one for one in reads if one is not None])

    def close(self) -> None:
        """Gives the leases back and leaves the broker."""
        with contextlib.suppress(DatabaseError):  # They run out by themselves.
            partitions.release(self.owner)
        self._doorbell.close()
        self._consumer.close()

    def _look(self) -> None:
        """Renews leases, finds new topics, takes what nobody has."""
        fences = partitions.renew(self.owner)
        before = dict(self._held)
        self._held = {key: held for key, held in before.items() if fences.get(key) == held.fence}
        self._buses = {self._address.topic(name): pk for pk, name in Bus.objects.values_list("pk", "name")}
        counts = self._consumer.partitions()
        there = {
            (bus, number): (topic, number)
            for topic, bus in self._buses.items()
            for number in range(counts.get(topic, 0))
        }
        new = {key: self._first(there[key]) for key in there.keys() - partitions.known()}
        partitions.add({key: first for key, first in new.items() if first is not None})
        taken = partitions.claim(self.owner, there.keys() - self._held.keys())
        self._held.update(taken)
        if self._held != before:
            self._assign()
        topics = {bus: topic for topic, bus in self._buses.items()}
        ends = {key: self._consumer.end((topics[key[0]], key[1])) for key in self._held}
        partitions.note_ends(self.owner, {key: end for key, end in ends.items() if end})
        self._looked = time.monotonic()

    def _first(self, part: Part) -> int | None:
        """Where a new partition begins; None while it has no leader, which must not keep the others."""
        try:
            return self._consumer.first(part, 1.0)
        except Exception as error:
            if not _of_the_broker(error):
                raise
            self._warn(f"partition {part[1]} of {part[0]}: {error}")
            return None

    def _assign(self) -> None:
        topics = {bus: topic for topic, bus in self._buses.items()}
        self._consumer.assign(
            {(topics[bus], number): held.next for (bus, number), held in self._held.items()}
        )

    def _find_again(self, part: Part) -> None:
        """Goes on at the first record there is, because the broker has none at the place where the log is."""
        key = (self._buses.get(part[0], 0), part[1])
        held = self._held.get(key)
        if held is None:
            return
        first = self._consumer.first(part)
        if not partitions.begin_at(key, held, first):
            raise LostLease(f"partition {part[1]} of {part[0]}")
        why = "the topic was made anew"
        if first > held.next:
            why = f"{first - held.next} records were dropped by its retention before they were routed"
        logger.error(
            "Partition %s of %s has no record at offset %s: %s. Routing goes on at %s.",
            part[1], part[0], held.next, why, first,
        )  # fmt: skip
        self._held[key] = held._replace(next=first)
        self._assign()

    def _judged(self, part: Part, records: list[Message]) -> Read | None:
        key = (self._buses.get(part[0], 0), part[1])
        held = self._held.get(key)
        if held is None:
            return None
        events: list[tuple[int, Record]] = []
        skipped, after = 0, held.next
        for message in records:
            offset = message.offset() or 0
            if offset < after:
                continue  # from before a new assignment
            after = offset + 1
            try:
                events.append((offset, read(message.value(), message.headers())))
            except NoEvent as reason:
                skipped += 1
                logger.error(
                    "The record %s of partition %s of %s is skipped: %s.", offset, part[1], part[0], reason
                )
        return Read(key, events, after, skipped) if after > held.next else None

    def _commit(self, reads: list[Read]) -> int:
        if not reads:
            return 0
        try:
            return self._append(reads)
        except REFUSED as error:
            if isinstance(error, DatabaseError) and passes(error):
                raise
            logger.warning(
                "A batch is stored event by event, for the database refuses one of them: %s", error
            )
        return sum(self._one_by_one(one) for one in reads)

    def _one_by_one(self, whole: Read) -> int:
        """As `_append`, past events that the database refuses by themselves: they would stop the partition for ever."""
        stored = 0
        for offset, record in whole.events:
            alone = Read(whole.key, [(offset, record)], offset + 1, 0)
            try:
                stored += self._append([alone])
            except REFUSED as error:
                if isinstance(error, DatabaseError) and passes(error):
                    raise
                logger.error(
                    "Record %s of partition %s of bus %s is skipped, for the database refuses it: %s",
                    offset,
                    *whole.key[::-1],
                    error,
                )
                self._append([alone._replace(events=[], skipped=1)])
        if whole.skipped:
            self._append([whole._replace(events=[])])
        return stored

    def _append(self, reads: list[Read]) -> int:
        advances = [
            Advance(*one.key, self._held[one.key].fence, self._held[one.key].next, one.after, one.skipped)
            for one in reads
        ]
        snapshot = self._directory.current
        while True:
            # In the order of seq and not by when the broker took it: who looks for a time looks by seq.
            at = time.time_ns() // 1000
            entries: list[Entry] = []
            for one in reads:
                routing = snapshot.routing.get(one.key[0])
                for _, (event, schema_version, valid) in one.events:
                    view = Event(event.attributes, event.data, event.data_is_json)
                    targets = routing.targets_of(view) if routing is not None else ()
                    entries.append(
                        entry_of(event, one.key[0], at, snapshot.versions, targets, schema_version, valid)
                    )
            try:
                (answers,) = open_log().append([entries], snapshot.versions, advances)
            except StaleVersions as stale:
                snapshot = self._directory.refresh(stale.current)
            else:
                break
        for one in reads:
            self._held[one.key] = self._held[one.key]._replace(next=one.after)
        if any(entry.targets for entry in entries):
            with contextlib.suppress(OSError):  # Shifts look by themselves within a second.
                self._doorbell.ring()
        return sum(not answer.duplicate for answer in answers)

    def _rest(self, why: str) -> None:
        """After trouble everything is looked up anew, from what is committed."""
        self._warn(why)
        connection.close()
        self._held, self._looked = {}, float("-inf")
        time.sleep(REST)

    def _warn(self, what: str) -> None:
        if time.monotonic() - self._warned > 10:
            self._warned = time.monotonic()
            logger.warning("Routing from the broker waits: %s", what)


def _of_the_broker(error: Exception) -> bool:
    from confluent_kafka import KafkaException

    return isinstance(error, KafkaException)
