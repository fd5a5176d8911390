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
from delivery.runner.batch_sending import Batches
from delivery.runner.facts import Facts
from delivery.runner.items import Item
from delivery.runner.judging import judged
from delivery.runner.preparing import OutsideContract, Preparing, frozen, unsendable
from delivery.runner.progress import Progress
from delivery.runner.room import Room
from delivery.runner.throttle import Throttle
from delivery.tracking.words import EXCEPTIONS, REDRIVEN
from delivery.tracking.words import Outcome as Ended
from rules.contract import ContractRefused
from rules.engine import TransformError
from rules.outputs import sends_documents
from rules.retries import microseconds
from rules.secrets import MASK

logger = logging.getLogger(__name__)

BUFFER = 2000  # events of one target in memory


class Sender:
    """Sends one target's cleared events, as many at once as its policy allows, and tells its progress how each ended."""

    def __init__(
        self,
        facts: Facts,
        progress: Progress,
        services: Services,
        ended: Callable[[Sender], None],
        clock: Callable[[], int],
        room: Room,
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
        self.waits = False  # while a suspect is sent alone (delivery/runner/alone.py)…
        self.only: Item | None = None  # …which is this one, if it is of this target
        self.more = False  # whether the log holds events for it that are not read yet
        self.throttle = Throttle(facts.id, facts.policy, facts.rested, facts.policy.max_in_flight)
        self.shrinks = False  # whether places are to be given up once what is under way there has ended
        self.want = 1  # events that should be recorded as in flight
        self.under_way = 0
        self.room = room
        self._services = services
        self._tell = ended
        self._tasks: set[asyncio.Task[None]] = set()
        self._target: Target | None = None
        self._preparing: Preparing | None = None
        self._batches: Batches | None = None
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
                self._batches = Batches(self, self._target, self._preparing)
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
        self.room.forget(self.pump)
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._target is not None:
            await self._target.close()

    def pump(self) -> None:
        """Starts as many sends as there are cleared events and places."""
        if self.abandoned or not self.may_start:
            return
        cleared = self.progress.cleared
        free = min(self.throttle.places(len(self._tasks)), len(cleared))
        alone = self.only is not None
        if self._batches is not None and free > 0 and not alone and self._batches.must_wait():
            return
        loop = asyncio.get_running_loop()
        for _ in range(free):
            if not self.room.take(self.pump):
                return
            task = loop.create_task(self._send_all() if self._batches is None else self._batches.send_all())
            self._tasks.add(task)
            task.add_done_callback(self._place_left)

    def _place_left(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self.room.give()

    def must_share(self) -> bool:
        """Whether others wait for a place that this one has: it is pumped again when it is its turn."""
        if self.room.crowded:
            self.room.wait(self.pump)
            return True
        return False

    def leave(self) -> None:
        """Starts no send any more; what is under way ends."""
        self.leaving = True
        self._forget_timer()
        self.progress.cleared.clear()

    def rethink(self) -> None:
        """How many events should be recorded as in flight, after what holds them back has changed."""
        throttle = self.throttle
        want = throttle.limit * (self._batches.count if self._batches is not None else 1)
        self.want = want if throttle.rate is None else min(want, int(throttle.rate) + 1)

    def allot(self, share: int) -> None:
        """This shift's part of the places: more are left as they end, and given up then."""
        self.throttle.allot(share)
        self.shrinks = self.under_way > share
        self._go_on()

    @property
    def asks_for_places(self) -> bool:
        """Whether the database is to be asked for its part of the places now."""
        throttle = self.throttle
        ended = self.shrinks and self.under_way <= throttle.share
        return (ended or throttle.unknown) and not throttle.open

    @property
    def roomy(self) -> bool:
        """Whether fresh events may be read."""
        progress = self.progress
        return (
            progress.drains is None
            and progress.buffered < BUFFER // 2
            and len(progress.exceptions) < EXCEPTIONS
        )

    @property
    def quiet(self) -> bool:
        """Whether no send is to start any more."""
        return self.leaving or self.halted is not None

    @property
    def wants_more(self) -> bool:
        """Whether more events should be recorded as in flight."""
        return len(self.progress.cleared) < self.want and not (self.quiet or self.waits)

    def to_clear(self, most: int) -> tuple[list[Item], list[Item]]:
        """Up to `most` events to record as in flight, few where few may go."""
        if self.throttle.calm and self.throttle.rate is None and not self.progress.watchful:
            return self.progress.to_clear(most)
        few = max(1, self.want - len(self.progress.cleared))
        return self.progress.to_clear(min(most, few), 0 if self.throttle.open else 32)

    @property
    def waiting(self) -> int:
        """How many events could be sent at once."""
        progress = self.progress
        return len(progress.cleared) + len(progress.ready) + len(progress.alone)

    @property
    def may_start(self) -> bool:
        """Whether the next of what is cleared may be sent now, for all that is known of suspects."""
        cleared = self.progress.cleared
        return not self.waits or bool(cleared and cleared[0] is self.only)

    @property
    def needs_round(self) -> bool:
        """Whether something waits for the database now: more to send, a chain to drain, or its end."""
        progress = self.progress
        if self.leaving or self.halted:
            return self.idle
        if (
            progress.to_drain
            or (progress.ready and len(progress.cleared) < self.want)
            or self.asks_for_places
        ):
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

    def tell(self) -> None:
        """Says that there is something to record, or to do at once."""
        self._tell(self)

    # ── sending ──

    async def _send_all(self) -> None:
        """One of the places: sends what is cleared, one after the other."""
        assert self._target is not None
        assert self._preparing is not None
        cleared, send, prepare, throttle = (
            self.progress.cleared, self._target.send, self._preparing.delivery, self.throttle
        )  # fmt: skip
        while cleared and self.may_start and not (self.halted or self.abandoned or self.leaving):
            if time.monotonic() >= self.send_until:
                return  # Renewed leases pump again.
            probe = False
            if not throttle.calm:
                if not throttle.allows(self.under_way):
                    return
                probe = throttle.starts()
            elif self.under_way >= throttle.share:
                return
            if throttle.pace is not None and not probe and not self.is_paced():
                self.wait_for_pace()
                return
            item = cleared.popleft()
            at = self.clock()
            delivery: Delivery | None = None
            self.under_way += 1
            try:
                delivery = prepare(item)
                outcome = await send(delivery)
            except (TransformError, OutsideContract) as error:
                outcome = unsendable(error)
            except Exception as error:
                outcome = self.raised(error)
            finally:
                self.under_way -= 1
            if not self.abandoned:
                self.record(item, delivery, outcome, at, probe)
                # The first since the last commit, and those that something waits for.
                if len(self.progress.outbox.attempts) == 1 or self.needs_round:
                    self.tell()
            if self.must_share():
                return

    # ── pace ──

    def is_paced(self) -> bool:
        """Whether the rate allows one more event now; it is used up then."""
        assert self.throttle.pace is not None
        return self.throttle.pace.take(self.clock())

    def wait_for_pace(self) -> None:
        """The next one goes when the rate allows it, or when more of the rate was drawn."""
        assert self.throttle.pace is not None
        if (at := self.throttle.pace.next_at) is not None:
            self.pump_in((at - self.clock()) / 1_000_000)
        else:
            self.tell()

    def pump_in(self, seconds: float) -> None:
        """Pumps again in that time."""
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

    def raised(self, error: Exception) -> Outcome:
        """What an exception of the connector's counts as."""
        logger.error("Connector %s raised. %s", self.facts.connector, self._discreet(traceback.format_exc()))
        return Retry(f"{type(error).__name__}: {error}")

    def record(self, item: Item, delivery: Delivery | None, outcome: Outcome, at: int, probe: bool) -> None:
        now = self.clock()
        facts, progress = self.facts, self.progress
        begun = (facts.id, item.seq, item.attempts + 1, at, max(0, now - at))
        size = 0 if delivery is None else len(delivery.event if delivery.whole else delivery.body)
        if isinstance(outcome, Delivered):
            said = REDRIVEN if item.redriven else None
            ended = (_DELIVERED, outcome.status, facts.revision, said, None, outcome.timings)
            progress.tried(item, (*begun, *ended), size)
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
        answer = (status, facts.revision, reason, response, outcome.timings)
        progress.tried(item, (*begun, int(_ENDED[type(outcome)]), *answer), size)
        if isinstance(outcome, Misconfigured | Gone):
            self.halted = ("disabled" if isinstance(outcome, Gone) else "stopped", reason)
            return
        clock = self.clock()
        running = self.throttle.running(clock)
        due_at, counts = None, True
        if isinstance(outcome, Retry):
            due_at, counts = self._try_again(item, outcome, reason, clock, probe)
        elif status is not None or outcome.address is not None:
            self.throttle.answered(clock)
        else:
            self.throttle.unsent(probe)
        request = frozen(delivery, facts.revision, at) if delivery is not None and due_at is None else None
        progress.failed(item, now, due_at, reason, status, request, response, running, counts)
        if not self.throttle.calm:
            self._go_on()

    def _try_again(
        self, item: Item, outcome: Retry, reason: str, clock: int, probe: bool
    ) -> tuple[int | None, bool]:
        """When it is tried again, None for not at all, and whether this failure counts for its policy.

        By the database's clock, as everything that is due: another machine may be the one that tries again.
        """
        policy = self.facts.policy
        age = 0 if item.clock is None else self.throttle.running(clock) - item.clock
        asked = min(outcome.after, policy.retries.longest_asked) if outcome.after is not None else 0.0
        counts = self.throttle.failed(
            item.seq, reason, clock + int(asked * 1_000_000), clock, probe, bool(self.progress.outbox.latencies)
        )  # fmt: skip
        failures, chance = item.failures + 1, random.random()
        due_at = policy.due_at(failures, chance, clock, age, outcome.after)
        if due_at is None and not counts:
            # Nothing is given up while the breaker is open.
            due_at = clock + microseconds(policy.retries.delay(1, chance, outcome.after))
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
