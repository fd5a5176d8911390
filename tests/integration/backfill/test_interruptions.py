"""Catching up survives kills, dropped steps, a stop, deletions, and jobs that fail beside it."""

from __future__ import annotations

import signal
import time
from typing import Any

import pytest
from django.db import connection, transaction

from delivery.backfill import cancel, past, start
from delivery.backfill.work import Overtaken, claim, reader_of, step, work
from delivery.log.retention import retain_all
from delivery.models import Backfill
from delivery.tracking import catching_up
from rules.models import Rule, Target
from rules.revisions import delete_rule, delete_target, save_rule
from tests.databases import Database, in_thread
from tests.events import a_rule
from tests.integration.backfill.catching_up import ODD, in_order, named, routed, subscribed, the_job
from tests.integration.sink import Sink, execute, on_duty, publish, rows

A_WORKER = """
from delivery.backfill import past, work
past.PART = past.NARROW = 5
work.REST = 0
route = work._route
def slowly(job, found):
    print(found.upto, flush=True)
    route(job, found)
work._route = slowly
work.work()
"""


def test_a_worker_killed_in_the_middle_leaves_the_rest_to_the_next(database: Database) -> None:
    publish([], *named(0, 2000))
    target = subscribed("beginning", pattern=ODD)
    for parts in (3, 60):
        with database.start(A_WORKER) as killed:
            assert killed.stdout is not None
            for _ in range(parts):
                killed.stdout.readline()
            killed.send_signal(signal.SIGKILL)
        assert the_job().ended == ""
        assert 0 < the_job().routed < 2000
        assert routed(target) == list(range(2, the_job().routed + 1, 2))
        execute("UPDATE delivery_backfill SET held_until = 1")  # As 10 seconds later.
    assert work() > 0
    assert routed(target) == list(range(2, 2001, 2))
    assert the_job().taken == 1000


def test_a_dropped_step_is_done_again_exactly_once() -> None:
    publish([], *named(0, 40))
    target = subscribed("beginning")
    frozen = claim()
    assert frozen is not None
    assert claim() is None  # It is held.
    step(frozen, reader_of(frozen))
    execute("UPDATE delivery_backfill SET held_until = 1")
    other = claim()
    assert other is not None
    step(other, reader_of(other))
    with pytest.raises(Overtaken):
        step(frozen, reader_of(frozen))
    assert routed(target) == list(range(1, 21))
    while step(other, reader_of(other)):
        pass
    assert routed(target) == list(range(1, 41))


def test_no_lock_is_held_while_events_are_matched(monkeypatch: pytest.MonkeyPatch) -> None:
    publish([], *named(0, 40))
    subscribed("beginning")
    look, looked = past.Reader.look, []

    def watched(reader: past.Reader, after: int, until: int) -> past.Found:
        looked.append(connection.in_atomic_block)
        publish_elsewhere = in_thread(lambda: publish([], (f"while {after}", "s0")))
        publish_elsewhere()  # It would wait for the lock.
        return look(reader, after, until)

    monkeypatch.setattr(past.Reader, "look", watched)
    work()
    assert looked == [False] * 4


def test_stopped_early_it_goes_on_with_the_new_events(sink: Sink) -> None:
    publish([], *named(0, 60))
    target = subscribed("beginning", sink.url)
    publish([target.pk], *named(60, 70))
    job = claim()
    assert job is not None
    step(job, reader_of(job))
    with on_duty():
        sink.wait_for(10)
        assert cancel(target.pk)
        sink.wait_for(20)
    in_order(sink, named(0, 10) + named(60, 70))
    with pytest.raises(Overtaken):
        step(job, reader_of(job))
    assert not cancel(target.pk)
    assert (the_job().ended, the_job().routed) == ("cancelled", 10)
    assert work() == 0


@pytest.mark.parametrize("delete", ["target", "rule"])
def test_deleting_the_target_or_its_rule_ends_it_without_a_trace(delete: str) -> None:
    publish([], *named(0, 60))
    target = subscribed("beginning")
    job = claim()
    assert job is not None
    step(job, reader_of(job))
    if delete == "rule":
        delete_rule(target.rule)
    else:
        delete_target(target)
    with pytest.raises(Overtaken):
        step(job, reader_of(job))
    assert work() == 0
    retain_all()
    assert not Backfill.objects.exists()
    assert rows("SELECT COUNT(*) FROM log_route") == [(0,)]
    assert rows("SELECT COUNT(*) FROM log_ready") == [(0,)]


def test_a_rule_that_is_switched_off_makes_it_wait() -> None:
    publish([], *named(0, 60))
    target = subscribed("beginning")
    job = claim()
    assert job is not None
    step(job, reader_of(job))
    rule = Rule.objects.get()
    rule.enabled = False
    save_rule(rule)
    with pytest.raises(Overtaken):
        step(job, reader_of(job))
    execute("UPDATE delivery_backfill SET held_until = 1")
    assert work() == 0
    assert catching_up.of_targets([target.pk])[target.pk].waits
    rule.enabled = True
    save_rule(rule)
    assert work() == 5
    assert routed(target) == list(range(1, 61))


def test_several_jobs_have_their_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("delivery.backfill.work.TURN", 0.0)
    publish([], *named(0, 100))
    first = subscribed("beginning")
    rule = save_rule(a_rule("another"))
    second = Target(rule=rule, name="two", connector="http", config={})
    with transaction.atomic():
        second.save()
        start(second, "beginning")
    moved = []
    for _ in range(8):
        job = claim()
        assert job is not None
        moved.append(job.target)
        step(job, reader_of(job))
        Backfill.objects.filter(pk=job.pk).update(held_until=time.time_ns() // 1000)
    assert moved == [first.pk, second.pk] * 4


def test_a_job_that_fails_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    publish([], *named(0, 20))
    bad = subscribed("beginning")
    rule = save_rule(a_rule("another"))
    good = Target(rule=rule, name="two", connector="http", config={})
    with transaction.atomic():
        good.save()
        start(good, "beginning")
    read = reader_of

    def reading(job: Backfill) -> past.Reader:
        if job.target == bad.pk:
            raise RuntimeError("out of order")
        return read(job)

    monkeypatch.setattr("delivery.backfill.work.reader_of", reading)
    work()
    assert routed(good) == list(range(1, 21))
    assert routed(bad) == []
    assert "could not go on" in caplog.text


def test_a_worker_finds_the_job_by_itself_and_the_events_arrive(database: Database, sink: Sink) -> None:
    publish([], *named(0, 100))
    target = subscribed("beginning", sink.url)
    publish([target.pk], *named(100, 110))
    database.town.start("worker")
    sink.wait_for(110)
    database.town.stop("worker")
    time.sleep(0.2)  # The sink sees its connections end.
    in_order(sink, named(0, 110))
    assert the_job().ended == "done"
