"""Structured mode: which members are taken, exactly as what, and which are refused, naming the place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from delivery.cloudevents import decode_structured
from tests.unit.cloudevents.json_text import LEAST_EVENT, event_text, refusal

# members beside the least event → attributes beside the least ones, data, whether JSON
ACCEPTED: list[tuple[str, dict[str, Any], bytes | None, bool]] = [
    ("", {}, None, False),
    ('"subject":"a"', {"subject": "a"}, None, False),
    ('"subject":null', {}, None, False),
    ('"subject":"灯-7 \\"x\\" 100%"', {"subject": '灯-7 "x" 100%'}, None, False),
    ('"subject":"\\ud83d\\ude00"', {"subject": "😀"}, None, False),
    ('"subject":" "', {"subject": " "}, None, False),
    ('"subject":"a\\u200db"', {"subject": "a\u200db"}, None, False),
    ('"subject":"\\u00a0"', {"subject": "\u00a0"}, None, False),
    ('"subject":"\\u003a"', {"subject": ":"}, None, False),
    ('"time":"2018-04-05T17:31:00Z"', {"time": "2018-04-05T17:31:00Z"}, None, False),
    ('"time":"1990-12-31T23:59:60Z"', {"time": "1990-12-31T23:59:60Z"}, None, False),
    ('"time":null,"dataschema":null', {}, None, False),
    ('"dataschema":"https://x.example/s#a"', {"dataschema": "https://x.example/s#a"}, None, False),
    ('"datacontenttype":"text/plain"', {"datacontenttype": "text/plain"}, None, False),
    ('"ext":"v"', {"ext": "v"}, None, False),
    ('"ext":""', {"ext": ""}, None, False),
    ('"ext":5', {"ext": 5}, None, False),
    ('"ext":-0', {"ext": 0}, None, False),
    ('"ext":true,"other":false', {"ext": True, "other": False}, None, False),
    ('"ext":2147483647', {"ext": 2147483647}, None, False),
    ('"ext":-2147483648', {"ext": -2147483648}, None, False),
    ('"ext":null', {}, None, False),
    ('"averyveryverylongattributename123":"x"', {"averyveryverylongattributename123": "x"}, None, False),
    ('"0":"digit"', {"0": "digit"}, None, False),
    ('"\\u0065xt":"escaped name"', {"ext": "escaped name"}, None, False),
    ('"data":{"a":1}', {}, b'{"a":1}', True),
    ('"data":null', {}, b"null", True),
    ('"data":"text"', {}, b'"text"', True),
    ('"data":""', {}, b'""', True),
    ('"data":0', {}, b"0", True),
    ('"data":false', {}, b"false", True),
    ('"data":[]', {}, b"[]", True),
    ('"data" : [ 1, 2 ]', {}, b"[ 1, 2 ]", True),
    ('"d\\u0061ta":{"data":1}', {}, b'{"data":1}', True),
    ('"data":12345678901234567890123', {}, b"12345678901234567890123", True),
    ('"data":1.10', {}, b"1.10", True),
    ('"data":1e-400', {}, b"1e-400", True),
    ('"data":{"\\u0000":"\\u0001"}', {}, b'{"\\u0000":"\\u0001"}', True),
    ('"data":{"a":":","b":"\\":"}', {}, b'{"a":":","b":"\\":"}', True),
    ('"data":{"id":"7","data":{},"data_base64":1}', {}, b'{"id":"7","data":{},"data_base64":1}', True),
    ('"data":[{"a":1},{"a":2}]', {}, b'[{"a":1},{"a":2}]', True),
    (
        '"datacontenttype":"application/json","data":"1"',
        {"datacontenttype": "application/json"},
        b'"1"',
        True,
    ),
    ('"datacontenttype":"a/B+JSON;v=1","data":{}', {"datacontenttype": "a/B+JSON;v=1"}, b"{}", True),
    ('"datacontenttype":null,"data":{}', {}, b"{}", True),
    (
        '"datacontenttype":"text/xml","data":"<a b=\\"c\\"/>"',
        {"datacontenttype": "text/xml"},
        b'<a b="c"/>',
        False,
    ),
    ('"datacontenttype":"text/plain","data":""', {"datacontenttype": "text/plain"}, b"", False),
    ('"datacontenttype":"text/plain","data":"é"', {"datacontenttype": "text/plain"}, "é".encode(), False),
    (
        '"datacontenttype":"text/plain; charset=latin1","data":"é"',
        {"datacontenttype": "text/plain; charset=latin1"},
        b"\xe9",
        False,
    ),
    ('"data_base64":"AP8="', {}, b"\x00\xff", False),
    ('"data_base64":""', {}, b"", False),
    ('"data_base64":null', {}, None, False),
    ('"data_base64":null,"data":1', {}, b"1", True),
    (
        '"datacontenttype":"image/png","data_base64":"iVBO"',
        {"datacontenttype": "image/png"},
        b"\x89PN",
        False,
    ),
    (
        '"datacontenttype":"a/json","data_base64":"eyJhIjoxfQ=="',
        {"datacontenttype": "a/json"},
        b'{"a":1}',
        True,
    ),
    ('"datacontenttype":"a/json","data_base64":""', {"datacontenttype": "a/json"}, None, False),
]


@pytest.mark.parametrize(("members", "attributes", "data", "data_is_json"), ACCEPTED)
def test_an_event_is_taken_exactly(
    members: str, attributes: dict[str, Any], data: bytes | None, data_is_json: bool
) -> None:
    event = decode_structured(event_text(members))
    assert event.attributes == LEAST_EVENT | attributes
    assert (event.data, event.data_is_json) == (data, data_is_json)
    core = {"subject", "time", "datacontenttype", "dataschema"}
    assert event.extensions == {name: value for name, value in attributes.items() if name not in core}
    assert {name: getattr(event, name) for name in core} == dict.fromkeys(core) | {
        name: value for name, value in attributes.items() if name in core
    }
    # The stored form is one JSON object with the same content and no name twice, and reads as the same event.
    stored = json.loads(event.raw, object_pairs_hook=without_repetition)
    assert {
        name: value for name, value in stored.items() if not name.startswith("data") or name in attributes
    } == (LEAST_EVENT | attributes)
    assert decode_structured(event.raw) == event


def without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({name for name, _ in pairs}) == len(pairs)
    return dict(pairs)


# members beside the least event → the attribute named, a part of the reason
REFUSED_MEMBERS: list[tuple[str, str | None, str]] = [
    ('"subject":""', "subject", "non-empty"),
    ('"subject":5', "subject", "string"),
    ('"subject":true', "subject", "string"),
    ('"subject":{}', "subject", "object or array"),
    ('"subject":"a\\u0000b"', "subject", "U+0000 at position 1"),
    ('"subject":"a\\n"', "subject", "U+000A"),
    ('"subject":"\\r\\nX-Evil: 1"', "subject", "U+000D"),
    ('"subject":"\\t"', "subject", "U+0009"),
    ('"subject":"\\u007f"', "subject", "U+007F"),
    ('"subject":"\x7f"', "subject", "U+007F"),
    ('"subject":"\\u0085"', "subject", "U+0085"),
    ('"subject":"\x9f"', "subject", "U+009F"),
    ('"subject":"\\ufdd0"', "subject", "U+FDD0"),
    ('"subject":"\\ufffe"', "subject", "U+FFFE"),
    ('"subject":"\\uffff"', "subject", "U+FFFF"),
    ('"subject":"\\ud83f\\udfff"', "subject", "U+1FFFF"),
    ('"subject":"\U0010ffff"', "subject", "U+10FFFF"),
    ('"subject":"\\ud800"', None, "surrogate"),
    ('"subject":"\\udead\\ud800"', None, "surrogate"),
    ('"time":""', "time", "RFC 3339"),
    ('"time":"2018-04-05T17:31:00"', "time", "offset"),
    ('"time":"yesterday"', "time", "RFC 3339"),
    ('"time":1522949460', "time", "string"),
    ('"dataschema":""', "dataschema", "URI"),
    ('"dataschema":"/relative"', "dataschema", "URI with a scheme"),
    ('"dataschema":"http://é"', "dataschema", "RFC 3986"),
    ('"datacontenttype":""', "datacontenttype", "media type"),
    ('"datacontenttype":"json"', "datacontenttype", "media type"),
    ('"datacontenttype":"a/b\\r\\nx: y"', "datacontenttype", "U+000D"),
    ('"datacontenttype":1', "datacontenttype", "string"),
    ('"ext":1.5', "ext", "fraction"),
    ('"ext":1.0', "ext", "fraction"),
    ('"ext":1e2', "ext", "fraction"),
    ('"ext":2147483648', "ext", "2147483647"),
    ('"ext":-2147483649', "ext", "-2147483648"),
    ('"ext":12345678901234567890123', "ext", "2147483647"),
    ('"ext":[]', "ext", "object or array"),
    ('"ext":{"a":1}', "ext", "object or array"),
    ('"ext":"\\u0001"', "ext", "U+0001"),
    ('"Ext":"x"', "Ext", "lower case"),
    ('"my_ext":"x"', "my_ext", "lower case"),
    ('"my-ext":"x"', "my-ext", "lower case"),
    ('"my ext":"x"', "my ext", "lower case"),
    ('"é":"x"', "é", "lower case"),
    ('"":"x"', "", "lower case"),
    ('"Data":{}', "Data", "lower case"),
    ('"data_base32":"x"', "data_base32", "lower case"),
    ('"data":1,"data_base64":"AA=="', "data_base64", "both"),
    ('"data":null,"data_base64":"AA=="', "data_base64", "both"),
    ('"data_base64":"AA="', "data_base64", "base64"),
    ('"data_base64":"A"', "data_base64", "base64"),
    ('"data_base64":"AA"', "data_base64", "base64"),
    ('"data_base64":"A-_="', "data_base64", "base64"),
    ('"data_base64":"AA==\\n"', "data_base64", "base64"),
    ('"data_base64":"AA==AA=="', "data_base64", "base64"),
    ('"data_base64":"é"', "data_base64", "base64"),
    ('"data_base64":"... base64 encoded string ..."', "data_base64", "base64"),
    ('"data_base64":5', "data_base64", "string"),
    ('"data_base64":{}', "data_base64", "string"),
    ('"datacontenttype":"a/json","data_base64":"AP8="', "data", "UTF-8"),
    ('"datacontenttype":"a/json","data_base64":"ew=="', "data", "not valid JSON"),
    ('"datacontenttype":"text/xml","data":{"a":1}', "data", "text/xml"),
    ('"datacontenttype":"text/plain","data":null', "data", "text/plain"),
    ('"datacontenttype":"text/plain;charset=us-ascii","data":"é"', "data", "us-ascii"),
    ('"datacontenttype":"text/plain;charset=rot13","data":"x"', "datacontenttype", "rot13"),
    ('"subject":"a","subject":"b"', "subject", "more than once"),
    ('"subject":"a","subject":"a"', "subject", "more than once"),
    ('"subject":"a","s\\u0075bject":"b"', "subject", "more than once"),
    ('"subject" :"a","subject"\n:"b"', "subject", "more than once"),
    ('"subject":"\\u003a","subject":"::"', "subject", "more than once"),
    ('"subject":"a","subject":null', "subject", "more than once"),
    ('"id":"2"', "id", "more than once"),
    ('"data":1,"data":2', "data", "more than once"),
    ('"data":{"a":1,"a":2},"ext":"x","ext":"y"', "ext", "more than once"),
    ('"data":NaN', None, "not valid JSON"),
    ('"data":Infinity', None, "not valid JSON"),
    ('"data":-Infinity', None, "not valid JSON"),
    ('"data":1e400', None, "range of a double"),
    ('"data":{"a":[-1e400]}', None, "range of a double"),
    ('"data":"\\udead"', None, "surrogate"),
    ('"data":{"\\ud800":1}', None, "surrogate"),
    ('"data":01', None, "not valid JSON"),
    ('"data":+1', None, "not valid JSON"),
    ('"data":.5', None, "not valid JSON"),
    ("\"data\":'a'", None, "not valid JSON"),
    ('"data":[1,]', None, "not valid JSON"),
    ('"data":{"a":1,}', None, "not valid JSON"),
    ('"data":"a\tb"', None, "not valid JSON"),
    ('"data":"\\x41"', None, "not valid JSON"),
    ('"data":/* */1', None, "not valid JSON"),
    ('"data":undefined', None, "not valid JSON"),
    ('"data"', None, "not valid JSON"),
    ('"data":' + "[" * 127 + "1" + "]" * 127 + ',"ext":' + "[]", "ext", "array"),
    ('"data":' + "[" * 128 + "]" * 128, None, "at most 128 levels"),
    ('"data":' + '{"a":' * 128 + "1" + "}" * 128, None, "at most 128 levels"),
    ('"data":' + "[" * 100_000 + "]" * 100_000, None, "too deeply"),
]


@pytest.mark.parametrize(("members", "attribute", "reason"), REFUSED_MEMBERS)
def test_an_event_is_refused_with_the_place_named(members: str, attribute: str | None, reason: str) -> None:
    refused = refusal(event_text(members))
    assert refused.status == 400
    assert refused.attribute == attribute
    assert reason in refused.reason
    assert refused.index is None
