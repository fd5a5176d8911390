"""Reads partitions of the broker from given offsets, by `assign`: no group decides who reads what, our leases do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from delivery.log.kafka.address import Address

if TYPE_CHECKING:
    from confluent_kafka import Message

BATCH = 500  # records of one commit
WAIT = 5.0  # seconds for the broker's answer to a question
Part = tuple[str, int]  # topic, partition


class Batch(NamedTuple):
    """Records by partition, in their order, and the partitions that have no record where they were to be read."""

    records: dict[Part, list[Message]]
    gone: set[Part]


class Consumer:
    """One connection; for one thread. Methods raise KafkaException when the broker does not answer."""

    def __init__(self, address: Address, trouble: Callable[[str], None]) -> None:
        """`trouble(what)` is told of what the client reports beside records."""
        from confluent_kafka import Consumer as Client

        self._trouble = trouble
        self._client = Client(
            address.options()
            | {
                "group.id": address.prefix,  # has to be there; no group is joined and none is told of offsets
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                # Never from a place of the client's choice.
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": 100,
                "queued.max.messages.kbytes": 4096,  # per partition
                "log_level": 2,
            }
        )

    def partitions(self) -> dict[str, int]:
        """How many partitions each topic of the broker has."""
        found = self._client.list_topics(timeout=WAIT).topics
        return {name: len(topic.partitions) for name, topic in found.items() if topic.error is None}

    def first(self, part: Part, wait: float = WAIT) -> int:
        """The offset of the first record that the partition still has."""
        from confluent_kafka import TopicPartition

        return int(self._client.get_watermark_offsets(TopicPartition(*part), timeout=wait)[0])

    def end(self, part: Part) -> int:
        """The offset of the broker's next record in a partition that is read, as its last answer said; 0 before one."""
        from confluent_kafka import TopicPartition

        return max(0, int(self._client.get_watermark_offsets(TopicPartition(*part), cached=True)[1]))

    def assign(self, offsets: Mapping[Part, int]) -> None:
        """Reads these partitions from now on, from these offsets, and no others."""
        from confluent_kafka import TopicPartition

        self._client.assign([TopicPartition(*part, offset) for part, offset in offsets.items()])

    def read(self, wait: float) -> Batch:
        """What came, at once when there is any; after `wait` seconds nothing."""
        from confluent_kafka import KafkaError

        batch = Batch({}, set())
        first = self._client.poll(wait)
        if first is None:
            return batch
        for message in [first, *self._client.consume(BATCH - 1, timeout=0)]:
            error = message.error()
            part = (message.topic() or "", message.partition() or 0)
            if error is None:
                batch.records.setdefault(part, []).append(message)
            elif error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
                batch.gone.add(part)
            else:
                self._trouble(error.str())
        return batch

    def close(self) -> None:
        """Leaves the broker."""
        self._client.close()
