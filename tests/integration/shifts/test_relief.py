"""Shifts that end, relieve each other, share a target, or lose their leases."""

from __future__ import annotations

import time

import pytest

from delivery.connectors.http.target import HTTPTarget
from delivery.runner.shift import GRACE
from delivery.tracking.words import Outcome
from tests.events import a_target
from tests.integration.shifts.delivered import SUBJECTS, in_order, named, unrecorded
from tests.integration.sink import SOON, Sink, exceptions, execute, leases, on_duty, publish, rows
from tests.processes import eventually
from tests.recorded import attempts


def test_a_shift_that_is_told_to_stop_leaves_and_gives_its_leases_back(sink: Sink) -> None:
    target = a_target(sink.url)
    sink.answer = lambda path, name, subject, times: (200, 0.05)
    publish([target.pk], *named(0, 300))
    with on_duty() as (shift,):
        sink.wait_for(20)
        shift.stop(within=GRACE + 1)
    assert leases() == []
    assert rows("SELECT * FROM runner_flight") == []
    assert rows("SELECT * FROM runner_shift") == []
    assert unrecorded(target.pk, sink) == set()
    with on_duty():
        sink.wait_for(300)
    assert len(sink.taken) == 300
    in_order(sink, 300)


def test_a_send_that_does_not_end_is_left_as_unknown_when_the_shift_must_go(sink: Sink) -> None:
    target = a_target(sink.url, config={"url": sink.url, "timeout": 60})
    hangs = True

    def answer(path: str, name: str, subject: str, times: int) -> tuple[int, float]:
        return (200, 30.0) if hangs and name == "e0" else (200, 0.0)

    sink.answer = answer
    publish([target.pk], ("e0", "A"), ("e1", "A"), ("e2", "B"))
    with on_duty() as (shift,):
        eventually(lambda: {"e0", "e2"} <= {seen.id for seen in sink.seen}, "both were sent")
        eventually(lambda: [one.seq for one in attempts(rows)] == [3], "the other one is on record")
        shift.stop(within=GRACE + 1)
    assert leases() == []
    assert len(rows("SELECT * FROM runner_flight")) >= 1
    hangs = False
    with on_duty():
        eventually(lambda: sink.taken_of("A")[1:] == ["e0", "e1"], "the next shift sends it again", 20)
        eventually(lambda: rows("SELECT * FROM runner_flight") == [], "nothing is in flight")
    numbers = [(one.seq, one.number, one.outcome) for one in attempts(rows) if one.seq == 1]
    assert numbers == [(1, 1, Outcome.UNKNOWN), (1, 2, Outcome.DELIVERED)]
    assert sink.taken_of("B") == ["e2"]


def test_shifts_relieve_each_other_and_nothing_is_doubled(sink: Sink) -> None:
    target = a_target(sink.url)
    sink.answer = lambda path, name, subject, times: 503 if times == 1 and name.endswith("7") else 200
    with on_duty(1.0) as (first,):
        publish([target.pk], *named(0, 400))
        first.wait()
    assert first.relieved.is_set()
    assert leases() == []
    publish([target.pk], *named(400, 800))
    with on_duty(1.0, 2.0) as (second, third):
        publish([target.pk], *named(800, 1000))
        second.wait()
        third.wait()
    with on_duty():
        sink.wait_for(1000)
        eventually(lambda: exceptions(target.pk) == {}, "nothing is left")
    assert len(sink.taken) == 1000
    in_order(sink, 1000)
    assert unrecorded(target.pk, sink) == set()


def test_two_shifts_share_a_target_without_doubling_or_overtaking(sink: Sink) -> None:
    target = a_target(sink.url)
    sink.answer = lambda path, name, subject, times: (
        503 if times == 1 and name.endswith("3") else (200, 0.002)
    )
    with on_duty(600, 600) as shifts:
        # One subject after the other comes up, so that both shifts are there when its lane group is first claimed.
        for n in range(40):
            publish([target.pk], (f"e{n}", SUBJECTS[n]))
        publish([target.pk], *named(40, 1200))
        sink.wait_for(1200)
        eventually(lambda: exceptions(target.pk) == {}, "nothing is left")
        owners = {owner for _, _, owner in leases()}
        assert owners <= {shift.id for shift in shifts}
    assert len(sink.taken) == 1200
    in_order(sink, 1200)
    assert unrecorded(target.pk, sink) == set()


@pytest.mark.usefixtures("quick_looks")
@pytest.mark.parametrize("order", ["key", "all"])
def test_a_shift_whose_leases_were_taken_records_and_sends_nothing_more(sink: Sink, order: str) -> None:
    target = a_target(sink.url, order=order)
    holds = True
    sink.answer = lambda path, name, subject, times: (200, 0.4 if holds else 0.0)
    publish([target.pk], *named(0, 100))
    with on_duty() as (shift,):
        eventually(lambda: len(sink.seen) > 0, "something was sent")
        far = 4_000_000_000_000_000
        execute("UPDATE runner_slot SET owner = 'thief', fence = fence + 1, until = %s", far)
        sent_before = len(sink.seen)
        recorded, cursors = attempts(rows), rows("SELECT * FROM runner_slot ORDER BY 2")
        time.sleep(0.4 + SOON)  # Past the end of what was under way, and past a renewal.
        assert attempts(rows) == recorded
        assert rows("SELECT * FROM runner_slot ORDER BY 2") == cursors
        # What was recorded as in flight before the theft may have been on its way.
        assert len(sink.seen) <= sent_before + HTTPTarget.max_in_flight
        at_rest = len(sink.seen)
        time.sleep(SOON)
        assert len(sink.seen) == at_rest
        assert shift.works
        holds = False
        execute("UPDATE runner_slot SET owner = NULL, until = 0")
        sink.wait_for(100)
    in_order(sink, 100)


def test_a_shift_that_lost_one_lease_of_a_target_gives_the_others_back(sink: Sink) -> None:
    target = a_target(sink.url)
    publish([target.pk], *named(0, 100))
    with on_duty():
        sink.wait_for(100)
        held = leases()
        assert len(held) > 1
        execute(
            "UPDATE runner_slot SET owner = 'thief', until = 4000000000000000 WHERE lanes = %s", held[0][1]
        )
        eventually(lambda: {owner for _, _, owner in leases()} == {"thief"}, "the others are given back", 20)
        execute("UPDATE runner_slot SET owner = NULL, until = 0")
        publish([target.pk], *named(100, 200))
        sink.wait_for(200)
    in_order(sink, 200)
