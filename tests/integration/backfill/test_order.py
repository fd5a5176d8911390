"""Targets that start in the past: everything once, and what is past comes first, while events keep coming."""

from __future__ import annotations

import json
import time

import pytest

from delivery.backfill.work import Overtaken, claim, reader_of, step, work
from delivery.ingest import pipeline
from delivery.log.interface import open_log
from delivery.tracking import catching_up, status, waiting
from rules.models import Target
from rules.revisions import set_state
from tests.databases import in_thread
from tests.events import a_bus
from tests.integration.backfill.catching_up import ODD, SUBJECTS, in_order, named, routed, subscribed, the_job
from tests.integration.sink import SOON, Sink, on_duty, publish, rows
from tests.processes import eventually


@pytest.mark.usefixtures("quick_looks")
def test_live_events_are_held_until_everything_past_is_routed(sink: Sink) -> None:
    publish([], *named(0, 60))
    target = subscribed("beginning", sink.url)
    publish([target.pk], *named(60, 80))
    job = claim()
    assert job is not None
    reader = reader_of(job)
    with on_duty():
        step(job, reader)
        step(job, reader)
        sink.wait_for(20)
        time.sleep(SOON)
        assert sorted(sink.taken) == sorted(f"e{n}" for n in range(20))
        assert (
            waiting.of_targets([target.pk])[target.pk].past == catching_up.of_targets([target.pk])[target.pk]
        )
        shown = status.of_target(target, waiting.of_targets([target.pk])[target.pk])
        assert (shown.kind, shown.word) == ("busy", "Catching up, 20 of 60")
        while step(job, reader):
            pass
        sink.wait_for(80)
    in_order(sink, named(0, 80))
    assert waiting.of_targets([target.pk])[target.pk].past is None


@pytest.mark.parametrize("order", ["key", "all"])
def test_nothing_is_lost_doubled_or_out_of_order_while_events_keep_coming(sink: Sink, order: str) -> None:
    publish([], *named(0, 300))
    target = subscribed("beginning", sink.url, order=order)
    with on_duty(2.0, 600.0):  # One leaves in the middle.

        def publishing() -> None:
            for n in range(300, 400, 10):
                publish([target.pk], *named(n, n + 10))
                time.sleep(0.05)

        publishers = in_thread(publishing)

        def working() -> None:
            job = claim()
            while job is not None:
                try:
                    while step(job, reader_of(job)):
                        time.sleep(0.05)
                except Overtaken:
                    pass
                job = claim()

        workers = in_thread(working)
        publishers()
        workers()
        sink.wait_for(400)
    in_order(sink, named(0, 400))
    if order == "all":
        assert sink.taken == [name for name, _ in named(0, 400)]


def test_events_published_while_the_target_is_saved_are_taken_once_by_the_rule_or_by_the_past(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    a_bus()
    way = pipeline.Pipeline()
    monkeypatch.setattr(pipeline, "_pipeline", way)

    def publishing() -> None:
        for n in range(400):
            event = {
                "specversion": "1.0",
                "id": f"e{n}",
                "source": "/test",
                "type": "t",
                "subject": SUBJECTS[n % 20],
            }
            pipeline.publish("city", json.dumps(event).encode())

    try:
        publishers = in_thread(publishing)
        eventually(lambda: open_log().head() > 50, "events are published")
        target = subscribed("beginning", pattern=ODD)
        eventually(lambda: open_log().head() > the_job().until + 50, "more events are published")
        work()
        publishers()
    finally:
        way.close()
    assert 50 < the_job().until < 400
    assert routed(target) == list(range(2, 401, 2))


def test_a_failing_past_event_holds_back_the_live_ones_of_its_key_only(sink: Sink) -> None:
    publish([], *named(0, 40))
    broken = True
    sink.answer = lambda path, name, subject, times: 503 if broken and name == "e1" else 200
    target = subscribed("beginning", sink.url, max_attempts=100)
    publish([target.pk], *named(40, 60))
    with on_duty():
        work()
        sink.wait_for(57)
        assert sink.taken_of("s1") == []
        broken = False
        sink.wait_for(60)
    in_order(sink, named(0, 60))


@pytest.mark.usefixtures("quick_looks")
def test_a_paused_target_is_caught_up_with_all_the_same_and_delivers_when_resumed(sink: Sink) -> None:
    publish([], *named(0, 100))
    target = subscribed("beginning", sink.url)
    job = claim()
    assert job is not None
    with on_duty():
        step(job, reader_of(job))
        sink.wait_for(10)
        set_state(target, Target.State.PAUSED)
        eventually(
            lambda: rows("SELECT 1 FROM runner_slot WHERE until > 0") == [], "the leases are given back", 10
        )
        while step(job, reader_of(job)):
            pass
        publish([target.pk], *named(100, 110))
        time.sleep(SOON)
        assert len(sink.taken) == 10
        set_state(target, Target.State.RUNNING)
        sink.wait_for(110)
    in_order(sink, named(0, 110))
