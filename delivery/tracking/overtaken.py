"""Which later events a target has taken already, while earlier ones of the same key were dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from delivery.tracking import attempts
from delivery.tracking.read import marks, rows
from delivery.tracking.words import State

# Events looked at for one answer: it is asked for while a dialog opens.
LOOKED_AT = 20_000
KEYS = 2_000


class Overtaken(NamedTuple):
    """How many events were delivered out of turn. `exact` is False when there may be more than `number`."""

    number: int
    exact: bool


def by_later(target: int, order: str, seqs: Sequence[int] | None = None) -> Overtaken:
    """Later events already delivered that the target's dead letters, or those in `seqs`, would come after.

    Later ones of the same key; with order "all", any. Reads at most 20,000 entries of an index.
    """
    first, whole = _first_of_keys(target, seqs)
    if not first:
        return Overtaken(0, True)
    if order == "all":
        return Overtaken(*attempts.delivered_after(target, min(first.values()), LOOKED_AT))
    later, read_all = _of_keys(first)
    return Overtaken(attempts.delivered_among(target, later), whole and read_all)


def _first_of_keys(target: int, seqs: Sequence[int] | None) -> tuple[dict[tuple[int, int], int], bool]:
    """(lane, key) -> the first dead letter's seq, and whether these are all keys there are."""
    parts: list[Sequence[int] | None] = (
        [None] if seqs is None else [seqs[at : at + 500] for at in range(0, len(seqs), 500)]
    )
    first: dict[tuple[int, int], int] = {}
    for part in parts:
        named = "" if part is None else f" AND seq IN ({marks(part)})"
        for lane, key, seq in rows(
            f"SELECT lane, key, MIN(seq) FROM runner_exception WHERE target = %s AND state = %s{named} "
            "GROUP BY lane, key ORDER BY 3 DESC LIMIT %s",
            [target, int(State.DEAD), *(part or ()), KEYS + 1],
        ):
            first[lane, key] = min(seq, first.get((lane, key), seq))
    newest = sorted(first.items(), key=lambda one: -one[1])[:KEYS]
    return dict(newest), len(first) <= KEYS


def _of_keys(first: dict[tuple[int, int], int]) -> tuple[list[int], bool]:
    """Events of these keys after those seqs, and whether these are all: the log is read lane by lane."""
    lanes: dict[int, dict[int, int]] = {}
    for (lane, key), seq in first.items():
        lanes.setdefault(lane, {})[key] = seq
    found: list[int] = []
    share = max(200, LOOKED_AT // len(lanes))
    read_all = True
    for lane, keys in lanes.items():
        looked = rows(
            "SELECT seq, key FROM log_event WHERE lane = %s AND seq > %s ORDER BY seq LIMIT %s",
            [lane, min(keys.values()), share],
        )
        found += [seq for seq, key in looked if seq > keys.get(key, seq)]
        read_all = read_all and len(looked) < share
    return found, read_all
