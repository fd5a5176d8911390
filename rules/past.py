"""What rules ask of the log: what a change of a filter would have done to past events. Delivery implements and registers it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from rules.contract import Contract
from rules.engine import Filter


class PastEvent(NamedTuple):
    """An event of the log, as a list shows it."""

    seq: int
    type: str
    name: str
    received: datetime


class Difference(NamedTuple):
    """What changing a filter would have done to `looked` past events, newest first in the samples.

    `kept`: how many both take. `span`: what was looked at, in words, as in "the last 10,000 events".
    """

    looked: int
    span: str
    kept: int
    gained: int
    lost: int
    gains: Sequence[PastEvent]
    losses: Sequence[PastEvent]


class Past(Protocol):
    """The questions. Each is bounded in time whatever the size of the log."""

    def difference(self, bus: int, before: Filter, after: Filter) -> Difference:
        """What the events of bus `bus` would have met. Raises PatternError."""
        ...

    def unfit(
        self, bus: int, one: Filter, transform: dict[str, Any], contract: Contract, structured: bool
    ) -> str:
        """Why what would have been sent for the latest events that `one` takes does not fit the contract; "" when it
        does. `structured`: whole events are sent as one JSON document. Raises as `difference`, and TransformError."""
        ...


class NoPast:
    """Before delivery has registered: no event is known."""

    def difference(self, bus: int, before: Filter, after: Filter) -> Difference:
        return Difference(0, "", 0, 0, 0, (), ())

    def unfit(
        self, bus: int, one: Filter, transform: dict[str, Any], contract: Contract, structured: bool
    ) -> str:
        return ""


_past: Past = NoPast()


def register(past: Past) -> None:
    """Makes `past` the answers from now on, in this process."""
    global _past
    _past = past


def past() -> Past:
    """Who answers."""
    return _past
