"""Which router has which partition, and where it is: the rows of log_partition."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db import connection

LEASE = 5_000_000  # microseconds

Key = tuple[int, int]  # bus, partition


class Held(NamedTuple):
    """A lease: its fencing token, and the offset of the first record that is not in the log yet."""

    fence: int
    next: int


def known() -> set[Key]:
    """The partitions that have a row."""
    return set(_rows("SELECT bus, partition FROM log_partition"))


def add(first: Mapping[Key, int]) -> None:
    """Rows for partitions that begin at these offsets; one that has a row keeps it."""
    for (bus, partition), offset in first.items():
        _run(
            "INSERT INTO log_partition (bus, partition, next) VALUES (%s, %s, %s) "
            "ON CONFLICT (bus, partition) DO NOTHING",
            [bus, partition, offset],
        )


def claim(owner: str, wanted: Iterable[Key]) -> dict[Key, Held]:
    """Takes those of `wanted` that nobody else holds, with a new fence each."""
    wanted, moment = set(wanted), _now()
    free = _rows("SELECT bus, partition FROM log_partition WHERE until < %s OR owner = %s", [moment, owner])
    taken = {}
    for bus, partition in sorted(set(free) & wanted):
        found = _rows(
            "UPDATE log_partition SET owner = %s, until = %s, fence = fence + 1 "
            "WHERE bus = %s AND partition = %s AND (until < %s OR owner = %s) RETURNING fence, next",
            [owner, moment + LEASE, bus, partition, moment, owner],
        )
        if found:
            taken[bus, partition] = Held(*found[0])
    return taken


def renew(owner: str) -> dict[Key, int]:
    """Renews all that `owner` still has; returns their fences."""
    found = _rows(
        "UPDATE log_partition SET until = %s WHERE owner = %s RETURNING bus, partition, fence",
        [_now() + LEASE, owner],
    )
    return {(bus, partition): fence for bus, partition, fence in found}


def note_ends(owner: str, ends: Mapping[Key, int]) -> None:
    """How far the broker has records, for whoever wants to know what is not routed yet."""
    for key, end in ends.items():
        _run(
            "UPDATE log_partition SET ends = %s WHERE bus = %s AND partition = %s AND owner = %s AND ends <> %s",
            [end, *key, owner, end],
        )


def release(owner: str) -> None:
    """Gives all back that `owner` has."""
    _run("UPDATE log_partition SET owner = NULL, until = 0 WHERE owner = %s", [owner])


def begin_at(key: Key, held: Held, offset: int) -> bool:
    """Goes on at `offset`, because the broker has no record at the one before; whether the lease still holds."""
    return bool(
        _run(
            "UPDATE log_partition SET next = %s WHERE bus = %s AND partition = %s AND fence = %s AND next = %s",
            [offset, *key, held.fence, held.next],
        )
    )


def _now() -> int:
    """The database's clock in microseconds."""
    if connection.vendor == "sqlite":
        return time.time_ns() // 1000  # The file is on this machine.
    return int(_rows("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")[0][0])


def _rows(sql: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(values))
        return [tuple(row) for row in cursor.fetchall()]


def _run(sql: str, values: Iterable[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, list(values))
        return int(cursor.rowcount)
