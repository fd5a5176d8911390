"""A shift without sockets and clock: random events, outcomes, crashes and wishes of people, step by step.

Each step is one that the real loop can be interrupted at: a round of the database is planned, done and applied in
three steps, and sends end between any two of them.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from delivery.runner.items import Item
from delivery.runner.lease import Claimed
from delivery.runner.policy import Policy
from delivery.runner.progress import Progress
from delivery.runner.work import Cycle, News, perform
from delivery.tracking.words import Outcome, State

SECOND = 1_000_000
# Two lane groups, one with two lanes; several keys share a lane.
KEYS = {101: 0, 102: 0, 103: 1, 104: 8, 105: 8}


class Backing(Protocol):
    """The rows of one target: in memory, or in a database."""

    target: int
    now: int

    def publish(self, lane: int, key: int) -> int: ...
    def redrive(self, seqs: Iterable[int]) -> None: ...
    def discard(self, seqs: Iterable[int]) -> None: ...
    def dead(self) -> list[int]: ...
    def has_work(self) -> bool: ...
    def has_due(self) -> bool: ...
    def drainable(self, target: int, mode: str) -> bool: ...
    def crash(self) -> None: ...
    def claim(self, policy: Policy) -> list[Claimed]: ...
    def release(self, target: int, slots: Iterable[int], forget_flights: bool) -> None: ...


@dataclass
class Tables:
    """What is committed, as the invariants want to see it."""

    cursors: dict[int, int]
    exceptions: dict[int, int]  # seq -> state
    attempts: list[tuple[int, int, int]]  # seq, number, outcome
    flights: list[list[tuple[int, int]]]  # of (seq, number)


@dataclass
class Simulation:
    """One target with `policy`, driven by `chance`; `store` is a MemoryStore or acts as one."""

    chance: random.Random
    policy: Policy
    store: Any
    limit: int = 3
    progress: Progress | None = None
    under_way: list[Item] = field(default_factory=list)
    cycle: Cycle | None = None
    news: News | None = None
    seen: int = 0
    read_from: int = 0
    events: dict[int, tuple[int, int]] = field(default_factory=dict)  # seq -> lane, key
    sends: Counter[int] = field(default_factory=Counter)
    taken: list[int] = field(default_factory=list)  # seqs in the order the target took them
    may_repeat: Counter[int] = field(default_factory=Counter)
    ever_dead: set[int] = field(default_factory=set)
    discarded: set[int] = field(default_factory=set)
    kind: bool = False  # whether the target takes everything from now on
    changes: bool = False  # whether somebody changes the order now and then
    to_finish: set[int] = field(default_factory=set)  # parked under the former order when it was changed
    epoch: int = 0  # how often another order came into force
    epochs: dict[int, tuple[int, str]] = field(default_factory=dict)  # seq -> epoch and order it was taken in
    loose: bool = False  # whether dead letters ever held nobody up

    # ── steps ──

    def publish(self) -> None:
        for _ in range(self.chance.randint(1, 6)):
            key = self.chance.choice(list(KEYS))
            self.events[self.store.publish(KEYS[key], key)] = (KEYS[key], key)

    def start(self) -> None:
        if self.progress is not None or not self.store.has_work():
            return
        before = self.store.mode
        found = self.store.claim(self.policy)
        self.progress = Progress(self.store.target, self.policy, found[0].drains)
        self.epoch += before != self.store.mode
        for claimed in found:
            self.progress.take(claimed.slot, claimed.fence, claimed.cursors, claimed.skip, claimed.attempts)
            for key, seq, blocks, _ in claimed.parked:
                self.progress.park(key, seq, bool(blocks))
        self.seen = 0

    def plan(self) -> None:
        progress = self.progress
        if progress is None or self.cycle is not None:
            return
        target = self.store.target
        cycle = Cycle(since=self.seen, leaving=False)
        cycle.holding[target] = set(progress.fences)
        if progress.ready and len(progress.cleared) < self.limit:
            heads, following = progress.to_clear(4, behind=3)
            if heads:
                cycle.flights.append((target, heads, following))
        due = self.kind or self.chance.random() < 0.5
        # What was delivered may wait for more of it, unless something is read or dropped by what is committed.
        presses = due or progress.to_drain or progress.outbox.presses
        if progress.outbox and (presses or self.chance.random() < 0.5):
            cycle.outboxes.append(progress.take_outbox())
        if progress.to_drain:
            by_key = progress.policy.order == "key"
            cycle.drain[target] = [chain if by_key else None for chain in progress.to_drain]
            progress.to_drain.clear()
        if due:
            cycle.due.add(target)
        cycle.room[target] = 20 if progress.buffered < 10 and progress.drains is None else 0
        if progress.drains is not None:
            cycle.draining[target] = progress.drains
        cycle.reading[target] = progress
        if self.chance.random() < 0.5:
            cycle.opens.add(target)
        self.cycle = cycle

    def perform(self) -> None:
        if self.cycle is not None and self.news is None:
            self.news = perform(self.store, self.cycle)
            self.check_cursors()

    def apply(self) -> None:
        progress, cycle, news = self.progress, self.cycle, self.news
        if progress is None or cycle is None or news is None:
            return
        self.cycle = self.news = None
        for (_, heads, following), flight in zip(cycle.flights, news.flights, strict=True):
            progress.clear(heads, following, flight)
        self.seen = max(self.seen, news.seen)
        for _, slot, seq in news.newest:
            progress.newest[slot] = max(progress.newest.get(slot, 0), seq)
        for items, _, read in news.events.values():
            progress.offer(items, news.opened.get(self.store.target))
            for lane, seq in read.items():
                progress.read_up_to(lane, seq)
        for _, held in news.held:
            progress.offer_held(held)
        if news.drained:
            self.leave()

    def send(self) -> None:
        progress = self.progress
        while progress is not None and progress.cleared and len(self.under_way) < self.limit:
            item = progress.cleared.popleft()
            assert item.flight is not None, "sent without a record that it is in flight"
            self.check_alone(item)
            self.check_drained(item)
            self.under_way.append(item)
            self.sends[item.seq] += 1

    def land(self) -> None:
        if self.progress is None or not self.under_way:
            return
        item = self.under_way.pop(self.chance.randrange(len(self.under_way)))
        fate = self.chance.random()
        if self.kind or fate < 0.6:
            self.take(item.seq)
            outcome = Outcome.DELIVERED
        elif fate < 0.9 and item.failures + 1 < self.policy.retries.max_attempts:
            outcome = Outcome.RETRY
        else:
            outcome = Outcome.REJECTED
        number = item.attempts + 1
        self.progress.tried(
            item, (self.store.target, item.seq, number, 0, 0, int(outcome), None, 1, None, None)
        )
        if outcome == Outcome.DELIVERED:
            self.progress.delivered(item, self.store.now)
        elif outcome == Outcome.RETRY:
            due_at = self.store.now + self.chance.randint(0, 3) * SECOND
            self.progress.failed(item, self.store.now, due_at, "not now", 503)
        else:
            self.ever_dead.add(item.seq)
            self.progress.failed(item, self.store.now, None, "never", 422)

    def take(self, seq: int) -> None:
        """The target takes it."""
        self.taken.append(seq)
        self.epochs.setdefault(seq, (self.epoch, self.store.mode))

    def pass_time(self) -> None:
        self.store.now += self.chance.randint(0, 2) * SECOND

    def crash(self) -> None:
        """At any moment: what was sent may have been taken or not, what was not committed is gone."""
        if self.progress is None:
            return
        recorded = {(seq, number) for seq, number, _ in self.tables().attempts}
        for flight in self.tables().flights:
            for seq, number in flight:
                if (seq, number) not in recorded:
                    self.may_repeat[seq] += 1
        for item in self.under_way:
            if self.chance.random() < 0.5:
                self.take(item.seq)
        self.progress, self.cycle, self.news = None, None, None
        self.under_way.clear()
        self.store.crash()

    def leave(self) -> None:
        """The end of a shift: nothing new is sent, what is under way ends, everything is recorded."""
        self.perform()
        self.apply()
        progress = self.progress
        if progress is None:
            return
        progress.cleared.clear()
        while self.under_way:
            self.land()
        cycle = Cycle(since=self.seen, leaving=True)
        if progress.outbox:
            cycle.outboxes.append(progress.take_outbox())
        cycle.release[self.store.target] = (list(progress.fences), None)
        perform(self.store, cycle)
        self.check_cursors()
        self.progress = None

    def redrive(self) -> None:
        dead = self.store.dead()
        self.store.redrive([seq for seq in dead if self.kind or self.chance.random() < 0.5])

    def discard(self) -> None:
        chosen = [seq for seq in self.store.dead() if self.chance.random() < 0.3]
        self.discarded.update(chosen)
        self.store.discard(chosen)

    def change_order(self) -> None:
        """Somebody saves another order: the shift leaves, and whoever comes next finds it."""
        if not self.changes:
            return
        self.leave()
        order = self.chance.choice([order for order in ("key", "none", "all") if order != self.policy.order])
        self.policy = replace(self.policy, order=order)
        self.loose = self.loose or not self.policy.blocks
        rows = self.tables().exceptions
        self.to_finish = set()
        if self.store.mode not in (None, order) and self.store.drainable(self.store.target, self.store.mode):
            self.to_finish = {seq for seq, state in rows.items() if state == State.RETRY}

    def run(self, steps: int) -> None:
        """Random steps, then a kind target until nothing is left."""
        self.loose = not self.policy.blocks
        often = [self.start, self.plan, self.perform, self.apply, self.send, self.land, self.send, self.land]
        seldom = [
            self.publish,
            self.publish,
            self.pass_time,
            self.redrive,
            self.discard,
            self.crash,
            self.leave,
            self.change_order,
        ]
        self.publish()
        for _ in range(steps):
            self.chance.choice(often if self.chance.random() < 0.9 else seldom)()
        self.kind = True
        self.drain_all()
        self.check_the_end()

    def drain_all(self) -> None:
        """One after the other, as a shift does while the target takes everything."""
        for _ in range(2000):
            self.redrive()
            for step in (self.start, self.plan, self.perform, self.apply, self.send):
                step()
            while self.under_way:
                self.land()
                self.send()
            self.store.now += SECOND
            if self.chance.random() < 0.2:
                self.leave()  # Shifts end while chains drain.
            progress = self.progress
            idle = progress is None or not (
                progress.outbox or progress.buffered or progress.to_drain or self.cycle
            )
            if idle and not self.store.has_work():
                if not self.tables().exceptions:
                    return
                # It is in no memory, so whoever comes next must find what is left.
                self.leave()
                later = self.store.has_work() or self.store.has_due() or self.store.dead()
                assert later, f"stuck for ever: {self.tables().exceptions}"
        raise AssertionError(f"it does not come to an end: {self.tables()}")

    # ── what must hold ──

    def tables(self) -> Tables:
        store = self.store
        if hasattr(store, "tables"):
            return store.tables()  # type: ignore[no-any-return]
        return Tables(
            store.cursors,
            {seq: row.state for seq, row in store.exceptions.items()},
            store.attempts,
            list(store.flights.values()),
        )

    def check_cursors(self) -> None:
        """No cursor passes an event that is neither done nor an exception."""
        tables = self.tables()
        ended = (Outcome.DELIVERED, Outcome.DISCARDED)
        done = {seq for seq, _, outcome in tables.attempts if outcome in ended} | set(tables.exceptions)
        for seq, (lane, _) in self.events.items():
            if seq <= tables.cursors.get(lane, 0):
                assert seq in done, f"lane {lane} stands at {tables.cursors[lane]} and {seq} is lost"

    def check_alone(self, item: Item) -> None:
        """Of a chain that keeps its order, one event at a time is under way, and none twice."""
        assert item.seq not in [other.seq for other in self.under_way], f"{item.seq} is sent twice at once"
        assert self.progress is not None
        policy = self.progress.policy
        if policy.order != "none":
            chains = [policy.chain(other.key, other.seq) for other in self.under_way]
            assert policy.chain(item.key, item.seq) not in chains, f"{item.seq} overtakes within its chain"

    def check_drained(self, item: Item) -> None:
        """What was not parked when the order changed is sent under the new order, after all that was parked."""
        if item.held:
            return
        assert self.progress is not None
        assert (self.progress.drains, self.store.mode) == (None, self.policy.order)
        left = self.to_finish - set(self.taken) - self.ever_dead - self.discarded
        assert not left, f"{item.seq} is sent before {sorted(left)}, which were parked under another order"

    def check_the_end(self) -> None:
        progress, tables = self.progress, self.tables()
        counts = Counter(self.taken)
        lost = set(self.events) - set(counts) - self.discarded
        assert not lost, f"never delivered: {sorted(lost)}"
        for seq, count in counts.items():
            assert count <= 1 + self.may_repeat[seq], f"{seq} was taken {count} times"
        self.check_order()
        # Every request is on record, and every record has a number of its own.
        recorded: dict[int, list[int]] = defaultdict(list)
        for seq, number, outcome in tables.attempts:
            if outcome != Outcome.DISCARDED:
                recorded[seq].append(number)
        for seq, sends in self.sends.items():
            assert len(recorded[seq]) >= sends, f"{seq} was sent {sends} times, {recorded[seq]} are recorded"
        for seq, numbers in recorded.items():
            assert len(set(numbers)) == len(numbers), f"{seq} has attempts {numbers}"
        assert tables.flights == []
        if progress is not None:
            left = (progress.busy, progress.parked, progress.ready, progress.cleared, progress.held_seqs)
            assert not any(left), left
            assert (progress.buffered, progress.exceptions) == (0, set())
            assert all(not lane.pending and not lane.done for lane in progress.lanes.values())

    def check_order(self) -> None:
        """First deliveries of a chain follow seq while an order is in force.

        What was a dead letter once comes when it may, where dead letters hold nobody up.
        """
        last: dict[tuple[int, int], int] = {}
        for seq in dict.fromkeys(self.taken):
            epoch, order = self.epochs[seq]
            if order == "none" or (self.loose and seq in self.ever_dead):
                continue
            chain = (epoch, self.events[seq][1] if order == "key" else 0)
            assert seq > last.get(chain, 0), f"{seq} came after {last[chain]}"
            last[chain] = seq
