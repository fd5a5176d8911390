"""Dead letters as people read them: counted, and grouped by target and cause."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from delivery.deadletters.causes import cause_id, cause_of
from delivery.deadletters.chosen import Chosen, Letter, newest
from delivery.tracking.read import marks, moment, rows
from delivery.tracking.words import State

LOOKED_AT = 10_000
ALL = Chosen()


class Group(NamedTuple):
    """Dead letters of one target with one cause. `example`: the reason of the newest; times in microseconds."""

    target: int
    status: int | None
    cause: str
    example: str
    size: int
    first_at: int
    last_at: int
    last_seq: int
    shown: str | None = None  # in place of the example, for a person who may not see it

    @property
    def said(self) -> str:
        """The reason to be shown."""
        return self.example if self.shown is None else self.shown

    @property
    def id(self) -> str:
        """A short name of the cause, for URLs."""
        return cause_id(self.cause)

    @property
    def since(self) -> datetime:
        """When the first of them was first tried."""
        return moment(self.first_at)

    @property
    def latest(self) -> datetime:
        """When the last of them was first tried."""
        return moment(self.last_at)


def groups(chosen: Chosen = ALL, looked_at: int = LOOKED_AT) -> list[Group]:
    """The newest 10,000 dead letters of those chosen, grouped by target and cause, the largest group first."""
    if chosen.type or chosen.subject or chosen.text or chosen.cause:
        found = [
            (one.target, one.status, one.reason, 1, one.first_at, one.first_at, one.seq)
            for one in newest(chosen, looked_at=looked_at)
        ]
    else:
        found = _by_reason(chosen, looked_at)
    merged: dict[tuple[int, str], Group] = {}
    for target, status, reason, size, first_at, last_at, last_seq in found:
        cause = cause_of(reason, status)
        one = Group(target, status, cause, reason, size, first_at, last_at, last_seq)
        known = merged.get((target, cause))
        if known is not None:
            newer = max(known, one, key=_last_seq)
            one = newer._replace(
                size=known.size + size,
                first_at=min(known.first_at, first_at),
                last_at=max(known.last_at, last_at),
            )
        merged[target, cause] = one
    return sorted(merged.values(), key=lambda one: (-one.size, -one.last_seq))


def _by_reason(chosen: Chosen, looked_at: int) -> list[tuple[int, int | None, str, int, int, int, int]]:
    where, values = chosen.where()
    found = rows(
        "SELECT target, status, reason, count(*), min(first_at), max(first_at), max(seq) FROM (SELECT x.target, x.status, "
        f"x.reason, x.first_at, x.seq FROM runner_exception x WHERE {where} ORDER BY x.seq DESC LIMIT %s) AS newest "
        "GROUP BY target, status, reason",
        [*values, looked_at],
    )
    return [(row[0], row[1], row[2] or "", *(int(value) for value in row[3:])) for row in found]


def _last_seq(group: Group) -> int:
    return group.last_seq


def hidden_within(group: Group, types: Sequence[str]) -> bool:
    """Whether a group holds an event of one of `types`."""
    found = newest(Chosen(target=group.target, cause=group.id), looked_at=LOOKED_AT)
    return any(one.type in types for one in found)


def content_of(letter: Letter) -> tuple[bytes, str]:
    """The event of a dead letter, and what the target answered at last."""
    found = rows(
        "SELECT raw, coalesce(response, '') FROM runner_exception WHERE target = %s AND seq = %s",
        [letter.target, letter.seq],
    )
    return (bytes(found[0][0]), found[0][1]) if found else (b"{}", "")


def of_target(target: int, limit: int) -> list[Letter]:
    """A target's dead letters, newest first."""
    letters = newest(Chosen(target=target), looked_at=limit)
    return list(letters)


def behind(targets: list[int]) -> dict[int, int]:
    """How many events wait behind dead letters or retries of their key, per target that has some."""
    return {
        int(target): int(count)
        for target, count in rows(
            "SELECT target, count(*) FROM runner_exception WHERE state = %s AND target IN "
            f"({marks(targets)}) GROUP BY target",
            [int(State.WAITING), *targets],
        )
    }


def count() -> int:
    """All dead letters."""
    return int(rows("SELECT count(*) FROM runner_exception WHERE state = %s", [int(State.DEAD)])[0][0])
