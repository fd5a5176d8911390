"""What a person may do with dead letters: send them again, or drop them. The lease holder carries it out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing

from django.db import connection, transaction

from delivery.doorbell import Doorbell
from delivery.tracking.words import State


def redrive(target_id: int, seqs: Sequence[int] | None = None) -> int:
    """Sends dead letters of a target again, all of them or those in `seqs`, each key in order; returns how many."""
    now = time.time_ns() // 1000
    return _ask(
        # It is as new to the policy: its age counts from the next attempt.
        "SET state = %s, attempts = 0, redriven = redriven + 1, first_at = 0, clock = NULL, due_at = %s",
        [int(State.RETRY), now],
        target_id,
        seqs,
    )


def discard(target_id: int, seqs: Sequence[int] | None, reason: str) -> int:
    """Drops dead letters for good, with the reason on record; later events of their keys go on. Returns how many."""
    now = time.time_ns() // 1000
    return _ask(
        "SET state = %s, reason = %s, due_at = %s",
        [int(State.DISCARD), f"Discarded: {reason}"[:500], now],
        target_id,
        seqs,
    )


def _ask(change: str, values: list[int | str], target_id: int, seqs: Sequence[int] | None) -> int:
    count = 0
    with transaction.atomic(), connection.cursor() as cursor:
        which = f"UPDATE runner_exception {change} WHERE target = %s AND state = %s"
        # One statement for all; a chosen few are named in parts that fit any database's limit of variables.
        parts: list[Sequence[int] | None] = (
            [None] if seqs is None else [seqs[at : at + 500] for at in range(0, len(seqs), 500)]
        )
        for part in parts:
            named = "" if part is None else f" AND seq IN ({', '.join(['%s'] * len(part))})"
            cursor.execute(which + named, [*values, target_id, int(State.DEAD), *(part or ())])
            count += cursor.rowcount
        if count and connection.vendor == "postgresql":
            cursor.execute("SELECT pg_notify('signalbox', '')")
    if count:
        with closing(Doorbell()) as doorbell:
            doorbell.ring()
    return count
