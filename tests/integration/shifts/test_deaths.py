"""Shifts that are killed or frozen, or that lose the database."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter

import pytest

from delivery.runner.database import Database as RunnerDatabase
from delivery.tracking.words import Outcome, State
from tests.databases import Database
from tests.events import a_target
from tests.integration.shifts.delivered import A_SHIFT, in_order, named, unrecorded
from tests.integration.sink import Sink, exceptions, execute, leases, on_duty, publish, rows
from tests.processes import eventually
from tests.recorded import attempts


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
    names = dict(rows("SELECT seq, ce_id FROM log_event"))
    recorded = {names[one.seq] for one in attempts(rows)}
    flights = rows("SELECT seqs FROM runner_flight")
    assert flights
    with on_duty():
        sink.wait_for(200)
        eventually(lambda: rows("SELECT * FROM runner_flight") == [], "nothing is in flight")
    in_order(sink, 200)
    twice = {name for name in before if sink.taken.count(name) > 1}
    unknown = {names[one.seq] for one in attempts(rows) if one.outcome == Outcome.UNKNOWN}
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
    numbers = [(one.seq, one.number, one.outcome) for one in attempts(rows)]
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
    numbers = sorted(
        ((one.seq, one.number, one.outcome) for one in attempts(rows)), key=lambda row: (row[1], row[0])
    )
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
def test_the_server_ends_a_transaction_that_stands_still_before_others_give_up_waiting_for_it(
    database: Database,
) -> None:
    if database.vendor != "postgresql":
        return
    found = dict(
        RunnerDatabase().rows("SELECT name, setting::integer FROM pg_settings WHERE name LIKE '%%timeout'")
    )
    # Milliseconds. To end the session and give its locks to others takes the server some time, too.
    assert 1000 <= found["lock_timeout"] - found["idle_in_transaction_session_timeout"] <= 2000


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
