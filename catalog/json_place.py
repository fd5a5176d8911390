"""Where a text stops being JSON."""

from __future__ import annotations

import json
from typing import NamedTuple


class Broken(NamedTuple):
    """`line` and `column` count from 1; `why` says what was expected there."""

    line: int
    column: int
    why: str


def broken(text: str | bytes) -> Broken | None:
    """The place where `text` stops being JSON; None when it is JSON, or is no UTF-8 or too deep to be looked at."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return Broken(error.lineno, error.colno, error.msg)
    except (ValueError, RecursionError):
        return None
    return None
