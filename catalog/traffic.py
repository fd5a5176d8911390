"""What the log knows about an event type, in the shape the pages show it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from catalog.facts import NO_TRAFFIC, TypeFacts, facts

# Shares of valid events at and above which a type counts as healthy, and as nearly so.
HEALTHY, WORRYING = 0.999, 0.95
# The longest that a rate looks back, in minutes.
HOUR = 60


def per_minute(counts: Sequence[float], step: float = 1, running: float = 1) -> float:
    """Events per minute out of `counts`, one per slot of `step` minutes, oldest first; the one way to say a rate.

    Divides by the minutes since the first slot with any, at least 1: what began four minutes ago is not spread over an
    hour. `running` is the share of the last slot that has passed already.
    """
    first = next((place for place, count in enumerate(counts) if count), None)
    if first is None:
        return 0.0
    return sum(counts) / max((len(counts) - first - 1 + running) * step, 1.0)


@dataclass(frozen=True)
class Traffic:
    """One event type's traffic. `rate` is events per minute in the last hour; `valid` a share of the last day, None without events."""

    minutes: list[int]
    rate: float
    day: int
    invalid: int
    valid: float | None
    listeners: int
    last_seen: datetime | None

    @property
    def status(self) -> str:
        """ok, warn or bad by the share of valid events."""
        if self.valid is None:
            return "idle"
        return "ok" if self.valid >= HEALTHY else "warn" if self.valid >= WORRYING else "bad"

    @property
    def percent(self) -> str:
        """`100`, `99.98`: rounded down, so that one violation never reads as none."""
        if self.valid is None:
            return ""
        hundredths = int(self.valid * 10_000)
        return f"{hundredths / 100:g}"


def traffic_of(found: TypeFacts) -> Traffic:
    """The traffic that `found` describes."""
    rate = per_minute(found.minutes[-HOUR:])
    valid = (found.day - found.invalid_day) / found.day if found.day else None
    return Traffic(found.minutes, rate, found.day, found.invalid_day, valid, found.listeners, found.last_seen)


def traffic(names: Iterable[str]) -> dict[str, Traffic]:
    """Per name its traffic, also for types that never had any."""
    names = list(names)
    found = facts().types(names) if names else {}
    return {name: traffic_of(found.get(name, NO_TRAFFIC)) for name in names}
