"""The event as the engine sees it: data decoded once, only when asked, in whatever form it came."""

from __future__ import annotations

import base64
import json

import msgspec
import pytest

from rules.engine import ABSENT, Event

JSON = "application/json"
# (datacontenttype, data, data_is_json, the decoded value)
DATA = [
    (None, b'{"a": 1}', True, {"a": 1}),
    (None, None, True, ABSENT),
    (None, b"null", True, None),
    (None, b"123456789012345678901234567890", True, 123456789012345678901234567890),
    (JSON, b'"{\\"a\\": [1]}"', True, {"a": [1]}),
    (JSON, b'" [1]"', True, [1]),
    (JSON, b'"12"', True, "12"),
    (JSON, b'"{not json"', True, "{not json"),
    (JSON, b'"hello"', True, "hello"),
    ("application/vnd.acme+json; charset=utf-8", b'"{}"', True, {}),
    ("text/plain", b'"{}"', True, "{}"),
    (JSON, b'{"a": 1}', False, {"a": 1}),
    ("Application/JSON", b'{"a": 1}', False, {"a": 1}),
    ("text/xml", b"<a>1</a>", False, "<a>1</a>"),
    ("text/plain", b"12", False, "12"),
    ("image/png", b"\x89PNG", False, base64.b64encode(b"\x89PNG").decode()),
    (JSON, b"{not json", True, "{not json"),
]


@pytest.mark.parametrize(("content_type", "data", "is_json", "value"), DATA)
def test_data_is_decoded_in_whatever_form_it_came(content_type, data, is_json, value) -> None:
    attributes = {} if content_type is None else {"datacontenttype": content_type}
    assert Event(attributes, data, is_json).data == value


def test_data_is_decoded_once() -> None:
    event = Event({}, b'{"a": 1}')
    assert event.data is event.data


def test_a_structured_event_keeps_its_attributes_and_its_bytes() -> None:
    raw = b'{ "id":"1","type":"t","n":5,"flag":true,"gone":null, "data":{"a" : 1.50}}'
    event = Event.from_json(raw)
    assert event.attributes == {"id": "1", "type": "t", "n": 5, "flag": True}
    assert event.data == {"a": 1.5}
    assert event.to_json() == raw


def test_a_structured_event_with_base64_of_json_has_its_data() -> None:
    raw = json.dumps(
        {"datacontenttype": JSON, "data_base64": base64.b64encode(b'{"a": 1}').decode()}
    ).encode()
    assert Event.from_json(raw).data == {"a": 1}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"[]", "one JSON object"),
        (b"{", "one JSON object"),
        (b'{"n": 1.5}', "attribute n must be"),
        (b'{"n": {}}', "attribute n must be"),
        (b'{"data": 1, "data_base64": "MQ=="}', "not both"),
        (b'{"data_base64": "M"}', "string of base64"),
        (b'{"data_base64": 1}', "string of base64"),
    ],
)
def test_what_is_no_structured_event_is_refused(raw, message) -> None:
    with pytest.raises(ValueError, match=message):
        Event.from_json(raw)


@pytest.mark.parametrize(("content_type", "data", "is_json", "value"), DATA)
def test_the_event_as_json_says_the_same(content_type, data, is_json, value) -> None:
    attributes = {"id": "1", **({} if content_type is None else {"datacontenttype": content_type})}
    again = Event.from_json(Event(attributes, data, is_json).to_json())
    assert again.attributes == attributes
    assert again.data == value


def test_an_event_without_attributes_is_json_too() -> None:
    assert msgspec.json.decode(Event({}, b"1").to_json()) == {"data": 1}
    assert msgspec.json.decode(Event({}, None).to_json()) == {}


@pytest.mark.parametrize(
    ("raw", "attributes", "data", "data_raw"),
    [
        (b'{"type": "a", "data": {"n": [1, 2.50]}}', {"type": "a"}, {"n": [1, 2.5]}, b'{"n": [1, 2.50]}'),
        (b'{"type": "a", "data": null}', {"type": "a"}, None, b"null"),
        (b'{"type": "a"}', {"type": "a"}, ABSENT, None),
        (b'{"type": "a", "subject": null, "data": 1}', {"type": "a"}, 1, b"1"),
        (b'{"type": "a", "data": "{\\"n\\": 1}"}', {"type": "a"}, {"n": 1}, b'"{\\"n\\": 1}"'),
        (b'{"type": "a", "data": "{n}"}', {"type": "a"}, "{n}", b'"{n}"'),
        (
            b'{"datacontenttype": "text/plain", "data": "{\\"n\\": 1}"}',
            {"datacontenttype": "text/plain"},
            '{"n": 1}',
            b'"{\\"n\\": 1}"',
        ),
        (b'{"type": "a", "data_base64": "MQ=="}', {"type": "a"}, 1, b"1"),
    ],
)
def test_an_event_read_whole_is_the_event_read_in_parts(raw, attributes, data, data_raw) -> None:
    whole, parts = Event.from_json(raw), Event._from_members(raw)
    for event in (whole, parts):
        assert (event.attributes, event.data, event.data_raw) == (attributes, data, data_raw)
        assert event.to_json() == raw


def test_data_that_cannot_be_decoded_does_not_harm_the_attributes() -> None:
    event = Event.from_json(b'{"type": "a", "data": {"n": 1e999}}')
    assert event.attributes == {"type": "a"}
    assert event.data == '{"n": 1e999}'
