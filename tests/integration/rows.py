"""Rows of the data plane's tables as the log and the runner write them, for tests of what reads them."""

from __future__ import annotations

import json
import time
from typing import Any

from django.db import connection

from delivery.cloudevents import decode_structured
from delivery.log.entry import Versions, entry_of
from delivery.log.interface import open_log
from delivery.log.schema import CURSORS, LANES_PER_SLOT, NAMES, SLOT_MINUTES
from delivery.tracking.words import Outcome, State

SECOND = 1_000_000


def now() -> int:
    """Microseconds since 1970."""
    return time.time_ns() // 1000


def versions() -> Versions:
    """The stamps of the catalog and the rules as they are."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, version FROM catalog_stamp")
        found = dict(cursor.fetchall())
    return Versions(found.get("catalog", 0), found.get("rules", 0))


def store(
    bus: int,
    targets: tuple[int, ...] = (),
    at: int | None = None,
    valid: int | None = None,
    **attributes: Any,
) -> int:
    """Stores one event through the log, routed to `targets`, and returns its seq."""
    whole = {
        "specversion": "1.0",
        "id": f"e{time.time_ns()}",
        "source": "/shop",
        "type": "order.placed",
    } | attributes
    event = decode_structured(json.dumps(whole).encode())
    entry = entry_of(event, bus, now() if at is None else at, versions(), targets, valid=valid)
    return open_log().append([[entry]], versions())[0][0].seq


def execute(sql: str, *values: Any) -> None:
    """One statement, committed by itself."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def attempt(target: int, seq: int, outcome: Outcome, number: int = 1, **columns: Any) -> None:
    """Records an attempt in a row of its own, as those made before plain successes were packed."""
    row = {
        "at": now(),
        "took": 4000,
        "status": 200,
        "revision": 1,
        "reason": None,
        "response": None,
    } | columns
    execute(
        f"INSERT INTO attempt (target, seq, number, outcome, {', '.join(row)}) "
        f"VALUES ({', '.join(['%s'] * (4 + len(row)))})",
        target, seq, number, int(outcome), *row.values(),
    )  # fmt: skip


def hold(target: int, seq: int, state: State, **columns: Any) -> None:
    """Makes an event an exception of a target."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT lane, key, raw, received_at FROM log_event WHERE seq = %s", [seq])
        lane, key, raw, received_at = cursor.fetchone()
    row: dict[str, Any] = {
        "lane": lane, "key": key, "blocks": 1, "attempts": 1, "redriven": 0, "received_at": received_at,
        "first_at": now(), "due_at": None, "status": 422, "reason": "It answers 422.", "raw": raw,
    } | columns  # fmt: skip
    execute(
        f"INSERT INTO runner_exception (target, seq, state, {', '.join(row)}) "
        f"VALUES ({', '.join(['%s'] * (3 + len(row)))})",
        target, seq, int(state), *row.values(),
    )  # fmt: skip


def pass_cursor(target: int, seq: int) -> None:
    """Moves the cursor of the event's lane over it, as a shift does; other lanes of its slot stay at 0."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT lane FROM log_event WHERE seq = %s", [seq])
        slot, position = divmod(cursor.fetchone()[0], LANES_PER_SLOT)
    execute(
        f"INSERT INTO runner_slot (target, lanes, fence, until, {CURSORS[position]}) VALUES (%s, %s, 1, 0, %s) "
        f"ON CONFLICT (target, lanes) DO UPDATE SET {CURSORS[position]} = excluded.{CURSORS[position]}",
        target, slot, seq,
    )  # fmt: skip


def count_minute(target: int, minute: int, **counts: int) -> None:
    """Adds to the rollups of deliveries."""
    row = {"delivered": 0, "retried": 0, "dead": 0} | counts
    added = ", ".join(f"{name} = rollup_delivered_slot.{name} + excluded.{name}" for name in row)
    marks = ", ".join(["%s"] * (2 + len(row)))
    execute(
        f"INSERT INTO rollup_delivered (target, minute, {', '.join(row)}) VALUES ({marks})",
        target, minute, *row.values(),
    )  # fmt: skip
    execute(
        f"INSERT INTO rollup_delivered_slot (target, slot, {', '.join(row)}) VALUES ({marks}) "
        f"ON CONFLICT (target, slot) DO UPDATE SET {added}",
        target, minute // SLOT_MINUTES, *row.values(),
    )  # fmt: skip


def empty() -> None:
    """Empties the data plane's tables; the head stays, because seq never repeats."""
    for name in NAMES:
        if name != "log_head":
            execute(f"DELETE FROM {name}")
