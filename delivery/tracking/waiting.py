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
from delivery.tracking.words import State

# Counting stops here per lane group: a person needs "more than 8,000", not the exact length of a long backlog.
SLOT_LIMIT = 8000


class Waiting(NamedTuple):
    """What one target owes.

    `queued`: routed and not yet tried; `full` when at least that many.  `oldest`: when the oldest of those was
    received (microseconds).  `behind`: waiting behind a failed event of their key.  `retrying`: tried, and tried again
    at `next_due` (microseconds).  `dead`: given up.  `breaker`: it does not answer, and is left alone but for probes.
    `answered`: those of the dead that the target answered at all.  `held`: when the oldest of those behind or retried
    was received (microseconds).
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

    @property
    def waiting(self) -> int:
        """Everything that has not come to an end."""
        return self.queued + self.behind

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
    exceptions, answered, held = _exceptions(targets)
    due = _next_due(targets)
    past = catching_up.of_targets(targets)
    stopped_by = breakers.of_targets(targets)
    return {
        target: Waiting(
            queued[target],
            target in full,
            received.get(oldest.get(target, 0)),
            exceptions.get((target, State.WAITING), 0),
            exceptions.get((target, State.RETRY), 0),
            due.get(target),
            exceptions.get((target, State.DEAD), 0),
            past.get(target),
            stopped_by.get(target),
            answered.get(target, 0),
            held.get(target),
        )
        for target in targets
    }


def _received_at(seqs: Iterable[int]) -> dict[int, int]:
    wanted = sorted(set(seqs))
    return dict(rows(f"SELECT seq, received_at FROM log_event WHERE seq IN ({marks(wanted)})", wanted))


def _exceptions(
    targets: Sequence[int],
) -> tuple[dict[tuple[int, int], int], dict[int, int], dict[int, int]]:
    """How many there are by target and state, how many of the dead the target answered, and since when others are held."""
    found = rows(
        # What was sent and got no answer. Without a request it could not even be made: that is no silence of the target.
        "SELECT target, state, count(*), count(CASE WHEN status IS NOT NULL OR request IS NULL THEN 1 END), "
        "min(received_at) FROM runner_exception "
        f"WHERE target IN ({marks(targets)}) GROUP BY 1, 2",
        targets,
    )
    held: dict[int, int] = {}
    for target, state, _count, _answered, received in found:
        if state in (State.WAITING, State.RETRY):
            held[int(target)] = min(int(received), held.get(int(target), int(received)))
    counts = {(int(target), int(state)): int(count) for target, state, count, *_ in found}
    return counts, {int(row[0]): int(row[3]) for row in found if row[1] == State.DEAD}, held


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
