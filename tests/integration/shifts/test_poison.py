"""An event that ends its worker whenever it is sent becomes a dead letter, and no other event does."""

from __future__ import annotations

import threading

import pytest
from django.test import override_settings

from delivery.runner.suspects import reason
from delivery.tracking.words import Outcome, State
from tests import recorded
from tests.databases import Database
from tests.events import a_target
from tests.integration.shifts.delivered import named
from tests.integration.sink import Sink, exceptions, execute, on_duty, publish, rows
from tests.processes import eventually

# The target's connector ends the process when it is to send what holds the word, a moment after it began. Each worker
# is a fork of a process that has read everything already: to start Python takes seconds on a busy machine.
WORKERS = """
import asyncio, os, sys, threading
import uvloop
from delivery.connectors.http.target import HTTPTarget
from delivery.runner.shift import Shift
import delivery.runner.work
send = HTTPTarget.send
async def deadly(self, delivery):
    if b'"poison' in delivery.event:
        await asyncio.sleep(0.02)
        os._exit(7)
    return await send(self, delivery)
HTTPTarget.send = deadly
def stop_at_the_end():
    # One reader of stdin: the parent, in a thread of its own.
    for line in sys.stdin:
        go_on.release()
    os.kill(workers[-1], 9)
    os._exit(0)
go_on, workers = threading.Semaphore(0), []
while True:
    workers.append(os.fork())
    worker = workers[-1]
    if not worker:
        uvloop.run(Shift(threading.Event(), 600).run(lambda: None))
        os._exit(0)
    if len(workers) == 1:
        threading.Thread(target=stop_at_the_end, daemon=True).start()
    code = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])
    if code != 7:
        sys.exit(code)
    print("died", flush=True)
    go_on.acquire()
"""


# Seconds. What waits ends as soon as it may; four processes, and a suspect at a time, take theirs on a busy machine.
LONG = 240.0


class Workers:
    """Workers, one after the other, for as long as they die of poison."""

    def __init__(self, database: Database) -> None:
        self._process = database.start(WORKERS)
        self.deaths = 0
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Workers:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._thread.join(60)
        self._process.stdout.close()  # type: ignore[union-attr]

    def _run(self) -> None:
        from django.db import connections

        assert self._process.stdout is not None
        assert self._process.stdin is not None
        for _ in self._process.stdout:
            self.deaths += 1
            # What the dead one holds lapses after 5 s; nobody else is to be waited for here.
            execute("UPDATE runner_slot SET until = 1")
            self._process.stdin.write("next\n")
            self._process.stdin.flush()
        connections.close_all()


@pytest.mark.parametrize("order", ["key", "none", "all"])
def test_only_what_ended_its_worker_three_times_becomes_a_dead_letter(
    sink: Sink, database: Database, order: str
) -> None:
    after = "continue" if order == "all" else "block"
    target = a_target(sink.url, order=order, after_dead_letter=after, max_in_flight=8)
    other = a_target(sink.url + "other", rule=target.rule, name="other", max_in_flight=8)
    sink.answer = lambda path, name, subject, times: (200, 0.05)
    publish([target.pk, other.pk], *named(0, 30))
    publish([target.pk], ("poison", "bad"), ("behind", "bad"))
    publish([target.pk, other.pk], *named(30, 120))
    with Workers(database) as workers:
        sink.wait_for(121 if order != "key" else 120, LONG)
        eventually(lambda: State.DEAD in exceptions(target.pk).values(), "the poison is given up", LONG)
        eventually(
            lambda: len({(seen.path, seen.id) for seen in sink.seen}) >= 240, "both targets have theirs", LONG
        )
        if order == "key":
            eventually(lambda: State.WAITING in exceptions(target.pk).values(), "the next one waits")
        eventually(lambda: rows("SELECT * FROM runner_flight") == [], "nothing is in flight")
    assert workers.deaths == 3
    dead = rows(
        "SELECT x.target, e.ce_id, x.reason, x.due_at FROM runner_exception x JOIN log_event e ON e.seq = x.seq "
        "WHERE x.state = %s",
        int(State.DEAD),
    )
    assert dead == [(target.pk, "poison", reason(3), None)]
    waiting = rows(
        "SELECT e.ce_id FROM runner_exception x JOIN log_event e ON e.seq = x.seq WHERE x.state = %s",
        int(State.WAITING),
    )
    # Behind a dead letter that blocks its key the next one waits; elsewhere it was delivered.
    assert waiting == ([("behind",)] if order == "key" else [])
    assert rows(
        "SELECT a.number, a.outcome FROM attempt a JOIN log_event e ON e.seq = a.seq WHERE e.ce_id = 'poison' ORDER BY a.number"
    ) == [(number, Outcome.UNKNOWN) for number in (1, 2, 3)]
    tried = {(at, name, number) for at, name, number, _ in recorded.named(rows)}
    targets = {"/": target.pk, "/other": other.pk}
    assert {(targets[seen.path], seen.id, seen.attempt) for seen in sink.seen} <= tried
    assert rows("SELECT SUM(dead) FROM rollup_delivered WHERE target = %s", target.pk) == [(1,)]


def test_what_flew_beside_the_poison_twice_is_delivered_alone(sink: Sink, database: Database) -> None:
    """All of them are one death short of the limit, and only the guilty one reaches it."""
    target = a_target(sink.url, max_in_flight=20)
    sink.answer = lambda path, name, subject, times: (200, 0.2)
    publish([target.pk], *named(0, 15), ("poison", "bad"))
    with Workers(database) as workers:
        sink.wait_for(15, LONG)
        eventually(lambda: State.DEAD in exceptions(target.pk).values(), "the poison is given up", LONG)
    assert workers.deaths == 3
    assert list(exceptions(target.pk).values()) == [State.DEAD]
    unknown = rows("SELECT seq, COUNT(*) FROM attempt WHERE outcome = %s GROUP BY seq", int(Outcome.UNKNOWN))
    assert max(count for seq, count in unknown if seq != 16) == 2


def test_a_redriven_dead_letter_gets_three_lives_again(sink: Sink, database: Database) -> None:
    from delivery.deadletters.asking import redrive

    target = a_target(sink.url)
    publish([target.pk], ("poison", "bad"))
    with Workers(database) as workers:
        eventually(lambda: State.DEAD in exceptions(target.pk).values(), "the poison is given up", LONG)
        assert redrive(target.pk) == 1
        eventually(
            lambda: workers.deaths == 6 and State.DEAD in exceptions(target.pk).values(),
            "given up again",
            LONG,
        )
    assert rows("SELECT redriven, reason FROM runner_exception") == [(1, reason(3))]


@override_settings(DEATHS=2)
def test_a_shift_that_is_told_to_stop_does_not_count_as_a_death(sink: Sink) -> None:
    """What it had to break off is unknown, but it ended no worker: restarts alone give nothing up."""
    target = a_target(sink.url, config={"url": sink.url, "timeout": 60})
    sink.answer = lambda path, name, subject, times: (200, 30.0 if times < 4 else 0.0)
    publish([target.pk], ("slow", "A"))
    for sent in (1, 2, 3):
        with on_duty() as (shift,):
            eventually(lambda sent=sent: len(sink.seen) == sent, "it was sent")  # type: ignore[misc]
            shift.stop()
    with on_duty():
        eventually(lambda: len(sink.seen) == 4, "it was sent again")
        eventually(lambda: rows("SELECT * FROM runner_flight") == [], "nothing is in flight")
    assert exceptions(target.pk) == {}
    assert rows("SELECT COUNT(*) FROM runner_suspect") == [(0,)]


def test_a_suspect_that_waits_does_not_keep_others_from_being_sent(sink: Sink) -> None:
    """One death short of the limit and retried: while it waits for its time, nobody else does."""
    target = a_target(sink.url, order="none", first_delay=30.0, longest_delay=30.0)
    sink.answer = lambda path, name, subject, times: 503 if name == "e0" else 200
    publish([target.pk], *named(0, 1))
    execute(
        "INSERT INTO runner_suspect (target, lane, seq, number, deaths) SELECT %s, lane, seq, 2, 2 FROM log_event",
        target.pk,
    )
    execute(
        "INSERT INTO attempt (target, seq, number, at, took, outcome, revision) VALUES (%s, 1, 2, 1, 0, %s, 0)",
        target.pk,
        int(Outcome.UNKNOWN),
    )
    with on_duty():
        eventually(lambda: exceptions(target.pk) == {1: State.RETRY}, "it was sent alone, and is tried again")
        publish([target.pk], *named(1, 200))
        sink.wait_for(199)
    assert [seen.attempt for seen in sink.seen if seen.id == "e0"] == [3]
