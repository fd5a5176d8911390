"""What waited for a target longer than its bus keeps it at all becomes a dead letter of that target: nothing is dropped unseen.

Retention keeps what a target still has to take, up to the bus's hard limit. Then each such event becomes a dead letter
with its bytes and the reason, the cursor passes it, and the log may let go of it. Only the holder of a lease moves a
cursor, so this takes the leases of the lane groups; a shift that holds one is asked to give it back.
"""

from __future__ import annotations

import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from catalog.models import Bus
from delivery.log.schema import CURSORS, LANES_PER_SLOT, SLOTS
from delivery.runner import held, rollups
from delivery.runner.database import Database
from delivery.runner.facts import Facts, read_facts
from delivery.runner.lease import Claimed, LeaseLost
from delivery.runner.policy import Policy
from delivery.runner.recording import MOVE
from delivery.runner.store import Store
from delivery.tracking.words import EXPIRED, State

DAY = 86_400_000_000
LONGEST = 20.0  # seconds per run
PART = 250  # events per transaction: far less than 100 ms with the lock held
RENEW = 1.5  # seconds
PATIENCE = 3.0  # seconds in which shifts may give back what is asked for
# How long a lane group stays reserved: sends that take longer than PATIENCE have ended at the next run.
RESERVED = 75_000_000

WORDS = {
    "running": "It waited longer than its bus keeps what waits for a target: %d days.",
    "paused": "It waited longer than its bus keeps what waits for a target, which was paused: %d days.",
    "stopped": "It waited longer than its bus keeps what waits for a target, which had stopped: %d days.",
    "disabled": "It waited longer than its bus keeps what waits for a target, which was disabled: %d days.",
}
OLDEST = "(SELECT MIN(r.seq) FROM log_route r WHERE r.target = d.target AND r.lanes = d.lanes AND r.seq > COALESCE({least}, 0))"
# Of each lane group with something that waits, the first of it. One index search for each.
FIRST = (
    f"SELECT target, lanes, e.bus, e.received_at FROM (SELECT d.target, d.lanes, {OLDEST} AS first FROM log_ready d "
    "JOIN rules_target t ON t.id = d.target "
    "LEFT JOIN runner_slot s ON s.target = d.target AND s.lanes = d.lanes) AS waits "
    "JOIN log_event e ON e.seq = waits.first WHERE e.received_at < %s"
)
ROUTED = (
    "SELECT r.seq, r.lane, e.bus, e.received_at FROM log_route r LEFT JOIN log_event e ON e.seq = r.seq "
    f"WHERE r.target = %s AND r.lanes = %s AND r.seq > %s AND r.seq <= {held.BOUND} ORDER BY r.seq LIMIT %s"
)
GIVE_UP = (
    "INSERT INTO runner_exception (target, seq, lane, key, state, blocks, attempts, redriven, received_at, first_at, "
    "due_at, status, reason, raw, request, response) "
    "SELECT %s, seq, lane, key, %s, %s, %s, 0, received_at, %s, NULL, NULL, %s, raw, NULL, NULL "
    "FROM log_event WHERE seq = %s ON CONFLICT (target, seq) DO NOTHING"
)


class Limit(NamedTuple):
    """A bus's hard limit: what was received before `before` (microseconds) has waited too long."""

    days: int
    before: int


_NEVER = Limit(0, 0)


class Expiring(Store):
    """Takes also lane groups that were asked back, and what is wanted is its own."""

    def _unwanted(self, now: int) -> int:
        return 2**62

    def _join(self, target: int, policy: Policy, now: int) -> int | None:
        return 0  # It sends nothing.

    def overdue(self, limits: Mapping[int, Limit]) -> dict[int, set[int]]:
        """target -> lane groups whose first waiting event is beyond the limit of its bus."""
        least = f"{'min' if self.database.vendor == 'sqlite' else 'least'}({', '.join(f's.{c}' for c in CURSORS)})"
        found: dict[int, set[int]] = defaultdict(set)
        latest = max((limit.before for limit in limits.values()), default=0)
        for target, slot, bus, received_at in self.database.rows(FIRST.format(least=least), [latest]):
            if received_at < limits.get(bus, _NEVER).before:
                found[target].add(slot)
        return found

    def ask_back(self, target: int) -> None:
        """Has whoever holds lane groups of it give them back, and reserves them."""
        with self.database.transaction():
            until = self.database.now() + RESERVED
            self.database.run("UPDATE runner_slot SET wanted = %s WHERE target = %s", [until, target])

    def let_go(self, target: int, slots: Sequence[int], missing: Sequence[int]) -> None:
        """Gives lane groups back. Those that are `missing` stay reserved for the next run."""
        with self.database.transaction():
            self.database.many(
                "UPDATE runner_slot SET wanted = 0 WHERE target = %s AND lanes = %s AND wanted > 0",
                [(target, slot) for slot in range(SLOTS) if slot not in missing],
            )
        self.release(target, slots, forget_flights=False)

    def give_up(self, one: Claimed, facts: Facts, limits: Mapping[int, Limit]) -> tuple[Claimed, int, bool]:
        """A part of a lane group: the lease with its cursors moved, how many became dead letters, whether there is more.

        Ends at the first event that may wait longer, of whatever bus.
        """
        given, target, last = 0, one.target, min(one.cursors)
        rows = self.database.rows(ROUTED, [target, one.slot, last, target, PART])
        with self.database.transaction():
            now = self.database.now()
            for seq, lane, bus, received_at in rows:
                if seq > one.cursors[lane % LANES_PER_SLOT] and seq not in one.skip and bus is not None:
                    days, before = limits.get(bus, _NEVER)
                    if received_at >= before:
                        break
                    why = f"{EXPIRED} {WORDS.get(facts.state, WORDS['running']) % days}"
                    tries = one.attempts.get(seq, 0)
                    given += self.database.run(
                        GIVE_UP, [target, State.DEAD, int(facts.policy.blocks), tries, now, why, seq]
                    )
                last = seq
            # The lanes are walked through together, so none has anything left up to there.
            cursors = tuple(max(cursor, last) for cursor in one.cursors)
            moved = self.database.run(MOVE, [*cursors, target, one.slot, self.owner, one.fence])
            if moved != 1:
                raise LeaseLost(target)
            if given:
                rollups.count(self.database, target, now, [], dead=given)
        return one._replace(cursors=cursors), given, len(rows) == PART and last == rows[-1][0]


def expire_all(stop: Callable[[], bool] = lambda: False) -> int:
    """Makes dead letters of everything that waited too long; returns how many."""
    ends = time.monotonic() + LONGEST
    store = Expiring(Database(), f"expiring-{uuid.uuid4().hex[:12]}")
    now = store.database.now()
    limits = {
        bus.pk: Limit(bus.hard_limit_days, now - bus.hard_limit_days * DAY) for bus in Bus.objects.all()
    }
    overdue = store.overdue(limits)
    given = 0
    facts = read_facts(overdue)
    for target, slots in overdue.items():
        if target in facts and not stop() and time.monotonic() < ends:
            given += _expire(store, facts[target], slots, limits, ends)
    return given


def _expire(store: Expiring, facts: Facts, slots: set[int], limits: Mapping[int, Limit], ends: float) -> int:
    """What one target waited for too long."""
    claimed = _claimed(store, facts, slots)
    given, renewed = 0, time.monotonic()
    try:
        for one in claimed:
            more = one.slot in slots
            while more and time.monotonic() < ends:
                if time.monotonic() - renewed > RENEW:
                    renewed = time.monotonic()
                    store.renew()
                one, count, more = store.give_up(one, facts, limits)
                given += count
    except LeaseLost:
        pass  # Nothing of its part was recorded; the next run goes on.
    finally:
        got = {one.slot for one in claimed}
        store.let_go(facts.id, sorted(got), sorted(slots - got))
    return given


def _claimed(store: Expiring, facts: Facts, slots: set[int]) -> list[Claimed]:
    """The leases of `slots`; those that shifts hold are asked for, and come a little later or at the next run."""
    patience = time.monotonic() + PATIENCE
    claimed: list[Claimed] = []
    asked = False
    while True:
        missing = slots - {one.slot for one in claimed}
        claimed += store.claim(facts.id, sorted(missing), not claimed, facts.policy) if missing else []
        if slots <= {one.slot for one in claimed} or time.monotonic() >= patience:
            return claimed
        if not asked:
            store.ask_back(facts.id)
            asked = True
        time.sleep(0.1)
