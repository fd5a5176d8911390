"""Sending for targets that take batches: what `Sender` does one by one, several at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from delivery.connectors.spi import Delivery, Outcome, Target
from delivery.runner.batching import Batcher
from delivery.runner.facts import Facts
from delivery.runner.items import Item
from delivery.runner.preparing import OutsideContract, Preparing, size_of, unsendable
from delivery.runner.progress import Progress
from delivery.runner.throttle import Throttle
from delivery.tracking.words import Outcome as Ended
from rules.engine import TransformError

BEHIND = "An earlier event of its key in the same batch was not taken; it is sent again after that one."


class Sending(Protocol):
    """What batches need of their sender."""

    facts: Facts
    progress: Progress
    throttle: Throttle
    halted: tuple[str, str] | None
    abandoned: bool
    leaving: bool
    send_until: float
    under_way: int
    only: Item | None
    clock: Callable[[], int]  # the database's, microseconds since 1970

    @property
    def may_start(self) -> bool: ...

    def tell(self) -> None: ...
    def must_share(self) -> bool: ...
    def pump_in(self, seconds: float) -> None: ...
    def is_paced(self) -> bool: ...
    def wait_for_pace(self) -> None: ...
    def raised(self, error: Exception) -> Outcome: ...
    def record(
        self, item: Item, delivery: Delivery | None, outcome: Outcome, at: int, probe: bool
    ) -> None: ...


class Batches:
    """The batches of one sender."""

    def __init__(self, sender: Sending, target: Target, preparing: Preparing) -> None:
        self._sender = sender
        self._target = target
        self._prepare = preparing.delivery
        self._batcher = Batcher(sender.facts.policy.batching, target.max_batch, target.ordered_batch)
        self.count = self._batcher.count

    def must_wait(self) -> bool:
        """Whether the next batch waits for others to join it; then the sender is pumped once that is over."""
        progress = self._sender.progress
        wait = self._batcher.due_in(progress.cleared, progress.busy, time.monotonic())
        if wait > 0:
            self._sender.pump_in(wait)
        return wait > 0

    async def send_all(self) -> None:
        """One of the places: sends what is cleared, one batch after the other."""
        sender = self._sender
        cleared, throttle = sender.progress.cleared, sender.throttle
        while cleared and sender.may_start and not (sender.halted or sender.abandoned or sender.leaving):
            if time.monotonic() >= sender.send_until or not throttle.allows(sender.under_way):
                return
            if sender.only is None and self.must_wait():
                return
            probe = throttle.starts()
            batch = self._pick(probe)
            if not batch:
                if throttle.pace is not None:
                    sender.wait_for_pace()
                return
            at = sender.clock()
            sender.under_way += 1
            try:
                outcomes = list(await self._target.send_batch([delivery for _, delivery in batch]))
                if len(outcomes) != len(batch):
                    raise ValueError(f"{len(outcomes)} outcomes for {len(batch)} deliveries")
            except Exception as error:
                outcomes = [sender.raised(error)] * len(batch)
            finally:
                sender.under_way -= 1
            if not sender.abandoned:
                self._record(batch, outcomes, at, probe)
                sender.tell()
            if sender.must_share():
                return

    def _pick(self, probe: bool) -> list[tuple[Item, Delivery]]:
        """The next batch, one event alone for a probe; what cannot be sent is rejected right here."""
        sender, progress = self._sender, self._sender.progress
        made: dict[int, Delivery | Outcome] = {}

        def size(item: Item) -> int | None:
            if item.seq not in made:
                try:
                    made[item.seq] = self._prepare(item)
                except (TransformError, OutsideContract) as error:
                    made[item.seq] = unsendable(error)
            found = made[item.seq]
            return size_of(found) if isinstance(found, Delivery) else None

        batch: list[tuple[Item, Delivery]] = []
        allowed = sender.is_paced if sender.throttle.pace is not None and not probe else _always
        most = 1 if probe or sender.only is not None else self.count
        for item in self._batcher.pick(progress.cleared, progress.busy, most, allowed, size):
            found = made[item.seq]
            if isinstance(found, Delivery):
                batch.append((item, found))
            else:
                sender.record(item, None, found, sender.clock(), False)
        self._batcher.gone()
        if not batch:
            sender.throttle.unsent(probe)
        return batch

    def _record(
        self, batch: list[tuple[Item, Delivery]], outcomes: list[Outcome], at: int, probe: bool
    ) -> None:
        """In the order of the batch: an event whose predecessor in its chain was not taken is sent again after it."""
        sender = self._sender
        sent: set[int] = set()  # chains with an event of theirs accounted for
        for (item, delivery), outcome in zip(batch, outcomes, strict=True):
            if sender.halted:
                return
            if item.chain in sent and not sender.progress.follows(item):
                now = sender.clock()
                row = (
                    sender.facts.id,
                    item.seq,
                    item.attempts + 1,
                    at,
                    max(0, now - at),
                    int(Ended.RETRY),
                    None,
                )
                sender.progress.tried(item, (*row, sender.facts.revision, BEHIND, None, None))
                continue
            sent.add(item.chain)
            sender.record(item, delivery, outcome, at, probe)


def _always() -> bool:
    return True
