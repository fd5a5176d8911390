"""Values of an event in the path, the query and the headers of a request: `${subject}`, `${data.order.id}`.

A value fills its place and nothing more. In a URL it is percent-encoded (RFC 3986 §2.1), `/`, `?` and `%` too; in a
header as the CloudEvents HTTP binding has it (§3.1.3.2), so that no line break gets through. `$${` stands for `${`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from delivery.cloudevents import header_value
from delivery.connectors.spi import Delivery
from delivery.http.address import KEPT_IN_TARGET
from rules.engine import Event, TransformError
from rules.engine.event import ABSENT
from rules.engine.json_path import EventPath, Reading
from rules.engine.template import Placeholder, tokens_of

URL_LIMIT = 8 * 1024
_CUT_ESCAPE = re.compile(r"%[0-9A-Fa-f]?\Z")
_BEFORE_PATH = re.compile(r"\A[A-Za-z][A-Za-z0-9+.\-]*://[^/?#]*")

Piece = str | EventPath


class CannotFill(ValueError):
    """An event lacks a value, or has one that does not fit its place. The text is a sentence."""


class BadTemplate(ValueError):
    """A template that is not understood. The text is a sentence."""


def pieces_of(text: str) -> list[Piece]:
    """Literal text and paths in turn. Raises BadTemplate."""
    try:
        tokens = tokens_of(text, {})
    except TransformError as error:
        raise BadTemplate(f"A placeholder is not understood: {error.message}.") from None
    pieces = [token.path if isinstance(token, Placeholder) else token for token in tokens]
    for piece in pieces:
        if isinstance(piece, EventPath) and (piece.is_whole_event or not piece.is_definite):
            raise BadTemplate(
                "A placeholder here names one value, as in ${subject} or ${data.id}, not several."
            )
    return [piece for piece in pieces if piece != ""]


def is_template(text: str) -> bool:
    """Whether something of the event goes into it."""
    return "${" in text


def fixed_url(url: str) -> str:
    """The part of a URL up to its first placeholder: whole segments of the path, without its query; as it is when it has none."""
    before, filled, _after = url.partition("${")
    if not filled:
        return url
    start = _BEFORE_PATH.match(before)
    path = before[start.end() :] if start else ""
    return f"{start[0] if start else ''}{path.partition('?')[0].rpartition('/')[0]}/"


class TargetTemplate:
    """Path and query of a URL with placeholders in them. Raises BadTemplate when a placeholder stands elsewhere."""

    def __init__(self, url: str) -> None:
        url = url.partition("#")[0]
        start = _BEFORE_PATH.match(url)
        if start is None or "${" in start[0]:
            raise BadTemplate(
                "Only the path and the query may hold placeholders: the host, and who is told to it, stay the same."
            )
        path, mark, query = url[start.end() :].partition("?")
        self._path = [_literal(one) for one in pieces_of(path or "/")]
        self._query = [_literal(one) for one in pieces_of(query)]
        self._mark = mark
        for pieces in (self._path, self._query):
            for piece in pieces[:-1]:
                if isinstance(piece, str) and _CUT_ESCAPE.search(piece):
                    raise BadTemplate("A placeholder must not be a part of an escape such as %2F.")
        if any(part in (".", "..") for part in path.split("/")):
            raise BadTemplate("A path with placeholders must not hold the segments . and .. besides.")

    def fill(self, reading: Reading) -> str:
        """Path and query for an event, percent-encoded. Raises CannotFill."""
        path = "".join(
            [piece if isinstance(piece, str) else _in_path(piece, reading) for piece in self._path]
        )
        for segment in path.split("/"):
            if segment in (".", ".."):
                # An escape would not help: %2E is the same as a dot to everybody who follows RFC 3986 §6.2.2.2.
                raise CannotFill(f"Its URL would have the path segment {segment}, which leads elsewhere.")
        query = "".join(
            [piece if isinstance(piece, str) else _quoted(piece, reading) for piece in self._query]
        )
        target = f"{path}{self._mark}{query}"
        if len(target) > URL_LIMIT:
            raise CannotFill(f"Its URL would be longer than {URL_LIMIT // 1024} KiB.")
        return target


class HeaderTemplates:
    """Headers whose values come from the event. A header whose value the event lacks is left out."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self._headers = [(name, pieces_of(text)) for name, text in templates.items()]

    def fill(self, reading: Reading) -> str:
        """Header lines for an event, each ended by CRLF. Raises CannotFill."""
        lines = []
        for name, pieces in self._headers:
            value = ""
            for piece in pieces:
                if isinstance(piece, str):
                    value += piece
                    continue
                found = _text(piece, reading)
                if found is None:
                    break
                value += _header_value(found, name)
            else:
                if len(value) > URL_LIMIT:
                    raise CannotFill(f"The header {name} would be longer than {URL_LIMIT // 1024} KiB.")
                lines.append(f"{name}: {value.strip()}\r\n")
        return "".join(lines)


def reading_of(delivery: Delivery) -> Reading:
    """The delivery's event, for its templates."""
    return Reading(Event.from_json(delivery.event))


def _literal(piece: Piece) -> Piece:
    return quote(piece, safe=KEPT_IN_TARGET) if isinstance(piece, str) else piece


def _in_path(path: EventPath, reading: Reading) -> str:
    value = _quoted(path, reading)
    if not value:
        raise CannotFill(f"{_named(path)} is empty in this event, and the target's URL needs it.")
    return value


def _quoted(path: EventPath, reading: Reading) -> str:
    value = _text(path, reading)
    if value is None:
        raise CannotFill(f"{_named(path)} is not in this event, and the target's URL needs it.")
    try:
        return quote(value, safe="")
    except UnicodeEncodeError:
        raise CannotFill(f"{_named(path)} holds half of a surrogate pair, which no URL can hold.") from None


def _header_value(value: str, name: str) -> str:
    try:
        return header_value(value)
    except UnicodeEncodeError:
        raise CannotFill(
            f"The header {name} would hold half of a surrogate pair, which cannot be sent."
        ) from None


def _text(path: EventPath, reading: Reading) -> str | None:
    """What stands there as text; None when nothing does, or null. Raises CannotFill for objects and lists."""
    try:
        value: Any = path.value(reading)
    except TransformError as error:
        raise CannotFill(f"{error.message}.") from None
    if value is ABSENT or value is None:
        return None
    if isinstance(value, (dict, list)):
        kind = "a list" if isinstance(value, list) else "an object"
        raise CannotFill(f"{_named(path)} is {kind} in this event; only a single value fits there.")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _named(path: EventPath) -> str:
    return path.text.removeprefix("$.")
