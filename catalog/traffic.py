"""What the log knows about an event type, in the shape the pages show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from catalog.facts import NO_TRAFFIC, TypeFacts, facts

# Shares of valid events at and above which a type counts as healthy, and as nearly so.
HEALTHY, WORRYING = 0.999, 0.95
# Minutes that count as now.
NOW = 5


@dataclass(frozen=True)
class Traffic:
    """One event type's traffic. `rate` is events per minute now; `valid` a share of the last day, None without events."""

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
    recent = found.minutes[-NOW:]
    # What happens more rarely than once in these minutes is told as a mean of the hour, not as nothing.
    shown = recent if any(recent) else found.minutes
    rate = sum(shown) / max(len(shown), 1)
    valid = (found.day - found.invalid_day) / found.day if found.day else None
    return Traffic(found.minutes, rate, found.day, found.invalid_day, valid, found.listeners, found.last_seen)


def traffic(names: Iterable[str]) -> dict[str, Traffic]:
    """Per name its traffic, also for types that never had any."""
    names = list(names)
    found = facts().types(names) if names else {}
    return {name: traffic_of(found.get(name, NO_TRAFFIC)) for name in names}
