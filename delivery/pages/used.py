"""Which places of an event a transform takes, so that a page can mark them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rules.engine import TransformError, compile_transform
from rules.engine.json_path import EVERY, PathError, parse_json_path

Step = str | int


def used_by(transform: dict[str, Any] | None) -> Callable[[tuple[Step, ...]], bool]:
    """A function that says of a place, names and indexes from the event's root, whether its value is sent."""
    try:
        compiled = compile_transform(transform or {"kind": "complete"})
    except TransformError:
        return lambda place: False
    if compiled.whole:
        return lambda place: False
    paths: list[Sequence[Any]] = []
    for text in getattr(compiled, "reads", ()):
        try:
            steps = parse_json_path(text).steps
        except PathError:
            continue
        if steps:
            paths.append(steps)
    return lambda place: any(_leads_to(path, place) for path in paths)


def _leads_to(path: Sequence[Any], place: tuple[Step, ...]) -> bool:
    return len(path) <= len(place) and all(
        wanted is EVERY or wanted == step for wanted, step in zip(path, place, strict=False)
    )
