"""What a target is sent for one event, worked out again for people to read: request line, headers, body."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

from delivery.cloudevents import encode_binary
from delivery.connectors.http.disguise import disguised, hidden_headers
from delivery.connectors.registry import ConnectorUnavailable, connector
from delivery.connectors.spi import Delivery, InvalidConfig, Outcome
from delivery.pages.recording import request_of
from delivery.peers.services import USER_AGENT, address_policy
from rules import registry, secrets
from rules.engine import Event, TransformError, compile_transform

ON_THE_WIRE = frozenset({"http"})
"""Connectors that send all they send through the client they are lent: their request is recorded byte for byte."""
OF_ONE_ATTEMPT = ("webhook-timestamp", "webhook-signature", "signalbox-attempt")


class Outgoing(NamedTuple):
    """A request as text. `line` says where it goes; `problem` why it cannot be worked out."""

    line: str
    headers: list[tuple[str, str]]
    body: str
    size: int
    problem: str = ""


def outgoing(
    connector_name: str,
    config: dict[str, Any],
    transform: dict[str, Any],
    raw: bytes,
    delivery_id: str = "",
    now: bool = False,
    attempt: tuple[int, int] | None = None,
    delivery: Delivery | None = None,
) -> Outgoing:
    """The request for the event `raw` (CloudEvents JSON) by those settings; secrets are shown as dots.

    `now`: as it would go out at this moment. `attempt`: as one went out, by its number and time (seconds since 1970).
    Without either, headers that differ from attempt to attempt are left out. `delivery`: what was sent, where it was kept;
    else it is made by `transform`.
    """
    line = registry.describe(connector_name, config)
    try:
        delivery = delivery or delivery_of(raw, transform, delivery_id or "msg_…")
        if connector_name in ON_THE_WIRE:
            return _recorded(connector_name, config, delivery, line, now, attempt)
        fields, body = encode_binary(raw)
        headers = [(name.lower(), value) for name, value in fields]
        if not delivery.whole:
            headers = [pair for pair in headers if pair[0] not in ("content-type", "ce-dataschema")]
            headers, body = [("content-type", delivery.content_type), *headers], delivery.body
    except (ConnectorUnavailable, InvalidConfig, TransformError, ValueError) as error:
        return Outgoing(line, [], "", 0, str(error))
    if delivery_id:
        headers.append(("webhook-id", delivery_id))
    return Outgoing(line, headers, body.decode("utf-8", "replace"), len(body))


def delivery_of(raw: bytes, transform: dict[str, Any], delivery_id: str) -> Delivery:
    """The delivery of an event, as the runner makes it. Raises TransformError, ValueError."""
    event = Event.from_json(raw)
    compiled = compile_transform(transform or {"kind": "complete"})
    if compiled.whole:
        return Delivery(
            event=raw, attributes=event.attributes, delivery_id=delivery_id, attempt=1, whole=True
        )
    output = compiled.apply(event)
    return Delivery(
        event=raw,
        attributes=event.attributes,
        delivery_id=delivery_id,
        attempt=1,
        body=output.body,
        content_type=output.content_type,
    )


def _recorded(
    name: str,
    config: dict[str, Any],
    delivery: Delivery,
    line: str,
    now: bool,
    attempt: tuple[int, int] | None,
) -> Outgoing:
    made = connector(name)
    # The id stands in a header, which is ASCII.
    shown = delivery.delivery_id
    sent = msgspec.structs.replace(delivery, delivery_id=shown.encode("ascii", "replace").decode())
    found = request_of(
        made, made.Config.load(disguised(config, secrets.MASK)), sent, address_policy(), USER_AGENT
    )
    if isinstance(found, Outcome):
        return Outgoing(line, [], "", 0, getattr(found, "reason", ""))
    head, _empty, body = found.partition(b"\r\n\r\n")
    first, *fields = head.decode("ascii", "replace").split("\r\n")
    hidden = hidden_headers(config)
    headers = []
    for text in fields:
        header, _colon, value = text.partition(": ")
        if header.lower() in OF_ONE_ATTEMPT and not now:
            # What was signed cannot be worked out again: keys come and go.
            if attempt is None or header.lower() == "webhook-signature":
                continue
            value = str(attempt[0 if header.lower() == "signalbox-attempt" else 1])
        if header == "webhook-id":
            value = shown
        headers.append((header.lower(), secrets.MASK if header.lower() in hidden else value))
    # The query may hold a key, as in describe().
    return Outgoing(re.sub(r"\?\S*", "?…", first), headers, body.decode("utf-8", "replace"), len(body))


def delivery_id(target: int, seq: int) -> str:
    """The id that every attempt to deliver that event to that target carries."""
    return f"msg_{target:x}_{seq:x}"
