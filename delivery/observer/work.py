"""The observer's work: claim its turn, look at the next part of the log, write what was seen and move on.

Nothing is locked while it reads. The place moves in the transaction that writes what was seen, and only from where
this worker found it, so a worker that was killed, frozen or overtaken has noted a part once or not at all.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from django.db import connection, transaction

from catalog.schemas.shape import Shape
from delivery.log.interface import open_log
from delivery.observer.noting import Known, Notes, folded, noted, write
from delivery.observer.reading import DAY, PART, choose, data_of, read
from delivery.tracking.read import now, rows

logger = logging.getLogger(__name__)

NAME = "observer"
EVERY = 3_000_000  # microseconds between two looks when there is nothing more to read
HELD = 10_000_000  # microseconds that a turn lasts without a sign of life
STAY = 5.0  # seconds of one run
REST = 0.5  # seconds of rest per second of work: shifts share the processor
# Where it begins in a log that is older than it: what was received since then (microseconds).
BEGIN = DAY


class Turn(NamedTuple):
    """A place in the log and the mark of whoever may move it."""

    seq: int
    due_at: int


class Overtaken(Exception):
    """Another worker has moved on from this place."""


def observe(
    stop: Callable[[], bool] = lambda: False, stay: float = STAY, chance: random.Random | None = None
) -> int:
    """Looks at what is new for about `stay` seconds or until `stop()`; returns the number of parts."""
    ends = time.monotonic() + stay
    chance = chance or random.Random()
    parts = 0
    while time.monotonic() < ends and not stop():
        turn = claim()
        if turn is None:
            break
        began = time.perf_counter()
        try:
            more = look(turn, chance)
        except Overtaken:
            break
        parts += 1
        if not more:
            break
        time.sleep((time.perf_counter() - began) * REST)
    return parts


def claim() -> Turn | None:
    """The turn to look at the log, held for this worker; None when nothing is new, it is early or another has it."""
    found = rows(
        "SELECT f.seq, f.due_at, h.seq FROM log_head h LEFT JOIN log_follower f ON f.name = %s WHERE h.id = 1",
        [NAME],
    )
    seq, due_at, head = found[0]
    if seq is None:
        seq, due_at = open_log().seek(now() - BEGIN), 0
        _execute(
            "INSERT INTO log_follower (name, seq, due_at) VALUES (%s, %s, %s) ON CONFLICT (name) DO NOTHING",
            [NAME, seq, due_at],
        )
    moment = now()
    if seq >= head or due_at > moment:
        return None
    turn = Turn(seq, moment + HELD)
    claimed = _execute(
        "UPDATE log_follower SET due_at = %s WHERE name = %s AND seq = %s AND due_at = %s",
        [turn.due_at, NAME, seq, due_at],
    )
    return turn if claimed else None


def look(turn: Turn, chance: random.Random) -> bool:
    """Notes the next part; returns whether there is more. Raises Overtaken, with nothing noted."""
    head = open_log().head()
    part = read(turn.seq, head, PART)
    known = Known(part.kinds)
    kinds, slots = folded(part, known)
    sampled = {kind: known.rows.get(known.name(kind), (0, 0))[1] for kind in kinds}
    chosen = choose(kinds, sampled, chance)
    data = data_of([seq for seqs in chosen.values() for seq in seqs])
    shapes = {}
    for kind, seqs in chosen.items():
        shape = Shape(known.personal.get(kind.type, ()))
        for seq in seqs:
            if seq in data:
                shape.add(data[seq])
        if shape.samples:
            shapes[kind] = shape
    move(turn, part.upto, part.full, noted(kinds, slots, known, shapes))
    return part.full


def move(turn: Turn, upto: int, more: bool, notes: Notes) -> None:
    """Writes what was seen and moves the place to `upto`, together. Raises Overtaken."""
    due_at = now() if more else now() + EVERY
    with transaction.atomic():
        moved = _execute(
            "UPDATE log_follower SET seq = %s, due_at = %s WHERE name = %s AND seq = %s AND due_at = %s",
            [upto, due_at, NAME, turn.seq, turn.due_at],
        )
        if not moved:
            raise Overtaken
        write(notes)


def _execute(sql: str, values: Sequence[str | int]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.rowcount)
