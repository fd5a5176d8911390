"""The JSON event format and the JSON batch format (CloudEvents JSON Event Format 1.0.2)."""

from __future__ import annotations

import binascii
import json
import re
from typing import Any

import msgspec
from msgspec import Raw

from delivery.cloudevents import attributes as context
from delivery.cloudevents.event import DEFAULT_LIMITS, CloudEvent, Limits
from delivery.cloudevents.media_type import TEXT_CHARSETS, MediaType
from delivery.cloudevents.problems import Refused, shown

_WHITESPACE = b" \t\r\n"
_VALUE = msgspec.json.Decoder()
_ENTRIES = msgspec.json.Decoder(list[Raw])
_MEMBERS = msgspec.json.Decoder(dict[str, Raw])
_ENCODER = msgspec.json.Encoder()


class _Data(msgspec.Struct):
    data: Raw


_DATA = msgspec.json.Decoder(_Data)
_NOTHING: Any = object()  # what is not there, as opposed to null

_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_NO_MARKS = bytes(code for code in range(256) if code not in b"[{:")
_BYTE = re.compile(r" \(byte ([0-9]+)\)")


def decode_structured(body: bytes, limits: Limits = DEFAULT_LIMITS) -> CloudEvent:
    """One event in structured mode, from its JSON text (JSON format §3). Raises Refused."""
    if len(body) > limits.event_bytes:
        raise too_large(len(body), limits)
    return _decode_event(body.strip(_WHITESPACE), limits)


def decode_batch(body: bytes, limits: Limits = DEFAULT_LIMITS) -> list[CloudEvent]:
    """The events of a JSON array, in its order; may be empty (JSON format §4).

    All or nothing: raises Refused with the `index` of the first entry that is wrong.
    """
    if len(body) > limits.batch_bytes:
        raise Refused(
            f"The batch takes {len(body)} bytes; at most {limits.batch_bytes} are taken. Send smaller batches.",
            status=413,
        )
    body = body.strip(_WHITESPACE)
    if not body.startswith(b"["):
        parse_json(body, "The batch", limits.depth + 1)
        raise Refused(
            "A batch is a JSON array of events; this is another JSON value. "
            "Send one event with Content-Type application/cloudevents+json."
        )
    try:
        entries = _ENTRIES.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _not_json(body, error, "The batch") from None
    if len(entries) > limits.batch:
        raise Refused(
            f"The batch holds {len(entries)} events; at most {limits.batch} are taken. Send smaller batches.",
            status=413,
        )
    events = []
    try:
        for entry in entries:
            text = bytes(entry)
            if len(text) > limits.event_bytes:
                raise too_large(len(text), limits)
            events.append(_decode_event(text, limits))
    except Refused as refused:
        refused.index = len(events)
        raise
    return events


def _decode_event(text: bytes, limits: Limits) -> CloudEvent:
    document, names_are_unique = parse_json(text, "The event", limits.depth)
    if type(document) is not dict:
        raise Refused("An event is a JSON object; this is another JSON value.")
    repeated_in_data = False if names_are_unique else _repeated_names(text, "the event")
    data_value = document.pop("data", _NOTHING)
    data_base64 = document.pop("data_base64", _NOTHING)
    rewrite = repeated_in_data
    if data_base64 is None:  # unset, as a null attribute is
        data_base64, rewrite = _NOTHING, True
    if data_base64 is not _NOTHING and data_value is not _NOTHING:
        raise Refused("The event has both data and data_base64; send one of them.", attribute="data_base64")
    if None in document.values():
        document = {name: value for name, value in document.items() if value is not None}
        rewrite = True
    kind = context.check(document, limits)

    data: bytes | None = None
    is_json = False
    if data_value is not _NOTHING:
        is_json = kind is None or kind.is_json
        if not is_json:
            data = text_payload(data_value, kind)
        elif repeated_in_data:
            data = _ENCODER.encode(data_value)
        else:
            data = bytes(_DATA.decode(text).data)
    elif data_base64 is not _NOTHING:
        data = _payload_of_base64(data_base64)
        if kind is not None and kind.is_json:
            # The same event, seen by rules and schemas: JSON payloads are stored as JSON, however they came.
            data = json_payload(data, document["datacontenttype"], limits.depth - 1) if data else None
            is_json = data is not None
            data_base64, rewrite = _NOTHING, True
    if not rewrite:
        raw = text
    elif data is None:
        raw = _ENCODER.encode(document)
    elif data_base64 is not _NOTHING:
        raw = encode_members(document, "data_base64", data_base64)
    else:
        raw = encode_members(document, "data", Raw(data) if is_json else data_value)
    return context.checked_event(document, raw=raw, data=data, data_is_json=is_json)


def encode_members(attributes: dict[str, Any], name: str, value: Any) -> bytes:
    """The stored form of an event: its attributes, and one member for its data."""
    return _ENCODER.encode({**attributes, name: value})


def parse_json(text: bytes, what: str, depth: int) -> tuple[Any, bool]:
    """The value of a JSON text (RFC 8259) in UTF-8, and whether surely no object in it repeats a member name.

    Stricter than most parsers: no byte order mark, NaN, lone surrogate or number outside the range of a double,
    and at most `depth` nested arrays and objects. Integers are exact.
    Raises Refused with a sentence that begins with `what`.
    """
    try:
        value = _VALUE.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _not_json(text, error, what) from None
    marks = text.translate(None, _NO_MARKS)
    colons = marks.count(b":")
    # No more opening brackets than levels allowed: nothing nests deeper. Else the levels are counted.
    if len(marks) - colons > depth and _is_deeper(value, depth):
        raise _too_deep(what, depth)
    # Written out again, the value has each name once, and so fewer colons if a name was repeated; colons inside
    # strings stay, unless they were escaped. A fifth of the cost of a parse that looks at every pair.
    unique = colons == _ENCODER.encode(value).count(b":")
    if b"\\" in text and b"\\u003a" in text.lower():
        unique = False
    return value, unique


def _is_deeper(value: Any, depth: int) -> bool:
    level = [value] if type(value) in (dict, list) else []
    while level:
        if depth == 0:
            return True
        depth -= 1
        level = [
            member
            for container in level
            for member in (container.values() if type(container) is dict else container)
            if type(member) is dict or type(member) is list
        ]
    return False


def _too_deep(what: str, depth: int | None) -> Refused:
    most = "" if depth is None else f"; at most {depth} levels are taken"
    return Refused(f"{what} nests arrays and objects too deeply{most}.")


def _not_json(text: bytes, error: Exception, what: str) -> Refused:
    if isinstance(error, RecursionError):
        return _too_deep(what, None)
    if not text:
        return Refused(f"{what} is empty; JSON was expected.")
    if text.startswith(b"\xef\xbb\xbf"):
        return Refused(f"{what} begins with a byte order mark; send UTF-8 without one (RFC 8259 §8.1).")
    try:
        text.decode()
    except UnicodeDecodeError as bad:
        return Refused(
            f"{what} is not valid UTF-8 at byte {bad.start}; JSON is sent in UTF-8 (RFC 8259 §8.1)."
        )
    found = _BYTE.search(str(error))
    place = f" at byte {found[1]}" if found else ""
    if "out of range" in str(error):
        detail = "a number is outside the range of a double; send it as a string"
    elif "truncated" in str(error):
        # msgspec says the same of both.
        detail = "the text ends too early"
        if _ESCAPED_SURROGATE.search(text) is not None:
            detail = "a string has an unpaired surrogate escape, or the text ends too early"
    else:
        detail = str(error).removeprefix("JSON is malformed: ").replace(found[0] if found else "", "")
    return Refused(f"{what} is not valid JSON{place}: {detail}.")


def _repeated_names(text: bytes, what: str) -> bool:
    """Whether an object below the outermost repeats a name. Raises Refused when the outermost one does."""
    repeated: list[str] = []
    outermost: list[tuple[str, Any]] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal outermost
        # Called from the inside out: what `outermost` held until now lay below.
        repeated.extend(_repeated(outermost))
        outermost = pairs

    # Numbers stay text: they are of no interest here, and int() refuses more than 4,300 digits.
    json.loads(text, object_pairs_hook=look, parse_int=str, parse_float=str)
    for name in _repeated(outermost):
        raise Refused(
            f"The name {shown(name)} appears more than once in {what}; every attribute appears at most once.",
            attribute=name[:64],
        )
    return bool(repeated)


def _repeated(pairs: list[tuple[str, Any]]) -> list[str]:
    seen: set[str] = set()
    repeated = []
    for name, _ in pairs:
        if name in seen:
            repeated.append(name)
        seen.add(name)
    return repeated


def json_payload(body: bytes, content_type: str | None, depth: int) -> bytes:
    """The JSON text of a payload, each name once (the last counts). Raises Refused when it is no JSON."""
    body = body.strip(_WHITESPACE)
    label = "The data" if content_type is None else f"The data, of content type {shown(content_type)},"
    try:
        value, names_are_unique = parse_json(body, label, depth)
    except Refused as refused:
        refused.attribute = "data"
        raise
    if names_are_unique or not _has_repeated_names(body):
        return body
    return _ENCODER.encode(value)


def _has_repeated_names(text: bytes) -> bool:
    # One level more around it, so that every object of the payload lies below the outermost.
    return _repeated_names(b'{"data":' + text + b"}", "data")


def text_payload(value: Any, kind: MediaType | None) -> bytes:
    """The bytes of a `data` member whose content type is not JSON, in the charset of that type (§3.1.2)."""
    if type(value) is not str:
        essence = kind.essence if kind is not None else "unknown"
        raise Refused(
            f"datacontenttype says {essence}, so data has to be a string holding the text. "
            "Send application/json for a JSON value, or the bytes in data_base64.",
            attribute="data",
        )
    charset = kind.charset if kind is not None else "utf-8"
    if charset not in TEXT_CHARSETS:
        raise Refused(
            f"The charset {shown(charset)} is not known here; send text in utf-8, or the bytes in data_base64.",
            attribute="datacontenttype",
        )
    try:
        return value.encode(charset)
    except UnicodeEncodeError as error:
        raise Refused(
            f"The character at position {error.start} cannot be written in {charset}; use charset=utf-8, "
            "or send the bytes in data_base64.",
            attribute="data",
        ) from None


def _payload_of_base64(value: Any) -> bytes:
    if type(value) is not str:
        raise Refused("data_base64 has to be a string in base64 (RFC 4648 §4).", attribute="data_base64")
    try:
        return binascii.a2b_base64(value, strict_mode=True)
    except ValueError as error:
        raise Refused(
            f"The string is not valid base64 (RFC 4648 §4: A to Z, a to z, 0 to 9, + and /, padded with =): {error}.",
            attribute="data_base64",
        ) from None


def too_large(size: int, limits: Limits) -> Refused:
    return Refused(
        f"The event takes {size} bytes; at most {limits.event_bytes} are taken. "
        "Store large payloads elsewhere and send a link to them.",
        status=413,
    )


def members(raw: bytes) -> tuple[dict[str, Any], Raw | None, str | None]:
    """What a stored event holds: its attributes, the JSON text of `data`, and `data_base64`."""
    parts = _MEMBERS.decode(raw)
    data, data_base64 = parts.pop("data", None), parts.pop("data_base64", None)
    values = _VALUE.decode(b"[" + b",".join(parts.values()) + b"]")
    return (
        dict(zip(parts, values, strict=True)),
        data,
        None if data_base64 is None else msgspec.json.decode(data_base64, type=str),
    )
