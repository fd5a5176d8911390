"""What a target is sent for an event: its transform and contract applied, under an id that stays the same."""

from __future__ import annotations

from typing import Any

import msgspec

from delivery.connectors.spi import Delivery, Outcome, Reject
from delivery.runner.items import Item
from rules.contract import Contract, compile_contract
from rules.engine import Event, Transform, TransformError, compile_transform
from rules.outputs import output_of


class OutsideContract(ValueError):
    """What would be sent does not fit the target's contract; it says where."""


class Preparing:
    """Makes deliveries of one target; its transform and contract are compiled once."""

    def __init__(
        self, target: int, transform: dict[str, Any], contract: dict[str, Any], structured: bool
    ) -> None:
        """`structured`: whether the event's envelope is sent in its body. Raises TransformError, ContractRefused."""
        self._transform: Transform = compile_transform(transform or {"kind": "complete"})
        self._contract: Contract | None = compile_contract(contract) if contract else None
        self._structured = structured
        # Stable over retries, crashes and takeovers, and ours: a CloudEvents id is the publisher's to choose.
        self._id_prefix = f"msg_{target:x}_"

    def delivery(self, item: Item) -> Delivery:
        """The next attempt at `item`. Raises TransformError, OutsideContract."""
        raw = item.raw
        delivery_id, attempt, redriven = (
            f"{self._id_prefix}{item.seq:x}", item.attempts + 1, item.redriven > 0
        )  # fmt: skip
        if self._transform.whole and self._contract is None:
            attributes = Event.from_json(raw).attributes if b'"traceparent"' in raw else {}
            return Delivery(
                event=raw, attributes=attributes, delivery_id=delivery_id, attempt=attempt, redriven=redriven, whole=True
            )  # fmt: skip
        event = Event.from_json(raw)
        output = output_of(self._transform, event, self._structured)
        if self._contract is not None and (refusal := self._contract.refusal(output)):
            raise OutsideContract(refusal)
        if self._transform.whole:
            return Delivery(
                event=raw, attributes=event.attributes, delivery_id=delivery_id, attempt=attempt, redriven=redriven, whole=True
            )  # fmt: skip
        return Delivery(
            event=raw, attributes=event.attributes, delivery_id=delivery_id, attempt=attempt, redriven=redriven,
            body=output.body, content_type=output.content_type,
        )  # fmt: skip


def size_of(delivery: Delivery) -> int:
    """Bytes of what is sent, without what surrounds it."""
    return len(delivery.event if delivery.whole else delivery.body)


def frozen(delivery: Delivery, revision: int, at: int) -> str:
    """What was sent, for the dead letter: the body as text, or that the event went as it is.

    Where it went, and with what headers, is said by the target's `revision`, which never changes; `at`: when, microseconds.
    """
    made: dict[str, Any] = {
        "whole": delivery.whole,
        "revision": revision,
        "attempt": delivery.attempt,
        "at": at,
    }
    if not delivery.whole:
        made["content_type"] = delivery.content_type
        made["body"] = delivery.body.decode("utf-8", "replace").replace("\x00", "\ufffd")
    return msgspec.json.encode(made).decode()


def unsendable(error: TransformError | OutsideContract) -> Outcome:
    """What becomes of an event that no delivery can be made of."""
    what = f"The transform failed: {error}" if isinstance(error, TransformError) else str(error)
    return Reject(what)
