"""Values of an event on their way into an output: as JSON, as text, or as text inside a JSON string.

Whatever a value holds, it stays in its slot: it is written, never read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from rules.engine import exact_json
from rules.engine.event import ABSENT
from rules.engine.json_path import EventPath, Reading
from rules.engine.spec import Missing
from rules.engine.transform_error import TransformError


class Form(Enum):
    """How a value is written into its slot."""

    JSON = "as a JSON value"
    INSIDE = "as text inside a JSON string"
    TEXT = "as text"


class Flow(NamedTuple):
    """Where a value goes: `path`, JSONPath in the event; `to`, JSON pointer in the output, None in text.

    A part of the pointer that only the event knows is `*`.
    """

    path: str
    to: str | None


@dataclass(frozen=True, slots=True)
class Slot:
    form: Form
    path: EventPath

    @property
    def nothing(self) -> bytes:
        """What stands in the slot when there is no value: null, in text nothing."""
        return b"null" if self.form is Form.JSON else b""

    def fill(self, reading: Reading, missing: Missing) -> bytes | None:
        """What stands in the slot; None when the value is missing and the slot is to be left out.

        Raises TransformError when it is missing and that is an error, or when it cannot be written.
        """
        if self.path.is_whole_event:
            return written(reading.event.to_json(), self.form)
        value = self.path.value(reading)
        if value is not ABSENT:
            try:
                return written(text_of(value) if self.form is not Form.JSON else value, self.form)
            except exact_json.NOT_WRITABLE as error:
                raise not_writable(error, self.path.text) from None
        if missing == "error":
            raise is_missing(self.path)
        return None if missing == "omit" else self.nothing


def written(value: Any, form: Form) -> bytes:
    """A JSON value in JSON form; bytes of JSON or UTF-8 text in any form."""
    if isinstance(value, bytes):
        return value if form is not Form.INSIDE else exact_json.encode(value.decode())[1:-1]
    return exact_json.encode(value)


def text_of(value: Any) -> bytes:
    """A string as it is, any other value as JSON. Raises one of exact_json.NOT_WRITABLE."""
    return value.encode() if isinstance(value, str) else exact_json.encode(value)


def is_missing(path: EventPath) -> TransformError:
    """The error of a value that is not in the event, where that is to be one."""
    return TransformError(f"{path.text} is not in this event, and missing values are an error here")


def not_writable(error: Exception, what: str) -> TransformError:
    """The error of a value that is no JSON: half a surrogate pair, nested too deep."""
    if isinstance(error, UnicodeEncodeError):
        return TransformError(f"{what} holds half of a surrogate pair, which no JSON text can hold")
    if isinstance(error, RecursionError):
        return TransformError(f"{what} is nested too deep to be written as JSON")
    return TransformError(f"{what} cannot be written as JSON: {error}")
