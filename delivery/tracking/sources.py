"""What each source sends: from the observer's rollup, and from the few events that it has not looked at yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from catalog.facts import Pulse, SourceFacts
from catalog.traffic import per_minute
from delivery.tracking.read import MINUTE, moment, rows

# The rollup counts per ten minutes.
SLOT = 10 * MINUTE
HOUR_OF_SLOTS, DAY_OF_SLOTS = 6, 144
# The observer is a few seconds behind; when it is not running at all, so many of the newest events are looked at.
TAIL = 20_000


def first_seen(uri: str) -> datetime | None:
    """When the first event of source `uri` was received; None when there was none as long as counts are kept."""
    first = _first_counted(uri)
    if first is None:
        first = min((first for _, first, _, _ in _tail(uri)), default=None)
    if first is None:
        first = _first_counted(uri)  # The observer may have come by in between.
    return moment(first) if first is not None else None


def _first_counted(uri: str) -> int | None:
    [(first,)] = rows("SELECT min(first_at) FROM rollup_source WHERE source = %s", [uri])
    return None if first is None else int(first)


def of_source(uri: str, at: int) -> SourceFacts:
    """Its rate over the last hour, and its events by type in the last day; `at` in microseconds."""
    tail = _tail(
        uri
    )  # First: what the observer counts in between is told twice for a moment, and never missed.
    last = at // SLOT
    slots = [0] * (HOUR_OF_SLOTS + 1)
    types: dict[str, int] = {}
    newest: list[int] = []
    for name, slot, count, seen in rows(
        "SELECT type, slot, events, last_at FROM rollup_source WHERE source = %s AND slot > %s AND slot <= %s",
        [uri, last - DAY_OF_SLOTS, last],
    ):
        types[name] = types.get(name, 0) + int(count)
        newest.append(int(seen))
        if slot >= last - HOUR_OF_SLOTS:
            slots[int(slot) - last + HOUR_OF_SLOTS] += int(count)
    for name, _, seen, count in tail:
        types[name] = types.get(name, 0) + count
        newest.append(seen)
        slots[-1] += count
    if not newest:
        [(before,)] = rows("SELECT max(last_at) FROM rollup_source WHERE source = %s", [uri])
        newest = [int(before)] if before is not None else []
    return SourceFacts(
        per_minute(slots, step=SLOT // MINUTE, running=(at % SLOT) / SLOT),
        dict(sorted(types.items(), key=lambda one: (-one[1], one[0]))),
        moment(max(newest)) if newest else None,
    )


def pulses(uris: Sequence[str], at: int) -> dict[str, Pulse]:
    """Rate over the last hour and newest event of each of `uris`, out of the rollup alone; `at` in microseconds."""
    if not uris:
        return {}
    last = at // SLOT
    slots: dict[str, list[int]] = {}
    newest: dict[str, int] = {}
    for uri, slot, count, seen in _of_types(
        uris,
        "SELECT k.source, r.slot, sum(r.events), max(r.last_at) FROM known k CROSS JOIN rollup_source r "
        "WHERE r.source = k.source AND r.type = k.type AND r.slot >= %s AND r.slot <= %s GROUP BY k.source, r.slot",
        [last - HOUR_OF_SLOTS, last],
    ):
        newest[uri] = max(newest.get(uri, 0), int(seen))
        mine = slots.setdefault(uri, [0] * (HOUR_OF_SLOTS + 1))
        mine[int(slot) - last + HOUR_OF_SLOTS] += int(count)
    quiet = [uri for uri in uris if uri not in newest]
    for uri, seen in _of_types(
        quiet,
        "SELECT k.source, (SELECT r.last_at FROM rollup_source r WHERE r.source = k.source AND r.type = k.type "
        "ORDER BY r.slot DESC LIMIT 1) FROM known k WHERE k.type IS NOT NULL",
    ):
        newest[uri] = max(int(seen), newest.get(uri, 0))
    running = (at % SLOT) / SLOT
    return {
        uri: Pulse(per_minute(slots.get(uri, []), step=SLOT // MINUTE, running=running), moment(seen))
        for uri, seen in newest.items()
    }


def _of_types(uris: Sequence[str], sql: str, parameters: Sequence[int] = ()) -> list[tuple[Any, ...]]:
    """What `sql` asks of known(source, type): the types of each of `uris`, one search in the key for each, not all rows."""
    found: list[tuple[Any, ...]] = []
    for at in range(0, len(uris), 200):
        part = uris[at : at + 200]
        named = " UNION ALL ".join(["SELECT %s AS source"] * len(part))
        found += rows(
            "WITH RECURSIVE known(source, type) AS (SELECT s.source, (SELECT MIN(r.type) FROM rollup_source r "
            f"WHERE r.source = s.source) FROM ({named}) AS s UNION ALL SELECT k.source, (SELECT MIN(r.type) FROM "
            "rollup_source r WHERE r.source = k.source AND r.type > k.type) FROM known k WHERE k.type IS NOT NULL) "
            + sql,
            [*part, *parameters],
        )
    return found


def _tail(uri: str) -> list[tuple[str, int, int, int]]:
    """(type, first, last, count) of the source's events that the observer has not counted yet."""
    return [
        (name, int(first), int(last), int(count))
        for name, first, last, count in rows(
            "SELECT type, min(received_at), max(received_at), count(*) FROM log_event WHERE source = %s AND seq > "
            "(SELECT CASE WHEN f.seq IS NULL OR f.seq < h.seq - %s THEN h.seq - %s ELSE f.seq END FROM log_head h "
            "LEFT JOIN log_follower f ON f.name = 'observer' WHERE h.id = 1) GROUP BY type",
            [uri, TAIL, TAIL],
        )
    ]
