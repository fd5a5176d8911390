"""What is the same for every database: from entries to rows, reading above the floor, seeking by time, forgetting."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from delivery.log.entry import Accepted, BelowFloor, Entry, Stored, key_number, name_of
from delivery.log.schema import LANES_PER_SLOT

# What tells a repeat: bus, name_of(id), and the source's number.
Name = tuple[int, str, int]
MINUTE = 60_000_000  # microseconds
HOUR = 60 * MINUTE
EVENT_COLUMNS = "seq, bus, lane, key, source, type, subject, ce_id, time, received_at, schema_version, rules_version, valid, raw"
FLOOR = "SELECT COALESCE(MAX(seq), 0) AS floor FROM log_floor WHERE true"
RAISE_FLOOR = (
    "INSERT INTO log_floor (bus, seq) VALUES (%s, %s) "
    "ON CONFLICT (bus) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > log_floor.seq"
)
ADVANCE = (
    "UPDATE log_partition SET next = ?, skipped = skipped + ? "
    "WHERE bus = ? AND partition = ? AND fence = ? AND next = ?"
)


class Plan(NamedTuple):
    """The rows of one commit."""

    answers: list[list[Accepted]]
    events: list[tuple[int, Entry]]
    routes: list[tuple[int, int, int, int]]  # target, slot, seq, lane
    ready: dict[tuple[int, int], int]  # (target, slot) -> newest seq
    received: dict[tuple[int, str, int], list[int]]  # (bus, type, minute) -> [events, invalid, bytes]
    versions: dict[tuple[str, int, int], int]  # (type, hour, schema version or 0) -> events
    head: int


def plan(groups: Sequence[Sequence[Entry]], known: Mapping[Name, tuple[int, int]], head: int) -> Plan:
    """Gives each new entry the next seq after `head`. `known`: name -> (seq, digest) of stored repeats."""
    seen: dict[Name, tuple[int, int]] = dict(known)
    answers: list[list[Accepted]] = []
    events: list[tuple[int, Entry]] = []
    routes: list[tuple[int, int, int, int]] = []
    ready: dict[tuple[int, int], int] = {}
    received: dict[tuple[int, str, int], list[int]] = {}
    versions: dict[tuple[str, int, int], int] = {}
    for group in groups:
        answer: list[Accepted] = []
        for entry in group:
            name = (entry.bus, name_of(entry.ce_id), entry.source_key)
            stored = seen.get(name)
            if stored is not None:
                answer.append(Accepted(stored[0], True, stored[1] != entry.digest))
                continue
            head += 1
            seen[name] = (head, entry.digest)
            answer.append(Accepted(head))
            events.append((head, entry))
            lane = entry.lane
            slot = lane // LANES_PER_SLOT
            for target in entry.targets:
                routes.append((target, slot, head, lane))
                ready[target, slot] = head
            counted = received.setdefault((entry.bus, entry.type, entry.received_at // MINUTE), [0, 0, 0])
            counted[0] += 1
            counted[1] += entry.valid == 0
            counted[2] += len(entry.raw)
            version = (entry.type, entry.received_at // HOUR, entry.schema_version or 0)
            versions[version] = versions.get(version, 0) + 1
        answers.append(answer)
    return Plan(answers, events, routes, ready, received, versions, head)


def above_floor(after: int, rows: Sequence[tuple[Any, ...]]) -> list[Stored]:
    """The events of a read; the first column of each row is the floor. Raises BelowFloor."""
    if after < rows[0][0]:
        raise BelowFloor(after, rows[0][0])
    return [
        Stored(seq, bus, lane, key, received_at, bytes(raw))
        for _, seq, bus, lane, key, received_at, raw in rows
        if seq is not None
    ]


def seek(fetch: Callable[[str, tuple[Any, ...]], Any], at: int) -> int:
    """Binary search over seq: received_at grows with seq but for the few milliseconds of one commit."""
    low, high = fetch(
        "SELECT COALESCE((SELECT MIN(seq) - 1 FROM log_event), seq), seq FROM log_head WHERE id = 1", ()
    )
    while low < high:
        middle = (low + high) // 2
        row = fetch("SELECT seq, received_at FROM log_event WHERE seq > %s ORDER BY seq LIMIT 1", (middle,))
        if row is None or row[1] >= at:
            high = middle
        else:
            low = row[0]
    return int(low)


def forget(
    executemany: Callable[..., Any], mark: str, bus: int, rows: Sequence[tuple[int, str, str]]
) -> None:
    """Deletes events with their names among the repeats. `rows`: (seq, source, id)."""
    executemany(
        f"DELETE FROM log_duplicate WHERE bus = {mark} AND ce_id = {mark} AND source = {mark}",
        [(bus, name_of(event_id), key_number(source)) for _, source, event_id in rows],
    )
    seqs = [(row[0],) for row in rows]
    executemany(f"DELETE FROM log_event WHERE seq = {mark}", seqs)
