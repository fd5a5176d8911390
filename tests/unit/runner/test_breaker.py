"""The breaker with a clock that the test moves: when it opens, one probe at a time, when it closes."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.runner.breaker import Breaker, Settings, Trouble
from delivery.runner.gate import Gate, Report, reported

SECOND = 1_000_000
SETTINGS = Settings(failures=3, probe=SECOND, longest_probe=8 * SECOND)


def trouble(*seqs: int, asked_until: int = 0, after_success: bool = False) -> Trouble:
    """Failures of these events, one after the other."""
    return Trouble(len(seqs), seqs[0], len(set(seqs)) > 1, "It answers 503.", asked_until, after_success)


def opened(now: int = 0) -> Breaker:
    return Breaker().failed(trouble(1, 2, 3), SETTINGS, now)


@pytest.mark.parametrize(
    ("told", "opens"),
    [
        ([trouble(1, 2, 3)], True),
        ([trouble(1), trouble(2), trouble(3)], True),
        ([trouble(1, 1), trouble(2)], True),
        ([trouble(1), trouble(2)], False),
        # One event that fails for ever says nothing about the target.
        ([trouble(1, 1, 1), trouble(1, 1), trouble(1)], False),
        ([trouble(1, 2), trouble(3, after_success=True)], False),
        ([trouble(1, 2), trouble(3, 4, 5, after_success=True)], True),
    ],
)
def test_it_opens_after_failures_in_a_row_of_at_least_two_events(told: list[Trouble], opens: bool) -> None:
    breaker = Breaker()
    for one in told:
        breaker = breaker.failed(one, SETTINGS, 5 * SECOND)
    assert breaker.open is opens
    if opens:
        assert (breaker.opened_at, breaker.probe_at) == (5 * SECOND, 6 * SECOND)


def test_a_success_in_between_begins_the_row_anew() -> None:
    breaker = Breaker().failed(trouble(1, 2), SETTINGS, 0).succeeded(1)
    assert breaker == Breaker(first=1)
    assert not breaker.failed(trouble(3, 4), SETTINGS, 2).open


def test_no_probe_before_its_time_and_never_two() -> None:
    breaker = opened()
    assert not breaker.may_probe(SECOND - 1)
    assert breaker.may_probe(SECOND)
    breaker = breaker.probed()
    assert not breaker.may_probe(10**12)


def test_the_wait_for_the_next_probe_doubles_up_to_the_longest() -> None:
    breaker, now, waits = opened(), 0, []
    for _ in range(6):
        waits.append(breaker.probe_at - now)
        now = breaker.probe_at
        breaker = breaker.probed()
        breaker = breaker.probe_failed(breaker.probe, trouble(9), SETTINGS, now)
    assert [wait // SECOND for wait in waits] == [1, 2, 4, 8, 8, 8]


def test_a_probe_that_lost_its_claim_says_nothing() -> None:
    lost = opened().probed()
    again = replace(lost, probing=False).probed()
    assert again.probe_failed(lost.probe, trouble(9), SETTINGS, 2 * SECOND) == again


def test_what_the_target_asks_for_is_waited_for() -> None:
    breaker = Breaker().failed(trouble(1, 2, 3, asked_until=30 * SECOND), SETTINGS, 0)
    assert breaker.probe_at == 30 * SECOND
    breaker = breaker.probed()
    assert (
        breaker.probe_failed(1, trouble(4, asked_until=99 * SECOND), SETTINGS, 30 * SECOND).probe_at
        == 99 * SECOND
    )


def test_one_success_closes_it_and_one_that_opens_again_soon_goes_on_with_its_wait() -> None:
    breaker = opened()
    for _ in range(2):
        breaker = breaker.probed()
        breaker = breaker.probe_failed(breaker.probe, trouble(4), SETTINGS, 10 * SECOND)
    closed = breaker.probed().succeeded(20 * SECOND)
    assert not closed.open
    assert closed.failures == 0
    assert closed.failed(trouble(5, 6, 7), SETTINGS, 21 * SECOND).wait == 8 * SECOND
    assert closed.failed(trouble(5, 6, 7), SETTINGS, 60 * SECOND).wait == SECOND


def test_late_failures_change_nothing() -> None:
    breaker = opened()
    assert breaker.failed(trouble(7, 8, 9), SETTINGS, 3 * SECOND) is breaker


def test_the_running_clock_stands_still_while_it_is_open_or_the_target_rests() -> None:
    gate = Gate()
    assert gate.running(100, 0) == 100
    gate = gate.then(opened(100), 100, 0)
    assert gate.running(500, 0) == 100
    # Paused from 200 to 400 while it was open: counted once.
    gate = gate.then(gate.breaker.succeeded(600), 600, 200)
    assert gate.running(600, 200) == 100
    assert gate.running(650, 200) == 150
    assert gate.running(900, 300) == 300  # paused for 100 more


@given(st.integers(0, 2**32))
def test_however_reports_come_at_most_one_probe_is_under_way_and_the_clock_never_goes_back(seed: int) -> None:
    """Several shifts, each with what it believes: claims go through the one gate, reports come late and doubled."""
    chance = random.Random(seed)
    gate, now, claims = Gate(), 0, []
    clocks = [0]
    for _ in range(200):
        now += chance.randrange(2 * SECOND)
        kind = chance.random()
        if kind < 0.4:
            seqs = [chance.randrange(5) for _ in range(chance.randrange(1, 4))]
            report = Report(1, SETTINGS, 0, trouble=trouble(*seqs, after_success=chance.random() < 0.2))
        elif kind < 0.5:
            report = Report(1, SETTINGS, 0, alive=True)
        elif kind < 0.8:
            if gate.breaker.may_probe(now):
                assert not gate.breaker.probing
                gate = replace(gate, breaker=gate.breaker.probed())
                claims.append(gate.breaker.probe)
            continue
        elif claims:
            number = chance.choice(claims)
            fails = chance.random() < 0.7
            report = Report(
                1, SETTINGS, 0, alive=not fails, probe=number, failed=trouble(7) if fails else None
            )
        else:
            continue
        gate = reported(gate, report, now)
        clocks.append(gate.running(now, 0))
        assert gate.breaker.open or not gate.breaker.probing
    assert clocks == sorted(clocks)
    assert len(set(claims)) == len(claims)
