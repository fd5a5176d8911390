"""An event as the engine looks at it: attributes at hand, data decoded only when a rule or a template asks."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum
from typing import Any, Final

import msgspec

from rules.engine import exact_json


class Absent(Enum):
    """The type of ABSENT: not in the event at all (null is a value, ABSENT is none)."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT: Final = Absent.ABSENT

_members_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_whole_decoder = msgspec.json.Decoder()
# RecursionError: nested hundreds of levels deep; UnicodeDecodeError is a ValueError, as is every msgspec error.
_NOT_JSON = (ValueError, RecursionError, msgspec.MsgspecError)


_ATTRIBUTE_TYPES = frozenset({str, int, bool})


def _is_json_type(content_type: object) -> bool:
    """Whether a datacontenttype means JSON; an event without one carries JSON (CloudEvents JSON format §3.1)."""
    if not isinstance(content_type, str):
        return True
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type.endswith(("/json", "+json"))


class Event:
    """One CloudEvent. `data` is decoded at most once, and never when nobody asks for it.

    attributes: context attributes and extensions by their CloudEvents names; never holds `data`.
    """

    __slots__ = ("_data", "_data_raw", "_decoded", "_json", "attributes", "data_is_json")

    def __init__(
        self, attributes: Mapping[str, str | int | bool], data: bytes | None, data_is_json: bool = True
    ) -> None:
        self.attributes = attributes
        self._data_raw: bytes | Absent | None = data
        """ABSENT: to be cut out of `_json` when somebody asks."""
        self.data_is_json = data_is_json
        self._decoded = False
        self._data: Any = ABSENT
        self._json: bytes | None = None

    @classmethod
    def from_json(cls, raw: bytes) -> Event:
        """The event of one JSON document in CloudEvents JSON format (structured, CloudEvents 1.0 JSON format §3).

        Required attributes are not checked: a sample in an editor may lack them. Raises ValueError, saying what
        would be right, when `raw` is not a JSON object or an attribute is not a string, integer or boolean.
        """
        try:
            whole = _whole_decoder.decode(raw)
        except _NOT_JSON:
            whole = None  # perhaps only the data is what cannot be decoded
        if type(whole) is dict and "data_base64" not in whole:
            data = whole.pop("data", ABSENT)
            if {type(value) for value in whole.values()} <= _ATTRIBUTE_TYPES:
                event = cls(whole, None)
                event._json = bytes(raw)
                if data is not ABSENT:
                    event._data_raw = ABSENT
                    event._data = (
                        data if type(data) is not str else event._unwrapped(data, msgspec.json.decode)
                    )
                event._decoded = True
                return event
        return cls._from_members(raw)

    @classmethod
    def _from_members(cls, raw: bytes) -> Event:
        """As `from_json`, for events with null attributes, binary data, data that cannot be decoded, or mistakes."""
        try:
            members = _members_decoder.decode(raw)
        except _NOT_JSON as error:
            raise ValueError(f"an event is one JSON object: {error}") from error
        data_raw = members.pop("data", None)
        data_base64 = members.pop("data_base64", None)
        attributes: dict[str, str | int | bool] = {}
        for name, text in members.items():
            value = msgspec.json.decode(text)
            if type(value) in (str, int, bool):
                attributes[name] = value
            elif value is not None:
                raise ValueError(f"attribute {name} must be a string, an integer or a boolean")
        if data_base64 is None:
            event = cls(attributes, None if data_raw is None else bytes(data_raw))
        elif data_raw is not None:
            raise ValueError("an event has data or data_base64, not both")
        else:
            try:
                payload = base64.b64decode(msgspec.json.decode(data_base64, type=str), validate=True)
            except (ValueError, msgspec.MsgspecError) as error:
                raise ValueError(f"data_base64 must be a string of base64: {error}") from error
            event = cls(attributes, payload, data_is_json=False)
        event._json = bytes(raw)
        return event

    @property
    def data(self) -> Any | Absent:
        """The decoded data, or ABSENT when the event has none. Never raises.

        When datacontenttype is JSON (or missing), JSON in a payload and an object or array written inside a string
        are decoded too. Other payloads are their text, or their base64 when they are not UTF-8.
        """
        if not self._decoded:
            self._data = self._decode(msgspec.json.decode)
            self._decoded = True
        return self._data

    def exact_data(self) -> Any | Absent:
        """The data with its numbers as they are written (see exact_json); decoded anew by each call. Never raises."""
        return self._decode(exact_json.decode)

    @property
    def data_raw(self) -> bytes | None:
        """JSON text, or the payload's bytes when `data_is_json` is false; None when the event has no data."""
        if isinstance(self._data_raw, Absent):
            assert self._json is not None
            self._data_raw = bytes(_members_decoder.decode(self._json)["data"])
        return self._data_raw

    def _decode(self, decode: Callable[[bytes | str], Any]) -> Any | Absent:
        if self.data_raw is None:
            return ABSENT
        if self.data_is_json or _is_json_type(self.attributes.get("datacontenttype")):
            try:
                value = decode(self.data_raw)
            except _NOT_JSON:
                return _text(self.data_raw)
            return self._unwrapped(value, decode) if type(value) is str else value
        return _text(self.data_raw)

    def _unwrapped(self, text: str, decode: Callable[[bytes | str], Any]) -> Any:
        """What JSON data that is one string stands for."""
        # "12" stays a string: only an object or an array inside a string is surely JSON.
        if text.lstrip()[:1] in ("{", "[") and _is_json_type(self.attributes.get("datacontenttype")):
            with suppress(*_NOT_JSON):
                return decode(text)
        return text

    def to_json(self) -> bytes:
        """The whole event in CloudEvents JSON format; one made by `from_json` is given back byte for byte."""
        if self._json is None:
            self._json = msgspec.json.encode(dict(self.attributes))[:-1] + self._data_member() + b"}"
        return self._json

    def _data_member(self) -> bytes:
        if self.data_raw is None:
            return b""
        comma = b"," if self.attributes else b""
        json_type = _is_json_type(self.attributes.get("datacontenttype"))
        if self.data_is_json or json_type:
            try:
                msgspec.json.decode(self.data_raw)
                return comma + b'"data":' + self.data_raw
            except _NOT_JSON:
                pass
        if not json_type:
            try:
                return comma + b'"data":' + msgspec.json.encode(self.data_raw.decode())
            except UnicodeDecodeError:
                pass
        return comma + b'"data_base64":' + msgspec.json.encode(self.data_raw)


def _text(payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return base64.b64encode(payload).decode()
