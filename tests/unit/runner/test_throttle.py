"""Shifts that share a target with a breaker, on a clock that the test moves."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.runner.breaker import Settings
from delivery.runner.gate import Gate, Report, reported
from delivery.runner.policy import Policy
from delivery.runner.sharing import fair, moved
from delivery.runner.throttle import Throttle

MILLISECOND = 1000
SECOND = 1_000_000
POLICY = Policy(breaker=Settings(failures=5, probe=SECOND, longest_probe=10 * SECOND))


@dataclass
class Worker:
    """One shift's part: what it believes, and what it has under way (event, when it ends, whether it is the probe)."""

    throttle: Throttle
    name: str = ""
    under_way: list[tuple[int, int, bool]] = field(default_factory=list)
    latencies: int = 0


@dataclass
class World:
    """A target that is up or down, shifts that send to it, and the gate they share as the database keeps it."""

    chance: random.Random
    shifts: int = 2
    up: bool = True
    now: int = 1000 * SECOND
    gate: Gate = field(default_factory=Gate)
    next_seq: int = 0
    sent_while_open: int = 0
    uncounted: list[int] = field(default_factory=list)  # events whose failure did not count
    counted: int = 0
    failed_since_up: int = 0
    most: int = 0  # under way at the same time, over all shifts

    def __post_init__(self) -> None:
        self.workers = [Worker(Throttle(1, POLICY, 0, 16), f"shift {n}") for n in range(self.shifts)]
        names = [worker.name for worker in self.workers]
        self.places = {name: fair(16, names, name) for name in names}
        for worker in self.workers:
            worker.throttle.allot(self.places[worker.name])

    def share(self, worker: Worker) -> None:
        """As the database grants places."""
        most = min(16, self.gate.slow or 16)
        mine = self.places[worker.name]
        goal = fair(most, list(self.places), worker.name)
        free = max(0, most - (sum(self.places.values()) - mine))
        used = max(worker.throttle.share, len(worker.under_way))
        self.places[worker.name] = moved(goal, mine, used, free)
        worker.throttle.allot(min(goal, self.places[worker.name]))

    def probes(self) -> int:
        return sum(probe for worker in self.workers for _, _, probe in worker.under_way)

    def send(self, worker: Worker) -> None:
        throttle = worker.throttle
        while throttle.allows(len(worker.under_way)):
            open_by_all = self.gate.breaker.open
            probe = throttle.starts()
            if probe:
                assert self.probes() == 0, "two probes at once"
                assert self.gate.breaker.probing
            elif open_by_all:
                self.sent_while_open += 1  # it has not heard of it yet
            self.next_seq += 1
            ends = self.now + self.chance.randrange(1, 50) * MILLISECOND
            worker.under_way.append((self.next_seq, ends, probe))
            self.most = max(self.most, sum(len(one.under_way) for one in self.workers))

    def land(self, worker: Worker) -> None:
        throttle = worker.throttle
        for one in [one for one in worker.under_way if one[1] <= self.now]:
            worker.under_way.remove(one)
            seq, _, probe = one
            if self.up:
                worker.latencies += 1
                if not throttle.calm:
                    throttle.succeeded(self.now)
            else:
                self.failed_since_up += 1
                if throttle.failed(seq, "It answers 503.", self.now, self.now, probe, worker.latencies > 0):
                    self.counted += 1
                    assert not probe
                else:
                    self.uncounted.append(seq)
                    assert probe

    def round(self, worker: Worker) -> None:
        """What a round of database work does."""
        throttle = worker.throttle
        report = throttle.report(worker.latencies > 0, shared=True)
        worker.latencies = 0
        known = self.gate.breaker.failures or self.gate.breaker.open or self.gate.slow
        if report is not None and (report.tells or known):
            before, self.gate = self.gate, reported(self.gate, report, self.now)
            if before.breaker.open and not self.gate.breaker.open:
                self.places = dict.fromkeys(self.places, 0) | {worker.name: min(16, 1 + report.taken)}
            elif before.slow:
                self.places[worker.name] += min(report.taken, 16 - before.slow)
            throttle.learn(self.gate, self.now)
        if throttle.slows or throttle.unknown:
            self.share(worker)
        if throttle.wants_probe(self.now):
            if self.gate.breaker.may_probe(self.now):
                self.gate = replace(self.gate, breaker=self.gate.breaker.probed())
                throttle.learn(self.gate, self.now)
                throttle.may_probe(self.gate.breaker.probe)
            else:
                throttle.learn(self.gate, self.now)

    def run(self, seconds: float, sweep: int = SECOND) -> None:
        until = self.now + int(seconds * SECOND)
        while self.now < until:
            self.now += MILLISECOND
            for number, worker in enumerate(self.workers):
                self.land(worker)
                if self.now % (10 * MILLISECOND) == number * MILLISECOND:
                    self.round(worker)
                if self.now % sweep == number * MILLISECOND:
                    worker.throttle.learn(self.gate, self.now)
                    self.share(worker)
                self.send(worker)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 3))
def test_an_outage_costs_few_tries_one_probe_at_a_time_and_ends_with_one_success(
    seed: int, shifts: int
) -> None:
    world = World(random.Random(seed), shifts)
    world.run(1)
    assert not world.gate.breaker.open
    world.up = False
    world.run(1)
    assert world.gate.breaker.open
    # What was under way when it opened, and what a shift sent that had not heard of it for a round or a sweep.
    at_first = world.counted
    world.run(20)
    assert world.counted - at_first <= 16 * shifts
    # 1, 2, 4, 8, 10 … seconds after one another.
    assert 3 <= len(world.uncounted) <= 6
    before = world.next_seq
    world.up = True
    world.run(11)
    assert not world.gate.breaker.open
    world.run(2)
    assert all(worker.throttle.calm for worker in world.workers)
    assert world.next_seq - before > 1000
    assert world.most <= 16


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_after_an_outage_all_shifts_together_start_with_one_and_double(seed: int, shifts: int) -> None:
    world = World(random.Random(seed), shifts)
    world.up = False
    world.run(4)
    world.up = True
    while world.gate.breaker.open:
        world.run(0.001)
    for _ in range(60):
        world.most, slow = 0, world.gate.slow
        world.run(0.01)
        assert world.most <= (world.gate.slow or 16)
        assert sum(world.places.values()) <= (world.gate.slow or 16)
        assert world.gate.slow >= slow or world.gate.slow == 0
    world.run(6)
    assert world.gate.slow == 0
    assert sum(world.places.values()) == 16


def a_throttle(**values: Any) -> Throttle:
    return Throttle(1, replace(POLICY, **values), 0, 16)


def fail(throttle: Throttle, *seqs: int, now: int = 0) -> list[bool]:
    return [throttle.failed(seq, "no", now, now, False, False) for seq in seqs]


def test_a_shift_stops_at_once_and_does_not_wait_for_the_database() -> None:
    throttle = a_throttle()
    assert fail(throttle, 1, 2, 3, 4, 5) == [True] * 5
    assert throttle.open
    assert (throttle.limit, throttle.allows(0), throttle.places(0)) == (0, False, 0)
    report = throttle.report(False, False)
    assert report is not None
    assert report.trouble is not None
    assert (report.trouble.failures, report.trouble.several) == (5, True)


def test_the_database_knows_better_when_another_shift_had_a_success() -> None:
    throttle = a_throttle()
    fail(throttle, 1, 2, 3, 4, 5)
    throttle.report(False, True)
    throttle.learn(Gate(), 0)
    assert not throttle.open
    assert throttle.unknown
    throttle.allot(8)
    assert (throttle.places(3), throttle.unknown) == (5, False)


def test_one_probe_goes_and_what_could_not_be_made_into_a_request_leaves_it_to_the_next() -> None:
    throttle = a_throttle()
    fail(throttle, 1, 2, 3, 4, 5)
    assert throttle.wants_probe(SECOND)
    throttle.may_probe(1)
    assert throttle.starts()
    assert not throttle.allows(0)
    throttle.unsent(True)
    assert throttle.allows(0)
    assert throttle.starts()
    assert not throttle.failed(9, "no", 0, 2 * SECOND, True, False)
    assert not throttle.allows(0)


def test_a_probe_for_which_nothing_is_left_to_send_is_given_back() -> None:
    throttle = a_throttle()
    fail(throttle, 1, 2, 3, 4, 5)
    throttle.report(False, False)
    throttle.may_probe(7)
    throttle.give_back()
    report = throttle.report(False, False)
    assert report is not None
    assert report.unsent == 7


def test_switched_off_it_counts_nothing_and_closes_what_was_open() -> None:
    throttle = a_throttle(breaker=None)
    assert fail(throttle, *range(1, 50)) == [True] * 49
    assert throttle.calm
    opened = reported(Gate(), Report(1, Settings(2), 0, trouble=None), 0)
    from tests.unit.runner.test_breaker import trouble

    opened = opened.then(opened.breaker.failed(trouble(1, 2), Settings(2), 100), 100, 0)
    throttle.begin(opened, 500)
    assert throttle.running(500) == 100
    report = throttle.report(False, False)
    assert report is not None
    assert not reported(opened, report, 500).breaker.open


def test_the_target_starts_slowly_with_one_that_doubles_each_round_trip() -> None:
    throttle = a_throttle()
    fail(throttle, 1, 2, 3, 4, 5)
    throttle.report(False, False)
    throttle.may_probe(1)
    throttle.starts()
    throttle.answered(SECOND)
    gate = throttle.gate
    limits = []
    for _ in range(6):
        limits.append(throttle.limit)
        for _ in range(throttle.limit):
            throttle.succeeded(SECOND)
        # The database is told, and answers.
        if (report := throttle.report(True, False)) is not None:
            gate = reported(gate, report, SECOND)
            throttle.learn(gate, SECOND)
            throttle.allot(min(16, gate.slow or 16))
    assert limits == [1, 2, 4, 8, 16, 16]
    assert throttle.calm


def test_a_shift_that_never_heard_of_the_outage_asks_for_its_part_too() -> None:
    throttle = a_throttle()
    throttle.learn(Gate(slow=3), 0)
    assert (throttle.limit, throttle.unknown, throttle.calm) == (0, True, False)
    throttle.allot(1)
    throttle.learn(Gate(slow=5), 0)
    assert throttle.limit == 1
