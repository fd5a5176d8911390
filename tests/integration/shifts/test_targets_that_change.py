"""Targets that are paused, stopped, changed or deleted while a shift delivers to them."""

from __future__ import annotations

import time

import pytest

from delivery.tracking.words import Outcome
from rules.models import Target
from rules.revisions import delete_rule, delete_target, save_target, set_state
from tests.events import a_target
from tests.integration.shifts.delivered import in_order, named, unrecorded
from tests.integration.sink import SOON, Sink, exceptions, leases, on_duty, publish, rows
from tests.processes import eventually
from tests.recorded import attempts


@pytest.mark.usefixtures("quick_looks")
def test_a_paused_target_stops_at_once_and_delivers_everything_when_resumed(sink: Sink) -> None:
    target = a_target(sink.url, max_in_flight=16)
    sink.answer = lambda path, name, subject, times: (200, 0.02)
    publish([target.pk], *named(0, 600))
    with on_duty():
        sink.wait_for(20)
        set_state(target, Target.State.PAUSED)
        eventually(lambda: leases() == [], "the leases are given back", 10)
        at_rest = len(sink.seen)
        assert at_rest < 600
        publish([target.pk], *named(600, 620))  # Routes accrue.
        time.sleep(SOON)
        assert len(sink.seen) == at_rest
        assert len(rows("SELECT seq FROM log_route WHERE target = %s AND seq > 600", target.pk)) == 20
        set_state(target, Target.State.RUNNING)
        sink.wait_for(620)
    assert len(sink.taken) == 620
    in_order(sink, 620)
    assert unrecorded(target.pk, sink) == set()


def test_a_target_that_answers_404_is_stopped_with_the_reason_and_loses_nothing(sink: Sink) -> None:
    target = a_target(sink.url)
    lost = True

    def answer(path: str, name: str, subject: str, times: int) -> int:
        return 404 if lost and name == "e50" else 200

    sink.answer = answer
    publish([target.pk], *named(0, 200))
    with on_duty():
        eventually(lambda: Target.objects.get().state == Target.State.STOPPED, "the target is stopped")
        assert "404" in Target.objects.get().state_reason
        eventually(lambda: leases() == [], "the leases are given back", 10)
        assert exceptions(target.pk) == {}
        lost = False
        set_state(target, Target.State.RUNNING)
        sink.wait_for(200)
    in_order(sink, 200)
    assert len(sink.taken) == 200
    assert unrecorded(target.pk, sink) == set()
    outcomes = [(one.number, one.outcome) for one in attempts(rows) if one.seq == 51]
    assert outcomes == [(1, Outcome.MISCONFIGURED), (2, Outcome.DELIVERED)]


def test_a_target_that_is_changed_goes_on_with_its_new_revision(sink: Sink) -> None:
    target = a_target(f"{sink.url}old")
    publish([target.pk], *named(0, 50))
    with on_duty():
        sink.wait_for(50)
        target.config = {"url": f"{sink.url}new"}
        save_target(target)
        # What is not sent yet uses the revision that is current when it is sent.
        eventually(lambda: leases() == [] or len(sink.seen) > 50, "the old one is left", 10)
        publish([target.pk], *named(50, 100))
        sink.wait_for(100)
    assert len(sink.taken) == 100
    in_order(sink, 100)
    assert {seen.path for seen in sink.seen[:50]} == {"/old"}
    assert sink.seen[-1].path == "/new"
    assert {one.revision for one in attempts(rows)} == {1, 2}


@pytest.mark.parametrize("delete", ["target", "rule"])
def test_deleting_what_is_being_delivered_harms_nobody_else(sink: Sink, delete: str) -> None:
    from rules.revisions import save_rule
    from tests.events import a_rule

    gone = a_target(f"{sink.url}gone")
    kept = a_target(f"{sink.url}kept", rule=save_rule(a_rule("other")))
    sink.answer = lambda path, name, subject, times: (200, 0.01)
    publish([gone.pk, kept.pk], *named(0, 300))
    gone_id = gone.pk
    with on_duty() as (shift,):
        sink.wait_for(20)
        if delete == "target":
            delete_target(gone)
        else:
            delete_rule(gone.rule)
        eventually(lambda: gone_id not in {row[0] for row in leases()}, "its leases are given back", 10)
        at_rest = [seen for seen in sink.seen if seen.path == "/gone"]
        eventually(
            lambda: sum(seen.path == "/kept" for seen in sink.seen) == 300, "the other one has everything"
        )
        assert [seen for seen in sink.seen if seen.path == "/gone"] == at_rest
        assert shift.works


@pytest.mark.parametrize(("before", "after"), [("key", "none"), ("all", "key"), ("key", "all")])
def test_a_change_of_order_leaves_nothing_behind(sink: Sink, before: str, after: str) -> None:
    target = a_target(sink.url, order=before)
    well = False

    def answer(path: str, name: str, subject: str, times: int) -> int:
        return 200 if well else 503

    sink.answer = answer
    publish([target.pk], *named(0, 120))
    with on_duty():
        eventually(lambda: len(exceptions(target.pk)) == 120, "everything failed or waits")
        target.order = after
        save_target(target)
        well = True
        sink.wait_for(120)
        eventually(lambda: exceptions(target.pk) == {}, "nothing is left")
    assert len(sink.taken) == 120


def test_from_block_to_continue_what_waited_goes_on_once_its_dead_letter_is_dealt_with(sink: Sink) -> None:
    from delivery.deadletters.asking import redrive

    target = a_target(sink.url)
    sink.answer = lambda path, name, subject, times: 422 if name == "e0" and times == 1 else 200
    publish([target.pk], *[(f"e{n}", "A") for n in range(10)])
    with on_duty():
        eventually(lambda: len(exceptions(target.pk)) == 10, "all wait")
        target.after_dead_letter = "continue"
        save_target(target)
        redrive(target.pk)
        sink.wait_for(10)
    assert sink.taken == [f"e{n}" for n in range(10)]
