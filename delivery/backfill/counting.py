"""How many past events a rule would take, for a person who chooses where a target starts."""

from __future__ import annotations

import time

from delivery.backfill.past import Reader
from delivery.backfill.since import position
from delivery.log.interface import open_log
from rules.engine import Filter
from rules.registry import Counted, Since

LONGEST = 0.5  # seconds


def count_past(wanted: Filter, bus: int, since: Since, within: float = LONGEST) -> Counted:
    """How many kept events of `bus` from `since` on the filter takes, oldest first.

    Ends after about `within` seconds; then both numbers are lower bounds and `exact` is false. Raises PatternError,
    NotInThePast.
    """
    ends = time.monotonic() + within
    reader = Reader(bus, wanted)
    matching = looked_at = 0
    at, head = position(since, bus), open_log().head()
    while at < head:
        if time.monotonic() >= ends:
            return Counted(matching, looked_at, False)
        found = reader.look(at, head)
        matching += len(found.taken)
        looked_at += found.looked_at
        at = found.upto
    return Counted(matching, looked_at, True)
