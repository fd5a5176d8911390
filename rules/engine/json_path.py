"""The paths of transforms into one event. `$` is the whole CloudEvent: $.type, $.data.total, $.data..sku.

Variables and partial events take JSONPath (RFC 9535); a placeholder takes the short form data.items[0].sku.
A path of names and indexes only is followed by direct look-ups, any other by json_path_query.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from rules.engine.event import ABSENT, Absent, Event
from rules.engine.json_path_query import (
    NOTHING,
    Query,
    QueryError,
    Segment,
    Steps,
    compile_query,
    every,
    index_selector,
    look_up,
    name_selector,
)
from rules.engine.transform_error import TooManySteps, TransformError

MAX_PATH = 1024
MAX_STEPS = 500_000

_NAME = r"[^\s.\[\]{}$'\"\\*?@()]+"
_FIRST = re.compile(_NAME)
_STEP = re.compile(
    rf"\.(?P<name>{_NAME})|\['(?P<quoted>[^']*)'\]|\[(?P<index>[0-9]{{1,9}})\]|\[(?P<every>\*)\]"
)
_SHORTHAND = re.compile(
    r"[A-Za-z_][A-Za-z0-9_]*"
)  # fewer than RFC 9535 §2.5.1.1 allows: the others are quoted
_UNDERSTOOD = "understood are .name, ['name'], [0] and [*]"


class PathError(ValueError):
    """A path that is not understood; `at` is the offset of the place in its text."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.message = message
        self.at = at


class Reading:
    """One event while a transform reads it: its data decoded once, one budget of steps for all its paths."""

    __slots__ = ("_data", "_decoded", "_whole", "event", "steps")

    def __init__(self, event: Event, limit: int = MAX_STEPS) -> None:
        self.event = event
        self.steps = Steps(limit)
        self._decoded = False
        self._data: Any = ABSENT
        self._whole: dict[str, Any] | None = None

    @property
    def data(self) -> Any | Absent:
        """The data, numbers as they are written; ABSENT when there is none."""
        if not self._decoded:
            self._data = self.event.exact_data()
            self._decoded = True
        return self._data

    @property
    def whole(self) -> dict[str, Any]:
        """The event as one object: its attributes, and `data` when it has some."""
        if self._whole is None:
            self._whole = dict(self.event.attributes)
            if self.data is not ABSENT:
                self._whole["data"] = self.data
        return self._whole


@dataclass(frozen=True, slots=True, eq=False)
class EventPath:
    """A place or several in an event. `text` is it as JSONPath; `$` alone is the whole event."""

    text: str
    query: Query

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EventPath) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    @property
    def is_whole_event(self) -> bool:
        return not self.query.segments

    @property
    def is_definite(self) -> bool:
        """Whether it leads to one value at most; else it gives a list."""
        return self.query.names is not None

    def value(self, reading: Reading) -> Any | Absent:
        """What stands there; ABSENT when nothing does. A list, perhaps empty, when the path is not definite.

        Raises TransformError when finding it takes more steps than one event is granted.
        """
        names = self.query.names
        if names:
            first = names[0]
            if first == "data":
                value = reading.data
            else:
                value = reading.event.attributes.get(str(first), ABSENT)
            found = NOTHING if value is ABSENT else look_up(value, names[1:])
            return ABSENT if found is NOTHING else found
        if names is not None:
            return reading.whole
        try:
            return self.query.find(reading.whole, reading.steps)
        except TooManySteps as error:
            raise TransformError(f"{self.text} on this event: {error.message}") from None


def parse_json_path(text: str) -> EventPath:
    """The path of JSONPath text such as $.data.a['b'][0]; `$` alone is the whole event. Raises PathError."""
    _check_length(text)
    if not text.startswith("$"):
        raise PathError(f"a JSONPath starts with $, as in $.{text[:40] or 'data.a'}", 0)
    try:
        query = compile_query(text)
    except QueryError as error:
        raise PathError(error.message, error.at) from None
    if query.names and not isinstance(query.names[0], str):
        raise PathError("the event itself is no list: name an attribute or data first, as in $.data[0]", 1)
    return EventPath(text, query)


def parse_placeholder(text: str, variables: dict[str, EventPath]) -> EventPath:
    """The path of a placeholder's inside: * or name.more, the name that of a variable, an attribute or `data`.

    Raises PathError.
    """
    _check_length(text)
    if text == "*":
        return EventPath("$", Query((), ()))
    first = _FIRST.match(text)
    if first is None:
        example = "as in ${id}, ${data.total} or ${*}"
        if text.startswith("$"):
            raise PathError(f"a placeholder takes a path without $, {example}; JSONPath is for variables", 0)
        raise PathError(f"a placeholder names an attribute, a path into data or a variable, {example}", 0)
    names = _steps(text, first.end())
    variable = variables.get(first.group())
    if variable is None:
        steps = (first.group(), *names)
        return EventPath(written_path("$", steps), _continued(Query((), ()), steps))
    if variable.is_whole_event and names and not isinstance(names[0], str):
        raise PathError("the event itself is no list: name an attribute or data first", first.end())
    return EventPath(written_path(variable.text, names), _continued(variable.query, names))


def _check_length(text: str) -> None:
    if len(text) > MAX_PATH:
        raise PathError(f"the path has {len(text):,} characters: at most {MAX_PATH:,} are understood", 0)


def _steps(text: str, at: int) -> tuple[str | int | None, ...]:
    """Names and indexes; None is [*]."""
    steps: list[str | int | None] = []
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise PathError(f"“{text[at : at + 20]}” is not understood in a path: {_UNDERSTOOD}", at)
        if found["index"] is not None:
            steps.append(int(found["index"]))
        elif found["every"] is not None:
            steps.append(None)
        else:
            steps.append(found["name"] if found["name"] is not None else found["quoted"])
        at = found.end()
    return tuple(steps)


def written_path(text: str, steps: tuple[str | int | None, ...]) -> str:
    """JSONPath `text` and these steps after it."""
    for step in steps:
        if step is None:
            text += "[*]"
        elif isinstance(step, int):
            text += f"[{step}]"
        elif _SHORTHAND.fullmatch(step):
            text += f".{step}"
        else:
            escaped = step.replace("\\", "\\\\").replace("'", "\\'")
            text += f"['{escaped}']"
    return text


def _continued(query: Query, steps: tuple[str | int | None, ...]) -> Query:
    names = query.names
    if names is not None:
        names = None if None in steps else (*names, *(step for step in steps if step is not None))
    return Query((*query.segments, *map(_segment, steps)), names)


def _segment(step: str | int | None) -> Segment:
    if step is None:
        return False, (every_element,)
    return False, (name_selector(step) if isinstance(step, str) else index_selector(step),)


def every_element(value: Any, root: Any, steps: Steps, out: list[Any]) -> None:
    """[*] of a placeholder, which means lists only: an object there is more likely an event that changed."""
    if isinstance(value, list):
        every(value, root, steps, out)
