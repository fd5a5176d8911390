"""A part of the log: how many events of each kind came, and the data of a few of them."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import msgspec

from delivery.cloudevents import Refused, decode_structured
from delivery.tracking.read import marks, rows

# Events of one part; of them, so many samples of one type, and of all.
PART, OF_TYPE, OF_ALL = 5000, 20, 400
# A kind that has so many samples for its day gets few more in each part.
PLENTY, FEW = 2000, 2
# Kinds whose shapes are changed in one part, so that its transaction stays short; the others have their turn later.
KINDS = 40
BYTES = 4 * 1024 * 1024  # read of the log for one part
# Names that nobody can register, and that no row has room for.
LONGEST_TYPE, LONGEST_SOURCE = 255, 255
DAY = 86_400_000_000  # microseconds


class Kind(NamedTuple):
    """What one row of catalog.models.Observation is about; `bus` is a row id."""

    type: str
    day: date
    source: str
    bus: int


@dataclass(slots=True)
class Came:
    """How many events of a kind came, and when (microseconds); `seqs` and sizes of those that may be samples."""

    events: int = 0
    first_at: int = 0
    last_at: int = 0
    seqs: list[tuple[int, int]] = field(default_factory=list)


class Part(NamedTuple):
    """The events above the position that was asked for, up to and including `upto`. `full`: there are more."""

    upto: int
    full: bool
    kinds: dict[Kind, Came]
    slots: dict[tuple[str, str, int], Came]  # (source, type, ten minutes since 1970)


def read(after: int, head: int, limit: int = PART) -> Part:
    """The next events above `after`, at most `limit`; `head` is the log's head as it was before."""
    found = rows(
        "SELECT seq, bus, type, source, received_at, length(raw) FROM log_event WHERE seq > %s "
        "ORDER BY seq LIMIT %s",
        [after, limit],
    )
    kinds: dict[Kind, Came] = {}
    slots: dict[tuple[str, str, int], Came] = {}
    for seq, bus, name, source, at, size in found:
        if len(name) > LONGEST_TYPE:
            continue
        source = source[:LONGEST_SOURCE]
        kind = Kind(name, datetime.fromtimestamp(at // DAY * 86_400, UTC).date(), source, bus)
        came = kinds.setdefault(kind, Came())
        _count(came, at)
        came.seqs.append((seq, size))
        _count(slots.setdefault((source, name, at // (DAY // 144)), Came()), at)
    full = len(found) == limit
    # What retention dropped in between is passed over: there are no rows of it.
    return Part(found[-1][0] if full else max(head, found[-1][0] if found else after), full, kinds, slots)


def _count(came: Came, at: int) -> None:
    came.first_at = min(came.first_at, at) if came.events else at
    came.last_at = max(came.last_at, at)
    came.events += 1


def choose(
    kinds: Mapping[Kind, Came], sampled: Mapping[Kind, int], chance: random.Random
) -> dict[Kind, list[int]]:
    """The seqs to look at more closely. `sampled`: how many samples each kind has for its day already.

    Evenly chosen among the events of a type, so under load it is one in many; never more than BYTES together.
    """
    by_type: dict[str, list[Kind]] = {}
    for kind in _some(sorted(kinds), KINDS, chance):
        by_type.setdefault(kind.type, []).append(kind)
    of_type = max(1, min(OF_TYPE, OF_ALL // max(1, len(by_type))))
    chosen: dict[Kind, list[int]] = {}
    left = BYTES
    for mine in by_type.values():
        for kind in mine:
            share = max(1, of_type // len(mine))
            if sampled.get(kind, 0) >= PLENTY:
                share = min(share, FEW)
            for seq, size in _some(kinds[kind].seqs, share, chance):
                if size <= left:
                    left -= size
                    chosen.setdefault(kind, []).append(seq)
    return chosen


def _some(values: list[Any], limit: int, chance: random.Random) -> list[Any]:
    """At most `limit` of `values`, in their order, spread evenly from a place that chance chooses."""
    if len(values) <= limit:
        return values
    step = len(values) / limit
    start = chance.random() * step
    return [values[int(start + number * step)] for number in range(limit)]


def data_of(seqs: Collection[int]) -> dict[int, Any]:
    """The JSON data of those events that have any, decoded, by seq."""
    listed = list(seqs)
    found: dict[int, Any] = {}
    if listed:
        for seq, raw in rows(f"SELECT seq, raw FROM log_event WHERE seq IN ({marks(listed)})", listed):
            found.update(_decoded(seq, bytes(raw)))
    return found


def _decoded(seq: int, raw: bytes) -> Iterable[tuple[int, Any]]:
    try:
        event = decode_structured(raw)
        if event.data_is_json and event.data is not None:
            yield seq, msgspec.json.decode(event.data)
    except (Refused, ValueError, RecursionError, msgspec.MsgspecError):
        return  # Stored under limits that are no longer in force: it has been counted, and is no sample.
