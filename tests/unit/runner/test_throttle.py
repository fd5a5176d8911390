"""Shifts that share a target with a breaker, on a clock that the test moves."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.runner.breaker import Settings
from delivery.runner.gate import Gate, Report, reported
from delivery.runner.policy import Policy
from delivery.runner.throttle import Throttle

MILLISECOND = 1000
SECOND = 1_000_000
POLICY = Policy(breaker=Settings(failures=5, probe=SECOND, longest_probe=10 * SECOND))


@dataclass
class Worker:
    """One shift's part: what it believes, and what it has under way (event, when it ends, whether it is the probe)."""

    throttle: Throttle
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

    def __post_init__(self) -> None:
        self.workers = [Worker(Throttle(1, POLICY, 0, 16)) for _ in range(self.shifts)]

    def probes(self) -> int:
        return sum(probe for worker in self.workers for _, _, probe in worker.under_way)

    def send(self, worker: Worker) -> None:
        throttle = worker.throttle
        while throttle.calm or throttle.allows(len(worker.under_way)):
            if len(worker.under_way) >= 16:
                return
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
        if report is not None and (report.tells or self.gate.breaker.failures or self.gate.breaker.open):
            self.gate = reported(self.gate, report, self.now)
            throttle.learn(self.gate, self.now)
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
    assert throttle.allows(0)


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


@pytest.mark.parametrize(("since", "limit"), [(SECOND // 2, 1), (3 * SECOND, 16)])
def test_who_takes_a_target_right_after_it_closed_starts_slowly(since: int, limit: int) -> None:
    from tests.unit.runner.test_breaker import opened

    closed = Gate(replace(opened(0), probing=True).succeeded(100 * SECOND))
    throttle = a_throttle()
    throttle.begin(closed, 100 * SECOND + since)
    assert throttle.limit == limit
