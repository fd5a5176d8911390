"""One topic per bus. The number of its partitions is that of its first day: a key belongs to one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from delivery.log.kafka.address import Address

if TYPE_CHECKING:
    from confluent_kafka import Producer

WAIT = 5.0  # seconds
# Base64 makes a binary event a third larger; attributes, key and headers come on top.
OVERHEAD = 128 * 1024


def record_bytes(event_bytes: int) -> int:
    """How large the record of an event of `event_bytes` may become."""
    return event_bytes * 4 // 3 + OVERHEAD


def ensure(producer: Producer, address: Address, topic: str, size: int) -> int:
    """The number of partitions of `topic`, which is made when it is missing, for records of up to `size` bytes.

    Raises KafkaException, also when the broker does not say within some seconds.
    """
    from confluent_kafka import KafkaError, KafkaException
    from confluent_kafka.admin import AdminClient, NewTopic

    if found := _partitions(producer, topic):
        return found
    made = NewTopic(topic, address.partitions, address.replication, config={"max.message.bytes": str(size)})
    admin = AdminClient(address.options())
    try:
        admin.create_topics([made], operation_timeout=WAIT, request_timeout=WAIT)[topic].result(2 * WAIT)
    except KafkaException as error:
        # Another process was first, or this one may not make topics and an operator did.
        if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
    if found := _partitions(producer, topic):
        return found
    raise KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART))


def _partitions(producer: Producer, topic: str) -> int:
    # Of all topics: a broker may make one that it is asked for by name, with a number of partitions of its own.
    found = producer.list_topics(timeout=WAIT).topics.get(topic)
    return len(found.partitions) if found is not None and found.error is None else 0
