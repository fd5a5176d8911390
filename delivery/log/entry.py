"""What is handed to the log for storing, and what comes back: plain values, computed before the lock is taken."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from delivery.cloudevents import CloudEvent
from delivery.log.schema import LANES

LONGEST_NAME = 256  # characters


class Entry(NamedTuple):
    """One event ready to be stored. Its fields before `targets` are the columns of log_event, but for seq."""

    bus: int
    lane: int
    key: int
    source: str
    type: str
    subject: str | None
    ce_id: str
    time: str | None
    received_at: int
    schema_version: int | None
    rules_version: int
    valid: int | None
    raw: bytes
    targets: tuple[int, ...]
    source_key: int
    digest: int


class Accepted(NamedTuple):
    """The answer for one entry: its place in the log. For a repeat of (source, id), the place of the first one.

    `seq` 0: a broker holds it, and the router gives it its place.
    """

    seq: int
    duplicate: bool = False
    differs: bool = False


class Versions(NamedTuple):
    """The stamps that entries were checked and matched against."""

    catalog: int
    rules: int


class StaleVersions(Exception):
    """The catalog or the rules changed after the entries were matched: match again, with `current`, and append again."""

    def __init__(self, current: Versions) -> None:
        super().__init__(f"the rules are at {current.rules}, the catalog at {current.catalog}")
        self.current = current


class Advance(NamedTuple):
    """A partition of a broker's topic whose records up to `after` are in the commit; `skipped` of them hold no event.

    It counts only if the partition is still at `before` and leased with `fence`.
    """

    bus: int
    partition: int
    fence: int
    before: int
    after: int
    skipped: int = 0


class LostLease(Exception):
    """Another router has a partition, or has moved it on: nothing was stored."""


class BelowFloor(LookupError):
    """The log no longer holds what was asked for: retention dropped everything up to `floor`."""

    def __init__(self, after: int, floor: int) -> None:
        super().__init__(f"The log begins after {floor}; {after} was dropped by its retention.")
        self.floor = floor


class Stored(NamedTuple):
    """One event as the log holds it."""

    seq: int
    bus: int
    lane: int
    key: int
    received_at: int
    raw: bytes


def order_key(event: CloudEvent) -> str:
    """What deliveries of this event keep their order by: extension `partitionkey`, else source and subject."""
    partition = event.extensions.get("partitionkey")
    return str(partition) if partition is not None else subject_key(event.source, event.subject)


def subject_key(source: str, subject: str | None) -> str:
    """The order key of events whose publisher chose none."""
    return f"{source}\0{subject or ''}"


def lane_of(key: str) -> int:
    """The lane, 0 to 63, of an order key."""
    return zlib.crc32(key.encode()) % LANES


def name_of(event_id: str) -> str:
    """An event id as the table of repeats holds it: a very long one by its hash, for an index entry must fit in a page."""
    return event_id if len(event_id) <= LONGEST_NAME else hashlib.blake2b(event_id.encode()).hexdigest()


def key_number(key: str) -> int:
    """An order key, or a source, as a signed 64-bit number for the database."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)


# Sources are few and come again and again.
source_number = lru_cache(maxsize=4096)(key_number)


def entry_of(
    event: CloudEvent,
    bus: int,
    received_at: int,
    versions: Versions,
    targets: Sequence[int],
    schema_version: int | None = None,
    valid: int | None = None,
) -> Entry:
    """The entry of an accepted event. `received_at` in microseconds since 1970; `targets` those whose rules matched."""
    key = order_key(event)
    return Entry(
        bus,
        lane_of(key),
        key_number(key),
        event.source,
        event.type,
        event.subject,
        event.id,
        event.time,
        received_at,
        schema_version,
        versions.rules,
        valid,
        event.raw,
        tuple(targets),
        source_number(event.source),
        zlib.crc32(event.raw),
    )
