"""The paths of templates, into one event: a small part of JSONPath (RFC 9535), without filters or searching.

Understood are names, ['names'], [0] and [*]: data.items[0].sku, $.data['a name'], $.data.items[*].sku.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from rules.engine.event import ABSENT, Absent, Event

MAX_PATH = 1024


class Every(Enum):
    """The type of EVERY, the step [*]."""

    EVERY = "[*]"


EVERY: Final = Every.EVERY

Step = str | int | Every

_NAME = r"[^\s.\[\]{}$'\"\\*?@()]+"
_FIRST = re.compile(_NAME)
_STEP = re.compile(
    rf"\.(?P<name>{_NAME})|\['(?P<quoted>[^']*)'\]|\[(?P<index>[0-9]{{1,9}})\]|\[(?P<every>\*)\]"
)
_UNDERSTOOD = "understood are .name, ['name'], [0] and [*]"


class PathError(ValueError):
    """A path that is not understood; `at` is the offset of the place in its text."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.message = message
        self.at = at


@dataclass(frozen=True, slots=True)
class EventPath:
    """A place in an event. The first step is an attribute's name or `data`; no steps mean the whole event."""

    steps: tuple[Step, ...]

    @property
    def is_whole_event(self) -> bool:
        return not self.steps

    def value(self, event: Event) -> Any | Absent:
        """What stands there; ABSENT when nothing does. With [*] always a list, perhaps empty. Not for whole events."""
        first, *steps = self.steps
        value = event.data if first == "data" else event.attributes.get(str(first), ABSENT)
        found = [] if value is ABSENT else [value]
        for step in steps:
            if step is EVERY:
                found = [inner for one in found if isinstance(one, list) for inner in one]
            elif isinstance(step, int):
                found = [one[step] for one in found if isinstance(one, list) and step < len(one)]
            else:
                found = [one[step] for one in found if isinstance(one, dict) and step in one]
        if EVERY in steps:
            return found
        return found[0] if found else ABSENT


def parse_json_path(text: str) -> EventPath:
    """The path of JSONPath text such as $.data.a['b'][0]; `$` alone is the whole event. Raises PathError."""
    _check_length(text)
    if not text.startswith("$"):
        raise PathError(f"a JSONPath starts with $, as in $.{text[:40] or 'data.a'}", 0)
    steps = _steps(text, 1)
    if steps and not isinstance(steps[0], str):
        raise PathError("the event itself is no list: name an attribute or data first, as in $.data[0]", 1)
    return EventPath(steps)


def parse_placeholder(text: str, variables: dict[str, EventPath]) -> EventPath:
    """The path of a placeholder's inside: * or name.more, the name that of a variable, an attribute or `data`.

    Raises PathError.
    """
    _check_length(text)
    if text == "*":
        return EventPath(())
    first = _FIRST.match(text)
    if first is None:
        example = "as in ${id}, ${data.total} or ${*}"
        if text.startswith("$"):
            raise PathError(f"a placeholder takes a path without $, {example}; JSONPath is for variables", 0)
        raise PathError(f"a placeholder names an attribute, a path into data or a variable, {example}", 0)
    variable = variables.get(first.group())
    steps = _steps(text, first.end())
    if variable is None:
        return EventPath((first.group(), *steps))
    if variable.is_whole_event and steps and not isinstance(steps[0], str):
        raise PathError("the event itself is no list: name an attribute or data first", first.end())
    return EventPath((*variable.steps, *steps))


def _check_length(text: str) -> None:
    if len(text) > MAX_PATH:
        raise PathError(f"the path has {len(text):,} characters: at most {MAX_PATH:,} are understood", 0)


def _steps(text: str, at: int) -> tuple[Step, ...]:
    steps: list[Step] = []
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise PathError(f"“{text[at : at + 20]}” is not understood in a path: {_UNDERSTOOD}", at)
        if found["index"] is not None:
            steps.append(int(found["index"]))
        elif found["every"] is not None:
            steps.append(EVERY)
        else:
            steps.append(found["name"] if found["name"] is not None else found["quoted"])
        at = found.end()
    return tuple(steps)
