"""Past events to try a rule on: which ones, and each of them decoded once per process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from catalog.display import words
from delivery.log.interface import open_log
from delivery.tracking import events
from delivery.tracking.rates import minute_of
from delivery.tracking.read import HOUR, MINUTE, marks, moment, now, rows
from rules.engine import Event

LATEST, MOST, SLICES, FEW, LIVE_MINUTES = 2_000, 10_000, 50, 5, 10
KEPT, KEPT_BYTES = 12_000, 16 * 1024 * 1024
TAKEN_BYTES = 48 * 1024 * 1024


class Seen(NamedTuple):
    """A past event and its decoded form. `received_at` in microseconds."""

    seq: int
    type: str
    subject: str | None
    ce_id: str
    received_at: int
    event: Event

    @property
    def received(self) -> datetime:
        """When it was received, with its time zone."""
        return moment(self.received_at)

    @property
    def name(self) -> str:
        """What a person calls it: its subject, else its id."""
        return self.subject or self.ce_id


class Sample(NamedTuple):
    """Events, newest first; `span` says which they are, as in "the last 2,000 events"; `of`: how many there were."""

    events: list[Seen]
    span: str
    of: int


class Window(NamedTuple):
    """A choice of the editor. `hours` is None for the latest events."""

    name: str
    label: str
    hours: int | None


def windows() -> list[Window]:
    """What a rule can be tried on."""
    return [
        Window("live", _("Live"), None),
        Window("latest", _("Last %(n)s") % {"n": words.number(LATEST)}, None),
        Window("day", _("24 h"), 24),
        Window("week", _("7 days"), 7 * 24),
    ]


def take(bus: int, types: Sequence[str], window: str = "latest") -> Sample:
    """The events of a window on one bus: of `types`, of every type when there are none. At most MOST of them."""
    at = now()
    hours = next((one.hours for one in windows() if one.name == window), None)
    if window == "live":
        first = at - LIVE_MINUTES * MINUTE
        found = [head for head in _latest(bus, types, LATEST) if head[4] >= first]
        return _sample(found, _("the last %(n)s minutes") % {"n": LIVE_MINUTES}, len(found))
    if hours is None:
        found = _latest(bus, types, LATEST)
        if len(found) == LATEST:
            return _sample(found, _("the last %(n)s events") % {"n": words.number(LATEST)}, LATEST)
        return _sample(found, _("the %(n)s events there are") % {"n": words.number(len(found))}, len(found))
    span = _("24 hours") if hours == 24 else _("7 days")
    first = open_log().seek(at - hours * HOUR) + 1
    found = _latest(bus, types, MOST + 1, first)
    if len(found) <= MOST:
        told = {"n": words.number(len(found)), "span": span}
        return _sample(found, _("the %(n)s events of the last %(span)s") % told, len(found))
    total = max(_received(bus, types, at - hours * HOUR), len(found))
    found = _spread(bus, types, first)
    told = {"n": words.number(len(found)), "all": words.number(total), "span": span}
    return _sample(found, _("%(n)s events spread over the %(all)s of the last %(span)s") % told, total)


def newest(bus: int, types: Sequence[str], limit: int) -> list[Seen]:
    """The newest events of a bus, newest first: of `types`, of every type when there are none."""
    return _decoded(_latest(bus, types, limit))


def one(seq: int) -> Seen | None:
    """The event with that seq, None when the log does not hold it."""
    found = rows(f"SELECT {HEAD} FROM log_event WHERE seq = %s", [seq])
    return next(iter(_decoded(found)), None)


HEAD = "seq, type, subject, ce_id, received_at, length(raw)"
Head = tuple[int, str, str | None, str, int, int]


def _latest(bus: int, types: Sequence[str], limit: int, first: int = 0) -> list[Head]:
    if not types:
        # Other buses' events lie between: bounded by looking at the newest 50 × limit seqs only.
        first = max(first, events.head() - 50 * limit)
        sql = f"SELECT {HEAD} FROM log_event WHERE bus = %s AND seq >= %s ORDER BY seq DESC LIMIT %s"
        return list(rows(sql, [bus, first, limit]))
    if len(types) == 1:
        sql = f"SELECT {HEAD} FROM log_event WHERE bus = %s AND type = %s AND seq >= %s ORDER BY seq DESC LIMIT %s"
        return list(rows(sql, [bus, types[0], first, limit]))
    seqs: list[int] = []
    for name in types:
        sql = (
            "SELECT seq FROM log_event WHERE bus = %s AND type = %s AND seq >= %s ORDER BY seq DESC LIMIT %s"
        )
        seqs += [seq for (seq,) in rows(sql, [bus, name, first, limit])]
    return _heads(sorted(seqs, reverse=True)[:limit])


def _heads(seqs: Sequence[int]) -> list[Head]:
    found: list[Head] = []
    for at in range(0, len(seqs), 500):
        part = seqs[at : at + 500]
        sql = f"SELECT {HEAD} FROM log_event WHERE seq IN ({marks(part)}) ORDER BY seq DESC"
        found += rows(sql, part)
    return found


def _spread(bus: int, types: Sequence[str], first: int) -> list[Head]:
    """MOST events out of as many equal stretches of the log as keep each query short, newest first."""
    last = events.head()
    size = max((last - first + 1) // SLICES, 1)
    found: list[Head] = []
    for start in range(first, last + 1, size):
        if 0 < len(types) <= FEW:
            each = MOST // SLICES // len(types)
            for name in types:
                sql = f"SELECT {HEAD} FROM log_event WHERE bus = %s AND type = %s AND seq >= %s AND seq < %s ORDER BY seq LIMIT %s"
                found += rows(sql, [bus, name, start, start + size, each])
        else:
            # By seq, not by the index of the bus's types; what lies between is bounded by the stretch that is read.
            each = MOST // SLICES
            where, values = (f"AND type IN ({marks(types)}) ", list(types)) if types else ("", [])
            until = start + min(size, 20 * each)
            sql = f"SELECT {HEAD} FROM log_event WHERE +bus = %s {where}AND seq >= %s AND seq < %s ORDER BY seq LIMIT %s"
            found += rows(sql, [bus, *values, start, until, each])
    return sorted(found, reverse=True)[:MOST]


def _received(bus: int, types: Sequence[str], since: int) -> int:
    """How many events the counts per minute know of."""
    where, values = (f"AND type IN ({marks(types)})", list(types)) if types else ("", [])
    sql = f"SELECT sum(events) FROM rollup_received WHERE bus = %s AND minute >= %s {where}"
    return int(rows(sql, [bus, minute_of(since), *values])[0][0] or 0)


def _sample(heads: Sequence[Head], span: str, of: int) -> Sample:
    """The events of these rows; of very large ones as many of the newest as TAKEN_BYTES hold."""
    fit = total = 0
    for head in heads:
        total += head[5]
        if total > TAKEN_BYTES and fit:
            span = _("the newest %(n)s of them, which are large: %(span)s") % {
                "n": words.number(fit),
                "span": span,
            }
            break
        fit += 1
    return Sample(_decoded(heads[:fit]), span, of)


# Decoding 2,000 events takes longer than matching them, and every key that is pressed asks for the same ones.
_kept: OrderedDict[tuple[int, int], Event] = OrderedDict()
_kept_bytes = 0
_lock = threading.Lock()


def _decoded(heads: Sequence[Head]) -> list[Seen]:
    """The events of these rows, those seen before from memory. One that cannot be read is left out."""
    with _lock:
        known = {head[0]: _kept.get((head[0], head[4])) for head in heads}
    missing = [head[0] for head in heads if known[head[0]] is None]
    raws: dict[int, bytes] = {}
    for at in range(0, len(missing), 500):
        part = missing[at : at + 500]
        sql = f"SELECT seq, raw FROM log_event WHERE seq IN ({marks(part)})"
        raws.update((int(seq), bytes(raw)) for seq, raw in rows(sql, part))
    found = []
    fresh = []
    for head in heads:
        event = known[head[0]]
        if event is None:
            try:
                event = Event.from_json(raws[head[0]])
            except (KeyError, ValueError):
                continue
            event.data  # decodes it now, so that it is kept decoded  # noqa: B018
            fresh.append(((head[0], head[4]), event))
        found.append(Seen(*head[:5], event=event))
    _keep(fresh)
    return found


def _keep(fresh: Sequence[tuple[tuple[int, int], Event]]) -> None:
    global _kept_bytes
    with _lock:
        for key, event in reversed(fresh):
            if key not in _kept:
                _kept[key] = event
                _kept_bytes += len(event.to_json())
        while len(_kept) > KEPT or _kept_bytes > KEPT_BYTES:
            _key, dropped = _kept.popitem(last=False)
            _kept_bytes -= len(dropped.to_json())
