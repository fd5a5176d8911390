"""What a request asks, read strictly: an unknown member is refused, not ignored, and every problem has its place.

The parts are kept as the text that was sent, so that an event keeps its bytes and a schema its lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import IO, Any

import msgspec
from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from catalog.api.problem import Invalid, Malformed, Place, TooLarge
from catalog.json_place import broken

MAX_BYTES = 4 * 1024 * 1024  # of a request

_elements = msgspec.json.Decoder(list[msgspec.Raw])
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


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


class Members:
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
                    pointer(name),
                    said
                    or _("“%(name)s” means nothing here: the members are %(known)s.")
                    % {"name": name, "known": ", ".join(self._known)},
                )

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def names(self) -> list[str]:
        """The known members that were sent."""
        return [name for name in self._known if name in self._members]

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
            self.wrong(pointer(name), _("This cannot be read: %(why)s.") % {"why": error})
            raise Invalid(*self.problems) from None

    def document(self, name: str) -> str:
        """A member that is a JSON text: written as a string, or as the JSON itself, which keeps the lines it has."""
        text = self.raw(name).decode()
        return str(self.value(name)) if text.lstrip()[:1] == '"' else text

    def documents(self, name: str, most: int) -> list[str]:
        """A member that is a list of JSON texts, each as in `document`; notes a problem when it is something else."""
        try:
            entries = _elements.decode(self.raw(name))
        except msgspec.ValidationError:
            entries = None
        if entries is None or len(entries) > most:
            self.wrong(pointer(name), _("This is a list of at most %(most)s.") % {"most": most})
            return []
        texts = [bytes(one).decode() for one in entries]
        return [str(json.loads(text)) if text.lstrip()[:1] == '"' else text for text in texts]

    def only_one(self, *names: str) -> str | None:
        """Which of `names` is there; notes a problem unless exactly one is."""
        there = [name for name in names if name in self]
        if len(there) == 1:
            return there[0]
        listed = ", ".join(f"“{name}”" for name in names)
        place = pointer(there[1]) if there else ""
        self.wrong(place, _("Send exactly one of %(names)s.") % {"names": listed})
        return None

    def text(self, name: str, default: str = "") -> str:
        """A member that is a string, `default` when it is not there; notes a problem when it is something else."""
        if name not in self:
            return default
        value = self.value(name)
        if isinstance(value, str):
            return value
        self.wrong(pointer(name), _("This is a text."))
        return default

    def choice(self, name: str, choices: Iterable[str], default: str) -> str:
        """A member that is one of `choices`, `default` when it is not there; notes a problem when it is none."""
        allowed = tuple(choices)
        value = self.value(name) if name in self else default
        if value in allowed:
            return str(value)
        self.wrong(pointer(name), _("This is one of %(choices)s.") % {"choices": ", ".join(allowed)})
        return default

    def flag(self, name: str, default: bool = False) -> bool:
        """A member that is true or false; notes a problem when it is neither."""
        value = self.value(name) if name in self else default
        if isinstance(value, bool):
            return value
        self.wrong(pointer(name), _("This is true or false."))
        return default

    def number(self, name: str, most: int) -> int | None:
        """An integer from 1 to `most`; notes a problem and returns None when it is none."""
        value = self.value(name)
        if type(value) is int and 1 <= value <= most:
            return value
        self.wrong(pointer(name), _("This is an integer from 1 to %(most)s.") % {"most": f"{most:,}"})
        return None


def pointer(*names: str | int) -> str:
    """The JSON pointer (RFC 6901) to a member of the request."""
    return "".join("/" + str(name).replace("~", "~0").replace("/", "~1") for name in names)


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
