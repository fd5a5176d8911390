"""Structured mode: bodies that are refused, what of a body is stored, and the limits."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from delivery.cloudevents import Limits, decode_structured
from tests.unit.cloudevents.json_text import LEAST_EVENT, event_text, refusal, replaced

REFUSED_BODIES: list[tuple[bytes, str | None, str]] = [
    (replaced("specversion", ""), "specversion", "missing"),
    (replaced("specversion", "null"), "specversion", "missing"),
    (replaced("specversion", "1.0"), "specversion", 'string "1.0"'),
    (replaced("specversion", "1"), "specversion", 'string "1.0"'),
    (replaced("specversion", '""'), "specversion", '"1.0"'),
    (replaced("specversion", '"0.3"'), "specversion", '"1.0"'),
    (replaced("specversion", '"1.0 "'), "specversion", '"1.0"'),
    (replaced("specversion", '"1.1"'), "specversion", '"1.0"'),
    (replaced("id", ""), "id", "missing"),
    (replaced("id", "null"), "id", "missing"),
    (replaced("id", '""'), "id", "empty"),
    (replaced("id", "1"), "id", "string"),
    (replaced("id", "0"), "id", "string"),
    (replaced("id", "false"), "id", "string"),
    (replaced("id", "1.5"), "id", "fraction"),
    (replaced("id", '"a\\nb"'), "id", "U+000A"),
    (replaced("source", ""), "source", "missing"),
    (replaced("source", "null"), "source", "missing"),
    (replaced("source", '""'), "source", "empty"),
    (replaced("source", '"a b"'), "source", "URI-reference"),
    (replaced("source", '"/é"'), "source", "percent-encode"),
    (replaced("source", '"http://[::1"'), "source", "URI-reference"),
    (replaced("source", "[]"), "source", "object or array"),
    (replaced("type", ""), "type", "missing"),
    (replaced("type", "null"), "type", "missing"),
    (replaced("type", '""'), "type", "empty"),
    (replaced("type", "true"), "type", "string"),
    (b"", None, "empty"),
    (b" \n ", None, "empty"),
    (b"{}", "specversion", "missing"),
    (b"null", None, "JSON object"),
    (b"[]", None, "JSON object"),
    (b"1", None, "JSON object"),
    (b'"x"', None, "JSON object"),
    (b"[" + event_text() + b"]", None, "JSON object"),
    (b"{", None, "too early"),
    (event_text()[:-1], None, "too early"),
    (event_text() + b"x", None, "trailing"),
    (event_text() + event_text(), None, "trailing"),
    (event_text() + b"\x00", None, "trailing"),
    (b"\x00" + event_text(), None, "byte 0"),
    (b"\xef\xbb\xbf" + event_text(), None, "byte order mark"),
    (event_text().decode().encode("utf-16"), None, "UTF-8"),
    (event_text('"subject":"@"').replace(b"@", b"\xff"), None, "UTF-8 at byte 66"),
    (event_text('"subject":"@"').replace(b"@", b"\xc0\xa0"), None, "UTF-8"),
    (event_text('"subject":"@"').replace(b"@", b"\xed\xa0\x80"), None, "UTF-8"),
    (event_text('"data":{"a":"@"}').replace(b"@", b"\xe9"), None, "UTF-8"),
    (event_text('"data":{"@":1}').replace(b"@", b"\xf8"), None, "UTF-8"),
    (b"specversion=1.0&id=1", None, "not valid JSON"),
    (b"<event/>", None, "not valid JSON"),
]


@pytest.mark.parametrize(("body", "attribute", "reason"), REFUSED_BODIES)
def test_a_body_is_refused_with_the_place_named(body: bytes, attribute: str | None, reason: str) -> None:
    refused = refusal(body)
    assert (refused.status, refused.attribute) == (400, attribute)
    assert reason in refused.reason


def test_the_body_itself_is_stored_when_it_is_clean() -> None:
    body = event_text('"data" : { "x" :\n 1.10 , "y":"\\u00e9" }')
    assert decode_structured(b" \r\n\t" + body + b"\n").raw == body


def test_null_attributes_are_left_out_of_what_is_stored_and_the_data_stays_as_written() -> None:
    event = decode_structured(event_text('"subject":null,"ext":null,"data":{"n": null, "x": 1.10}'))
    assert event.raw == event_text('"data":{"n": null, "x": 1.10}')


@pytest.mark.parametrize(
    ("data", "stored"),
    [
        ('{"a":1,"a":2}', b'{"a":2}'),
        ('[{"b":{"a":1,"c":3,"a":[2]}}]', b'[{"b":{"a":[2],"c":3}}]'),
        ('{"a":1,"\\u0061":2}', b'{"a":2}'),
        ('{"a":"\\u003a","b":{"x":"::","x":":"}}', b'{"a":":","b":{"x":":"}}'),
        ('{"a":{"b":"::::"},"a":1}', b'{"a":1}'),
    ],
)
def test_a_name_repeated_inside_data_is_settled_before_it_is_stored(data: str, stored: bytes) -> None:
    event = decode_structured(event_text(f'"data":{data}'))
    assert event.data == stored
    assert event.raw == event_text('"data":')[:-1] + stored + b"}"
    as_base64 = json.dumps(
        LEAST_EVENT | {"datacontenttype": "a/json", "data_base64": b64encode(data.encode()).decode()}
    )
    assert decode_structured(as_base64.encode()).data == stored


def test_json_sent_in_base64_is_stored_as_json_so_that_rules_see_it() -> None:
    body = json.dumps(
        LEAST_EVENT | {"datacontenttype": "a/json", "data_base64": b64encode(b' {"a": 1}\n').decode()}
    ).encode()
    assert json.loads(decode_structured(body).raw)["data"] == {"a": 1}


@pytest.mark.parametrize("depth", [1, 5, 127])
def test_data_may_nest_up_to_the_limit(depth: int) -> None:
    assert decode_structured(event_text('"data":' + "[" * depth + "]" * depth)).data_is_json
    flat = '{"a":[' + ",".join(["[{}]"] * 500) + "]}"
    assert decode_structured(event_text(f'"data":{flat}')).data == flat.encode()


def test_limits_are_kept() -> None:
    limits = Limits(event_bytes=65536, attributes=6, attribute_bytes=20)
    padding = 65536 - len(event_text('"data":""'))
    assert decode_structured(event_text(f'"data":"{"x" * padding}"'), limits).data_is_json
    refused = refusal(event_text(f'"data":"{"x" * (padding + 1)}"'), limits)
    assert (refused.status, refused.attribute) == (413, None)
    assert "65537" in refused.reason

    assert decode_structured(event_text('"a":"1","b":"2"'), limits).extensions == {"a": "1", "b": "2"}
    refused = refusal(event_text('"a":"1","b":"2","c":3'), limits)
    assert (refused.status, refused.attribute) == (413, None)
    assert "7 attributes" in refused.reason

    assert decode_structured(event_text(f'"ext":"{"x" * 17}"'), limits).extensions == {"ext": "x" * 17}
    assert refusal(event_text(f'"ext":"{"x" * 18}"'), limits).attribute == "ext"
    assert decode_structured(event_text('"ext":"ééééé éé"'), limits).extensions == {"ext": "ééééé éé"}
    refused = refusal(event_text('"ext":"ééééé ééé"'), Limits(attribute_bytes=19))
    assert (refused.status, refused.attribute) == (413, "ext")
    refused = refusal(event_text(f'"{"n" * 30}":true'), limits)
    assert (refused.status, refused.attribute) == (413, "n" * 30)


def test_a_limit_below_what_cloudevents_asks_for_is_an_error() -> None:
    with pytest.raises(ValueError, match="65536"):
        Limits(event_bytes=1000)


def test_an_event_cannot_be_changed() -> None:
    event = decode_structured(event_text())
    with pytest.raises(AttributeError):
        setattr(event, "id", "2")  # noqa: B010
