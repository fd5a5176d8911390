"""How regularly something is sent: when its newest event came, and how long it paused between the ones before.

What is sent daily is not silent after five minutes, and what is sent a hundred times a minute is. So a flow is measured by
itself: it is silent once nothing has come for twice its longest pause of late.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from delivery.tracking.read import MINUTE, rows

# Nothing is silent before so much time has passed (microseconds), or so many times its longest pause.
LEAST, TIMES = 5 * MINUTE, 2
# So many pauses are looked at, the newest; of a source, so many of its types.
PAUSES, KINDS = 20, 20
# Looks into a key in one statement: SQLite takes 500.
TOGETHER = 200
# One look: of what, the rollup's step of time, begin and end of the events in it as far as they are known.
OF_TYPE = (
    f"SELECT CAST(%s AS text), minute, minute * {MINUTE}, minute * {MINUTE} FROM rollup_received "
    f"WHERE bus = %s AND type = %s ORDER BY minute DESC LIMIT {PAUSES + 1}"
)
OF_SOURCE = (
    "SELECT CAST(%s AS text), slot, first_at, last_at FROM rollup_source "
    f"WHERE source = %s AND type = %s ORDER BY slot DESC LIMIT {PAUSES + 1}"
)


class Rhythm(NamedTuple):
    """`last`: when the newest event came (microseconds since 1970).  `pause`: the longest time without any between the
    last ones (microseconds); 0 when they came together, once."""

    last: int
    pause: int

    def is_silent(self, at: int) -> bool:
        """Whether it has been longer up to `at` than the rhythm explains. What came once has none to break."""
        return bool(self.pause) and at - self.last > max(TIMES * self.pause, LEAST)


def of_types(names: Iterable[str], buses: Collection[int]) -> dict[str, Rhythm]:
    """The rhythm of each event type, exact to the minute; one without events for as long as counts are kept is missing."""
    return _rhythms(OF_TYPE, [(name, bus, name) for name in names for bus in sorted(buses)])


def of_sources(types: Mapping[str, Sequence[str]]) -> dict[str, Rhythm]:
    """The rhythm of each source (URI) out of its `types`; one without events is missing.

    Pauses inside the ten minutes that the rollup counts together are not known, and cannot be long.
    """
    return _rhythms(OF_SOURCE, [(uri, uri, name) for uri, names in types.items() for name in names[:KINDS]])


def _rhythms(look: str, of: Sequence[tuple[Any, ...]]) -> dict[str, Rhythm]:
    came: dict[str, dict[int, tuple[int, int]]] = {}
    for name, step, first, last in _rows(look, of):
        steps = came.setdefault(name, {})
        known = steps.get(step, (first, last))
        steps[step] = min(known[0], first), max(known[1], last)
    return {name: _rhythm(sorted(steps.values())[-PAUSES - 1 :]) for name, steps in came.items()}


def _rhythm(came: Sequence[tuple[int, int]]) -> Rhythm:
    pauses = (later[0] - before[1] for before, later in pairwise(came))
    return Rhythm(came[-1][1], max(pauses, default=0))


def _rows(look: str, of: Sequence[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    for at in range(0, len(of), TOGETHER):
        part = of[at : at + TOGETHER]
        asked = " UNION ALL ".join(f"SELECT * FROM ({look}) AS l{place}" for place in range(len(part)))
        yield from rows(asked, [value for values in part for value in values])
