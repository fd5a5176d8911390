"""Events of a type by the schema version they were taken for, read from the rollup that the log writes in its commits."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.models import SchemaVersion
from delivery.tracking.read import HOUR, rows

# No version, or one that does not exist.
NONE = 0


def last_day(type_name: str, at: int) -> dict[int, int]:
    """Events of the running hour and the 23 before it, by version number; `at` in microseconds."""
    found = rows(
        "SELECT version, sum(events) FROM rollup_version WHERE type = %s AND hour > %s AND hour <= %s GROUP BY version",
        [type_name, at // HOUR - 24, at // HOUR],
    )
    numbers = _numbers(version for version, _ in found)
    counts: dict[int, int] = {}
    for version, count in found:
        number = numbers.get(version, NONE)
        counts[number] = counts.get(number, 0) + int(count)
    return counts


def by_day(type_name: str, at: int, days: int) -> dict[int, list[int]]:
    """Events per day (UTC) by version number, oldest first, today last."""
    first = at // (24 * HOUR) - days + 1
    found = rows(
        "SELECT version, hour / 24, sum(events) FROM rollup_version "
        "WHERE type = %s AND hour >= %s AND hour < %s GROUP BY 1, 2",
        [type_name, first * 24, (first + days) * 24],
    )
    numbers = _numbers(version for version, _, _ in found)
    counts: dict[int, list[int]] = {}
    for version, day, count in found:
        counts.setdefault(numbers.get(version, NONE), [0] * days)[int(day) - first] += int(count)
    return counts


def _numbers(versions: Iterable[int]) -> dict[int, int]:
    """Row id → number, of the versions that still exist."""
    return dict(SchemaVersion.objects.filter(pk__in=set(versions)).values_list("pk", "number"))
