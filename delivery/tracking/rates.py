"""Counts per minute, read from the rollups alone: events received, deliveries made, how long they took."""

from __future__ import annotations

from collections.abc import Sequence
from operator import add
from typing import NamedTuple

from delivery.log.schema import LATENCIES, LATENCY_BOUNDS, SLOT_MINUTES
from delivery.tracking.folding import DAY_MINUTES, HOUR_MINUTES, folded
from delivery.tracking.read import MINUTE, marks, rows

Histogram = tuple[int, ...]
NO_LATENCY: Histogram = (0,) * len(LATENCIES)


class Delivered(NamedTuple):
    """What happened in some minutes. `latency` counts deliveries by time since they were received (LATENCY_BOUNDS)."""

    delivered: int = 0
    retried: int = 0
    dead: int = 0
    latency: Histogram = NO_LATENCY

    @property
    def share(self) -> float | None:
        """Delivered out of all that came to an end, 0 to 1; None when nothing did."""
        ended = self.delivered + self.dead
        return self.delivered / ended if ended else None

    def percentile(self, fraction: float) -> float | None:
        """The time within which `fraction` of the deliveries were made, in milliseconds; None without deliveries."""
        return percentile(self.latency, fraction)


NOTHING = Delivered()


def percentile(histogram: Histogram, fraction: float) -> float | None:
    """A percentile in milliseconds, interpolated inside its column; None for an empty histogram."""
    total = sum(histogram)
    if not total:
        return None
    wanted, below = fraction * total, 0
    for column, count in enumerate(histogram):
        if count and below + count >= wanted:
            if column >= len(LATENCY_BOUNDS):
                return float(LATENCY_BOUNDS[-1])
            low = LATENCY_BOUNDS[column - 1] if column else 0
            return low + (LATENCY_BOUNDS[column] - low) * (wanted - below) / count
        below += count
    return float(LATENCY_BOUNDS[-1])


def minute_of(microseconds: int) -> int:
    """The minute of the rollups that an instant falls into: whole minutes since 1970."""
    return microseconds // MINUTE


_COUNTS = ", ".join(f"sum({name})" for name in ("delivered", "retried", "dead", *LATENCIES))


class _Part(NamedTuple):
    """Rows of one table that count `unit` minutes each: those with `first` <= `time` <= `last`, in that unit."""

    table: str
    time: str
    unit: int
    first: int
    last: int

    @property
    def bucket(self) -> str:
        """The number of the step that a row falls into: SQL with the first minute and the step as its values."""
        return f"({self.time} * {self.unit} - %s) / %s"


def _parts(first: int, last: int, step: int) -> list[_Part]:
    """Where to read minutes `first` to `last` in steps of `step`: from the coarsest counts that fit, oldest first.

    Hours and days that are not added up yet are read from the finer counts.
    """
    ends = last + 1

    def fits(unit: int) -> bool:
        return all(minutes % unit == 0 for minutes in (first, ends, step))

    if not fits(SLOT_MINUTES):
        return [_Part("rollup_delivered", "minute", 1, first, last)]
    parts, begins = [], first
    if fits(HOUR_MINUTES):
        known = folded()
        coarse = [("rollup_delivered_hour", "hour", HOUR_MINUTES, known.hour)]
        if fits(DAY_MINUTES):
            coarse.insert(0, ("rollup_delivered_day", "day", DAY_MINUTES, known.day))
        for table, unit_name, unit, mark in coarse:
            upto = min(ends, mark * unit)
            if begins < upto:
                parts.append(_Part(table, unit_name, unit, begins // unit, upto // unit - 1))
                begins = upto
    if begins < ends:
        parts.append(
            _Part(
                "rollup_delivered_slot",
                "slot",
                SLOT_MINUTES,
                begins // SLOT_MINUTES,
                ends // SLOT_MINUTES - 1,
            )
        )
    return parts


def first_minute() -> int | None:
    """The first minute of which anything is counted, to the five minutes; None before the first delivery."""
    [(slot,)] = rows("SELECT min(slot) FROM rollup_delivered_slot")
    return None if slot is None else int(slot) * SLOT_MINUTES


def last_minute(at: int, step: int) -> int:
    """The last minute of the step that the instant `at` (microseconds) falls into: bars that end there are whole ones."""
    return (minute_of(at) // step + 1) * step - 1


def delivered(first: int, last: int, step: int = 1, targets: Sequence[int] | None = None) -> list[Delivered]:
    """Deliveries from minute `first` to `last` inclusive, added up per `step` minutes, oldest first, none left out."""
    where, parameters = "", []
    if targets is not None:
        where, parameters = f" AND target IN ({marks(targets)})", list(targets)
    slots = [NOTHING] * (-(-(last - first + 1) // step))
    for part in _parts(first, last, step):
        found = rows(
            f"SELECT {part.bucket}, {_COUNTS} FROM {part.table} WHERE {part.time} BETWEEN %s AND %s{where} GROUP BY 1",
            [first, step, part.first, part.last, *parameters],
        )
        for slot, *counts in found:
            slots[int(slot)] = _added(slots[int(slot)], counts)
    return slots


def delivered_by_target(
    first: int, last: int, targets: Sequence[int], step: int = SLOT_MINUTES
) -> dict[int, Delivered]:
    """Deliveries of each of `targets` from minute `first` to `last` inclusive; `step` as those minutes were chosen by."""
    sums: dict[int, Delivered] = {}
    for part in _parts(first, last, step):
        for target, *counts in rows(
            f"SELECT target, {_COUNTS} FROM {part.table} "
            f"WHERE {part.time} BETWEEN %s AND %s AND target IN ({marks(targets)}) GROUP BY target",
            [part.first, part.last, *targets],
        ):
            sums[int(target)] = _added(sums.get(int(target), NOTHING), counts)
    return sums


def lines_by_target(first: int, last: int, step: int, targets: Sequence[int]) -> dict[int, list[int]]:
    """Deliveries per `step` minutes of each of `targets`, oldest first."""
    size = -(-(last - first + 1) // step)
    lines = {target: [0] * size for target in targets}
    for part in _parts(first, last, step):
        for target, slot, count in rows(
            f"SELECT target, {part.bucket}, sum(delivered) FROM {part.table} "
            f"WHERE {part.time} BETWEEN %s AND %s AND target IN ({marks(targets)}) GROUP BY 1, 2",
            [first, step, part.first, part.last, *targets],
        ):
            lines[int(target)][int(slot)] += int(count)
    return lines


def _added(before: Delivered, counts: Sequence[int]) -> Delivered:
    """`before`, and a row of _COUNTS."""
    done, retried, dead, *latency = map(int, counts)
    if before is NOTHING:
        return Delivered(done, retried, dead, tuple(latency))
    return Delivered(
        before.delivered + done,
        before.retried + retried,
        before.dead + dead,
        tuple(map(add, before.latency, latency)),
    )


def total(slots: Sequence[Delivered]) -> Delivered:
    """All of them added up."""
    return Delivered(
        sum(slot.delivered for slot in slots),
        sum(slot.retried for slot in slots),
        sum(slot.dead for slot in slots),
        tuple(map(sum, zip(*(slot.latency for slot in slots), strict=True))) if slots else NO_LATENCY,
    )


# The rollups' key begins with the bus: with 10,000 types, a condition on the type alone would read all of them.
OF_BUSES = "bus IN (SELECT id FROM catalog_bus)"


class Received(NamedTuple):
    """Events of one type: per minute over the last hour (oldest first), and over the last 24 hours."""

    minutes: list[int]
    day: int
    invalid_day: int


def received_by_type(names: Sequence[str], at: int) -> dict[str, Received]:
    """What was received of each of `names` up to the instant `at` (microseconds)."""
    last = minute_of(at)
    # The minutes of the curve are whole ones: the running minute would always look like a fall.
    first = last - 60
    minutes = {name: [0] * 60 for name in names}
    running: dict[str, int] = {}
    for name, minute, count in rows(
        f"SELECT type, minute, sum(events) FROM rollup_received WHERE {OF_BUSES} AND type IN ({marks(names)}) "
        "AND minute >= %s GROUP BY 1, 2",
        [*names, first],
    ):
        if minute < last:
            minutes[name][int(minute) - first] += int(count)
        else:
            running[name] = running.get(name, 0) + int(count)
    for name, count in running.items():
        # A type whose first events came just now should not look silent until its minute is over.
        if not any(minutes[name]):
            minutes[name][-1] = count
    days = {
        name: (int(count), int(invalid))
        for name, count, invalid in rows(
            f"SELECT type, sum(events), sum(invalid) FROM rollup_received WHERE {OF_BUSES} AND type IN ({marks(names)}) "
            "AND minute > %s GROUP BY 1",
            [*names, last - 24 * 60],
        )
    }
    return {name: Received(minutes[name], *days.get(name, (0, 0))) for name in names}


def received_by_hour(names: Sequence[str], at: int, hours: int) -> dict[str, list[int]]:
    """Events of each of `names` per hour, oldest first, the running hour last."""
    first = minute_of(at) // 60 - hours + 1
    found = {name: [0] * hours for name in names}
    for name, hour, count in rows(
        f"SELECT type, minute / 60, sum(events) FROM rollup_received WHERE {OF_BUSES} AND type IN ({marks(names)}) "
        "AND minute >= %s AND minute < %s GROUP BY 1, 2",
        [*names, first * 60, (first + hours) * 60],
    ):
        found[name][int(hour) - first] = int(count)
    return found


def received_on(bus: str, first: int) -> int:
    """Events received on the bus of that name since minute `first`. Reads all of the bus's rollups: for quiet ones."""
    sql = (
        "SELECT coalesce(sum(events), 0) FROM rollup_received "
        "WHERE bus = (SELECT id FROM catalog_bus WHERE name = %s) AND minute >= %s"
    )
    return int(rows(sql, [bus, first])[0][0])


def received_per_minute(at: int) -> int:
    """Events received in the last 60 seconds, estimated from the running minute and the one before."""
    last = minute_of(at)
    found = {
        int(minute): int(count)
        for minute, count in rows(
            "SELECT minute, sum(events) FROM rollup_received WHERE minute >= %s GROUP BY minute", [last - 1]
        )
    }
    left = 1 - (at % MINUTE) / MINUTE
    return round(found.get(last, 0) + found.get(last - 1, 0) * left)
