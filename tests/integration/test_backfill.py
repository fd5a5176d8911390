"""Targets that start in the past: everything once, in order, whatever happens meanwhile; the same on both databases."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from delivery.backfill import AlreadyLive, NotInThePast, cancel, count_past, past, start
from delivery.backfill.work import Overtaken, claim, reader_of, step, work
from delivery.ingest import pipeline
from delivery.log.interface import open_log
from delivery.log.retention import needed_from, retain_all
from delivery.models import Backfill
from delivery.tracking import catching_up, journey, status, waiting
from rules import registry
from rules.engine import Filter
from rules.models import Rule, Target
from rules.revisions import delete_rule, delete_target, save_rule, set_state, subscribe
from tests.databases import Database, in_thread
from tests.events import a_bus, a_rule, an_entry, current_versions
from tests.integration.sink import Sink, a_sink, execute, on_duty, publish, rows
from tests.processes import eventually

SUBJECTS = [f"s{n}" for n in range(20)]
ODD = {"subject": [f"s{n}" for n in range(1, 20, 2)]}


@pytest.fixture(autouse=True)
def database(log_database: Database) -> Database:
    return log_database


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of ten events, so that a test of a few hundred has many."""
    monkeypatch.setattr(past, "PART", 10)
    monkeypatch.setattr(past, "NARROW", 10)
    monkeypatch.setattr("delivery.backfill.work.REST", 0.0)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with a_sink() as found:
        yield found


def named(first: int, last: int) -> list[tuple[str, str]]:
    return [(f"e{n}", SUBJECTS[n % len(SUBJECTS)]) for n in range(first, last)]


def subscribed(
    since: registry.Since,
    url: str = "http://127.0.0.1:9/",
    pattern: dict[str, Any] | None = None,
    **values: Any,
) -> Target:
    """A new rule and target that start at `since`, saved as the editor does: all in one transaction."""
    rule = a_rule(pattern=pattern or {})
    target = Target(
        name="sink",
        connector="http",
        config={"url": url},
        transform={"kind": "complete"},
        first_delay=0.05,
        **values,
    )
    with transaction.atomic():
        subscribe(rule, target)
        start(target, since)
    return target


def routed(target: Target) -> list[int]:
    return [seq for (seq,) in rows("SELECT seq FROM log_route WHERE target = %s ORDER BY seq", target.pk)]


def the_job() -> Backfill:
    return Backfill.objects.get()


def in_order(sink: Sink, names: list[tuple[str, str]]) -> None:
    """Exactly these were taken, each once, and each subject's in the order they were published."""
    assert sorted(sink.taken) == sorted(name for name, _ in names)
    for subject, taken in sink.by_subject().items():
        assert taken == [name for name, s in names if s == subject]


# ── where it starts ──


def test_from_now_takes_nothing_past() -> None:
    publish([], *named(0, 5))
    subscribed("now")
    assert not Backfill.objects.exists()


def test_from_the_beginning_takes_what_the_rule_takes_of_everything_kept() -> None:
    publish([], *named(0, 40))
    target = subscribed("beginning", pattern=ODD)
    assert work() == 4
    assert routed(target) == list(range(2, 41, 2))
    assert (the_job().ended, the_job().taken) == ("done", 20)


def test_from_an_event_on_takes_that_event_first() -> None:
    publish([], *named(0, 40))
    target = subscribed(31)
    work()
    assert routed(target) == list(range(31, 41))


def test_from_a_time_on_takes_what_was_received_since() -> None:
    hour = timedelta(hours=1)
    now = datetime.now(UTC)
    for at in (now - 3 * hour, now - 2 * hour, now - hour):
        entry = an_entry(
            f"at {at}", bus=a_bus().pk, received_at=int(at.timestamp() * 1e6), versions=current_versions()
        )
        open_log().append([[entry]], current_versions())
    target = subscribed(now - 2.5 * hour)
    work()
    assert routed(target) == [2, 3]


def test_the_events_of_other_buses_are_not_taken() -> None:
    publish([], *named(0, 5))
    elsewhere = [an_entry(f"x{n}", bus=a_bus("harbour").pk, versions=current_versions()) for n in range(30)]
    open_log().append([elsewhere], current_versions())
    publish([], *named(5, 10))
    target = subscribed("beginning")
    work()
    assert routed(target) == [1, 2, 3, 4, 5, 36, 37, 38, 39, 40]


def test_from_the_beginning_of_an_empty_log_is_from_now() -> None:
    subscribed("beginning")
    assert not Backfill.objects.exists()


@pytest.mark.parametrize(
    ("since", "sentence"),
    [
        (6, "There is no event 6 yet: the newest is 5"),
        (0, "from 1 on"),
        (True, "from 1 on"),
        ("yesterday", "from 1 on"),
        (datetime(2030, 1, 1, tzinfo=UTC), "still to come"),
        (datetime(2020, 1, 1), "time zone"),
    ],
)
def test_a_position_that_no_event_can_have_is_refused_and_saves_nothing(since: Any, sentence: str) -> None:
    publish([], *named(0, 5))
    with pytest.raises(NotInThePast, match=sentence):
        subscribed(since)
    assert not Rule.objects.exists()
    with pytest.raises(NotInThePast, match=sentence):
        count_past(Filter(), a_bus().pk, since)


def test_a_target_that_took_events_cannot_start_in_the_past() -> None:
    publish([], *named(0, 5))
    target = subscribed("now")
    publish([target.pk], *named(5, 6))
    with pytest.raises(AlreadyLive, match="takes events already"):
        start(target, "beginning")


def test_a_target_starts_once_only_also_after_it_was_stopped_early() -> None:
    publish([], *named(0, 5))
    target = subscribed("beginning")
    with pytest.raises(AlreadyLive):
        start(target, "beginning")
    assert cancel(target.pk)
    with pytest.raises(AlreadyLive):
        start(target, "beginning")


def test_retention_keeps_what_a_target_is_to_start_with_and_the_beginning_is_what_is_kept() -> None:
    bus = a_bus(retention_days=1)
    old = datetime.now(UTC) - timedelta(days=2)
    entries = [
        an_entry(f"e{n}", bus=bus.pk, received_at=int(old.timestamp() * 1e6), versions=current_versions())
        for n in range(30)
    ]
    open_log().append([entries[:10]], current_versions())
    assert retain_all() == 10
    open_log().append([entries[10:]], current_versions())
    target = subscribed("beginning")
    assert the_job().after == 10
    job = claim()
    assert job is not None
    step(job, reader_of(job))
    assert needed_from(bus.pk) == 11  # The routes of the first part.
    execute("DELETE FROM log_route")  # As if they were delivered and pruned.
    assert needed_from(bus.pk) == 21
    assert retain_all() == 10
    cancel(target.pk)
    assert needed_from(bus.pk) > 40


# ── order: what is past comes first ──


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
        time.sleep(1.5)  # Longer than a sweep.
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
        time.sleep(1.5)
        assert len(sink.taken) == 10
        set_state(target, Target.State.RUNNING)
        sink.wait_for(110)
    in_order(sink, named(0, 110))


# ── whatever happens meanwhile ──


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


def test_the_past_is_taken_by_the_rule_as_it_was_when_the_target_started() -> None:
    publish([], *named(0, 60))
    target = subscribed("beginning", pattern=ODD)
    job = claim()
    assert job is not None
    step(job, reader_of(job))
    rule = Rule.objects.get()
    rule.pattern = {"subject": ["s0"]}
    save_rule(rule)
    execute("UPDATE delivery_backfill SET held_until = 1")
    work()
    assert routed(target) == list(range(2, 61, 2))


def test_all_parts_of_a_rule_s_filter_are_asked() -> None:
    publish([], *named(0, 40))
    rule = a_rule(pattern=ODD)
    rule.sql, rule.filters = "subject <> 's3'", [{"suffix": {"subject": "3"}}]
    target = Target(name="sink", connector="http", config={}, rule=rule)
    with transaction.atomic():
        subscribe(rule, target)
        start(target, "beginning")
    work()
    assert routed(target) == [14, 34]  # of s13
    assert count_past(Filter(rule.pattern, rule.sql, rule.filters), a_bus().pk, 1).matching == 2


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


def test_the_journey_of_a_past_event_shows_the_target_that_is_to_take_it() -> None:
    publish([], *named(0, 20))
    target = subscribed("beginning")
    before = journey.of(5)
    assert before is not None
    assert before.stops == []
    work()
    after = journey.of(5)
    assert after is not None
    assert [(stop.target_id, stop.state) for stop in after.stops] == [(target.pk, "queued")]


# ── counting before saving ──


@pytest.mark.parametrize(
    ("pattern", "since", "expected"),
    [
        ({}, "beginning", (60, 60, True)),
        ({}, "now", (0, 0, True)),
        ({}, 31, (30, 30, True)),
        (ODD, "beginning", (30, 60, True)),
        ({"type": ["test.happened"]} | ODD, "beginning", (30, 60, True)),
        ({"type": ["test.other"]}, "beginning", (0, 0, True)),
        ({"type": [{"prefix": "test."}]}, 51, (10, 10, True)),
    ],
)
def test_past_events_are_counted_before_saving(
    pattern: dict[str, Any], since: Any, expected: tuple[int, int, bool]
) -> None:
    publish([], *named(0, 60))
    assert count_past(Filter(pattern), a_bus().pk, since) == expected
    starting = registry.starting()
    assert starting is not None
    assert starting.count(Filter(pattern), a_bus().pk, since) == expected


def test_a_count_that_would_take_too_long_is_a_lower_bound_and_says_so() -> None:
    publish([], *named(0, 60))
    began = time.process_time()
    counted = count_past(Filter(), a_bus().pk, "beginning", within=0.0)
    assert not counted.exact
    assert counted.matching <= counted.looked_at < 60
    assert time.process_time() - began < 0.2


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
