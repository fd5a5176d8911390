"""A target that is down: two shifts, one breaker, and what people may do meanwhile."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest

from delivery.runner.gating import probe_now
from delivery.tracking.words import Outcome
from rules.models import Target
from rules.revisions import save_target, set_state
from tests.events import a_target
from tests.integration.shifts.delivered import in_order, named, share, to_be_shared, unrecorded
from tests.integration.sink import SOON, Sink, exceptions, execute, on_duty, publish, rows
from tests.processes import eventually

QUICK = {"breaker_failures": 5, "breaker_probe": 0.3, "breaker_longest_probe": 0.6, "max_attempts": 3}


def is_open(target: int) -> bool:
    return rows("SELECT 1 FROM runner_gate WHERE target = %s AND opened_at IS NOT NULL", target) == [(1,)]


@pytest.mark.usefixtures("quick_looks")
def test_while_it_is_open_one_probe_at_a_time_goes_and_nothing_dies_or_is_lost(sink: Sink) -> None:
    target = a_target(sink.url, max_in_flight=8, **QUICK)
    up = False
    sink.answer = lambda path, name, subject, times: (200 if up else 503, 0.05)
    to_be_shared(target.pk)
    publish([target.pk], *named(0, 300))
    with on_duty(600, 600):
        share(target.pk)
        eventually(lambda: is_open(target.pk), "the breaker opens")
        time.sleep(1.0)  # What was under way, and what the other shift sent before it heard of it.
        before = len(sink.seen)
        assert before < 150
        eventually(lambda: len(sink.seen) >= before + 4, "probes go")
        probes = sink.seen[before:]
        gaps = [two.at - one.at for one, two in pairwise(probes)]
        assert min(gaps) >= 0.3
        # Three attempts are all that an event has, and none died of it.
        assert rows("SELECT MAX(attempts) FROM runner_exception")[0][0] <= 2
        assert rows("SELECT COUNT(*) FROM runner_exception WHERE state = 3") == [(0,)]
        up = True
        sink.wait_for(300)
        eventually(lambda: exceptions(target.pk) == {}, "nothing is left")
        eventually(lambda: not is_open(target.pk), "it is closed")
    in_order(sink, 300)
    assert unrecorded(target.pk, sink) == set()


@pytest.mark.usefixtures("quick_looks")
def test_a_probe_whose_shift_died_is_claimed_by_another(sink: Sink) -> None:
    target = a_target(sink.url, **QUICK)
    sink.answer = lambda path, name, subject, times: 503
    publish([target.pk], *named(0, 60))
    with on_duty():
        eventually(lambda: is_open(target.pk), "the breaker opens")
    # As if the shift had been killed with its probe on the way: its row says that it lives for five seconds more.
    now = time.time_ns() // 1000
    execute("UPDATE runner_gate SET prober = 'dead', probe_at = 0 WHERE target = %s", target.pk)
    execute(
        "INSERT INTO runner_shift (id, host, pid, started_at, seen_at) VALUES ('dead', 'h', 1, %s, %s)",
        now, now - 3_000_000,
    )  # fmt: skip
    sink.answer = lambda path, name, subject, times: 200
    before = len(sink.seen)
    with on_duty():
        time.sleep(1.0)
        assert len(sink.seen) == before, "another probe while one may be under way"
        sink.wait_for(60)
    in_order(sink, 60)


def test_one_poisoned_event_does_not_open_it(sink: Sink) -> None:
    target = a_target(sink.url, **(QUICK | {"max_attempts": 12, "longest_delay": 0.05}))
    sink.answer = lambda path, name, subject, times: 503 if name == "e0" else 200
    publish([target.pk], ("e0", "A"))
    with on_duty():
        eventually(lambda: exceptions(target.pk) == {1: 3}, "it is given up by its own policy")
    assert [seen.attempt for seen in sink.seen] == list(range(1, 13))
    assert not is_open(target.pk)


@pytest.mark.usefixtures("quick_looks")
def test_a_person_may_ask_for_the_probe_at_once_or_switch_the_breaker_off(sink: Sink) -> None:
    target = a_target(sink.url, **(QUICK | {"breaker_probe": 600, "breaker_longest_probe": 600}))
    well = False
    sink.answer = lambda path, name, subject, times: 200 if well else 503
    publish([target.pk], *named(0, 40))
    with on_duty():
        eventually(lambda: is_open(target.pk), "the breaker opens")
        time.sleep(SOON)
        before = len(sink.seen)
        assert probe_now(target.pk)
        eventually(lambda: len(sink.seen) == before + 1, "one probe goes")
        time.sleep(SOON)
        assert len(sink.seen) == before + 1
        well = True
        target.breaker = False
        save_target(target)
        sink.wait_for(40)
        eventually(lambda: not is_open(target.pk), "it is closed")
    in_order(sink, 40)
    assert not probe_now(target.pk)


@pytest.mark.usefixtures("quick_looks")
def test_410_disables_the_target_until_a_person_says_otherwise(sink: Sink) -> None:
    target = a_target(sink.url)
    gone = True
    sink.answer = lambda path, name, subject, times: 410 if gone else 200
    publish([target.pk], *named(0, 20))
    with on_duty():
        eventually(lambda: Target.objects.get().state == "disabled", "the target is disabled")
        assert "410" in Target.objects.get().state_reason
        assert exceptions(target.pk) == {}
        gone = False
        set_state(target, Target.State.RUNNING)
        sink.wait_for(20)
    in_order(sink, 20)


@pytest.mark.usefixtures("quick_looks")
def test_answers_mean_what_the_target_says_they_mean(sink: Sink) -> None:
    target = a_target(sink.url, classes={"404": "retry", "4xx": "reject", "503": "reject", "409": "stop"})
    statuses = {"e0": 404, "e1": 401, "e2": 503}
    sink.answer = lambda path, name, subject, times: statuses.get(name, 200) if times == 1 else 200
    publish([target.pk], *[(f"e{n}", f"s{n}") for n in range(5)])
    with on_duty():
        sink.wait_for(3)
        eventually(lambda: exceptions(target.pk) == {2: 3, 3: 3}, "401 and 503 reject their events")
        assert Target.objects.get().state == "running"
        statuses["e9"] = 409
        publish([target.pk], ("e9", "s9"))
        eventually(lambda: Target.objects.get().state == "stopped", "409 stops it")
    first = rows("SELECT outcome FROM attempt WHERE seq = 1 ORDER BY number")
    assert first == [(Outcome.RETRY,), (Outcome.DELIVERED,)]
