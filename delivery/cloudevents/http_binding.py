"""The HTTP protocol binding (CloudEvents HTTP Protocol Binding 1.0.2): which mode, and binary mode's headers."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import msgspec
from msgspec import Raw

from delivery.cloudevents import attributes as context
from delivery.cloudevents import json_format, media_type
from delivery.cloudevents.event import DEFAULT_LIMITS, CloudEvent, Limits
from delivery.cloudevents.problems import Refused, UnsupportedFormat, shown

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"

_QUOTED_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"')
_QUOTED_PAIR = re.compile(rb"\\(.)")
_STRAY_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_TO_ENCODE = re.compile("[^\x21\x23\x24\x26-\x7e]")
_NEVER_ENCODED = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


def decode(
    headers: Iterable[tuple[bytes, bytes]],
    body: bytes,
    *,
    limits: Limits = DEFAULT_LIMITS,
    text_data: bool = False,
) -> list[CloudEvent]:
    """The events of one HTTP request; the content type alone chooses the mode (§1.3, §3).

    `headers` are name and value as received; `text_data` as in `decode_binary`. Raises Refused, with status
    415 (UnsupportedFormat) when the request is no event in a format we read.
    """
    headers = list(headers)
    content_type = _content_type(headers)
    if content_type is not None and content_type[:23].lower() == "application/cloudevents":
        kind = media_type.parse(content_type)
        essence = kind.essence if kind is not None else None
        if kind is None or essence not in (STRUCTURED, BATCH):
            raise UnsupportedFormat(
                f"{shown(content_type)} is not an event format taken here; "
                f"send {STRUCTURED}, {BATCH}, or binary mode with ce- headers."
            )
        if kind.charset not in ("utf-8", "us-ascii"):
            raise UnsupportedFormat(
                f"JSON is sent in UTF-8, not in {shown(kind.charset)}; leave the charset out."
            )
        if essence == BATCH:
            return json_format.decode_batch(body, limits)
        return [json_format.decode_structured(body, limits)]
    return [decode_binary(headers, body, limits, text_data=text_data)]


def decode_binary(
    headers: Iterable[tuple[bytes, bytes]],
    body: bytes,
    limits: Limits = DEFAULT_LIMITS,
    *,
    text_data: bool = False,
) -> CloudEvent:
    """One event in binary mode: attributes in `ce-` headers, data in the body (§3.1). Raises Refused.

    All extensions become strings: headers carry no types. With `text_data` a body that is no JSON, although the
    content type says so, becomes a JSON string, and a `ce-datacontenttype` header is ignored: the ways of
    producers written for Apache RocketMQ EventBridge.
    """
    attributes, size, content_type = _decode_headers(headers, text_data)
    if not attributes:
        named = f"Content-Type {shown(content_type)}" if content_type is not None else "no Content-Type"
        raise UnsupportedFormat(
            f"The request has {named} and no ce- headers, so it is no CloudEvent. Send {STRUCTURED}, {BATCH}, or add "
            "the headers ce-specversion, ce-id, ce-source and ce-type (binary mode)."
        )
    if size + len(body) > limits.event_bytes:
        raise json_format.too_large(size + len(body), limits)
    if content_type is not None:
        attributes["datacontenttype"] = content_type
    kind = context.check(attributes, limits)
    if not body:
        return context.checked_event(
            attributes, raw=msgspec.json.encode(attributes), data=None, data_is_json=False
        )

    depth = limits.depth - 1
    data: bytes | None = None
    if kind is None:
        with suppress(Refused):  # without a content type, what is no JSON is bytes of an unknown kind
            data = json_format.json_payload(body, None, depth)
    elif kind.is_json:
        data = _json_body(body, content_type, depth, text_data)
    if data is not None:
        raw = json_format.encode_members(attributes, "data", Raw(data))
        return context.checked_event(attributes, raw=raw, data=data, data_is_json=True)
    text = _text_body(body, kind)
    if text is not None:
        raw = json_format.encode_members(attributes, "data", text)
    else:
        encoded = binascii.b2a_base64(body, newline=False).decode("ascii")
        raw = json_format.encode_members(attributes, "data_base64", encoded)
    return context.checked_event(attributes, raw=raw, data=body, data_is_json=False)


def encode_binary(raw: bytes) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body that carry a stored event in binary mode (§3.1); the content type is always among the headers
    when there is data. Data of no stated type is announced as what it implies: application/json, or bytes."""
    attributes, data, data_base64 = json_format.members(raw)
    content_type = attributes.pop("datacontenttype", None)
    headers = [(f"ce-{name}", header_value(value)) for name, value in attributes.items()]
    body = b""
    if data_base64 is not None:
        body = binascii.a2b_base64(data_base64)
        content_type = content_type or "application/octet-stream"
    elif data is not None:
        content_type = content_type or "application/json"
        kind = media_type.parse(content_type)
        if kind is None or kind.is_json:
            body = bytes(data)
        else:
            body = json_format.text_payload(msgspec.json.decode(data), kind)
    if content_type is not None:
        headers.append(("Content-Type", content_type))
    return headers, body


def encode_structured(raw: bytes) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body that carry a stored event in structured mode (§3.2); the body is `raw` itself."""
    return [("Content-Type", STRUCTURED)], raw


def _content_type(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    values = [value for name, value in headers if name.lower() == b"content-type"]
    if len(values) > 1:
        raise Refused("The request has more than one Content-Type header.", attribute="content-type")
    return _ascii(values[0], "content-type").strip(" \t") or None if values else None


def _decode_headers(
    headers: Iterable[tuple[bytes, bytes]], ignore_datacontenttype: bool
) -> tuple[dict[str, Any], int, str | None]:
    """The attributes of the `ce-` headers, the bytes these take, and the Content-Type."""
    attributes: dict[str, Any] = {}
    content_type: str | None = None
    size = 0
    for name, value in headers:
        name = name.lower()
        if name[:3] == b"ce-":
            attribute = name[3:].decode("latin-1")
            if attribute in attributes:
                raise Refused(f"The header ce-{attribute} appears more than once.", attribute=attribute)
            size += len(name) + len(value)
            attributes[attribute] = _decode_value(attribute, value)
        elif name == b"content-type":
            if content_type is not None:
                raise Refused("The request has more than one Content-Type header.", attribute="content-type")
            content_type = _ascii(value, "content-type").strip(" \t")
    if "data" in attributes:
        raise Refused(
            "data is no attribute (CloudEvents 1.0); send the payload as the body.", attribute="data"
        )
    stated = attributes.pop("datacontenttype", None)
    if stated is not None and not ignore_datacontenttype and stated != content_type:
        raise Refused(
            f"The header ce-datacontenttype says {shown(stated)} and Content-Type says "
            f"{'nothing' if not content_type else shown(content_type)}; in binary mode Content-Type alone names the type of "
            "the data. Leave ce-datacontenttype out.",
            attribute="datacontenttype",
        )
    return attributes, size, content_type or None


def _decode_value(attribute: str, value: bytes) -> str:
    """The text of a `ce-` header (§3.1.3.2): unquote a quoted string, then decode percent escapes once."""
    value = value.strip(b" \t")
    if value[:1] == b'"':
        if _QUOTED_STRING.fullmatch(value) is None:
            raise Refused(
                'The value begins with a double quote and does not end with one; write %22 for the character ".',
                attribute=attribute,
            )
        value = _QUOTED_PAIR.sub(rb"\1", value[1:-1])
    if b"%" not in value:
        return _ascii(value, attribute)
    _ascii(value, attribute)
    stray = _STRAY_PERCENT.search(value)
    if stray is not None:
        raise Refused(
            f"The % at position {stray.start()} is not followed by two hexadecimal digits; write %25 for the character %.",
            attribute=attribute,
        )
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeDecodeError:
        raise Refused(
            "The percent-encoded bytes are not valid UTF-8; encode the UTF-8 bytes of the text, for example €: %E2%82%AC.",
            attribute=attribute,
        ) from None


def _ascii(value: bytes, attribute: str) -> str:
    try:
        return value.decode("ascii")
    except UnicodeDecodeError as error:
        raise Refused(
            f"The header holds a byte outside ASCII at position {error.start}; percent-encode the UTF-8 bytes of such "
            "characters, for example €: %E2%82%AC (CloudEvents HTTP binding §3.1.3.2).",
            attribute=attribute,
        ) from None


def header_value(value: str | int | bool) -> str:
    """A value as it stands in a header (§3.1.3.2): visible ASCII, everything else percent-encoded."""
    if type(value) is not str:
        return str(value).lower()
    return quote(value, safe=_NEVER_ENCODED) if _TO_ENCODE.search(value) is not None else value


def _json_body(body: bytes, content_type: str | None, depth: int, text_data: bool) -> bytes:
    try:
        return json_format.json_payload(body, content_type, depth)
    except Refused:
        if not text_data:
            raise
        with suppress(UnicodeDecodeError):
            return msgspec.json.encode(body.decode())
        raise


def _text_body(body: bytes, kind: media_type.MediaType | None) -> str | None:
    """The body as text when it can be stored as such: `text/*` in UTF-8; else None."""
    if kind is None or not kind.is_text or kind.charset not in ("utf-8", "us-ascii"):
        return None
    if kind.charset == "us-ascii" and not body.isascii():
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
