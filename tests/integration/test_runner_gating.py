"""The gates in the database, asked by several shifts at the same moment, on both databases."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from delivery.runner.breaker import Settings
from delivery.runner.database import Database
from delivery.runner.gate import Gate, Report
from delivery.runner.rate import AHEAD, BURST
from delivery.runner.store import Store
from tests.integration.sink import execute, rows
from tests.unit.runner.test_breaker import trouble

pytestmark = pytest.mark.usefixtures("log_database")

SETTINGS = Settings(failures=3, probe=1000, longest_probe=10_000)
SECOND = 1_000_000


def at_once(count: int, work: Callable[[Store], Any]) -> list[Any]:
    """What `work` gives in as many shifts, each in a thread and a connection of its own, at the same moment."""
    found: list[Any] = []
    trouble: list[BaseException] = []
    start = threading.Barrier(count)

    def run(number: int) -> None:
        try:
            store = Store(Database(), f"shift-{uuid.uuid4().hex}")
            store.begin("host", number)
            start.wait(20)
            found.append(work(store))
        except BaseException as error:
            trouble.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not trouble, trouble
    return found


def a_store(owner: str = "") -> Store:
    store = Store(Database(), owner or uuid.uuid4().hex)
    store.begin("host", 1)
    return store


def opened(store: Store, target: int = 7) -> Gate:
    found = store.report([Report(target, SETTINGS, 0, trouble=trouble(1, 2, 3))])[target]
    time.sleep(0.01)
    return found


def test_failures_that_several_shifts_report_at_once_are_all_counted() -> None:
    at_once(
        6,
        lambda store: [store.report([Report(7, Settings(1000), 0, trouble=trouble(1, 2))]) for _ in range(5)],
    )
    assert a_store().gates([7, 8]) == {7: a_store("other").gates([7])[7], 8: Gate()}
    assert rows("SELECT failures, several FROM runner_gate") == [(60, 1)]


def test_a_success_of_any_shift_ends_the_row_and_costs_nothing_where_there_is_none() -> None:
    store = a_store()
    assert store.report([Report(7, SETTINGS, 0, alive=True)]) == {}
    assert rows("SELECT * FROM runner_gate") == []
    store.report([Report(7, SETTINGS, 0, trouble=trouble(1, 2))])
    assert a_store("other").report([Report(7, SETTINGS, 0, alive=True)])[7].breaker.failures == 0


def test_of_many_shifts_that_ask_at_once_exactly_one_gets_the_probe() -> None:
    assert opened(a_store()).breaker.open
    for round_ in (1, 2, 3):
        answers = at_once(6, lambda store: store.claim_probe(7)[1])
        numbers = [number for number in answers if number is not None]
        assert numbers == [round_]
        report = Report(7, SETTINGS, 0, probe=round_, failed=trouble(9))
        assert not a_store().report([report])[7].breaker.probing
        time.sleep(0.02)


def test_a_probe_is_free_again_when_its_shift_leaves_the_target_or_lives_no_longer() -> None:
    one, other = a_store("one"), a_store("other")
    opened(one)
    assert one.claim_probe(7)[1] == 1
    assert other.claim_probe(7)[1] is None
    one.release(7, [], True)
    assert other.claim_probe(7)[1] == 2
    execute("UPDATE runner_shift SET seen_at = seen_at - 6000000 WHERE id = 'other'")
    assert one.claim_probe(7)[1] == 3
    # What the dead one says, should it wake, changes nothing.
    late = other.report([Report(7, SETTINGS, 0, probe=2, failed=trouble(9))])[7]
    assert late.breaker.probing


def test_what_shifts_draw_at_once_never_exceeds_the_rate() -> None:
    began = time.monotonic()

    def draws(store: Store) -> int:
        return sum(store.draw(7, 200.0, 50)[0].events for _ in range(20))

    drawn = sum(at_once(5, draws))
    took = (time.monotonic() - began) * SECOND
    assert drawn <= 200.0 * (BURST + AHEAD + took) / SECOND + 1
    assert drawn >= 200
    assert rows("SELECT COUNT(*) FROM runner_gate") == [(1,)]


def test_the_running_clock_is_kept_over_an_outage() -> None:
    store = a_store()
    gate = opened(store)
    stood = gate.running(store.database.now(), 0)
    time.sleep(0.05)
    assert store.gates([7])[7].running(store.database.now(), 0) == stood
    closed = store.report([Report(7, SETTINGS, 0, alive=True)])[7]
    assert not closed.breaker.open
    assert closed.rested >= 50_000
    assert 0 <= closed.running(store.database.now(), 0) - stood < 5 * SECOND
