"""How a target is delivered to: order, retries, what answers mean, breaker, rate, batches. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from delivery.runner.breaker import Settings
from rules.retries import RETRY_FIELDS, Retries, microseconds


@dataclass(frozen=True, slots=True)
class Batching:
    """How many events travel together: up to `count` of `size` bytes in all, once `wait` seconds are over."""

    count: int = 1
    size: int = 262_144
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Policy:
    """A target's delivery policy. `classes`: what answers mean (rules/classes.py). `rate`: events a second, None: any."""

    order: str = "key"
    after_dead_letter: str = "block"
    retries: Retries = field(default_factory=Retries)
    classes: Mapping[str, str] = field(default_factory=dict)
    max_in_flight: int = 64
    rate: float | None = None
    breaker: Settings | None = None
    batching: Batching = field(default_factory=Batching)

    @classmethod
    def of(cls, values: Mapping[str, Any], granted_rate: int | None = None) -> Policy:
        """The policy of a target's stored values; `granted_rate`: events a minute that the target granted itself."""
        own = values["rate_limit"]
        granted = granted_rate / 60 if granted_rate else None  # 0 would be no rate at all
        return cls(
            order=values["order"],
            after_dead_letter=values["after_dead_letter"],
            retries=Retries(**{name: values[name] for name in RETRY_FIELDS}),
            classes=values["classes"],
            max_in_flight=values["max_in_flight"],
            rate=min((rate for rate in (own, granted) if rate is not None), default=None),
            breaker=Settings(
                values["breaker_failures"],
                microseconds(values["breaker_probe"]),
                microseconds(values["breaker_longest_probe"]),
            )
            if values["breaker"]
            else None,
            batching=Batching(values["batch_count"], values["batch_bytes"], values["batch_wait"]),
        )

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

    def due_at(
        self, failures: int, chance: float, now: int, age: int, asked: float | None = None
    ) -> int | None:
        """When the event is tried again after its `failures`-th failure at `now`; None when it is given up.

        `age`: microseconds since its first attempt, the target's rest not counted. `asked`: seconds by Retry-After.
        """
        if failures >= self.retries.max_attempts:
            return None
        wait = microseconds(self.retries.delay(failures, chance, asked))
        return now + wait if age + wait <= self.retries.max_age * 1_000_000 else None
