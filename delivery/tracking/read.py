"""Reading the data plane's tables: rows by SQL, and times as Python knows them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db import connection

Value = TypeVar("Value")

MINUTE = 60_000_000  # microseconds
HOUR = 60 * MINUTE


def rows(sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """All rows of a SELECT with %s placeholders, on either database."""
    with connection.cursor() as cursor:
        cursor.execute(sql, list(parameters))
        return list(cursor.fetchall())


def marks(values: Sequence[Any]) -> str:
    """Placeholders for an IN list: "%s, %s, %s"; "NULL", which matches nothing, for no values."""
    return ", ".join(["%s"] * len(values)) or "NULL"


def now() -> int:
    """The time in microseconds since 1970 (UTC)."""
    return time.time_ns() // 1000


def moment(microseconds: int) -> datetime:
    """The same instant with its time zone, for templates."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)


def some(values: Iterable[Value], limit: int) -> list[Value]:
    """At most `limit` of the values, spread evenly, in their order, the last one always among them."""
    listed = list(values)
    if len(listed) <= limit:
        return listed
    step = -(-len(listed) // limit)
    return listed[::-1][::step][::-1]
