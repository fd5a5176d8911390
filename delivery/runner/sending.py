"""One target in one shift: its connector and transform, and the sends that are under way."""

from __future__ import annotations

import asyncio
import logging
import random
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

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
from delivery.runner.policy import Policy
from delivery.runner.progress import Item, Progress
from delivery.tracking.words import Outcome as Ended
from rules.contract import Contract, ContractRefused, compile_contract
from rules.engine import Event, Transform, TransformError, compile_transform
from rules.outputs import output_of
from rules.secrets import MASK

logger = logging.getLogger(__name__)

BUFFER = 2000  # events of one target in memory
EXCEPTIONS = 10_000  # of one target; then nothing new is read for it until some are dealt with


class OutsideContract(ValueError):
    """What would be sent does not fit the target's contract; it says where."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A target's row as far as delivering needs it."""

    id: int
    state: str
    revision: int
    connector: str
    config: dict[str, Any]
    transform: dict[str, Any]
    policy: Policy
    contract: dict[str, Any] = field(default_factory=dict)


class Sender:
    """Sends one target's cleared events, at most `limit` at once, and tells its progress how each ended."""

    def __init__(
        self, facts: Facts, progress: Progress, services: Services, ended: Callable[[Sender], None]
    ) -> None:
        """`ended` is called when there is something to record, or to do at once."""
        self.facts = facts
        self.progress = progress
        self.halted: tuple[str, str] | None = None  # the state and reason this target is to be stopped with
        self.abandoned = False
        self.leaving = False
        self.next_due: int | None = None
        self.send_until = 0.0  # monotonic; no send starts later, for the lease may be gone
        self.waits = False  # while a suspect is sent alone (delivery/runner/alone.py)…
        self.only: Item | None = None  # …which is this one, if it is of this target
        self.more = False  # whether the log holds events for it that are not read yet
        self._id_prefix = f"msg_{facts.id:x}_"
        self._services = services
        self._tell = ended
        self._tasks: set[asyncio.Task[None]] = set()
        self._target: Target | None = None
        self._transform: Transform | None = None
        self._contract: Contract | None = None
        self._secrets: list[str] = []
        self.limit = 1
        self.under_way = 0

    async def open(self) -> None:
        """Makes and opens the connector; a config that cannot work halts the target with the reason."""
        try:
            made = connector(self.facts.connector)
            config = made.Config.load(self.facts.config)
            self._secrets = config.secret_texts()
            self._transform = compile_transform(self.facts.transform or {"kind": "complete"})
            self._contract = compile_contract(self.facts.contract) if self.facts.contract else None
            self._target = made(config, self._services)
            self.limit = min(self.facts.policy.max_in_flight, made.max_in_flight)
            await self._target.open()
        except (ConnectorUnavailable, InvalidConfig, TransformError, ContractRefused) as error:
            self.halted = ("stopped", self._discreet(f"It cannot start: {error}"))
        except Exception as error:
            logger.error("Target %s does not open. %s", self.facts.id, self._discreet(traceback.format_exc()))
            self.halted = ("stopped", self._discreet(f"It cannot start: {type(error).__name__}: {error}"))

    async def close(self) -> None:
        """Ends what is under way and lets go of the connector."""
        self.abandoned = True
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._target is not None:
            await self._target.close()

    def pump(self) -> None:
        """Starts as many sends as there are cleared events and places."""
        if not self._may_start:
            return
        loop = asyncio.get_running_loop()
        free = min(self.limit - len(self._tasks), len(self.progress.cleared))
        for _ in range(free):
            task = loop.create_task(self._send_all())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def leave(self) -> None:
        """Starts no send any more; what is under way ends."""
        self.leaving = True
        self.progress.cleared.clear()

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
        return len(self.progress.cleared) < self.limit and not (self.quiet or self.waits)

    @property
    def _may_start(self) -> bool:
        """Whether the next of what is cleared may be sent now, for all that is known of suspects."""
        cleared = self.progress.cleared
        return not self.waits or bool(cleared and cleared[0] is self.only)

    @property
    def needs_round(self) -> bool:
        """Whether something waits for the database now: more to send, a chain to drain, or its end."""
        progress = self.progress
        if self.leaving or self.halted:
            return self.idle
        return bool(progress.to_drain or (progress.ready and len(progress.cleared) < self.limit))

    @property
    def idle(self) -> bool:
        """Whether no send is under way."""
        return self.under_way == 0

    def _discreet(self, text: str) -> str:
        """`text` with this target's secrets masked: what a target answers may hold what it was sent."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        return text

    async def _send_all(self) -> None:
        """One of the places: sends what is cleared, one after the other."""
        assert self._target is not None
        cleared, send = self.progress.cleared, self._target.send
        while cleared and self._may_start and not (self.halted or self.abandoned or self.leaving):
            if time.monotonic() >= self.send_until:
                return  # Renewed leases pump again.
            item = cleared.popleft()
            at = time.time_ns() // 1000
            delivery: Delivery | None = None
            self.under_way += 1
            try:
                delivery = self._delivery(item)
                outcome = await send(delivery)
            except TransformError as error:
                outcome = Reject(f"The transform failed: {error}")
            except OutsideContract as error:
                outcome = Reject(str(error))
            except Exception as error:
                logger.error(
                    "Connector %s raised. %s", self.facts.connector, self._discreet(traceback.format_exc())
                )
                outcome = Retry(f"{type(error).__name__}: {error}")
            finally:
                self.under_way -= 1
            if not self.abandoned:
                self._record(item, delivery, outcome, at)
                # The first since the last commit, and those that something waits for.
                if len(self.progress.outbox.attempts) == 1 or self.needs_round:
                    self._tell(self)

    def _delivery(self, item: Item) -> Delivery:
        assert self._transform is not None
        raw = item.raw
        # Stable over retries, crashes and takeovers, and ours: a CloudEvents id is the publisher's to choose.
        delivery_id, attempt = f"{self._id_prefix}{item.seq:x}", item.attempts + 1
        if self._transform.whole and self._contract is None:
            attributes = Event.from_json(raw).attributes if b'"traceparent"' in raw else {}
            return Delivery(
                event=raw, attributes=attributes, delivery_id=delivery_id, attempt=attempt, whole=True
            )
        event = Event.from_json(raw)
        output = output_of(self._transform, event, self.facts.config.get("mode") == "structured")
        if self._contract is not None and (refusal := self._contract.refusal(output)):
            raise OutsideContract(refusal)
        if self._transform.whole:
            return Delivery(
                event=raw, attributes=event.attributes, delivery_id=delivery_id, attempt=attempt, whole=True
            )
        return Delivery(
            event=raw, attributes=event.attributes, delivery_id=delivery_id, attempt=attempt,
            body=output.body, content_type=output.content_type,
        )  # fmt: skip

    def _record(self, item: Item, delivery: Delivery | None, outcome: Outcome, at: int) -> None:
        now = time.time_ns() // 1000
        facts, progress = self.facts, self.progress
        begun = (facts.id, item.seq, item.attempts + 1, at, now - at)
        if isinstance(outcome, Delivered):
            progress.tried(item, (*begun, _DELIVERED, outcome.status, facts.revision, None, None))
            progress.delivered(item, now)
            return
        assert isinstance(outcome, Retry | Reject | Misconfigured | Gone)
        reason, status = self._discreet(outcome.reason), outcome.status
        response = self._discreet(outcome.excerpt_text.replace("\x00", "\ufffd")) if outcome.excerpt else None
        progress.tried(item, (*begun, int(_ENDED[type(outcome)]), status, facts.revision, reason, response))
        if isinstance(outcome, Misconfigured | Gone):
            self.halted = ("stopped", reason)
            return
        due_at = None
        if isinstance(outcome, Retry) and item.failures + 1 < facts.policy.max_attempts:
            wait = facts.policy.delay(item.failures + 1, random.random(), outcome.after)
            due_at = now + int(wait * 1_000_000)
            if self.next_due is None or due_at < self.next_due:
                self.next_due = due_at
        request = _frozen(delivery) if due_at is None and delivery is not None else None
        progress.failed(item, now, due_at, reason, status, request, response)


_DELIVERED = int(Ended.DELIVERED)
_ENDED: dict[type[Outcome], Ended] = {
    Retry: Ended.RETRY, Reject: Ended.REJECTED, Misconfigured: Ended.MISCONFIGURED, Gone: Ended.GONE
}  # fmt: skip


def _frozen(delivery: Delivery) -> str:
    """What was sent, for the dead letter: the body as text, or that the event went as it is."""
    if delivery.whole:
        return msgspec.json.encode({"whole": True}).decode()
    body = delivery.body.decode("utf-8", "replace").replace("\x00", "\ufffd")
    return msgspec.json.encode({"whole": False, "content_type": delivery.content_type, "body": body}).decode()
