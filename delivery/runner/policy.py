"""How a target is delivered to: attempts, waiting times, order. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

# A target may ask for more time with Retry-After, up to this many seconds.
LONGEST_ASKED = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Policy:
    """A target's delivery policy; waits in seconds."""

    order: str = "key"
    after_dead_letter: str = "block"
    max_attempts: int = 8
    first_delay: float = 1.0
    longest_delay: float = 300.0
    max_in_flight: int = 64

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Policy:
        """The policy of a target's stored values."""
        return cls(**{name: values[name] for name in cls.__slots__ if name in values})

    def draining(self, mode: str) -> Policy:
        """This policy while what was parked under the order `mode` is finished by its rules.

        Where no order follows, dead letters hold nobody up any more: nothing could say when that ends.
        """
        after = "continue" if self.order == "none" else self.after_dead_letter
        return replace(self, order=mode, after_dead_letter=after)

    @property
    def blocks(self) -> bool:
        """Whether later events of a key wait behind its dead letter."""
        return self.order != "none" and self.after_dead_letter == "block"

    def chain(self, key: int, seq: int) -> int:
        """What an event keeps its order with: its key, nothing but itself, or everything."""
        if self.order == "key":
            return key
        return 0 if self.order == "all" else seq

    def delay(self, failures: int, jitter: float, asked: float | None = None) -> float:
        """Seconds to wait after the `failures`-th failure: doubling, with `jitter` in [0, 1) spread over the upper half.

        What the target asked for (Retry-After) is a minimum.
        """
        step = min(self.longest_delay, self.first_delay * 2.0 ** min(failures - 1, 60))
        wait = step * (0.5 + 0.5 * jitter)
        return max(wait, min(asked, LONGEST_ASKED)) if asked is not None else wait
