"""Which places of an event a transform takes, so that a page can mark them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

from rules.engine import TransformError, compile_transform

Step = str | int
EVERY = object()
_STEP = re.compile(
    r"\.(?P<name>[^\s.\[\]*'\"]+)|\[(?P<quoted>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")\]|\[(?P<index>[0-9]{1,9})\]"
    r"|(?P<every>\[\*\]|\.\*)"
)


def used_by(transform: dict[str, Any] | None) -> Callable[[tuple[Step, ...]], bool]:
    """A function that says of a place, names and indexes from the event's root, whether its value is sent.

    Of paths that search ($..a, [?@.b]) nothing is marked: where they lead, only the event itself says.
    """
    try:
        compiled = compile_transform(transform or {"kind": "complete"})
    except TransformError:
        return lambda place: False
    if compiled.whole:
        return lambda place: False
    paths = [steps for text in compiled.reads if (steps := steps_of(text))]
    return lambda place: any(_leads_to(path, place) for path in paths)


def steps_of(text: str) -> list[Any]:
    """The steps of a JSONPath of names, indexes and EVERY; [] for the whole event and for any other path."""
    steps: list[Any] = []
    at = 1
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            return []
        at = found.end()
        if found["name"] is not None:
            steps.append(found["name"])
        elif found["quoted"] is not None:
            steps.append(_unquoted(found["quoted"]))
        else:
            steps.append(EVERY if found["every"] is not None else int(found["index"]))
    return steps


def _unquoted(text: str) -> str:
    inner = text[1:-1]
    if text[0] == "'":
        inner = inner.replace("\\'", "'").replace('"', '\\"')
    try:
        return str(json.loads(f'"{inner}"'))
    except ValueError:
        return inner


def _leads_to(path: Sequence[Any], place: tuple[Step, ...]) -> bool:
    return len(path) <= len(place) and all(
        wanted is EVERY or wanted == step for wanted, step in zip(path, place, strict=False)
    )
