"""Past events that a rule may take, read in order and in small parts, whatever else the log holds between them."""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from delivery.tracking.read import marks, rows
from rules.engine import Event, Filter, Matcher, compile

logger = logging.getLogger(__name__)

# Events of one part, and how long one may take (seconds): between parts somebody else gets the processor.
PART = 500
QUICK, SLOW = 0.02, 0.1
NARROW, WIDE = 500, 1 << 20
THE_RULE = 1


class Found(NamedTuple):
    """One part: the log was looked at up to `upto`; `looked_at` events were tried, `taken` are (seq, lane)."""

    upto: int
    looked_at: int
    taken: list[tuple[int, int]]


@dataclass
class Reader:
    """Looks for the events of one bus that a filter takes. Raises PatternError when it is not valid.

    Each `look` reads at most PART events. How many seqs that may span adapts itself: where other buses' events or
    other types lie between, it grows, until one look takes some hundredths of a second.
    """

    bus: int
    wanted: Filter
    span: int = NARROW
    _matcher: Matcher = field(init=False)
    _types: list[str] | None = field(init=False)

    def __post_init__(self) -> None:
        self._matcher = compile([(THE_RULE, self.wanted)])
        self._types = exact_types(self.wanted)

    def look(self, after: int, until: int) -> Found:
        """Tries the next events above `after`, none above `until`."""
        began = time.perf_counter()
        upto = min(after + self.span, until)
        read = self._read(after, upto)
        if len(read) == PART:
            upto = read[-1][0]
        taken = [(seq, lane) for seq, lane, raw in read if self._takes(seq, raw)]
        took = time.perf_counter() - began
        if took < QUICK and len(read) < PART:
            self.span = min(2 * self.span, WIDE)
        elif took > SLOW:
            self.span = max(self.span // 2, NARROW)
        return Found(upto, len(read), taken)

    def _read(self, after: int, upto: int) -> list[tuple[Any, ...]]:
        values: list[Any]
        if self._types is None:
            # +bus: by seq, which bounds the look. By an index on the bus alone it would read all of the bus.
            where, values = "+bus = %s", [self.bus]
        else:
            where, values = f"bus = %s AND type IN ({marks(self._types)})", [self.bus, *self._types]
        return rows(
            f"SELECT seq, lane, raw FROM log_event WHERE {where} AND seq > %s AND seq <= %s ORDER BY seq LIMIT {PART}",
            [*values, after, upto],
        )

    def _takes(self, seq: int, raw: Any) -> bool:
        try:
            return bool(self._matcher.match(Event.from_json(bytes(raw))))
        except ValueError:
            logger.exception("Event %s cannot be read; no rule takes it.", seq)
            return False


def exact_types(wanted: Filter) -> list[str] | None:
    """The types that an event must have one of to be taken; None when the pattern does not name them one by one.

    They are found by an index. What stands at the top of a pattern must hold whatever else the filter says.
    """
    if not isinstance(wanted.pattern, dict):
        return None
    asked = wanted.pattern.get("type", wanted.pattern.get("detail-type"))
    if not isinstance(asked, list) or not asked or len(asked) > 100:
        return None
    # An IP address is compared by what it means, so its text does not find it.
    return None if any(not isinstance(one, str) or _is_address(one) for one in asked) else _once(asked)


def _once(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
