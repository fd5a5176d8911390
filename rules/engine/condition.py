"""One condition of a rule's filter, as it is explained to a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rules.engine.event import Absent


@dataclass(frozen=True, slots=True)
class Condition:
    """What a pattern, an expression or another filter asks of one path, and what the event has there.

    operator: its name in the language, "exact" for plain values, "all of" for an object with several, or "any of"
    when a list mixes them;
    wanted: the JSON value, a list when there are several alternatives (operator objects for "any of");
    seen: the JSON value, a list when the path has several leaves, ABSENT when it has none;
    sentence: both in words, without a full stop; pointer: where in the pattern it stands (JSON pointer), in a
    Filter "/pattern/type", "/sql" or "/filters/0/exact/type"; span: (start, end) in the text of an expression.
    """

    path: str
    operator: str
    wanted: Any
    seen: Any | Absent
    ok: bool
    sentence: str
    pointer: str
    span: tuple[int, int] | None = None
