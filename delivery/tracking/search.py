"""Events found by what is known of them: type, source, time, a text in them, what became of them at a target.

There is one index for types and none for texts: the log is read from its newest event back, a stretch at a time, so that
no search can cost more than a stretch. Whoever asks is told how far back that was and asks for the next.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from django.db import connection

from delivery.log.interface import open_log
from delivery.tracking import attempts
from delivery.tracking.events import HEADLINE, Headline, buses, head
from delivery.tracking.read import marks, rows
from delivery.tracking.words import State

# Events looked at for one answer: about 50 ms of either database.
STRETCH, TEXT_STRETCH = 20_000, 10_000
# Of those that an index leads to so many are asked for at once.
AT_ONCE = 1000


class Wanted(NamedTuple):
    """What an event must be; what is None or empty does not count.

    `types`: one of them. `since` (included) and `until` (excluded): received then, microseconds. `text`: somewhere in the
    event as JSON, whatever the case of its Latin letters. `target` with `delivered`: it took the event; with `state`, or
    without `target` any target's: the event stands there as an exception. `invalid`: it did not fit its schema.
    `seqs`: one of these events.
    """

    types: tuple[str, ...] = ()
    source: str = ""
    since: int | None = None
    until: int | None = None
    text: str = ""
    target: int | None = None
    state: State | None = None
    delivered: bool = False
    invalid: bool = False
    seqs: tuple[int, ...] | None = None


class Found(NamedTuple):
    """Events, newest first. `looked`: how many were looked at, down to seq `down_to`, 0 when to the beginning.

    `before`: ask for those below it to go on, None when there are no more.
    """

    events: list[Headline]
    looked: int
    down_to: int
    before: int | None


def search(
    wanted: Wanted,
    before: int | None = None,
    limit: int = 50,
    keep: Callable[[list[Headline]], list[Headline]] = lambda events: events,
) -> Found:
    """The newest events below seq `before` that are wanted, at most `limit`; of a stretch of the log.

    `keep` takes some away again, of those that were found by their text: what a person may not see must not be found.
    """
    top = head() if before is None else before - 1
    floor = _floor()
    if wanted.until is not None:
        top = min(top, open_log().seek(wanted.until))
    if wanted.since is not None:
        floor = max(floor, open_log().seek(wanted.since))
    if top <= floor:
        return Found([], 0, 0, None)
    stretch = TEXT_STRETCH if wanted.text else STRETCH
    listed = _listed(wanted, floor, top, stretch + 1)
    if listed is None:
        return _in_a_row(wanted, floor, top, stretch, limit, keep)
    events: list[Headline] = []
    for at in range(0, min(len(listed), stretch), AT_ONCE):
        part = listed[at : min(at + AT_ONCE, stretch)]
        events += keep(_fitting(wanted, f"seq IN ({marks(part)})", part, len(part)))
        if len(events) > limit:
            break
    if len(events) > limit:
        return Found(events[:limit], at + len(part), events[limit - 1].seq, events[limit - 1].seq)
    if len(listed) > stretch:
        return Found(events, stretch, listed[stretch - 1], listed[stretch - 1])
    return Found(events, len(listed), 0, None)


def _in_a_row(
    wanted: Wanted,
    floor: int,
    top: int,
    stretch: int,
    limit: int,
    keep: Callable[[list[Headline]], list[Headline]],
) -> Found:
    """Every event of a stretch is looked at."""
    bottom = max(floor, top - stretch)
    # One more than are shown tells whether there are more; what is not kept makes room for others.
    events: list[Headline] = []
    begin = top
    while len(events) <= limit and begin > bottom:
        found = _fitting(wanted, "seq > %s AND seq <= %s", [bottom, begin], limit + 1)
        events += keep(found)
        begin = found[-1].seq - 1 if len(found) > limit else bottom
    if len(events) > limit:
        last = events[limit - 1].seq
        return Found(events[:limit], top - last + 1, last, last)
    if bottom > floor:
        return Found(events, top - bottom, bottom + 1, bottom + 1)
    return Found(events, top - bottom, 0, None)


def _floor() -> int:
    """The seq below the oldest event that is kept."""
    found = rows("SELECT min(seq) FROM log_event")
    return int(found[0][0]) - 1 if found[0][0] is not None else head()


def _listed(wanted: Wanted, floor: int, top: int, limit: int) -> list[int] | None:
    """The newest seqs in (floor, top] that the narrowest index leads to, newest first; None where none does."""
    if wanted.seqs is not None:
        named = sorted((seq for seq in wanted.seqs if floor < seq <= top), reverse=True)
        return [seq for seq in named if _stands(wanted, seq)][:limit]
    if wanted.delivered and wanted.target is not None:
        return attempts.delivered_to(wanted.target, floor, top, limit)
    if wanted.state is not None or wanted.target is not None:
        return _exceptions(wanted, floor, top, limit)
    if wanted.types:
        return _of_types(wanted.types, floor, top, limit)
    return None


def _stands(wanted: Wanted, seq: int) -> bool:
    """Whether one event has become at the target what is wanted."""
    if wanted.target is None and wanted.state is None:
        return True
    return bool(_listed(wanted._replace(seqs=None), seq - 1, seq, 1))


def _exceptions(wanted: Wanted, floor: int, top: int, limit: int) -> list[int]:
    conditions, parameters = ["seq > %s", "seq <= %s"], [floor, top]
    if wanted.target is not None:
        conditions.append("target = %s")
        parameters.append(wanted.target)
    if wanted.state is not None:
        conditions.append("state = %s")
        parameters.append(int(wanted.state))
    found = rows(
        f"SELECT DISTINCT seq FROM runner_exception WHERE {' AND '.join(conditions)} ORDER BY seq DESC LIMIT %s",
        [*parameters, limit],
    )
    return [int(seq) for (seq,) in found]


def _of_types(types: Sequence[str], floor: int, top: int, limit: int) -> list[int]:
    """One search in the index for each bus and type."""
    found: list[int] = []
    for bus in buses():
        for name in types:
            found += [
                int(seq)
                for (seq,) in rows(
                    "SELECT seq FROM log_event WHERE bus = %s AND type = %s AND seq > %s AND seq <= %s "
                    "ORDER BY seq DESC LIMIT %s",
                    [bus, name, floor, top, limit],
                )
            ]
    return sorted(found, reverse=True)[:limit]


def _fitting(wanted: Wanted, where: str, parameters: Sequence[Any], limit: int) -> list[Headline]:
    """Those of some events that are wanted, newest first."""
    conditions, values = [where], list(parameters)
    for condition, value in _conditions(wanted):
        conditions.append(condition)
        values += value
    found = rows(
        f"SELECT {HEADLINE} FROM log_event WHERE {' AND '.join(conditions)} ORDER BY seq DESC LIMIT %s",
        [*values, limit],
    )
    return [Headline(*row) for row in found]


def _conditions(wanted: Wanted) -> Iterator[tuple[str, list[Any]]]:
    if wanted.types:
        yield f"type IN ({marks(wanted.types)})", list(wanted.types)
    if wanted.source:
        yield "source = %s", [wanted.source]
    if wanted.invalid:
        yield "valid = 0", []
    if wanted.since is not None:
        yield "received_at >= %s", [wanted.since]
    if wanted.until is not None:
        yield "received_at < %s", [wanted.until]
    if wanted.text:
        ways = written(wanted.text)
        has = "instr(lower(CAST(raw AS TEXT)), lower(%s)) > 0"
        if connection.vendor == "postgresql":
            # The bytes as text, without asking whether they are UTF-8: both sides are written in the same way.
            has = "position(lower(encode(convert_to(%s, 'UTF8'), 'escape')) IN lower(encode(raw, 'escape'))) > 0"
        yield f"({' OR '.join([has] * len(ways))})", ways


def written(text: str) -> list[str]:
    """How `text` may stand in JSON: as it is, and with what JSON writes in another way."""
    text = text.replace("\0", "")
    plain = json.dumps(text, ensure_ascii=False)[1:-1]
    return list(dict.fromkeys([text, plain, json.dumps(text)[1:-1]]))
