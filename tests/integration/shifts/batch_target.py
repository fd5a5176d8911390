"""A connector that takes batches, as a package of somebody else would bring one: what it got is kept for the test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from delivery.connectors import config as settings
from delivery.connectors.spi import Delivered, Delivery, Outcome, Reject, Retry, Services, Target

BATCHES: list[list[str]] = []
"""The ids of the events of each batch, in the order they came."""
TAKEN: list[str] = []


def takes_all(event_id: str, attempt: int) -> Outcome:
    return Delivered()


class Behaviour:
    """What the target does, for all its instances."""

    answer: Callable[[str, int], Outcome] = staticmethod(takes_all)
    raises: ClassVar[bool] = False


class BatchTarget(Target):
    name = "batches"
    label = "Batches"
    icon = "layers"
    max_in_flight = 4
    max_batch = 20

    class Config(settings.Config):
        pass

    @classmethod
    def describe(cls, config: Config) -> str:
        return "batches"

    def __init__(self, config: Config, services: Services) -> None:
        self.config = config

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def send(self, delivery: Delivery) -> Outcome:
        raise AssertionError("a target that takes batches is sent batches")

    async def send_batch(self, deliveries: Sequence[Delivery]) -> Sequence[Outcome]:
        events: list[dict[str, Any]] = [json.loads(delivery.event) for delivery in deliveries]
        BATCHES.append([event["id"] for event in events])
        await asyncio.sleep(0.02)
        if Behaviour.raises:
            raise RuntimeError("out of order")
        return self.outcomes(events, deliveries)

    def outcomes(self, events: list[dict[str, Any]], deliveries: Sequence[Delivery]) -> list[Outcome]:
        """One for each."""
        found = []
        for event, delivery in zip(events, deliveries, strict=True):
            outcome = Behaviour.answer(event["id"], delivery.attempt)
            if isinstance(outcome, Delivered):
                TAKEN.append(event["id"])
            found.append(outcome)
        return found


class OrderedBatchTarget(BatchTarget):
    """Takes a batch in its order; after an event of a key that failed it takes none of that key."""

    name = "ordered-batches"
    ordered_batch = True

    def outcomes(self, events: list[dict[str, Any]], deliveries: Sequence[Delivery]) -> list[Outcome]:
        found: list[Outcome] = []
        failed: set[str] = set()
        for event, delivery in zip(events, deliveries, strict=True):
            outcome = Behaviour.answer(event["id"], delivery.attempt)
            if event["subject"] in failed:
                outcome = Retry("not reached")
            elif isinstance(outcome, Delivered):
                TAKEN.append(event["id"])
            else:
                failed.add(event["subject"])
            found.append(outcome)
        return found


__all__ = ["BATCHES", "TAKEN", "BatchTarget", "Behaviour", "OrderedBatchTarget", "Reject"]
