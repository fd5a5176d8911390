"""HTTP: which mode a request is in, binary mode both ways, structured mode out."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from delivery.cloudevents import (
    CloudEvent,
    Limits,
    Refused,
    UnsupportedFormat,
    decode,
    decode_binary,
    decode_structured,
    encode_binary,
    encode_structured,
)

LEAST = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
Headers = list[tuple[bytes, bytes]]


def headers(content_type: str | None = None, /, **attributes: str | bytes | None) -> Headers:
    """The headers of the least event in binary mode, with some attributes set or (None) left out."""
    sent: dict[str, Any] = {**LEAST, **attributes}
    pairs = [(b"host", b"signalbox.example"), (b"user-agent", b"a test")]
    if content_type is not None:
        pairs.append((b"content-type", content_type.encode("latin-1")))
    for name, value in sent.items():
        if value is not None:
            pairs.append(
                (f"ce-{name}".encode(), value if isinstance(value, bytes) else value.encode("latin-1"))
            )
    return pairs


# attributes as they stand in the header → as they are meant
HEADER_VALUES: list[tuple[str, str]] = [
    ("plain", "plain"),
    ("  around \t", "around"),
    ("a b", "a b"),
    ("", ""),
    ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
    ("%e2%82%ac", "€"),
    ("%61%62", "ab"),
    ("100%25", "100%"),
    ("%2525", "%25"),
    ("%22quoted%22", '"quoted"'),
    ('"quoted"', "quoted"),
    ('"a \\"b\\" \\\\ c"', 'a "b" \\ c'),
    ('"%E2%82%AC"', "€"),
    ('"\\%41"', "A"),
    ('""', ""),
    ('say "hi"', 'say "hi"'),
    ("it's (no comment)", "it's (no comment)"),
    ("a+b", "a+b"),
    ("true", "true"),
    ("5", "5"),
    ("1,2;3", "1,2;3"),
]


@pytest.mark.parametrize(("value", "text"), HEADER_VALUES)
def test_a_header_value_is_read(value: str, text: str) -> None:
    event = decode_binary(headers(ext=value), b"")
    assert event.extensions == {"ext": text}
    assert json.loads(event.raw) == {**LEAST, "ext": text}


# what is sent beside the least event → the attribute named, a part of the reason
REFUSED_HEADERS: list[tuple[Headers, str | None, str]] = [
    (headers(ext="50%"), "ext", "%25"),
    (headers(ext="%zz"), "ext", "hexadecimal"),
    (headers(ext="%4"), "ext", "hexadecimal"),
    (headers(ext="%C0%A0"), "ext", "UTF-8"),
    (headers(ext="%ED%A0%80"), "ext", "UTF-8"),
    (headers(ext="%FF"), "ext", "UTF-8"),
    (headers(ext="ë".encode("latin-1")), "ext", "percent-encode"),
    (headers(ext="€".encode()), "ext", "percent-encode"),
    (headers(ext='"é"'.encode()), "ext", "percent-encode"),
    (headers(ext='"open'), "ext", "double quote"),
    (headers(ext='"a" b'), "ext", "double quote"),
    (headers(ext='"a\\"'), "ext", "double quote"),
    (headers(ext='"'), "ext", "double quote"),
    (headers(ext="%00"), "ext", "U+0000"),
    (headers(ext="a%0D%0AX-Evil: 1"), "ext", "U+000D"),
    (headers(ext="a\tb"), "ext", "U+0009"),
    (headers(ext="%C2%85"), "ext", "U+0085"),
    (headers(ext="%EF%BF%BF"), "ext", "U+FFFF"),
    (headers(ext="\x7f"), "ext", "U+007F"),
    (headers(id=None), "id", "missing"),
    (headers(id=""), "id", "empty"),
    (headers(id="  "), "id", "empty"),
    (headers(id='""'), "id", "empty"),
    (headers(source=None), "source", "missing"),
    (headers(source="a b"), "source", "URI-reference"),
    (headers(source="%C3%A9"), "source", "URI-reference"),
    (headers(type=None), "type", "missing"),
    (headers(specversion=None), "specversion", "missing"),
    (headers(specversion="0.3"), "specversion", '"1.0"'),
    (headers(specversion="1"), "specversion", '"1.0"'),
    (headers(subject=""), "subject", "non-empty"),
    (headers(time="2018-04-05 17:31:00Z"), "time", "RFC 3339"),
    (headers(time=""), "time", "RFC 3339"),
    (headers(dataschema="/relative"), "dataschema", "URI"),
    (headers(my_ext="x"), "my_ext", "lower case"),
    (headers(data_base64="AA=="), "data_base64", "lower case"),
    (headers(data="x"), "data", "no attribute"),
    ([*headers(), (b"ce-", b"x")], "", "lower case"),
    ([*headers(), (b"ce-\xe9", b"x")], "é", "lower case"),
    ([*headers(), (b"ce-id", b"1")], "id", "more than once"),
    ([*headers(), (b"CE-ID", b"2")], "id", "more than once"),
    ([*headers(ext="a"), (b"Ce-Ext", b"b")], "ext", "more than once"),
    (headers("application/json", datacontenttype="text/plain"), "datacontenttype", "Content-Type says"),
    (headers(datacontenttype="application/json"), "datacontenttype", "nothing"),
    (headers("json"), "datacontenttype", "media type"),
    (headers("text/plain; charset"), "datacontenttype", "media type"),
    (headers("text/é"), "content-type", "ASCII"),
    ([*headers("text/plain"), (b"Content-Type", b"text/plain")], "content-type", "more than one"),
]


@pytest.mark.parametrize(("sent", "attribute", "reason"), REFUSED_HEADERS)
def test_headers_are_refused_with_the_place_named(sent: Headers, attribute: str | None, reason: str) -> None:
    with pytest.raises(Refused) as caught:
        decode(sent, b"")
    assert (caught.value.status, caught.value.attribute) == (400, attribute)
    assert reason in caught.value.reason


def test_header_names_are_read_in_any_case() -> None:
    sent = [(name.upper(), value) for name, value in headers("application/json", ext="A", subject="B")]
    event = decode_binary(sent, b"{}")
    assert event.attributes == {**LEAST, "ext": "A", "subject": "B", "datacontenttype": "application/json"}


# content type, body → data, whether JSON, members of the stored form that hold it
PAYLOADS: list[tuple[str | None, bytes, bytes | None, bool, dict[str, Any]]] = [
    ("application/json", b"", None, False, {}),
    (None, b"", None, False, {}),
    ("application/json", b'{"a":1.10}', b'{"a":1.10}', True, {"data": {"a": 1.1}}),
    ("application/json; charset=utf-8", b" [1]\r\n ", b"[1]", True, {"data": [1]}),
    ("APPLICATION/JSON", b"null", b"null", True, {"data": None}),
    ("text/json", b'"x"', b'"x"', True, {"data": "x"}),
    (
        "application/vnd.x+JSON;v=1",
        b"12345678901234567890123",
        b"12345678901234567890123",
        True,
        {"data": 12345678901234567890123},
    ),
    ("application/json", b'{"a":1,"a":2}', b'{"a":2}', True, {"data": {"a": 2}}),
    ("application/json", '"é\u2028"'.encode(), '"é\u2028"'.encode(), True, {"data": "é\u2028"}),
    ("text/plain", b"hello", b"hello", False, {"data": "hello"}),
    ("text/plain", b'{"a":1}', b'{"a":1}', False, {"data": '{"a":1}'}),
    ("text/plain; charset=UTF-8", "é\n\x00".encode(), "é\n\x00".encode(), False, {"data": "é\n\x00"}),
    ("text/plain", b"\xff\xfe", b"\xff\xfe", False, {"data_base64": "//4="}),
    ("text/plain; charset=iso-8859-1", b"\xc3\xa9", b"\xc3\xa9", False, {"data_base64": "w6k="}),
    ("text/plain; charset=us-ascii", b"\xc3\xa9", b"\xc3\xa9", False, {"data_base64": "w6k="}),
    ("text/plain; charset=us-ascii", b"a", b"a", False, {"data": "a"}),
    ("text/xml", b"<a/>", b"<a/>", False, {"data": "<a/>"}),
    ("application/xml", b"<a/>", b"<a/>", False, {"data_base64": "PGEvPg=="}),
    ("application/octet-stream", b"{}", b"{}", False, {"data_base64": "e30="}),
    ("image/png", b"\x89PNG\x00", b"\x89PNG\x00", False, {"data_base64": "iVBORwA="}),
    (None, b'{"a": 1}', b'{"a": 1}', True, {"data": {"a": 1}}),
    (None, b"7", b"7", True, {"data": 7}),
    (None, b"hello", b"hello", False, {"data_base64": "aGVsbG8="}),
    (None, b"\x00", b"\x00", False, {"data_base64": "AA=="}),
    (None, b"NaN", b"NaN", False, {"data_base64": "TmFO"}),
]


@pytest.mark.parametrize(("content_type", "body", "data", "data_is_json", "members"), PAYLOADS)
def test_a_body_becomes_data(
    content_type: str | None, body: bytes, data: bytes | None, data_is_json: bool, members: dict[str, Any]
) -> None:
    event = decode_binary(headers(content_type), body)
    assert (event.datacontenttype, event.data, event.data_is_json) == (content_type, data, data_is_json)
    typed = {} if content_type is None else {"datacontenttype": content_type}
    assert json.loads(event.raw) == {**LEAST, **typed, **members}
    assert decode_structured(event.raw) == event


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"A test event.", "application/json"),
        (b"{", "too early"),
        (b"{}{}", "trailing"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'"\xe9"', "UTF-8"),
        (b"NaN", "not valid JSON"),
        (b"1e400", "double"),
        (b'"\\ud800"', "surrogate"),
        (b" ", "empty"),
        (b"[" * 128 + b"]" * 128, "levels"),
    ],
)
def test_a_json_body_has_to_be_json(body: bytes, reason: str) -> None:
    with pytest.raises(Refused) as caught:
        decode_binary(headers("application/json"), body)
    assert (caught.value.status, caught.value.attribute) == (400, "data")
    assert reason in caught.value.reason


def test_a_ce_datacontenttype_header_that_agrees_is_no_harm() -> None:
    event = decode_binary(headers("application/json", datacontenttype="application/json"), b"1")
    assert event.attributes == {**LEAST, "datacontenttype": "application/json"}


def test_a_producer_written_for_rocketmq_eventbridge_is_understood() -> None:
    sent = headers("application/json; charset=UTF-8", datacontenttype="application/json", eventbusname="demo")
    for read in (
        lambda body: decode(sent, body, text_data=True)[0],
        lambda body: decode_binary(sent, body, text_data=True),
    ):
        event: CloudEvent = read(b"A test event.")
        assert (event.data, event.data_is_json) == (b'"A test event."', True)
        assert event.datacontenttype == "application/json; charset=UTF-8"
        assert event.extensions == {"eventbusname": "demo"}
        assert json.loads(event.raw)["data"] == "A test event."
        assert read(b'{"a":1}').data == b'{"a":1}'
        with pytest.raises(Refused, match="UTF-8"):
            read(b"\xff")
    with pytest.raises(Refused, match="ce-datacontenttype"):
        decode(sent, b"{}")


@pytest.mark.parametrize(
    ("content_type", "body", "count"),
    [
        ("application/cloudevents+json", b"{}", 1),
        ("Application/CloudEvents+JSON; charset=UTF-8", b"{}", 1),
        ("application/cloudevents+json;charset=us-ascii", b"{}", 1),
        ("application/cloudevents-batch+json", b"[]", 0),
        ("application/cloudevents-batch+json; charset=utf-8", b"[{},{}]", 2),
    ],
)
def test_the_content_type_alone_chooses_the_mode(content_type: str, body: bytes, count: int) -> None:
    body = body.replace(b"{}", json.dumps(LEAST).encode())
    misleading = [(b"content-type", content_type.encode()), (b"ce-specversion", b"0.3"), (b"ce-id", b"other")]
    assert [event.id for event in decode(misleading, body)] == ["1"] * count


def test_a_structured_event_in_another_content_type_is_only_data() -> None:
    body = json.dumps({**LEAST, "id": "inner"}).encode()
    [event] = decode(headers("application/json"), body)
    assert (event.id, event.data) == ("1", body)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ([(b"content-type", b"application/cloudevents+avro")], "application/cloudevents+json"),
        ([(b"content-type", b"application/cloudevents")], "application/cloudevents+json"),
        ([(b"content-type", b"application/cloudevents-batch")], "batch"),
        ([(b"content-type", b"application/cloudevents-batch+protobuf")], "batch"),
        ([(b"content-type", b"application/cloudevents+json; charset")], "not an event format"),
        ([(b"content-type", b"application/cloudevents+json; charset=utf-16")], "UTF-8"),
        (headers("application/cloudevents+xml"), "not an event format"),
        ([(b"content-type", b"application/json")], "no ce- headers"),
        ([(b"content-type", b"text/plain")], "no ce- headers"),
        ([(b"host", b"x")], "no Content-Type"),
        ([], "no Content-Type"),
    ],
)
def test_what_is_no_event_format_is_unsupported(sent: Headers, reason: str) -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        decode(sent, b"{}")
    assert caught.value.status == 415
    assert reason in caught.value.reason


def test_the_limits_hold_in_every_mode() -> None:
    limits = Limits(event_bytes=65536, attributes=5)
    sent = headers("text/plain")
    room = 65536 - sum(len(name) + len(value) for name, value in sent if name.startswith(b"ce-"))
    assert decode(sent, b"x" * room, limits=limits)
    with pytest.raises(Refused) as caught:
        decode(sent, b"x" * (room + 1), limits=limits)
    assert caught.value.status == 413
    with pytest.raises(Refused) as caught:
        decode(headers("text/plain", ext="x"), b"", limits=limits)
    assert caught.value.status == 413
    for content_type, body in (("cloudevents", b"%s"), ("cloudevents-batch", b"[%s]")):
        large = body % json.dumps({**LEAST, "data": "x" * 65536}).encode()
        with pytest.raises(Refused) as caught:
            decode([(b"content-type", f"application/{content_type}+json".encode())], large, limits=limits)
        assert caught.value.status == 413


# ── out ──

# members of the stored form beside the least event → headers beside the least ones, body
ENCODED: list[tuple[dict[str, Any], dict[str, str], bytes]] = [
    ({}, {}, b""),
    ({"subject": "Euro € 😀"}, {"ce-subject": "Euro%20%E2%82%AC%20%F0%9F%98%80"}, b""),
    ({"subject": '灯-7 "x" 100%'}, {"ce-subject": "%E7%81%AF-7%20%22x%22%20100%25"}, b""),
    ({"subject": "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"}, {"ce-subject": "!#$&'()*+,-./:;<=>?@[\\]^_`{|}~"}, b""),
    (
        {"n": 5, "yes": True, "no": False, "neg": -1},
        {"ce-n": "5", "ce-yes": "true", "ce-no": "false", "ce-neg": "-1"},
        b"",
    ),
    ({"ext": ""}, {"ce-ext": ""}, b""),
    ({"time": "2018-04-05T17:31:00+02:00"}, {"ce-time": "2018-04-05T17:31:00+02:00"}, b""),
    ({"datacontenttype": "text/plain"}, {"Content-Type": "text/plain"}, b""),
    ({"data": {"a": "é"}}, {"Content-Type": "application/json"}, '{"a": "é"}'.encode()),
    ({"data": None}, {"Content-Type": "application/json"}, b"null"),
    ({"data": "I'm just a string"}, {"Content-Type": "application/json"}, b'"I\'m just a string"'),
    ({"datacontenttype": "a/b+json; v=1", "data": [1]}, {"Content-Type": "a/b+json; v=1"}, b"[1]"),
    (
        {"datacontenttype": "text/xml", "data": '<a b="é"/>'},
        {"Content-Type": "text/xml"},
        '<a b="é"/>'.encode(),
    ),
    (
        {"datacontenttype": "text/x;charset=latin1", "data": "é"},
        {"Content-Type": "text/x;charset=latin1"},
        b"\xe9",
    ),
    ({"datacontenttype": "image/png", "data_base64": "iVBO"}, {"Content-Type": "image/png"}, b"\x89PN"),
    ({"data_base64": "AP8="}, {"Content-Type": "application/octet-stream"}, b"\x00\xff"),
]


@pytest.mark.parametrize(("members", "extra", "body"), ENCODED)
def test_a_stored_event_is_written_in_binary_mode(
    members: dict[str, Any], extra: dict[str, str], body: bytes
) -> None:
    sent, payload = encode_binary(json.dumps({**LEAST, **members}, ensure_ascii=False).encode())
    assert dict(sent) == {f"ce-{name}": value for name, value in LEAST.items()} | extra
    assert len(dict(sent)) == len(sent)
    assert payload == body


def test_a_stored_event_is_written_in_structured_mode_as_it_is() -> None:
    raw = json.dumps({**LEAST, "data": {"a": [1, 2]}}).encode()
    assert encode_structured(raw) == ([("Content-Type", "application/cloudevents+json")], raw)


def test_a_large_payload_survives_both_modes() -> None:
    payload = bytes(range(256)) * 2000
    event = decode_binary(headers("application/octet-stream"), payload)
    assert json.loads(event.raw)["data_base64"] == b64encode(payload).decode()
    assert encode_binary(event.raw)[1] == payload
