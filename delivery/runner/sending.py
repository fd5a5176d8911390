"""One target in one shift: its connector and transform, and the sends that are under way."""

from __future__ import annotations

import asyncio
import logging
import random
import time
import traceback
from collections.abc import Callable

import msgspec

from delivery.connectors.config import InvalidConfig
from delivery.connectors.registry import ConnectorUnavailable, connector
from delivery.connectors.spi import (
    Delivered,
    Delivery,
    Gone,
    Misconfigured,
    Outcome,
    Reject,
    Retry,
    Services,
    Target,
)
from delivery.runner.batching import Batcher
from delivery.runner.facts import Facts
from delivery.runner.judging import judged
from delivery.runner.preparing import OutsideContract, Preparing, frozen, size_of
from delivery.runner.progress import Item, Progress
from delivery.runner.throttle import Throttle
from delivery.tracking.words import Outcome as Ended
from rules.contract import ContractRefused
from rules.engine import TransformError
from rules.outputs import sends_documents
from rules.retries import microseconds
from rules.secrets import MASK

logger = logging.getLogger(__name__)

BUFFER = 2000  # events of one target in memory
EXCEPTIONS = 10_000  # of one target; then nothing new is read for it until some are dealt with
REDRIVEN = "Redriven: it was a dead letter."
BEHIND = "An earlier event of its key in the same batch was not taken; it is sent again after that one."


class Sender:
    """Sends one target's cleared events, as many at once as its policy allows, and tells its progress how each ended."""

    def __init__(
        self,
        facts: Facts,
        progress: Progress,
        services: Services,
        ended: Callable[[Sender], None],
        clock: Callable[[], int],
    ) -> None:
        """`ended` is called when there is something to record, or to do at once. `clock`: the database's."""
        self.facts = facts
        self.progress = progress
        self.clock = clock
        self.halted: tuple[str, str] | None = None  # the state and reason this target is to be stopped with
        self.abandoned = False
        self.leaving = False
        self.next_due: int | None = None
        self.send_until = 0.0  # monotonic; no send starts later, for the lease may be gone
        self.more = False  # whether the log holds events for it that are not read yet
        self.throttle = Throttle(facts.id, facts.policy, facts.rested, facts.policy.max_in_flight)
        self.want = 1  # events that should be recorded as in flight
        self.under_way = 0
        self._services = services
        self._tell = ended
        self._tasks: set[asyncio.Task[None]] = set()
        self._target: Target | None = None
        self._preparing: Preparing | None = None
        self._batcher: Batcher | None = None
        self._again: asyncio.TimerHandle | None = None
        self._secrets: list[str] = []

    async def open(self) -> None:
        """Makes and opens the connector; a config that cannot work halts the target with the reason."""
        facts = self.facts
        try:
            made = connector(facts.connector)
            config = made.Config.load(facts.config)
            self._secrets = config.secret_texts()
            structured = sends_documents(facts.config)
            self._preparing = Preparing(facts.id, facts.transform, facts.contract, structured)
            self._target = made(config, msgspec.structs.replace(self._services, target=facts.id))
            most = min(facts.policy.max_in_flight, made.max_in_flight)
            self.throttle = Throttle(facts.id, facts.policy, facts.rested, most)
            if self._target.max_batch > 1:
                self._batcher = Batcher(
                    facts.policy.batching, self._target.max_batch, self._target.ordered_batch
                )
            await self._target.open()
        except (ConnectorUnavailable, InvalidConfig, TransformError, ContractRefused) as error:
            self.halted = ("stopped", self._discreet(f"It cannot start: {error}"))
        except Exception as error:
            logger.error("Target %s does not open. %s", facts.id, self._discreet(traceback.format_exc()))
            self.halted = ("stopped", self._discreet(f"It cannot start: {type(error).__name__}: {error}"))
        self.rethink()

    async def close(self) -> None:
        """Ends what is under way and lets go of the connector."""
        self.abandoned = True
        self._forget_timer()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._target is not None:
            await self._target.close()

    def pump(self) -> None:
        """Starts as many sends as there are cleared events and places."""
        if self.abandoned:
            return
        cleared = self.progress.cleared
        free = min(self.throttle.places(len(self._tasks)), len(cleared))
        if self._batcher is not None and free > 0:
            wait = self._batcher.due_in(cleared, self.progress.busy, time.monotonic())
            if wait > 0:
                self._pump_in(wait)
                return
        loop = asyncio.get_running_loop()
        for _ in range(free):
            task = loop.create_task(self._send_all() if self._batcher is None else self._send_batches())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def leave(self) -> None:
        """Starts no send any more; what is under way ends."""
        self.leaving = True
        self._forget_timer()
        self.progress.cleared.clear()

    def rethink(self) -> None:
        """How many events should be recorded as in flight, after what holds them back has changed."""
        throttle = self.throttle
        want = throttle.limit * (self._batcher.count if self._batcher is not None else 1)
        self.want = want if throttle.rate is None else min(want, int(throttle.rate) + 1)

    @property
    def roomy(self) -> bool:
        """Whether fresh events may be read."""
        progress = self.progress
        return (
            progress.drains is None and progress.buffered < BUFFER // 2 and progress.exceptions < EXCEPTIONS
        )

    @property
    def quiet(self) -> bool:
        """Whether no send is to start any more."""
        return self.leaving or self.halted is not None

    @property
    def wants_more(self) -> bool:
        """Whether more events should be recorded as in flight."""
        return len(self.progress.cleared) < self.want and not self.quiet

    def to_clear(self, most: int) -> tuple[list[Item], list[Item]]:
        """Up to `most` events to record as in flight, few where few may go."""
        if self.throttle.calm and self.throttle.rate is None:
            return self.progress.to_clear(most)
        few = max(1, self.want - len(self.progress.cleared))
        return self.progress.to_clear(min(most, few), 0 if self.throttle.open else 32)

    @property
    def waiting(self) -> int:
        """How many events could be sent at once."""
        return len(self.progress.cleared) + len(self.progress.ready)

    @property
    def needs_round(self) -> bool:
        """Whether something waits for the database now: more to send, a chain to drain, or its end."""
        progress = self.progress
        if self.leaving or self.halted:
            return self.idle
        if progress.to_drain or (progress.ready and len(progress.cleared) < self.want):
            return True
        return self.throttle.pace is not None and self.throttle.to_draw(self.waiting, self.clock()) > 0

    @property
    def wakes_in(self) -> float | None:
        """Seconds until there is something to ask the database for, though nothing ends meanwhile."""
        if (self.throttle.calm and self.throttle.pace is None) or self.quiet or not self.waiting:
            return None
        at = self.throttle.wakes_at()
        return None if at is None else max(0.0, (at - self.clock()) / 1_000_000)

    @property
    def idle(self) -> bool:
        """Whether no send is under way."""
        return self.under_way == 0

    def _discreet(self, text: str) -> str:
        """`text` with this target's secrets masked: what a target answers may hold what it was sent."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text

    # ── sending ──

    async def _send_all(self) -> None:
        """One of the places: sends what is cleared, one after the other."""
        assert self._target is not None
        assert self._preparing is not None
        cleared, send, prepare, throttle = (
            self.progress.cleared, self._target.send, self._preparing.delivery, self.throttle
        )  # fmt: skip
        while cleared and not (self.halted or self.abandoned or self.leaving):
            if time.monotonic() >= self.send_until:
                return  # Renewed leases pump again.
            probe = False
            if not throttle.calm:
                if not throttle.allows(self.under_way):
                    return
                probe = throttle.starts()
            if throttle.pace is not None and not probe and not self._is_paced():
                self._wait_for_pace()
                return
            item = cleared.popleft()
            at = time.time_ns() // 1000
            delivery: Delivery | None = None
            self.under_way += 1
            try:
                delivery = prepare(item)
                outcome = await send(delivery)
            except (TransformError, OutsideContract) as error:
                outcome = _unsendable(error)
            except Exception as error:
                outcome = self._raised(error)
            finally:
                self.under_way -= 1
            if not self.abandoned:
                self._record(item, delivery, outcome, at, probe)
                # The first since the last commit, and those that something waits for.
                if len(self.progress.outbox.attempts) == 1 or self.needs_round:
                    self._tell(self)

    async def _send_batches(self) -> None:
        """One of the places of a target that takes batches."""
        assert self._target is not None
        assert self._batcher is not None
        progress, throttle, batcher = self.progress, self.throttle, self._batcher
        while progress.cleared and not (self.halted or self.abandoned or self.leaving):
            if time.monotonic() >= self.send_until or not throttle.allows(self.under_way):
                return
            wait = batcher.due_in(progress.cleared, progress.busy, time.monotonic())
            if wait > 0:
                self._pump_in(wait)
                return
            probe = throttle.starts()
            batch = self._pick(probe)
            if not batch:
                if throttle.pace is not None:
                    self._wait_for_pace()
                return
            at = time.time_ns() // 1000
            self.under_way += 1
            try:
                outcomes = list(await self._target.send_batch([delivery for _, delivery in batch]))
                if len(outcomes) != len(batch):
                    raise ValueError(f"{len(outcomes)} outcomes for {len(batch)} deliveries")
            except Exception as error:
                outcomes = [self._raised(error)] * len(batch)
            finally:
                self.under_way -= 1
            if not self.abandoned:
                self._record_batch(batch, outcomes, at, probe)
                self._tell(self)

    def _pick(self, probe: bool) -> list[tuple[Item, Delivery]]:
        """The next batch, one event of it alone for a probe; what cannot be sent is rejected right here."""
        assert self._preparing is not None
        assert self._batcher is not None
        made: dict[int, Delivery | Outcome] = {}
        prepare, progress = self._preparing.delivery, self.progress

        def size(item: Item) -> int | None:
            if item.seq not in made:
                try:
                    made[item.seq] = prepare(item)
                except (TransformError, OutsideContract) as error:
                    made[item.seq] = _unsendable(error)
            found = made[item.seq]
            return size_of(found) if isinstance(found, Delivery) else None

        batch: list[tuple[Item, Delivery]] = []
        allowed = self._is_paced if self.throttle.pace is not None and not probe else _always
        for item in self._batcher.pick(
            progress.cleared, progress.busy, 1 if probe else BUFFER, allowed, size
        ):
            found = made[item.seq]
            if isinstance(found, Delivery):
                batch.append((item, found))
            else:
                self._record(item, None, found, time.time_ns() // 1000, False)
        self._batcher.gone()
        if not batch:
            self.throttle.unsent(probe)
        return batch

    def _record_batch(
        self, batch: list[tuple[Item, Delivery]], outcomes: list[Outcome], at: int, probe: bool
    ) -> None:
        """In the order of the batch: an event whose predecessor in its chain was not taken is sent again after it."""
        sent: set[int] = set()  # chains with an event of theirs accounted for
        for (item, delivery), outcome in zip(batch, outcomes, strict=True):
            if self.halted:
                return
            if item.chain in sent and not self.progress.follows(item):
                now = time.time_ns() // 1000
                row = (self.facts.id, item.seq, item.attempts + 1, at, now - at, int(Ended.RETRY), None)
                self.progress.tried(item, (*row, self.facts.revision, BEHIND, None))
                continue
            sent.add(item.chain)
            self._record(item, delivery, outcome, at, probe)

    # ── pace ──

    def _is_paced(self) -> bool:
        assert self.throttle.pace is not None
        return self.throttle.pace.take(self.clock())

    def _wait_for_pace(self) -> None:
        """The next one goes when the rate allows it, or when more of the rate was drawn."""
        assert self.throttle.pace is not None
        if (at := self.throttle.pace.next_at) is not None:
            self._pump_in((at - self.clock()) / 1_000_000)
        else:
            self._tell(self)

    def _pump_in(self, seconds: float) -> None:
        if self._again is None:
            self._again = asyncio.get_running_loop().call_later(max(0.0005, seconds), self._pump_again)

    def _pump_again(self) -> None:
        self._again = None
        self.pump()

    def _forget_timer(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None

    # ── how it ended ──

    def _raised(self, error: Exception) -> Outcome:
        logger.error("Connector %s raised. %s", self.facts.connector, self._discreet(traceback.format_exc()))
        return Retry(f"{type(error).__name__}: {error}")

    def _record(self, item: Item, delivery: Delivery | None, outcome: Outcome, at: int, probe: bool) -> None:
        now = time.time_ns() // 1000
        facts, progress = self.facts, self.progress
        begun = (facts.id, item.seq, item.attempts + 1, at, now - at)
        if isinstance(outcome, Delivered):
            said = REDRIVEN if item.redriven else None
            progress.tried(item, (*begun, _DELIVERED, outcome.status, facts.revision, said, None))
            progress.delivered(item, now)
            if not self.throttle.calm:
                self.throttle.succeeded(self.clock())
                self._go_on()
            return
        by_event = self._target is not None and self._target.addressed_by_event
        outcome = judged(outcome, facts.policy.classes, by_event)
        assert isinstance(outcome, Retry | Reject | Misconfigured | Gone)
        reason, status = self._discreet(outcome.reason), outcome.status
        response = self._discreet(outcome.excerpt_text.replace("\x00", "\ufffd")) if outcome.excerpt else None
        progress.tried(item, (*begun, int(_ENDED[type(outcome)]), status, facts.revision, reason, response))
        if isinstance(outcome, Misconfigured | Gone):
            self.halted = ("disabled" if isinstance(outcome, Gone) else "stopped", reason)
            return
        clock = self.clock()
        running = self.throttle.running(clock)
        due_at, counts = None, True
        if isinstance(outcome, Retry):
            due_at, counts = self._try_again(item, outcome, reason, now, running, probe)
        elif status is not None or outcome.address is not None:
            self.throttle.answered(clock)
        else:
            self.throttle.unsent(probe)
        request = frozen(delivery) if due_at is None and delivery is not None else None
        progress.failed(item, now, due_at, reason, status, request, response, running, counts)
        if not self.throttle.calm:
            self._go_on()

    def _try_again(
        self, item: Item, outcome: Retry, reason: str, now: int, running: int, probe: bool
    ) -> tuple[int | None, bool]:
        """When it is tried again, None for not at all, and whether this failure counts for its policy."""
        policy, clock = self.facts.policy, self.clock()
        asked = min(outcome.after, policy.retries.longest_asked) if outcome.after is not None else 0.0
        counts = self.throttle.failed(
            item.seq, reason, clock + int(asked * 1_000_000), clock, probe, bool(self.progress.outbox.latencies)
        )  # fmt: skip
        age = 0 if item.clock is None else running - item.clock
        failures, chance = item.failures + 1, random.random()
        due_at = policy.due_at(failures, chance, now, age, outcome.after)
        if due_at is None and not counts:
            # Nothing is given up while the breaker is open.
            due_at = now + microseconds(policy.retries.delay(1, chance, outcome.after))
        if due_at is not None and (self.next_due is None or due_at < self.next_due):
            self.next_due = due_at
        return due_at, counts

    def _go_on(self) -> None:
        """What holds this target back may have changed."""
        self.rethink()
        self.pump()


_DELIVERED = int(Ended.DELIVERED)
_ENDED: dict[type[Outcome], Ended] = {
    Retry: Ended.RETRY, Reject: Ended.REJECTED, Misconfigured: Ended.MISCONFIGURED, Gone: Ended.GONE
}  # fmt: skip


def _unsendable(error: Exception) -> Outcome:
    what = f"The transform failed: {error}" if isinstance(error, TransformError) else str(error)
    return Reject(what)


def _always() -> bool:
    return True
