"""The timeline of a journey as a table: one line for each try, for whoever reads numbers rather than marks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from delivery.tracking import status
from delivery.tracking.journey import Stop
from delivery.tracking.status import Status


class Try(NamedTuple):
    """One try at a target, or a target that was not tried yet (`number` 0). `after`: milliseconds since the event came."""

    stop: Stop
    number: int
    after: float
    took: float
    status: Status


def tries(stops: Sequence[tuple[Stop, Status]], received_at: int) -> list[Try]:
    """Every try of `stops`, each with how it stands there, in the order they began; what was not tried comes last.

    `received_at` in microseconds since 1970.
    """
    made = [
        Try(stop, one.number, (one.at - received_at) / 1000, one.milliseconds, status.of_attempt(one))
        for stop, _stands in stops
        for one in stop.attempts
    ]
    made.sort(key=lambda one: one.after)
    return made + [Try(stop, 0, 0.0, 0.0, stands) for stop, stands in stops if not stop.attempts]
