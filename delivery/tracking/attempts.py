"""Attempts: what was tried, when, for how long and how it ended. Everything that pages and the API tell of them.

A plain success, a first attempt that delivered, is in a pack; each other attempt has a row of its own.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from delivery.tracking import packing
from delivery.tracking.packing import NO_PHASES, SPAN, Phases
from delivery.tracking.read import marks, moment, rows
from delivery.tracking.words import Outcome

COLUMNS = "target, seq, number, at, took, outcome, status, revision, reason, response, worker, lookup, connect, tls, first_byte"
# Failures among the newest rows only: an index for a list that people read would cost every delivery.
LOOKED_AT = 20_000
# Packs read at once: at most 128 attempts each.
PACKS = 200
# How often a row `x` of runner_exception was tried. It was not delivered, so no pack has it.
TRIED = "(SELECT count(*) FROM attempt a WHERE a.target = x.target AND a.seq = x.seq)"


class Attempt(NamedTuple):
    """One try. `at` and `took` in microseconds; `status` as the target answered (an HTTP status), if it did.

    `worker`: the shift that made it (host-process-…), None for those from before it was kept.
    """

    target: int
    seq: int
    number: int
    at: int
    took: int
    outcome: int
    status: int | None
    revision: int
    reason: str | None
    response: str | None
    worker: str | None = None
    phases: Phases = NO_PHASES

    @property
    def began(self) -> datetime:
        """When it began, with its time zone."""
        return moment(self.at)

    @property
    def ended(self) -> int:
        """When it was answered or given up, in microseconds: lists are in this order, and the live feed goes by it."""
        return self.at + self.took

    @property
    def milliseconds(self) -> float:
        """How long it took."""
        return self.took / 1000

    @property
    def delivered(self) -> bool:
        """Whether the target took it."""
        return self.outcome == Outcome.DELIVERED


def from_row(row: Sequence[Any]) -> Attempt:
    """An attempt of a row of COLUMNS."""
    return Attempt._make((*row[:11], Phases(*row[11:])))


def from_pack(target: int, lo: int, body: Any) -> Iterator[Attempt]:
    """The attempts of a pack, by seq."""
    for one in packing.unpack(lo, body):
        yield Attempt(
            target, one.seq, 1, one.at, one.took, packing.PLAIN, one.status, one.revision, None, None,
            one.worker, one.phases,
        )  # fmt: skip


def of_event(seq: int, targets: Sequence[int], limit: int = 1000) -> list[Attempt]:
    """The attempts to deliver one event in the order they were made; at most the first `limit` that have rows.

    Of plain successes only those at `targets`: whoever asks knows where an event was routed.
    """
    found = [
        from_row(row)
        for row in rows(f"SELECT {COLUMNS} FROM attempt WHERE seq = %s ORDER BY id LIMIT %s", [seq, limit])
    ]
    for at in range(0, len(targets), 500):
        part = targets[at : at + 500]
        # One search in the index for each target.
        values = " UNION ALL ".join(["SELECT %s AS target"] * len(part))
        for target, lo, body in rows(
            f"SELECT p.target, p.lo, p.body FROM ({values}) AS t JOIN attempt_pack p ON p.target = t.target "
            "AND p.hi >= %s AND p.hi < %s AND p.lo <= %s",
            [*part, seq, seq + SPAN, seq],
        ):
            if seq in packing.seqs_of(lo, body):
                found += [one for one in from_pack(target, lo, body) if one.seq == seq]
    return sorted(found, key=lambda one: (one.at, one.number))


def of_target(target: int, limit: int = 50) -> list[Attempt]:
    """The attempts of a target's newest events, newest first."""
    found = [
        from_row(row)
        for row in rows(
            f"SELECT {COLUMNS} FROM attempt WHERE target = %s ORDER BY seq DESC, id DESC LIMIT %s",
            [target, limit],
        )
    ]
    packs = rows(
        "SELECT hi, lo, body FROM attempt_pack WHERE target = %s ORDER BY hi DESC LIMIT %s", [target, limit]
    )
    listed: list[int] = []  # the newest seqs of packs, up to `limit`
    for hi, lo, body in packs:
        if len(listed) == limit and hi < listed[-1]:
            break  # All further packs are older.
        found += from_pack(target, lo, body)
        listed = sorted([*listed, *packing.seqs_of(lo, body)], reverse=True)[:limit]
    return sorted(found, key=lambda one: (one.seq, one.number, one.at), reverse=True)[:limit]


def delivered_to(target: int, above: int, top: int, limit: int) -> list[int]:
    """The newest seqs in (above, top] of events that a target took, newest first."""
    seqs = {
        int(seq)
        for (seq,) in rows(
            "SELECT seq FROM attempt WHERE target = %s AND seq > %s AND seq <= %s AND outcome = %s "
            "ORDER BY seq DESC LIMIT %s",
            [target, above, top, int(Outcome.DELIVERED), limit],
        )
    }
    packed: set[int] = set()
    last = (top + SPAN, 0)  # Only packs that end below this may hold one of them.
    while True:
        packs = rows(
            "SELECT hi, id, lo, body FROM attempt_pack WHERE target = %s AND hi > %s AND (hi < %s OR hi = %s AND id < %s) "
            "ORDER BY hi DESC, id DESC LIMIT %s",
            [target, above, last[0], *last, PACKS],
        )
        for _hi, _id, lo, body in packs:
            packed.update(seq for seq in packing.seqs_of(lo, body) if above < seq <= top)
        if len(packs) < PACKS:
            break
        last = (int(packs[-1][0]), int(packs[-1][1]))
        # Packs that were not read end here: what is above is complete.
        whole = {seq for seq in packed if seq > last[0]}
        if len(whole) >= limit:
            packed = whole
            break
    return sorted(seqs | packed, reverse=True)[:limit]


def newest(limit: int, failed: bool = False) -> list[Attempt]:
    """The latest attempts, newest first; with `failed`, those among the newest 20,000 rows that did not deliver."""
    if failed:
        return [
            from_row(row)
            for row in rows(
                f"SELECT {COLUMNS} FROM attempt WHERE id > (SELECT coalesce(max(id), 0) FROM attempt) - %s "
                "AND outcome <> %s ORDER BY id DESC LIMIT %s",
                [LOOKED_AT, int(Outcome.DELIVERED), limit],
            )
        ]
    found = [
        from_row(row) for row in rows(f"SELECT {COLUMNS} FROM attempt ORDER BY id DESC LIMIT %s", [limit])
    ]
    # A commit's packs are in the order of seqs, and attempts end in any: some more are looked at.
    enough = len(found) + 3 * limit
    for target, lo, body in rows(
        "SELECT target, lo, body FROM attempt_pack ORDER BY id DESC LIMIT %s", [limit]
    ):
        if len(found) >= enough:
            break
        found += from_pack(target, lo, body)
    return sorted(found, key=lambda one: one.ended, reverse=True)[:limit]


def delivered_among(target: int, seqs: Iterable[int]) -> int:
    """How many of the events `seqs` the target has taken."""
    wanted = sorted(set(seqs))
    if not wanted:
        return 0
    taken: set[int] = set()
    for at in range(0, len(wanted), 500):
        part = wanted[at : at + 500]
        found = rows(
            f"SELECT DISTINCT seq FROM attempt WHERE target = %s AND outcome = %s AND seq IN ({marks(part)})",
            [target, int(Outcome.DELIVERED), *part],
        )
        taken.update(int(seq) for (seq,) in found)
    # Where packs begin and end is in the index; only those that may hold one of the events are read.
    near = [
        pk
        for pk, lo, hi in rows(
            "SELECT id, lo, hi FROM attempt_pack WHERE target = %s AND hi >= %s AND hi < %s",
            [target, wanted[0], wanted[-1] + SPAN],
        )
        if (place := bisect_left(wanted, lo)) < len(wanted) and wanted[place] <= hi
    ]
    for at in range(0, len(near), 500):
        part = near[at : at + 500]
        for lo, body in rows(f"SELECT lo, body FROM attempt_pack WHERE id IN ({marks(part)})", part):
            taken.update(packing.seqs_of(lo, body))
    return len(taken.intersection(wanted))


def delivered_after(target: int, seq: int, limit: int) -> tuple[int, bool]:
    """How many events after `seq` the target has taken, and whether that is all; looks at about `limit` of each kind."""
    found = rows(
        "SELECT seq, outcome FROM attempt WHERE target = %s AND seq > %s ORDER BY seq LIMIT %s",
        [target, seq, limit],
    )
    taken = {int(one) for one, outcome in found if outcome == Outcome.DELIVERED}
    looked, after = 0, seq
    while looked < limit:
        packs = rows(
            "SELECT hi, lo, body FROM attempt_pack WHERE target = %s AND hi > %s ORDER BY hi LIMIT 200",
            [target, after],
        )
        held = list(chain.from_iterable(packing.seqs_of(lo, body) for _, lo, body in packs))
        taken.update(one for one in held if one > seq)
        looked += len(held)
        if len(packs) < 200:
            break
        after = packs[-1][0]
    return len(taken), looked < limit and len(found) < limit
