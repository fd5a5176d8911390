"""What targets still owe: events routed to them above their cursors, and the exceptions among those below."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from delivery.log.schema import CURSORS, LANES_PER_SLOT, SLOTS
from delivery.tracking import breakers, catching_up
from delivery.tracking.breakers import OpenBreaker
from delivery.tracking.catching_up import CatchingUp
from delivery.tracking.read import marks, rows
from delivery.tracking.words import EXCEPTIONS, State

# Counting stops here per lane group: a person needs "more than 8,000", not the exact length of a long backlog.
SLOT_LIMIT = 8000


class Waiting(NamedTuple):
    """What one target owes.

    `queued`: routed and not yet tried; `full` when at least that many.  `oldest`: when the oldest of those was
    received (microseconds).  `behind`: waiting behind a failed event of their key.  `retrying`: tried, and tried again
    at `next_due` (microseconds).  `dead`: given up.  `breaker`: it does not answer, and is left alone but for probes.
    `answered`: those of the dead that the target answered at all.  `held`: when the oldest of those behind or retried
    was received (microseconds).  `stuck`: exceptions that wait or are tried again, and the dead letters that others wait
    for.
    """

    queued: int = 0
    full: bool = False
    oldest: int | None = None
    behind: int = 0
    retrying: int = 0
    next_due: int | None = None
    dead: int = 0
    past: CatchingUp | None = None
    breaker: OpenBreaker | None = None
    answered: int = 0
    held: int | None = None
    stuck: int = 0

    @property
    def waiting(self) -> int:
        """Everything that has not come to an end."""
        return self.queued + self.behind

    @property
    def full_of_exceptions(self) -> bool:
        """Whether there are so many that nothing new is read for it."""
        return self.stuck >= EXCEPTIONS

    @property
    def since(self) -> int | None:
        """When the oldest of all that is not delivered was received (microseconds); None when all is."""
        return min((one for one in (self.oldest, self.held) if one is not None), default=None)


NONE = Waiting()


# What the target's lane of a route has passed. %% because these statements take parameters.
_PASSED = " ".join(f"WHEN {n} THEN s.{cursor}" for n, cursor in enumerate(CURSORS))
_ABOVE = (
    "r.target = t.id AND r.lanes = l.n AND "
    f"r.seq > coalesce(CASE r.lane %% {LANES_PER_SLOT} {_PASSED} END, 0)"
)
_COUNT = f"(SELECT count(*) FROM (SELECT 1 FROM log_route r WHERE {_ABOVE} LIMIT {SLOT_LIMIT}) AS counted)"
_FIRST = f"(SELECT min(r.seq) FROM log_route r WHERE {_ABOVE})"
_SLOTS = " UNION ALL ".join(f"SELECT {n} AS n" for n in range(SLOTS))


def of_targets(targets: Sequence[int]) -> dict[int, Waiting]:
    """What each of `targets` owes. One index search per lane group: ask for a page of targets, not for thousands."""
    if not targets:
        return {}
    queued: dict[int, int] = defaultdict(int)
    oldest: dict[int, int] = {}
    full: set[int] = set()
    for target, count, first in rows(
        f"SELECT t.id, {_COUNT}, {_FIRST} FROM rules_target t CROSS JOIN ({_SLOTS}) AS l "
        f"LEFT JOIN runner_slot s ON s.target = t.id AND s.lanes = l.n WHERE t.id IN ({marks(targets)})",
        targets,
    ):
        queued[target] += count
        if count == SLOT_LIMIT:
            full.add(target)
        if first is not None:
            oldest[target] = min(first, oldest.get(target, first))
    received = _received_at(oldest.values())
    exceptions = _exceptions(targets)
    due = _next_due(targets)
    past = catching_up.of_targets(targets)
    stopped_by = breakers.of_targets(targets)

    def owed(target: int) -> Waiting:
        behind, retrying, dead, discarded = (exceptions.get((target, state), _Held()) for state in State)
        since = [one.since for one in (behind, retrying) if one.since is not None]
        return Waiting(
            queued[target],
            target in full,
            received.get(oldest.get(target, 0)),
            behind.number,
            retrying.number,
            due.get(target),
            dead.number,
            past.get(target),
            stopped_by.get(target),
            dead.answered,
            min(since, default=None),
            sum(one.stuck for one in (behind, retrying, dead, discarded)),
        )

    return {target: owed(target) for target in targets}


def _received_at(seqs: Iterable[int]) -> dict[int, int]:
    wanted = sorted(set(seqs))
    return dict(rows(f"SELECT seq, received_at FROM log_event WHERE seq IN ({marks(wanted)})", wanted))


class _Held(NamedTuple):
    """Exceptions of one target in one state. `since`: when the oldest was received (microseconds)."""

    number: int = 0
    answered: int = 0
    since: int | None = None
    stuck: int = 0


def _exceptions(targets: Sequence[int]) -> dict[tuple[int, int], _Held]:
    """By target and state."""
    found = rows(
        # What was sent and got no answer. Without a request it could not even be made: that is no silence of the target.
        "SELECT target, state, count(*), count(CASE WHEN status IS NOT NULL OR request IS NULL THEN 1 END), "
        "min(received_at), count(CASE WHEN state <> %s OR blocks = 1 THEN 1 END) FROM runner_exception "
        f"WHERE target IN ({marks(targets)}) GROUP BY 1, 2",
        [State.DEAD, *targets],
    )
    return {(int(target), int(state)): _Held(*map(int, numbers)) for target, state, *numbers in found}


def _next_due(targets: Sequence[int]) -> dict[int, int]:
    return {
        int(target): int(due)
        for target, due in rows(
            f"SELECT target, min(due_at) FROM runner_exception WHERE due_at IS NOT NULL "
            f"AND state = %s AND target IN ({marks(targets)}) GROUP BY 1",
            [int(State.RETRY), *targets],
        )
    }


def total(each: Iterable[Waiting]) -> Waiting:
    """All of them together."""
    listed = list(each)
    return Waiting(
        sum(one.queued for one in listed),
        any(one.full for one in listed),
        min((one.oldest for one in listed if one.oldest is not None), default=None),
        sum(one.behind for one in listed),
        sum(one.retrying for one in listed),
        min((one.next_due for one in listed if one.next_due is not None), default=None),
        sum(one.dead for one in listed),
        held=min((one.held for one in listed if one.held is not None), default=None),
    )
