"""Which places of an event a transform takes, so that a page can mark them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rules.engine import Event, TransformError, compile_transform
from rules.reading import places_read

Step = str | int


def used_by(transform: dict[str, Any] | None, event: Event) -> Callable[[tuple[Step, ...]], bool]:
    """A function that says of a place of `event`, names and indexes from its root, whether its value is read."""
    spec = transform or {"kind": "complete"}
    try:
        used = places_read(spec, compile_transform(spec), event)
    except TransformError:
        used = set()
    return lambda place: any(place[:size] in used for size in range(1, len(place) + 1))
