"""Header lines and body of a delivery in each mode (CloudEvents HTTP protocol binding 1.0.2 §3)."""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from delivery.cloudevents import encode_binary
from delivery.connectors.spi import Delivery, Reject

STRUCTURED = b"content-type: application/cloudevents+json; charset=utf-8\r\n"
BATCHED = b"content-type: application/cloudevents-batch+json; charset=utf-8\r\n"

# W3C Trace Context §3.2.2 and §3.3.1; the values come from publishers
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[\x21-\x7e]{1,200})?")
_TRACESTATE = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,510}[\x21-\x7e])?")


Content = tuple[bytes, bytes]
"""What a request holds: header lines that end in CRLF, and the body."""


def content_of(delivery: Delivery, mode: str, signed: bool = False) -> Content | Reject:
    """Binary, structured or raw. What a transform made goes as the body in all of them.

    `signed`: receivers verify the body as UTF-8 text; a whole event whose data is no text then goes in structured mode.
    """
    if delivery.whole and mode == "structured":
        return STRUCTURED + _marks(delivery), delivery.event
    fields, body = encode_binary(delivery.event)
    if not delivery.whole:
        # the attributes say which event this came from; what the data was no longer holds
        fields = [field for field in fields if field[0] not in ("Content-Type", "ce-dataschema")]
        fields.append(("Content-Type", delivery.content_type))
        body = delivery.body
    elif signed and not _is_text(body):
        return STRUCTURED + _marks(delivery), delivery.event
    if mode == "raw":
        fields = [field for field in fields if field[0] == "Content-Type"]
    text = "".join([f"{name}: {value}\r\n" for name, value in fields])
    if text.count("\n") != len(fields) or not text.isascii():
        # the encoder percent-encodes all of this: a second lock on the door that splits requests
        return Reject("An attribute or the content type holds a character that cannot be sent as a header.")
    return text.encode("ascii") + _marks(delivery), body


def batch_of(deliveries: Sequence[Delivery]) -> Content:
    """One request for several events (CloudEvents JSON batch format §4)."""
    body = b"[%b]" % b",".join([_as_event(delivery) for delivery in deliveries])
    marks = b"signalbox-replay: true\r\n" if all(one.replay for one in deliveries) else b""
    return BATCHED + marks, body


def id_of_batch(deliveries: Sequence[Delivery]) -> str:
    """The same for the same events: what came once as a batch can be told when it comes again."""
    if len(deliveries) == 1:
        return deliveries[0].delivery_id
    ids = "\n".join(delivery.delivery_id for delivery in deliveries)
    return f"msg_batch_{hashlib.sha256(ids.encode()).hexdigest()[:32]}"


def _as_event(delivery: Delivery) -> bytes:
    """The event with what is sent as its data: as it is, or with what the transform made."""
    if delivery.whole:
        return delivery.event
    # Extensions keep their JSON types, which delivery.attributes has.
    envelope: dict[str, Any] = {
        name: value for name, value in delivery.attributes.items() if name != "dataschema"
    }
    envelope["datacontenttype"] = delivery.content_type
    essence = delivery.content_type.partition(";")[0].strip().lower()
    if essence.endswith(("/json", "+json")):
        envelope["data"] = msgspec.Raw(delivery.body)
    elif _is_text(delivery.body):
        envelope["data"] = delivery.body.decode()
    else:
        envelope["data_base64"] = binascii.b2a_base64(delivery.body, newline=False).decode("ascii")
    return msgspec.json.encode(envelope)


def _is_text(body: bytes) -> bool:
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _marks(delivery: Delivery) -> bytes:
    """Header lines that say what kind of delivery it is, and which trace it belongs to."""
    headers = b""
    if delivery.replay:
        headers = b"signalbox-replay: true\r\n"
    if delivery.redriven:
        headers += b"signalbox-redriven: true\r\n"
    attributes = delivery.attributes
    return headers + _trace(attributes) if "traceparent" in attributes else headers


def _trace(attributes: Mapping[str, Any]) -> bytes:
    """Header lines that continue the publisher's trace (CloudEvents distributed tracing extension); none if malformed."""
    parent, state = attributes["traceparent"], attributes.get("tracestate")
    if not (isinstance(parent, str) and _TRACEPARENT.fullmatch(parent)):
        return b""
    lines = f"traceparent: {parent}\r\n"
    if isinstance(state, str) and _TRACESTATE.fullmatch(state):
        lines += f"tracestate: {state}\r\n"
    return lines.encode("ascii")
