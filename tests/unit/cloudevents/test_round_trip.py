"""Whatever is accepted can be sent on in both modes and is read as the same event."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from delivery.cloudevents import (
    CloudEvent,
    Refused,
    decode,
    decode_batch,
    decode_binary,
    decode_structured,
    encode_binary,
    encode_structured,
)

_noncharacters = [chr(code) for code in range(0xFDD0, 0xFDF0)] + [
    chr(plane * 0x10000 + low) for plane in range(17) for low in (0xFFFE, 0xFFFF)
]
attribute_text = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="".join(_noncharacters)),
    min_size=1,
    max_size=40,
)
names = st.from_regex(r"[a-z0-9]{1,24}", fullmatch=True).filter(
    lambda name: (
        name
        not in {
            "data",
            "id",
            "source",
            "type",
            "specversion",
            "subject",
            "time",
            "datacontenttype",
            "dataschema",
        }
    )
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
attributes = st.fixed_dictionaries(
    {
        "specversion": st.just("1.0"),
        "id": attribute_text,
        "source": st.sampled_from(
            ["/a", "urn:x:y", "https://x.example/a?b=c#d", "1-555-123-4567", "//h/p%20q"]
        ),
        "type": attribute_text,
    },
    optional={
        "subject": attribute_text,
        "time": st.datetimes(timezones=st.just(None)).map(lambda moment: moment.isoformat() + "-05:30"),
        "dataschema": st.sampled_from(["urn:schema:1", "https://x.example/s.json#/a"]),
    },
)
extensions = st.dictionaries(
    names, attribute_text | st.just("") | st.booleans() | st.integers(-(2**31), 2**31 - 1), max_size=5
)
json_data = st.fixed_dictionaries(
    {"data": json_values},
    optional={"datacontenttype": st.sampled_from(["application/json", "a/B+Json; v=1"])},
)
text_data = st.fixed_dictionaries(
    {
        "data": st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
        "datacontenttype": st.sampled_from(
            ["text/plain", "text/xml;charset=UTF-8", "text/html; charset=utf-16"]
        ),
    }
)
bytes_data = st.fixed_dictionaries(
    {"data_base64": st.binary(max_size=40).map(lambda payload: b64encode(payload).decode())},
    optional={"datacontenttype": st.sampled_from(["application/octet-stream", "image/png", "text/plain"])},
)
events = st.builds(
    lambda *parts: {name: value for part in parts for name, value in part.items()},
    extensions,
    attributes,
    json_data | text_data | bytes_data | st.just({}),
)


def received(headers: list[tuple[str, str]], body: bytes) -> CloudEvent:
    [event] = decode([(name.encode("ascii"), value.encode("ascii")) for name, value in headers], body)
    return event


def as_binary_mode_says_it(event: CloudEvent) -> tuple[dict[str, Any], bytes | None, bool]:
    """The event as headers can tell it: all values text, the implied content type stated, no empty payload."""
    told: dict[str, Any] = {
        name: value if isinstance(value, str) else str(value).lower()
        for name, value in event.attributes.items()
    }
    if event.data is not None:
        told.setdefault(
            "datacontenttype", "application/json" if event.data_is_json else "application/octet-stream"
        )
    return told, event.data or None, event.data_is_json


@settings(max_examples=300, deadline=None)
@given(events, st.booleans(), st.sampled_from([None, 1]))
def test_an_accepted_event_travels_unchanged(
    event: dict[str, Any], escaped: bool, indent: int | None
) -> None:
    body = json.dumps(event, ensure_ascii=escaped, indent=indent).encode()
    accepted = decode_structured(body)
    assert accepted.attributes == {
        name: value
        for name, value in event.items()
        if not name.startswith("data") or name == "dataschema" or name == "datacontenttype"
    }
    if "data" in event and accepted.data_is_json:
        assert accepted.data is not None
        assert json.loads(accepted.data) == event["data"]
    assert accepted.raw == body

    assert received(*encode_structured(accepted.raw)) == accepted
    assert as_binary_mode_says_it(received(*encode_binary(accepted.raw))) == as_binary_mode_says_it(accepted)
    assert decode_batch(b"[" + body + b"," + body + b"]") == [accepted, accepted]


@settings(max_examples=200, deadline=None)
@given(
    attributes,
    st.binary(max_size=60),
    st.sampled_from([None, "text/plain", "image/png", "text/plain;charset=latin1"]),
)
def test_any_payload_travels_unchanged(
    sent: dict[str, str], payload: bytes, content_type: str | None
) -> None:
    headers, _ = encode_binary(msgspec.json.encode(sent))
    if content_type is not None:
        headers.append(("content-type", content_type))
    event = received(headers, payload)
    assert (event.data or b"").strip() == payload.strip() or event.data_is_json
    assert received(*encode_structured(event.raw)) == event
    told = as_binary_mode_says_it(event)
    assert as_binary_mode_says_it(received(*encode_binary(event.raw))) == told


def repeats_a_name(text: bytes) -> bool:
    found = False

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal found
        found = found or len({name for name, _ in pairs}) < len(pairs)

    json.loads(text, object_pairs_hook=look)
    return found


pieces = st.sampled_from(
    ['"a"', '"\\u0061"', '"\\u003a"', '":"', '"\\":"', ":", " :", ",", "{", "}", "[", "]", "1", '"b"']
)


@settings(max_examples=1500, deadline=None)
@given(st.lists(pieces, max_size=14).map("".join))
@example('{"a":{"b":1},"b":{"a":1}}')
@example('{"a":":","\\u0061":"\\u003a"}')
@example('[{"a" :1,"a":2}]')
def test_no_repeated_name_is_ever_stored(data: str) -> None:
    body = (f'{{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{data}}}').encode()
    try:
        accepted = decode_structured(body)
    except Refused:
        return
    assert not repeats_a_name(accepted.raw)
    assert json.loads(accepted.raw) == json.loads(body)
    if not repeats_a_name(body):
        assert accepted.raw == body


@settings(max_examples=500, deadline=None)
@given(
    st.binary(max_size=80),
    st.sampled_from(["application/cloudevents+json", "application/cloudevents-batch+json", "a/b", "é"]),
)
def test_noise_is_refused_and_nothing_else_happens(noise: bytes, content_type: str) -> None:
    for headers in (
        [(b"content-type", content_type.encode())],
        [(b"ce-" + noise[:5], noise), (b"ce-id", noise)],
    ):
        refused = None
        try:
            decode(headers, noise)
        except Refused as caught:
            refused = caught
        # No noise happens to be an event, save an empty batch.
        assert refused is not None or noise.strip(b" \t\r\n").startswith(b"[")
        assert refused is None or (refused.status in (400, 415) and refused.reason.endswith("."))


@given(st.text(max_size=60))
def test_text_that_is_no_json_is_taken_as_text_only_where_asked(text: str) -> None:
    headers = [(b"ce-specversion", b"1.0"), (b"ce-id", b"1"), (b"ce-source", b"/"), (b"ce-type", b"t")]
    headers.append((b"content-type", b"application/json"))
    try:
        body = text.encode()
    except UnicodeEncodeError:
        return
    lenient = decode_binary(headers, body, text_data=True)
    try:
        assert decode_binary(headers, body) == lenient
    except Refused:
        assert lenient.data is not None
        assert json.loads(lenient.data) == text
