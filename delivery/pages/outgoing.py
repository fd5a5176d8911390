"""What a target is sent for one event, worked out again for people to read: request line, headers, body."""

from __future__ import annotations

from typing import Any, NamedTuple

from delivery.cloudevents import encode_binary
from rules import registry
from rules.engine import Event, TransformError, compile_transform


class Outgoing(NamedTuple):
    """A request as text. `line` says where it goes; `problem` why it cannot be worked out."""

    line: str
    headers: list[tuple[str, str]]
    body: str
    size: int
    problem: str = ""


def outgoing(
    connector: str, config: dict[str, Any], transform: dict[str, Any], raw: bytes, delivery_id: str = ""
) -> Outgoing:
    """The request for the event `raw` (CloudEvents JSON) by those settings; secrets and time stamps are left out."""
    line = registry.describe(connector, config)
    try:
        compiled = compile_transform(transform)
        event = Event.from_json(raw)
        fields, body = encode_binary(raw)
        headers = [(name.lower(), value) for name, value in fields]
        if not compiled.whole:
            output = compiled.apply(event)
            headers = [pair for pair in headers if pair[0] not in ("content-type", "ce-dataschema")]
            headers, body = [("content-type", output.content_type), *headers], output.body
        elif config.get("mode") == "structured":
            headers, body = [("content-type", "application/cloudevents+json; charset=utf-8")], raw
    except (TransformError, ValueError) as error:
        return Outgoing(line, [], "", 0, str(error))
    if delivery_id:
        headers.append(("webhook-id", delivery_id))
    return Outgoing(line, headers, body.decode("utf-8", "replace"), len(body))


def delivery_id(target: int, seq: int) -> str:
    """The id that every attempt to deliver that event to that target carries."""
    return f"msg_{target:x}_{seq:x}"
