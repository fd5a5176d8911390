"""Structured mode and batches: what is taken, exactly as what, and what is refused, naming the place."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from delivery.cloudevents import Limits, Refused, decode_batch, decode_structured

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


# ── batches ──


def test_a_batch_is_taken_in_its_order() -> None:
    entries = [event_text(f'"data":{number},"n":{number}') for number in range(3)]
    events = decode_batch(b" [ " + b" ,\n".join(entries) + b" ] ")
    assert [event.extensions["n"] for event in events] == [0, 1, 2]
    assert [event.raw for event in events] == entries
    assert events == [decode_structured(entry) for entry in entries]


def test_an_empty_batch_is_no_error() -> None:
    assert decode_batch(b"[]") == []


@pytest.mark.parametrize(
    ("body", "index", "attribute", "reason"),
    [
        (b"[" + event_text() + b"," + replaced("type", "") + b"]", 1, "type", "missing"),
        (b"[" + event_text() + b",1]", 1, None, "JSON object"),
        (b"[null]", 0, None, "JSON object"),
        (b"[[" + event_text() + b"]]", 0, None, "JSON object"),
        (b"[" + event_text() + b"," + event_text('"data":1e400') + b"]", 1, None, "double"),
        (b"[" + event_text('"data":"\xff"').decode().encode("latin-1") + b"]", 0, None, "UTF-8"),
        (b"[" + event_text() + b"," + event_text('"id":"2"') + b"]", 1, "id", "more than once"),
        (b"[" + event_text() + b',{"specversion":"0.3"}]', 1, "specversion", '"1.0"'),
        (b"[" + event_text('"data":' + "[" * 128 + "]" * 128) + b"]", 0, None, "128 levels"),
        (b"[" + event_text() + b",]", None, None, "not valid JSON"),
        (b"[" + event_text(), None, None, "too early"),
        (b"[" + event_text() + b"]x", None, None, "trailing"),
        (b"[" * 100_000, None, None, "too deeply"),
        (event_text(), None, None, "JSON array"),
        (b"7", None, None, "JSON array"),
        (b"", None, None, "empty"),
        (b"\xef\xbb\xbf[]", None, None, "byte order mark"),
        (b"x", None, None, "not valid JSON"),
    ],
)
def test_a_batch_with_one_bad_entry_is_refused_as_a_whole(
    body: bytes, index: int | None, attribute: str | None, reason: str
) -> None:
    with pytest.raises(Refused) as caught:
        decode_batch(body)
    refused = caught.value
    assert (refused.status, refused.index, refused.attribute) == (400, index, attribute)
    assert reason in refused.reason
    if index is not None:
        assert str(refused).startswith(f"entry {index}")


def test_a_batch_keeps_the_limits() -> None:
    limits = Limits(batch=2, batch_bytes=200_000, event_bytes=65536)
    assert len(decode_batch(b"[" + event_text() + b"," + event_text() + b"]", limits)) == 2
    large = event_text(f'"data":"{"x" * 70_000}"')
    for body, index in (
        (b"[" + b",".join([event_text()] * 3) + b"]", None),
        (b"[" + event_text() + b"," + large + b"]", 1),
        (b"[" + b",".join([large] * 3) + b"]", None),
    ):
        with pytest.raises(Refused) as caught:
            decode_batch(body, limits)
        assert (caught.value.status, caught.value.index) == (413, index)


def test_an_event_cannot_be_changed() -> None:
    event = decode_structured(event_text())
    with pytest.raises(AttributeError):
        setattr(event, "id", "2")  # noqa: B010
