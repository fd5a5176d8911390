"""A few lines that show what an event's data looked like, without what its owner called personal. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any, NamedTuple

# Longer data is not shown at all: it would have to be read whole to find what is personal in it.
READ = 16 * 1024
LONGEST = 2000  # characters of a sample
MASK = "•••"


class Limits(NamedTuple):
    """How much of a value is kept: characters of a text, entries of a list, members of an object, levels."""

    text: int
    entries: int
    members: int
    levels: int


AS_IT_IS = Limits(LONGEST, LONGEST, LONGEST, LONGEST)
TRIES = (Limits(120, 5, 40, 8), Limits(40, 2, 20, 5), Limits(20, 1, 10, 3))


def sample_of(data: bytes | None, personal: Collection[str]) -> str:
    """JSON text of at most LONGEST characters that shows `data` (JSON); "" when nothing may or can be shown.

    Every field that is called like the last name of a path in `personal` is masked wherever it stands, in any case:
    what does not fit its schema may have its fields in other places than it should. Where personal fields are known
    and the data is no object or list of objects, any of it may be personal, so nothing is shown.
    """
    if data is None or len(data) > READ:
        return ""
    return next((text for limits in TRIES if len(text := _text(data, personal, limits)) <= LONGEST), "")


def masked(sample: str, personal: Collection[str]) -> str:
    """A sample with the fields masked that have become personal since; the same text when there are none in it."""
    return _text(sample.encode(), personal, AS_IT_IS)


def _text(data: bytes, personal: Collection[str], limits: Limits) -> str:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return ""
    names = {_bare(_last(path)) for path in personal}
    if names and ("" in names or not _has_fields(value)):
        return ""
    text = json.dumps(_shown(value, names, limits), ensure_ascii=False)
    return text.encode(errors="replace").decode()  # No database stores half a surrogate pair.


def _last(path: str) -> str:
    """`email` of `customer.email` and of `/customer/email`, `tags` of `tags[]`, "" when the whole data is meant."""
    parts = [
        part
        for part in re.split(r"[./]", path.replace("[]", "").replace("{}", ""))
        if part not in ("", "*", "$")
    ]
    return parts[-1] if parts else ""


def _bare(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _has_fields(value: Any) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and all(isinstance(entry, dict) for entry in value)
    )


def _shown(value: Any, names: Collection[str], limits: Limits, level: int = 0) -> Any:
    if isinstance(value, str):
        return value if len(value) <= limits.text else f"{value[: limits.text]}…"
    if isinstance(value, dict):
        if level >= limits.levels:
            return "…"
        members = list(value.items())
        found = {
            _cut(name): MASK if _bare(name) in names else _shown(one, names, limits, level + 1)
            for name, one in members[: limits.members]
        }
        if len(members) > limits.members:
            found["…"] = f"{len(members) - limits.members} more"
        return found
    if isinstance(value, list):
        if level >= limits.levels:
            return "…"
        entries = [_shown(one, names, limits, level + 1) for one in value[: limits.entries]]
        return [*entries, f"… {len(value) - limits.entries} more"] if len(value) > limits.entries else entries
    if isinstance(value, int | float) and not isinstance(value, bool) and len(str(value)) > limits.text:
        return "…"
    return value


def _cut(name: str) -> str:
    return name if len(name) <= 60 else f"{name[:59]}…"
