"""Repeats of an event whose bytes are not those that are stored: whether they say something else, or only look otherwise."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from delivery.log.entry import Accepted, BelowFloor, Entry
from delivery.log.interface import Log


def settled(log: Log, entries: Sequence[Entry], accepted: Sequence[Accepted]) -> list[Accepted]:
    """`accepted`, where a repeat only differs when it decodes to another event than the stored one.

    What the log no longer holds cannot be compared and stays as it is. `accepted` is in the order of `entries`.
    """
    return [
        place._replace(differs=not _is_stored(log, entry, place.seq)) if place.differs else place
        for entry, place in zip(entries, accepted, strict=True)
    ]


def _is_stored(log: Log, entry: Entry, seq: int) -> bool:
    try:
        found = log.read(seq - 1, 1)
    except BelowFloor:
        return False
    return bool(found) and found[0].seq == seq and _canonical(found[0].raw) == _canonical(entry.raw)


def _canonical(raw: bytes) -> str:
    """One text for all ways to write an event: other whitespace, order of members, escapes, 1.50 for 1.5."""
    return json.dumps(json.loads(raw, parse_float=_number), sort_keys=True)


def _number(text: str) -> dict[str, Any]:
    # A float would make two numbers one that differ in their 17th digit.
    return {"\0": str(Decimal(text).normalize())}
