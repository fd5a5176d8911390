"""Shifts that begin, end, share, lose their leases, are killed or frozen; targets that change meanwhile."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from delivery.connectors.http.target import HTTPTarget
from delivery.runner.shift import GRACE
from delivery.tracking.words import Outcome, State
from rules.models import Target
from rules.revisions import delete_rule, delete_target, save_target, set_state
from tests.databases import Database
from tests.events import a_target
from tests.integration.sink import (
    Sink,
    a_sink,
    exceptions,
    execute,
    leases,
    on_duty,
    publish,
    rows,
)
from tests.processes import eventually


@pytest.fixture(autouse=True)
def database(log_database: Database) -> Database:
    return log_database


@pytest.fixture
def sink() -> Iterator[Sink]:
    with a_sink() as found:
        yield found


SUBJECTS = [f"s{n}" for n in range(40)]
A_SHIFT = """
import sys, threading
import uvloop
from delivery.runner.shift import Shift
while True:  # as a worker does: a shift that lost the database is followed by another
    shift = Shift(threading.Event(), 600)
    print(shift.id, flush=True)
    uvloop.run(shift.run(lambda: None))
"""


def named(first: int, last: int) -> list[tuple[str, str]]:
    return [(f"e{n}", SUBJECTS[n % len(SUBJECTS)]) for n in range(first, last)]


def in_order(sink: Sink, count: int) -> None:
    """Each subject's events were first taken in the order they were published, all of them."""
    assert set(sink.taken) == {f"e{n}" for n in range(count)}
    for subject, taken in sink.by_subject().items():
        assert list(dict.fromkeys(taken)) == [name for name, s in named(0, count) if s == subject]


def unrecorded(target: int, sink: Sink) -> set[tuple[str, int]]:
    """Requests, (id, attempt), without an attempt on record."""
    recorded = rows(
        "SELECT e.ce_id, a.number FROM attempt a JOIN log_event e ON e.seq = a.seq WHERE a.target = %s",
        target,
    )
    return {(seen.id, seen.attempt) for seen in sink.seen} - set(recorded)  # type: ignore[arg-type]


# ── targets that change ──


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
        time.sleep(1.5)  # Longer than a sweep.
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
    outcomes = rows("SELECT number, outcome FROM attempt WHERE seq = 51 ORDER BY id")
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
    assert rows("SELECT DISTINCT revision FROM attempt ORDER BY 1") == [(1,), (2,)]


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
    from delivery.runner.deadletters import redrive

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


# ── shifts that end ──


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
        eventually(lambda: rows("SELECT seq FROM attempt") == [(3,)], "the other one is on record")
        shift.stop(within=GRACE + 1)
    assert leases() == []
    assert len(rows("SELECT * FROM runner_flight")) >= 1
    hangs = False
    with on_duty():
        eventually(lambda: sink.taken_of("A")[1:] == ["e0", "e1"], "the next shift sends it again", 20)
        eventually(lambda: rows("SELECT * FROM runner_flight") == [], "nothing is in flight")
    numbers = rows("SELECT seq, number, outcome FROM attempt WHERE seq = 1 ORDER BY id")
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


# ── several shifts ──


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


@pytest.mark.parametrize("order", ["key", "all"])
def test_a_shift_whose_leases_were_taken_records_and_sends_nothing_more(sink: Sink, order: str) -> None:
    target = a_target(sink.url, order=order)
    holds = True
    sink.answer = lambda path, name, subject, times: (200, 1.0 if holds else 0.0)
    publish([target.pk], *named(0, 100))
    with on_duty() as (shift,):
        eventually(lambda: len(sink.seen) > 0, "something was sent")
        far = 4_000_000_000_000_000
        execute("UPDATE runner_slot SET owner = 'thief', fence = fence + 1, until = %s", far)
        sent_before = len(sink.seen)
        attempts, cursors = rows("SELECT COUNT(*) FROM attempt"), rows("SELECT * FROM runner_slot ORDER BY 2")
        time.sleep(2.5)  # Past the end of what was under way, and past a renewal.
        assert rows("SELECT COUNT(*) FROM attempt") == attempts
        assert rows("SELECT * FROM runner_slot ORDER BY 2") == cursors
        # What was recorded as in flight before the theft may have been on its way.
        assert len(sink.seen) <= sent_before + HTTPTarget.max_in_flight
        at_rest = len(sink.seen)
        time.sleep(1.2)
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


# ── shifts that die ──


def test_the_shift_after_a_killed_one_records_what_was_in_flight_as_unknown_and_sends_only_that_again(
    sink: Sink, database: Database
) -> None:
    target = a_target(sink.url, max_in_flight=8)
    holds = True
    sink.answer = lambda path, name, subject, times: (200, 0.2 if holds else 0.0)
    publish([target.pk], *named(0, 200))
    process = database.start(A_SHIFT)
    sink.wait_for(40)
    process.kill()
    process.communicate()
    holds = False
    before = set(sink.taken)
    recorded = {name for (name,) in rows("SELECT e.ce_id FROM attempt a JOIN log_event e ON e.seq = a.seq")}
    flights = rows("SELECT seqs FROM runner_flight")
    assert flights
    with on_duty():
        sink.wait_for(200)
        eventually(lambda: rows("SELECT * FROM runner_flight") == [], "nothing is in flight")
    in_order(sink, 200)
    twice = {name for name in before if sink.taken.count(name) > 1}
    unknown = {
        name
        for (name,) in rows(
            "SELECT e.ce_id FROM attempt a JOIN log_event e ON e.seq = a.seq WHERE a.outcome = %s",
            int(Outcome.UNKNOWN),
        )
    }
    assert twice <= unknown
    assert not twice & recorded
    assert max(sink.taken.count(f"e{n}") for n in range(200)) <= 2
    assert unrecorded(target.pk, sink) == set()


def test_a_parked_subject_survives_a_killed_shift(sink: Sink, database: Database) -> None:
    target = a_target(sink.url, first_delay=0.3, longest_delay=0.3)
    sink.answer = lambda path, name, subject, times: (
        503 if name in ("e0", "e1") and times < 3 else (200, 0.01)
    )
    publish([target.pk], *named(0, 200))
    process = database.start(A_SHIFT)
    eventually(lambda: State.WAITING in exceptions(target.pk).values(), "something waits")
    process.kill()
    process.communicate()
    with on_duty():
        sink.wait_for(200)
        eventually(lambda: exceptions(target.pk) == {}, "nothing is left")
    in_order(sink, 200)
    assert unrecorded(target.pk, sink) == set()


def test_a_shift_that_was_frozen_longer_than_its_leases_loses_nothing(sink: Sink, database: Database) -> None:
    """When it wakes, its leases have lapsed and may be its own again, with cursors older than what it had read."""
    target = a_target(sink.url, max_in_flight=4)
    sink.answer = lambda path, name, subject, times: (200, 0.02)
    publish([target.pk], *named(0, 400))
    with database.start(A_SHIFT) as process:
        try:
            sink.wait_for(40)
            database.freeze(process)
            publish([target.pk], *named(400, 600))
            time.sleep(6)
            os.kill(process.pid, signal.SIGCONT)
            sink.wait_for(600)
            eventually(lambda: rows("SELECT * FROM runner_flight") == [], "nothing is in flight")
        finally:
            process.kill()
    in_order(sink, 600)
    assert unrecorded(target.pk, sink) == set()
    # Each request has a record of its own: what was lost is unknown, not written over by what came after it.
    requests = Counter((seen.id, seen.attempt) for seen in sink.seen)
    assert max(requests.values()) == 1


@pytest.mark.parametrize("order", ["key", "all"])
def test_a_lease_that_lapsed_and_that_nobody_took_goes_on_and_nothing_is_doubled(
    sink: Sink, order: str
) -> None:
    target = a_target(sink.url, order=order)
    sink.answer = lambda path, name, subject, times: (200, 3.0 if name == "e0" else 0.0)
    publish([target.pk], ("e0", "A"), ("e1", "A"))
    with on_duty() as (shift,):
        eventually(lambda: len(sink.seen) == 1, "it was sent")
        execute("UPDATE runner_slot SET until = 1")
        sink.wait_for(2)
        eventually(lambda: rows("SELECT * FROM runner_flight") == [], "nothing is in flight", 20)
        assert {owner for _, _, owner in leases()} == {shift.id}
    assert [(seen.id, seen.attempt) for seen in sink.seen] == [("e0", 1), ("e1", 1)]
    numbers = rows("SELECT seq, number, outcome FROM attempt ORDER BY seq, number")
    assert numbers == [(1, 1, Outcome.DELIVERED), (2, 1, Outcome.DELIVERED)]


@pytest.mark.parametrize("order", ["key", "all"])
def test_what_was_under_way_when_its_lease_was_lost_is_recorded_as_unknown_by_the_same_shift(
    sink: Sink, order: str
) -> None:
    """Another took the lane groups while this shift was frozen, did nothing and died: they are open to both again."""
    target = a_target(sink.url, order=order, config={"url": sink.url, "timeout": 60})
    sink.answer = lambda path, name, subject, times: (200, 30.0 if (name, times) == ("e0", 1) else 0.0)
    publish([target.pk], ("e0", "A"), ("e1", "A"))
    with on_duty() as (shift,):
        eventually(lambda: len(sink.seen) == 1, "it was sent")
        execute("UPDATE runner_slot SET owner = 'thief', fence = fence + 1, until = 1")
        eventually(lambda: len(sink.seen) == 3, "it is sent again, and the other one after it", 20)
        eventually(lambda: rows("SELECT * FROM runner_flight") == [], "nothing is in flight", 20)
        assert {owner for _, _, owner in leases()} == {shift.id}
    # What was recorded behind it, to be sent next, may have been on its way for all that anybody can tell.
    assert [(seen.id, seen.attempt) for seen in sink.seen] == [("e0", 1), ("e0", 2), ("e1", 2)]
    numbers = rows("SELECT seq, number, outcome FROM attempt ORDER BY number, seq")
    unknown, delivered = Outcome.UNKNOWN, Outcome.DELIVERED
    assert numbers == [(1, 1, unknown), (2, 1, unknown), (1, 2, delivered), (2, 2, delivered)]


def test_a_frozen_shift_is_replaced_and_does_no_harm_when_it_wakes(sink: Sink, database: Database) -> None:
    target = a_target(sink.url, max_in_flight=4)
    sink.answer = lambda path, name, subject, times: (200, 0.01)
    publish([target.pk], *named(0, 400))
    with database.start(A_SHIFT) as process:
        try:
            sink.wait_for(40)
            database.freeze(process)
            in_flight = len(sink.seen)
            with on_duty():
                sink.wait_for(400)
                os.kill(process.pid, signal.SIGCONT)
                publish([target.pk], *named(400, 500))
                sink.wait_for(500)
        finally:
            process.kill()
    assert in_flight < 400
    in_order(sink, 500)
    # Twice came only what the frozen one had under way: at most its places and what was recorded behind them.
    assert max(sink.taken.count(f"e{n}") for n in range(500)) <= 2
    assert unrecorded(target.pk, sink) == set()


@pytest.mark.service("postgresql")
def test_a_shift_whose_bell_line_was_cut_goes_on(sink: Sink, database: Database) -> None:
    if database.vendor != "postgresql":
        return
    target = a_target(sink.url)
    publish([target.pk], *named(0, 50))
    with on_duty() as (shift,):
        sink.wait_for(50)
        cut = rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND query LIKE 'LISTEN%%' AND pid <> pg_backend_pid()"
        )
        assert cut == [(True,)]
        publish([target.pk], *named(50, 100))
        sink.wait_for(100)
        assert shift.works
    in_order(sink, 100)


def test_a_shift_that_loses_the_database_leaves_and_the_next_one_takes_over(
    sink: Sink, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    if database.vendor != "postgresql":
        return
    target = a_target(sink.url)
    publish([target.pk], *named(0, 50))
    with on_duty() as (shift,):
        sink.wait_for(50)
        rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        shift.wait(20)
    assert "lost the database" in caplog.text
    publish([target.pk], *named(50, 100))
    with on_duty():
        sink.wait_for(100)
    in_order(sink, 100)
