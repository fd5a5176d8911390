"""What a request asks, read strictly: an unknown member is refused, not ignored, and every problem has its place.

The parts are kept as the text that was sent, so that an event keeps its bytes and a pattern its lines.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO, Any, NamedTuple

import msgspec
from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from catalog.models import Bus
from catalog.personal import hidden_from, hide
from rules.api.access import check_bus
from rules.api.problem import Invalid, Malformed, Place, TooLarge
from rules.api.stored import StoredEvent, stored
from rules.engine import (
    Event,
    Filter,
    PatternError,
    Transform,
    TransformError,
    compile_transform,
    read_event,
    validate,
)
from rules.engine.cesql import CesqlError, parse_filter
from rules.engine.subscriptions import validate_filters
from rules.json_place import broken

MAX_BYTES = 4 * 1024 * 1024  # of a request
MAX_EVENTS = 1000  # of a request, and of the log
# Where kinds of transform have a text with lines.
TEXTS = {"template": "/template", "jsonata": "/expression"}
FILTER = ("pattern", "sql", "filters")

_members = msgspec.json.Decoder(dict[str, msgspec.Raw])
_elements = msgspec.json.Decoder(list[msgspec.Raw])


class JsonText(BaseParser):
    """Gives an operation the bytes of the body, which it reads itself; refuses more than MAX_BYTES."""

    media_type = "application/json"

    def parse(  # type: ignore[override]  # whatever the operation reads; DRF passes it through as request.data
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The body. Raises TooLarge."""
        body = stream.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise TooLarge(
                _("The request is larger than %(bytes)s bytes. Send fewer events.")
                % {"bytes": f"{MAX_BYTES:,}"}
            )
        return body


class TriedEvent(NamedTuple):
    """An event to try: from the request at `pointer`, or from the log with its seq."""

    event: Event
    pointer: str | None = None
    seq: int | None = None
    bus: int | None = None


class Asked:
    """The members of a request, by name; what is wrong is collected until `check`."""

    def __init__(
        self, request: Request, known: Iterable[str], advice: Mapping[str, str] | None = None
    ) -> None:
        """Raises Malformed when the body is no JSON object. advice: what to say of members that are not known."""
        body = request.data
        self.request = request
        self.problems: list[Place] = []
        self._members = _object(body if isinstance(body, bytes) else b"")
        self._known = tuple(known)
        for name in self._members:
            if name not in self._known:
                said = (advice or {}).get(name)
                self.wrong(
                    _pointer(name),
                    said
                    or _("“%(name)s” means nothing here: the members are %(known)s.")
                    % {"name": name, "known": ", ".join(self._known)},
                )

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def wrong(self, pointer: str, detail: str, line: int | None = None, column: int | None = None) -> None:
        """Notes one problem."""
        self.problems.append(Place(detail, pointer, line, column))

    def check(self) -> None:
        """Raises Invalid with every problem noted so far."""
        if self.problems:
            raise Invalid(*self.problems)

    def raw(self, name: str) -> bytes:
        """A member's JSON text, as it was sent."""
        return bytes(self._members[name])

    def value(self, name: str) -> Any:
        """A member, decoded. Raises Invalid when it is nested hundreds of levels deep."""
        try:
            return json.loads(self.raw(name))
        except (ValueError, RecursionError) as error:
            self.wrong(_pointer(name), _("This cannot be read: %(why)s.") % {"why": error})
            raise Invalid(*self.problems) from None

    def only_one(self, *names: str) -> str | None:
        """Which of `names` is there; notes a problem unless exactly one is."""
        there = [name for name in names if name in self]
        if len(there) == 1:
            return there[0]
        listed = ", ".join(f"“{name}”" for name in names)
        pointer = _pointer(there[1]) if there else ""
        self.wrong(pointer, _("Send exactly one of %(names)s.") % {"names": listed})
        return None

    def number(self, name: str, most: int) -> int | None:
        """An integer from 1 to `most`; notes a problem and returns None when it is none."""
        value = self.value(name)
        if type(value) is int and 1 <= value <= most:
            return value
        self.wrong(_pointer(name), _("This is an integer from 1 to %(most)s.") % {"most": f"{most:,}"})
        return None

    def filter(self) -> Filter | None:
        """Members “pattern”, “sql” and “filters”, those that are there; notes all that is wrong, and then gives None.

        A pattern and filters are JSON, or its text.
        """
        if not any(name in self for name in FILTER):
            self.wrong("/pattern", _("Send a pattern, as in {}, an expression as “sql”, or “filters”."))
            return None
        before = len(self.problems)
        pattern = self._read_json("pattern", validate) if "pattern" in self else {}
        filters = self._read_json("filters", validate_filters) if "filters" in self else None
        sql = self._sql() if "sql" in self else ""
        return None if len(self.problems) > before else Filter(pattern, sql, filters)

    def _read_json(self, name: str, validated: Callable[[str | bytes], list[PatternError]]) -> Any:
        text: str | bytes = self.raw(name)
        if text.lstrip()[:1] == b'"':
            text = str(self.value(name))
        wrong = validated(text)
        for one in wrong:
            self.wrong(_pointer(name) + one.pointer, one.message, one.line, one.column)
        return None if wrong else json.loads(text)

    def _sql(self) -> str:
        text = self.value("sql")
        if not isinstance(text, str):
            self.wrong("/sql", _("This is the text of an expression."))
            return ""
        try:
            parse_filter(text)
        except CesqlError as error:
            self.wrong("/sql", error.message, error.line, error.column)
        return text

    def transform(self) -> Transform | None:
        """Member “transform”, compiled; notes what is wrong and gives None. Line and column count inside its text."""
        if "transform" not in self:
            self.wrong("/transform", _('Send a transform, as in {"kind": "complete"}.'))
            return None
        spec = self.value("transform")
        try:
            return compile_transform(spec)
        except TransformError as error:
            at = error.pointer if error.line is None else TEXTS.get(spec["kind"], "")
            self.wrong(f"/transform{at}", error.message, error.line, error.column)
            return None

    def events(self) -> list[TriedEvent]:
        """The events of members “event” or “events”."""
        if "event" in self:
            return self._sent([("/event", self.raw("event"))])
        try:
            listed = _elements.decode(self.raw("events"))
        except msgspec.ValidationError:
            self.wrong("/events", _("This is a list of events."))
            return []
        if not 1 <= len(listed) <= MAX_EVENTS:
            self.wrong(
                "/events",
                _("There are %(count)s events: send 1 to %(most)s.")
                % {"count": f"{len(listed):,}", "most": f"{MAX_EVENTS:,}"},
            )
            return []
        return self._sent([(f"/events/{index}", bytes(raw)) for index, raw in enumerate(listed)])

    def _sent(self, listed: list[tuple[str, bytes]]) -> list[TriedEvent]:
        events = []
        for pointer, raw in listed:
            try:
                events.append(TriedEvent(read_event(raw), pointer))
            except ValueError as error:
                self.wrong(pointer, str(error))
        return events

    def one_event(self) -> TriedEvent | None:
        """The event that member “event” or “seq” gives; notes a problem unless exactly one is there."""
        which = self.only_one("event", "seq")
        if which == "seq":
            return self.stored_event()
        return next(iter(self.events()), None) if which else None

    def stored_event(self) -> TriedEvent | None:
        """The event of the log that member “seq” names."""
        seq = self.number("seq", 2**63 - 1)
        found = stored().at(seq) if seq is not None else None
        if found is None:
            if seq is not None:
                self.wrong("/seq", _("The log holds no event %(seq)s.") % {"seq": seq})
            return None
        check_bus(self.request, found.bus)
        return self._of_log([found])[0]

    def latest(self) -> list[TriedEvent]:
        """The newest events of the bus that member “bus” names, as many as “last” says (100 if it says nothing)."""
        name = self.value("bus")
        bus = Bus.objects.filter(name=name).first() if isinstance(name, str) else None
        count = self.number("last", MAX_EVENTS) if "last" in self else 100
        if bus is None:
            self.wrong("/bus", _("There is no bus called “%(name)s”.") % {"name": name})
            return []
        check_bus(self.request, bus.pk)
        return self._of_log(stored().latest(bus.pk, count)) if count else []

    def _of_log(self, found: Sequence[StoredEvent]) -> list[TriedEvent]:
        """Events of the log without the personal fields that whoever asks may not see: those are not tried, either."""
        events = [Event.from_json(one.raw) for one in found]
        types = [str(event.attributes.get("type", "")) for event in events]
        hidden = hidden_from(self.request.user, types)
        for at, name in enumerate(types):
            if name in hidden:
                events[at] = Event.from_json(hide(found[at].raw, hidden[name]).text.encode())
        return [TriedEvent(event, None, one.seq, one.bus) for event, one in zip(events, found, strict=True)]


def _object(body: bytes) -> dict[str, msgspec.Raw]:
    try:
        body.decode()  # msgspec does not look into parts that it leaves as they are.
        return _members.decode(body)
    except msgspec.ValidationError:
        raise Malformed(_("The request is one JSON object.")) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        problem = str(error)
    # msgspec counts bytes; a person looks for a line and a column.
    place = broken(body)
    if place is not None:
        raise Malformed(
            _("The request is not JSON at line %(line)d, column %(column)d: %(why)s.")
            % {"line": place.line, "column": place.column, "why": place.why},
            place.line,
            place.column,
        )
    raise Malformed(_("The request is not JSON: %(why)s.") % {"why": problem})


def _pointer(name: str) -> str:
    return "/" + name.replace("~", "~0").replace("/", "~1")
