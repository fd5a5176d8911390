"""What a record holds: the event in the structured mode of CloudEvents' Kafka binding (1.0.2 §3.3), keyed by its order.

Besides, in headers, what was found when it was checked: a record is not checked again, for it was answered 202.
"""

from __future__ import annotations

from typing import NamedTuple

from delivery.cloudevents import CloudEvent, Limits, Refused, decode_structured
from delivery.log.entry import Entry

CONTENT_TYPE = ("content-type", b"application/cloudevents+json; charset=UTF-8")
CHECKED = "signalbox-checked"
NONE = b"-"


class Record(NamedTuple):
    """An event with the schema version (a row id) that it was checked against, and whether it fits (1, 0, None)."""

    event: CloudEvent
    schema_version: int | None
    valid: int | None


class NoEvent(Exception):
    """A record that Signalbox did not write; the message says why it is none of ours."""


# As the client's own types have them.
Headers = list[tuple[str, str | bytes | None]]


def headers_of(entry: Entry) -> Headers:
    """The headers of an entry's record."""
    return [CONTENT_TYPE, (CHECKED, b"%b %b" % (_text(entry.schema_version), _text(entry.valid)))]


def read(value: bytes | None, headers: Headers | dict[str, str | bytes | None] | None) -> Record:
    """What the record holds. Raises NoEvent."""
    checked = dict(headers or ()).get(CHECKED)
    if value is None or not isinstance(checked, bytes):
        raise NoEvent(f"it has no header {CHECKED}: something else than Signalbox wrote it")
    try:
        version, valid = (_number(part) for part in checked.split(b" "))
        # Its size was judged when it was taken, perhaps by another limit than today's.
        limits = Limits(event_bytes=max(len(value), Limits().event_bytes))
        return Record(decode_structured(value, limits), version, valid)
    except (ValueError, Refused) as error:
        raise NoEvent(str(error)) from error


def _text(number: int | None) -> bytes:
    return NONE if number is None else b"%d" % number


def _number(text: bytes) -> int | None:
    if text == NONE:
        return None
    number = int(text)
    if number >= 2**63 or number < 0:
        raise ValueError(f"{number} is no id")
    return number
