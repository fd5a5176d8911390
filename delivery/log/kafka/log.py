"""The log behind a broker: events are taken in by it, and read from the database, where the router brings them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from delivery.cloudevents import Refused
from delivery.log.entry import Accepted, Entry, Stored, Versions
from delivery.log.interface import open_log
from delivery.log.kafka import topics
from delivery.log.kafka.address import Address
from delivery.log.kafka.records import headers_of
from delivery.log.writer import Unavailable

if TYPE_CHECKING:
    from confluent_kafka import KafkaError, Message, Producer

logger = logging.getLogger(__name__)

TIMEOUT = 5.0  # seconds for a group to be confirmed by all replicas
TAKEN = Accepted(0)


class KafkaLog:
    """Appends to the broker; all else is asked of the database. For one thread."""

    def __init__(self, address: Address, bus_name: Callable[[int], str], event_bytes: int) -> None:
        """`bus_name` gives the name of a bus by its id; `event_bytes` is how large an event may be."""
        self._address, self._bus_name = address, bus_name
        self._record_bytes = topics.record_bytes(event_bytes)
        self._producer: Producer | None = None
        self._partitions: dict[str, int] = {}

    def append(self, groups: Sequence[Sequence[Entry]], versions: Versions) -> list[list[Accepted]]:
        """Returns when every event is confirmed by all replicas in sync; their seq is 0 until the router has them.

        `versions` and the targets of entries count for nothing here: the router matches. Raises Unavailable, after
        which some of the events may be stored (a repeat is stored once), and Refused (413) for one too large.
        """
        from confluent_kafka import KafkaException

        failed: list[KafkaError] = []

        def done(error: KafkaError | None, message: Message) -> None:
            if error is not None:
                failed.append(error)

        try:
            producer = self._open()
            for group in groups:
                for entry in group:
                    self._produce(producer, entry, done)
            left = producer.flush(TIMEOUT + 1)
        except KafkaException as error:
            failed.append(error.args[0])
            self._forget()
            left = 0
        if failed or left:
            raise self._trouble(failed)
        return [[TAKEN] * len(group) for group in groups]

    def read(self, after: int, limit: int, bus: int | None = None) -> list[Stored]:
        return open_log().read(after, limit, bus)

    def head(self) -> int:
        return open_log().head()

    def seek(self, at: int) -> int:
        return open_log().seek(at)

    def retain(self, bus: int, before: int, keep_above: int, limit: int) -> int:
        """In the database. What the broker keeps is up to its topics' own retention."""
        return open_log().retain(bus, before, keep_above, limit)

    def _open(self) -> Producer:
        if self._producer is None:
            from confluent_kafka import Producer

            self._producer = Producer(
                self._address.options()
                | {
                    "acks": "all",
                    # A request that is sent twice inside librdkafka is stored once and keeps its place.
                    "enable.idempotence": True,
                    "message.timeout.ms": int(TIMEOUT * 1000),
                    "message.max.bytes": self._record_bytes,
                    "linger.ms": 0,  # the writer has gathered already
                    "compression.type": "lz4",
                    "log_level": 2,
                }
            )
        return self._producer

    def _produce(
        self, producer: Producer, entry: Entry, done: Callable[[KafkaError | None, Message], None]
    ) -> None:
        topic = self._address.topic(self._bus_name(entry.bus))
        count = self._partitions.get(topic)
        if count is None:
            count = topics.ensure(producer, self._address, topic, self._record_bytes)
            self._partitions[topic] = count
        ends = time.monotonic() + TIMEOUT
        while True:
            try:
                producer.produce(
                    topic,
                    value=entry.raw,
                    key=b"%d" % entry.key,
                    # All events of a key have one lane, so one partition: there they keep their order.
                    partition=entry.lane % count,
                    headers=headers_of(entry),
                    on_delivery=done,
                )
                return
            except BufferError:
                if time.monotonic() > ends:
                    raise Unavailable("The broker does not take events fast enough.") from None
                producer.poll(0.05)

    def _trouble(self, failed: Sequence[KafkaError]) -> Exception:
        from confluent_kafka import KafkaError

        large = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE)
        if failed and all(error.code() in large for error in failed):
            return Refused(
                "The broker takes no event as large. Send less, or a reference to the data.", status=413
            )
        self._forget()
        what = failed[0].name() if failed else "no answer"
        logger.warning("The broker confirmed no events: %s", what)
        return Unavailable(f"The broker does not confirm that it has the event ({what}).", 2)

    def _forget(self) -> None:
        """After trouble: topics are looked up anew, and what was not confirmed is not tried on behind one's back."""
        self._partitions.clear()
        if self._producer is not None:
            self._producer.purge()
            self._producer.flush(0.1)
            self._producer = None
