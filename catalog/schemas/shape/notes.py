"""What a person is told about a path, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from catalog.said import said


@dataclass(frozen=True)
class Note:
    """A remark about the path `pointer` ("" is the root; "[]" and "{}" stand for entries)."""

    pointer: str
    sentence: str


def share_of(part: int, whole: int) -> str:
    """`2 %`; never 0 % of something nor 100 % of less than all."""
    percent = 100 * part / whole if whole else 0.0
    if part and percent < 1:
        return said("less than 1 %%")
    if part < whole and percent > 99:
        return said("more than 99 %%")
    return f"{percent:.0f} %"


def counted(count: int, thing: Literal["event", "value"]) -> str:
    """`1,204 events`, `1 event`."""
    n = f"{count:,}"
    if thing == "event":
        return said("%(n)s event", n=n) if count == 1 else said("%(n)s events", n=n)
    return said("%(n)s value", n=n) if count == 1 else said("%(n)s values", n=n)
