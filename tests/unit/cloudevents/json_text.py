"""The least event as JSON text, with members beside it or one of its own replaced, and what a body is refused for."""

from __future__ import annotations

import json

import pytest

from delivery.cloudevents import Limits, Refused, decode_structured

LEAST = '"specversion":"1.0","id":"1","source":"/s","type":"t"'

LEAST_EVENT = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}


def event_text(members: str = "") -> bytes:
    return ("{" + LEAST + ("," if members else "") + members + "}").encode()


def replaced(name: str, text: str) -> bytes:
    """The least event with one of its attributes written as the given JSON text, or left out when empty."""
    parts = {key: json.dumps(value) for key, value in LEAST_EVENT.items()} | {name: text}
    return ("{" + ",".join(f'"{key}":{value}' for key, value in parts.items() if value) + "}").encode()


def refusal(body: bytes, limits: Limits | None = None) -> Refused:
    with pytest.raises(Refused) as caught:
        decode_structured(body, limits or Limits())
    assert caught.value.reason.endswith(".")
    return caught.value
