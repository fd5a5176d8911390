"""Plain successes, many in one value: about 16 bytes for each instead of a row with two indexes. Pure.

A plain success is a first attempt that delivered. A pack holds those of one target that one commit recorded, at most
128 of them within 4,096 seqs, so that whoever looks for one event need look no further than that.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from delivery.http import Timings
from delivery.tracking.words import Outcome

MOST = 128
"""Attempts in one pack: as long as a PostgreSQL row may be before it is moved out of line."""
SPAN = 4096
"""A pack's last seq is less than this above its first."""
NO_TIME = 0xFFFF_FFFF
LONGEST = NO_TIME - 1  # microseconds that fit, a little over an hour


class Plain(NamedTuple):
    """A first attempt that delivered. `at` and `took` in microseconds."""

    seq: int
    at: int
    took: int
    status: int | None
    timings: Timings | None


class Packed(NamedTuple):
    """What is stored: the first and last seq of a pack, and the pack itself."""

    lo: int
    hi: int
    body: bytes


class Phases(NamedTuple):
    """Microseconds of one attempt's phases; None where there was none, as on a connection that was kept alive."""

    lookup: int | None = None
    connect: int | None = None
    tls: int | None = None
    first_byte: int | None = None


NO_PHASES = Phases()


class Unpacked(NamedTuple):
    """A plain success as it was packed."""

    seq: int
    at: int
    took: int
    status: int | None
    revision: int
    worker: str
    phases: Phases


class Body(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The columns of a pack; numbers are little-endian, one after the other, in the order of their seqs."""

    worker: str
    revision: int
    at: int
    """When the first of them began; the others are counted from here."""
    status: int | list[int]
    """The same for all, or one each; 0: there was none."""
    seqs: bytes
    """16 bits each, counted from the pack's first seq."""
    begun: bytes
    """32 bits each, microseconds."""
    took: bytes
    """32 bits each, microseconds."""
    first_byte: bytes
    """32 bits each, microseconds, NO_TIME for none; empty when no attempt has one."""
    opened: list[tuple[int, int, int, int]]
    """Those that opened a connection: place in the pack, then microseconds of name lookup, connect and TLS."""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Body).decode


def phases_of(timings: Timings | None) -> Phases:
    """The phases of an attempt as its client timed them."""
    if timings is None:
        return NO_PHASES
    first_byte = _microseconds(timings.first_byte) or None
    if timings.reused:
        return Phases(first_byte=first_byte)
    tls = _microseconds(timings.tls) or None
    return Phases(_microseconds(timings.dns), _microseconds(timings.connect), tls, first_byte)


def fits(took: int, status: int | None) -> bool:
    """Whether a plain success may be packed; one that does not fit gets a row of its own."""
    return 0 <= took <= LONGEST and (status is None or 0 < status < 0x1_0000)


def pack(attempts: Sequence[Plain], revision: int, worker: str) -> list[Packed]:
    """The packs that hold `attempts`, which all fit and were made by one worker with one revision of the target."""
    packs: list[Packed] = []
    left = sorted(attempts, key=_seq)
    first = 0
    while first < len(left):
        lo, base, last = left[first].seq, left[first].at, first + 1
        lowest = highest = base
        while last < len(left) and last - first < MOST:
            one = left[last]
            low, high = min(lowest, one.at), max(highest, one.at)
            # Same seq twice: whoever looks for an attempt finds either, and nothing is lost.
            if one.seq - lo >= SPAN or high - low > LONGEST:
                break
            lowest, highest, last = low, high, last + 1
        packs.append(_packed(left[first:last], lo, lowest, revision, worker))
        first = last
    return packs


def merge(packs: Sequence[tuple[int, Any]]) -> Packed:
    """One pack of several, (first seq, body), that have the same worker and revision and fit into one."""
    found = [one for lo, body in packs for one in unpack(lo, body)]
    plain = [Plain(one.seq, one.at, one.took, one.status, _timings_of(one.phases)) for one in found]
    (merged,) = pack(plain, found[0].revision, found[0].worker)
    return merged


def _timings_of(phases: Phases) -> Timings | None:
    if phases == NO_PHASES:
        return None
    lookup, connect, tls, first_byte = ((one or 0) / 1_000_000 for one in phases)
    return Timings(lookup, connect, tls, first_byte, reused=phases.connect is None)


def _packed(attempts: Sequence[Plain], lo: int, at: int, revision: int, worker: str) -> Packed:
    size = len(attempts)
    wide = f"<{size}I"
    statuses = [one.status or 0 for one in attempts]
    timed = [one.timings for one in attempts]
    firsts = [
        min(_microseconds(one.first_byte), LONGEST) or NO_TIME if one is not None else NO_TIME
        for one in timed
    ]
    opened = [
        (place, _microseconds(one.dns), _microseconds(one.connect), _microseconds(one.tls))
        for place, one in enumerate(timed)
        if one is not None and not one.reused
    ]
    body = Body(
        worker,
        revision,
        at,
        statuses[0] if statuses.count(statuses[0]) == size else statuses,
        struct.pack(f"<{size}H", *[one.seq - lo for one in attempts]),
        struct.pack(wide, *[one.at - at for one in attempts]),
        struct.pack(wide, *[one.took for one in attempts]),
        b"" if firsts.count(NO_TIME) == size else struct.pack(wide, *firsts),
        opened,
    )
    return Packed(lo, attempts[-1].seq, _encode(body))


def began(body: Any) -> int:
    """When the first attempt of a pack began, in microseconds."""
    return _decode(body).at


def size_of(body: Any) -> int:
    """How many attempts a pack holds."""
    return len(_decode(body).seqs) // 2


def maker_of(body: Any) -> tuple[str, int]:
    """The worker that made a pack's attempts, and the target's revision."""
    found = _decode(body)
    return found.worker, found.revision


def seqs_of(lo: int, body: Any) -> list[int]:
    """The seqs of a pack, ascending."""
    seqs = _decode(body).seqs
    return [lo + offset for offset in struct.unpack(f"<{len(seqs) // 2}H", seqs)]


def unpack(lo: int, body: Any) -> Iterator[Unpacked]:
    """The attempts of a pack, by seq."""
    found = _decode(body)
    size = len(found.seqs) // 2
    wide = f"<{size}I"
    statuses = found.status if isinstance(found.status, list) else [found.status] * size
    firsts = struct.unpack(wide, found.first_byte) if found.first_byte else (NO_TIME,) * size
    opened = {place: times for place, *times in found.opened}
    for place, (offset, begun, took, status, first) in enumerate(
        zip(
            struct.unpack(f"<{size}H", found.seqs),
            struct.unpack(wide, found.begun),
            struct.unpack(wide, found.took),
            statuses,
            firsts,
            strict=True,
        )
    ):
        first_byte = None if first == NO_TIME else first
        phases = Phases(first_byte=first_byte)
        if place in opened:
            lookup, connect, tls = opened[place]
            phases = Phases(lookup, connect, tls or None, first_byte)
        yield Unpacked(
            lo + offset, found.at + begun, took, status or None, found.revision, found.worker, phases
        )


def _seq(attempt: Plain) -> int:
    return attempt.seq


def _microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)


PLAIN = int(Outcome.DELIVERED)
"""How each attempt in a pack ended."""
