"""Retry policies: when the next attempt comes, and when an event is given up. Pure; times in seconds.

Presets by the names of those who made them: RocketMQ and Alibaba EventBridge count retries, which come after the first
attempt (3, 176); AWS EventBridge retries up to 185 times in 24 hours and does not publish its waits, so ours stand in.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

KINDS = ("exponential", "linear", "constant")
JITTERS = ("none", "half", "full")
DAY = 86_400.0
LONGEST_ASKED = DAY
"""A target may ask for more time with Retry-After, up to this many seconds; a target's policy may say less."""

# The share of a wait that is certain; the rest is a matter of chance.
_CERTAIN = {"none": 1.0, "half": 0.5, "full": 0.0}


@dataclass(frozen=True, slots=True)
class Retries:
    """How a failed event is tried again.

    `delay_step`: what the wait grows by with each failure, a factor where it is exponential, seconds where it is linear.
    `jitter`: how much of a wait is a matter of chance: none of it, the upper half, or all of it. `max_attempts` counts the
    first one too. `max_age`: no attempt starts later than this after the first one, time at rest not counted.
    `longest_asked`: how far Retry-After is followed.
    """

    retry_kind: str = "exponential"
    max_attempts: int = 200
    max_age: float = DAY
    first_delay: float = 1.0
    delay_step: float = 2.0
    longest_delay: float = 600.0
    jitter: str = "half"
    longest_asked: float = LONGEST_ASKED

    def bounds(self, failures: int) -> tuple[float, float]:
        """The shortest and the longest wait after the `failures`-th failure."""
        if self.retry_kind == "constant":
            wait = self.first_delay
        elif self.retry_kind == "linear":
            wait = self.first_delay + self.delay_step * (failures - 1)
        else:
            # Beyond this exponent the wait is longer than any that is allowed, and would not fit a float much later.
            wait = self.first_delay * self.delay_step ** min(failures - 1, 60)
        wait = min(wait, self.longest_delay)
        return wait * _CERTAIN[self.jitter], wait

    def delay(self, failures: int, chance: float, asked: float | None = None) -> float:
        """Seconds to wait after the `failures`-th failure, with `chance` in [0, 1). What the target asks is a minimum."""
        least, most = self.bounds(failures)
        wait = least + (most - least) * chance
        return max(wait, min(asked, self.longest_asked)) if asked is not None else wait


class Preset(NamedTuple):
    """A policy with a name; `name` is stored nowhere, a target that has its values has it."""

    name: str
    label: str
    retries: Retries


PRESETS = (
    Preset("signalbox", "Signalbox", Retries()),
    Preset(
        "backoff",
        "RocketMQ / Alibaba BACKOFF_RETRY",
        Retries("constant", 4, DAY, 20.0, 1.0, 20.0, "half"),
    ),
    Preset(
        "exponential-decay",
        "RocketMQ / Alibaba EXPONENTIAL_DECAY_RETRY",
        Retries("exponential", 177, DAY, 1.0, 2.0, 512.0, "none"),
    ),
    Preset("aws", "AWS EventBridge", Retries("exponential", 186, DAY, 1.0, 2.0, 600.0, "half")),
)
RETRY_FIELDS = tuple(Retries.__slots__)


def preset_of(values: Mapping[str, Any]) -> str:
    """The name of the preset that has these values, "" for none. How far Retry-After is followed is no part of it."""
    for preset in PRESETS:
        if all(values.get(name) == getattr(preset.retries, name) for name in PRESET_FIELDS):
            return preset.name
    return ""


PRESET_FIELDS = tuple(name for name in RETRY_FIELDS if name != "longest_asked")


class Try(NamedTuple):
    """An attempt: its number and when it comes, between `earliest` and `latest` seconds after the first one."""

    number: int
    earliest: float
    latest: float


def plan(retries: Retries) -> Iterator[Try]:
    """When each attempt comes if every one fails at once and the target asks for nothing, as long as some may come."""
    earliest = latest = 0.0
    for number in range(1, retries.max_attempts + 1):
        if number > 1:
            least, most = retries.bounds(number - 1)
            earliest, latest = earliest + least, latest + most
        if earliest > retries.max_age:
            return
        yield Try(number, earliest, min(latest, retries.max_age))


class Ending(NamedTuple):
    """How it ends: between `fewest` and `most` attempts, the last of them `latest` seconds after the first at most."""

    fewest: int
    most: int
    latest: float
    by_age: bool


def ending(retries: Retries) -> Ending:
    """When a target that never takes an event is given up on. `by_age`: the age may end it before the attempts do."""
    fewest, latest = 0, 0.0
    for number in range(1, retries.max_attempts + 1):
        latest += retries.bounds(number - 1)[1] if number > 1 else 0.0
        if latest > retries.max_age:
            break
        fewest = number
    most, end = 0, 0.0
    for one in plan(retries):
        most, end = one.number, one.latest
    return Ending(fewest, most, end, fewest < retries.max_attempts)


def microseconds(seconds: float) -> int:
    """A wait in whole microseconds, never shorter."""
    return math.ceil(seconds * 1_000_000)
