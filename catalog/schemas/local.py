"""Local references: what `#/$defs/money` points to, by JSON pointer (RFC 6901) in a URI fragment."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import unquote


@lru_cache(maxsize=4096)
def steps_of(reference: str) -> tuple[str, ...] | None:
    """The steps of `#/a/b`, None for a reference that is no pointer into the document."""
    if reference == "#":
        return ()
    if not reference.startswith("#/"):
        return None
    steps = tuple(reference[2:].split("/"))
    if "~" not in reference and "%" not in reference:
        return steps
    return tuple(unquote(step).replace("~1", "/").replace("~0", "~") for step in steps)


def look_up(whole: Any, reference: str) -> Any:
    """What `reference` (`#/…`) points to. Raises LookupError when it leaves the document or points to nothing."""
    steps = steps_of(reference)
    if steps is None:
        raise LookupError(reference)
    value = whole
    for step in steps:
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            raise LookupError(reference)
    return value
