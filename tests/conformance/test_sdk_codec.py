"""The CloudEvents Python SDK and our codec understand each other: its core API and its older v1 layer, both ways.

Cases that the SDK itself spells against the specification are listed at the end, with what we answer.
"""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import pytest
from cloudevents.core.bindings import http as core_http
from cloudevents.core.v1.event import CloudEvent as CoreEvent
from cloudevents.v1.conversion import to_binary as layer_to_binary
from cloudevents.v1.conversion import to_structured as layer_to_structured
from cloudevents.v1.http import CloudEvent as LayerEvent
from cloudevents.v1.http import from_http as layer_from_http

from delivery.cloudevents import (
    CloudEvent,
    Refused,
    decode,
    decode_batch,
    decode_structured,
    encode_binary,
    encode_structured,
)

MOMENT = "2026-11-23T06:30:01.123000Z"
LEAST = {
    "specversion": "1.0",
    "id": "a-1",
    "source": "/sensors/tn-1",
    "type": "com.example.read",
    "time": MOMENT,
}

# attributes beside the least ones, data
EVENTS: dict[str, tuple[dict[str, str], Any]] = {
    "no data": ({}, None),
    "object": ({"datacontenttype": "application/json"}, {"a": [1, 2.5, None, True, {"b": "灯 \"x\""}], "n": 10**22}),
    "object of no stated type": ({}, {"a": 1}),
    "object of a suffixed type": ({"datacontenttype": "application/vnd.example+json"}, {"a": {}}),
    "json with parameters": ({"datacontenttype": "application/json; charset=utf-8"}, {"a": "é"}),
    "text": ({"datacontenttype": "text/plain"}, "hello, 灯"),
    "xml": ({"datacontenttype": "text/xml"}, '<much wow="xml"/>'),
    "bytes": ({"datacontenttype": "application/octet-stream"}, b"\x00\xff\xfe{}"),
    "image": ({"datacontenttype": "image/png"}, b"\x89PNG\r\n"),
    "subject beyond ASCII": ({"subject": "灯-7 \"x\" 100% 😀"}, {"a": 1}),
    "extensions": ({"partitionkey": "k 1", "traceparent": "00-4bf92f3577b34da6-00f067aa0ba902b7-01"}, {"a": 1}),
    "all attributes": (
        {"subject": "s", "dataschema": "https://x.example/s.json", "datacontenttype": "application/json"},
        {"a": 1},
    ),
}  # fmt: skip


@pytest.fixture(params=EVENTS, ids=lambda name: name.replace(" ", "-"))
def case(request: pytest.FixtureRequest) -> tuple[dict[str, str], Any]:
    extra, data = EVENTS[request.param]
    return {**LEAST, **extra}, data


def received(headers: dict[str, str], body: bytes | str | None) -> CloudEvent:
    sent = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
    [event] = decode(sent, body.encode() if isinstance(body, str) else body or b"")
    return event


def python_data(event: CloudEvent) -> Any:
    if event.data is None:
        return None
    if event.data_is_json:
        return json.loads(event.data)
    return event.data.decode() if (event.datacontenttype or "").startswith("text/") else event.data


def instant(text: Any) -> datetime:
    return text if isinstance(text, datetime) else datetime.fromisoformat(text.replace("Z", "+00:00"))


def assert_same(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Equal attributes; `time` as an instant, which the SDK writes in its own way."""
    assert {**ours, "time": instant(ours["time"])} == {**theirs, "time": instant(theirs["time"])}


def core_event(attributes: dict[str, str], data: Any) -> CoreEvent:
    return CoreEvent({**attributes, "time": instant(attributes["time"])}, data)


def our_text(attributes: dict[str, str], data: Any) -> bytes:
    """The event as our log would hold it."""
    if isinstance(data, bytes):
        return json.dumps({**attributes, "data_base64": b64encode(data).decode()}).encode()
    return json.dumps(attributes if data is None else {**attributes, "data": data}).encode()


# ── what the SDK sends, we take ──


def test_we_take_what_the_core_api_sends_in_binary_mode(case: tuple[dict[str, str], Any]) -> None:
    attributes, data = case
    message = core_http.to_binary_event(core_event(attributes, data))
    event = received(message.headers, message.body)
    assert_same(event.attributes, attributes)
    assert python_data(event) == data


def test_we_take_what_the_core_api_sends_in_structured_mode(case: tuple[dict[str, str], Any]) -> None:
    attributes, data = case
    message = core_http.to_structured_event(core_event(attributes, data))
    event = received(message.headers, message.body)
    assert_same(event.attributes, attributes)
    assert python_data(event) == data
    assert decode_batch(b"[" + message.body + b"]") == [event]


def test_we_take_what_the_v1_layer_sends_in_structured_mode(case: tuple[dict[str, str], Any]) -> None:
    attributes, data = case
    event = received(*layer_to_structured(LayerEvent(attributes, data)))
    assert_same(event.attributes, attributes)
    assert python_data(event) == data


def test_we_take_what_the_v1_layer_sends_in_binary_mode(case: tuple[dict[str, str], Any]) -> None:
    attributes, data = case
    # Left alone the layer writes text as JSON, quotation marks included, whatever the content type says.
    as_is = (lambda text: text) if isinstance(data, str) else None
    headers, body = layer_to_binary(LayerEvent(attributes, data), as_is)
    if not all(value.isascii() for value in headers.values()):
        # The layer does not percent-encode. Clients send such a value as UTF-8 or Latin-1; we say what to do.
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        with pytest.raises(Refused, match="percent-encode") as caught:
            decode(sent, body or b"")
        assert caught.value.attribute == "subject"
        return
    event = received(headers, body)
    assert_same(event.attributes, attributes)
    assert python_data(event) == data


# ── what we send, the SDK reads ──


def as_sent(attributes: dict[str, str], data: Any) -> dict[str, str]:
    """In binary mode an event with data always states its content type."""
    return attributes if data is None else {"datacontenttype": "application/json", **attributes}


def test_the_core_api_reads_what_we_send_in_binary_mode(case: tuple[dict[str, str], Any]) -> None:
    attributes, data = case
    headers, body = encode_binary(decode_structured(our_text(attributes, data)).raw)
    event = core_http.from_http_event(core_http.HTTPMessage(dict(headers), body))
    assert_same(as_sent(attributes, data), event.get_attributes())
    assert in_python(event.get_data(), data) == data


def test_the_core_api_reads_what_we_send_in_structured_mode(case: tuple[dict[str, str], Any]) -> None:
    attributes, data = case
    headers, body = encode_structured(decode_structured(our_text(attributes, data)).raw)
    event = core_http.from_http_event(core_http.HTTPMessage(dict(headers), body))
    assert_same(attributes, event.get_attributes())
    assert event.get_data() == data


def test_the_v1_layer_reads_what_we_send_in_binary_mode(case: tuple[dict[str, str], Any]) -> None:
    attributes, data = case
    headers, body = encode_binary(decode_structured(our_text(attributes, data)).raw)
    event = layer_from_http(dict(headers), body)
    # The layer does not decode percent escapes; its users do.
    read = {name: unquote(value) for name, value in event.get_attributes().items()}
    assert_same(as_sent(attributes, data), read)
    assert in_python(event.get_data(), data) == data


def test_the_v1_layer_reads_what_we_send_in_structured_mode(case: tuple[dict[str, str], Any]) -> None:
    attributes, data = case
    headers, body = encode_structured(decode_structured(our_text(attributes, data)).raw)
    event = layer_from_http(dict(headers), body)
    assert_same(attributes, dict(event.get_attributes()))
    assert event.get_data() == data


def in_python(read: Any, like: Any) -> Any:
    """The SDK gives bytes that happen to be text as str and text of a foreign type as bytes; content is what counts."""
    if isinstance(read, bytes) and isinstance(like, str):
        return read.decode()
    return read.encode() if isinstance(read, str) and isinstance(like, bytes) else read


# ── where the SDK strays from the specification ──


def test_bytes_of_json_that_the_core_api_sends_in_base64_become_json() -> None:
    sent = core_event({**LEAST, "datacontenttype": "application/json"}, b'{"a":1}')
    message = core_http.to_structured_event(sent)
    assert b"data_base64" in message.body
    event = received(message.headers, message.body)
    assert (event.data, event.data_is_json) == (b'{"a":1}', True)
    assert json.loads(event.raw)["data"] == {"a": 1}


@pytest.mark.parametrize("data", [["a", None, True], "just text"])
def test_a_json_body_that_the_core_api_writes_wrongly_is_refused(data: Any) -> None:
    message = core_http.to_binary_event(core_event({**LEAST, "datacontenttype": "application/json"}, data))
    with pytest.raises(Refused, match="not valid JSON"):
        received(message.headers, message.body)


def test_stray_ce_headers_do_not_override_a_structured_body() -> None:
    message = core_http.to_structured_event(core_event(LEAST, {"a": 1}))
    event = received({**message.headers, "ce-id": "stray", "ce-specversion": "0.3"}, message.body)
    assert event.id == LEAST["id"]
