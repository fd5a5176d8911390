"""A target's order is changed while events are parked: what was parked is finished by the rules it was parked under."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import permutations

import pytest

from delivery.deadletters.asking import redrive
from delivery.log.schema import SLOTS
from delivery.tracking.words import Outcome, State
from rules.models import Target
from rules.revisions import save_target
from tests.databases import Database
from tests.events import a_target
from tests.integration.sink import SOON, Sink, a_sink, exceptions, on_duty, publish, rows
from tests.processes import eventually

SUBJECTS = ["A", "B", "C", "D", "E"]
OLD = [(f"e{n}", SUBJECTS[n % 5]) for n in range(40)]
FRESH = [(f"e{n}", SUBJECTS[n % 5]) for n in range(40, 80)]


@pytest.fixture(autouse=True)
def database(log_database: Database) -> Database:
    return log_database


@pytest.fixture
def sink() -> Iterator[Sink]:
    with a_sink() as found:
        yield found


def change(target: Target, order: str, known_within: float = 1.5) -> None:
    """Saves another order and waits until shifts know of it: what they send before that goes by the former one.

    `known_within`: seconds, longer than a sweep.
    """
    target.order = order
    save_target(target)
    time.sleep(known_within)


def kept(order: str, names: list[tuple[str, str]], taken: list[str]) -> None:
    """What `order` promises of these events."""
    came = [name for name in taken if name in dict(names)]
    if order == "all":
        assert came == [name for name, _ in names]
    if order == "key":
        for subject in SUBJECTS:
            wanted = [name for name, of in names if of == subject]
            assert [name for name in came if name in wanted] == wanted
    assert sorted(came) == sorted(name for name, _ in names)


@pytest.mark.usefixtures("quick_looks")
@pytest.mark.parametrize(("before", "after"), list(permutations(["key", "none", "all"], 2)))
def test_what_was_parked_is_finished_before_anything_goes_out_in_the_new_order(
    sink: Sink, before: str, after: str
) -> None:
    target = a_target(sink.url, order=before, max_attempts=200)
    ill = True
    sink.answer = lambda path, name, subject, times: 503 if ill and name in ("e0", "e6") else 200
    publish([target.pk], *OLD)
    parked = {"key": 15, "none": 2, "all": 40}[before]
    with on_duty():
        eventually(
            lambda: len(exceptions(target.pk)) == parked, "what fails is parked, with what waits for it"
        )
        change(target, after, SOON)
        publish([target.pk], *FRESH)
        time.sleep(0.5)
        assert not set(sink.taken) & set(dict(FRESH))
    with on_duty():  # The next shift goes on with it.
        eventually(lambda: rows("SELECT * FROM runner_shift") != [], "it is on duty")
        time.sleep(SOON)
        assert not set(sink.taken) & set(dict(FRESH))
        ill = False
        sink.wait_for(80)
        eventually(lambda: exceptions(target.pk) == {}, "nothing is left")
    taken = sink.taken
    assert len(taken) == 80
    assert set(taken[:40]) == set(dict(OLD))
    kept(before if before != "none" else "", OLD, taken)
    kept(after, FRESH, taken)
    assert rows("SELECT DISTINCT mode FROM runner_slot") == [(after,)]


@pytest.mark.usefixtures("quick_looks")
def test_a_change_that_is_taken_back_needs_no_draining(sink: Sink) -> None:
    target = a_target(sink.url, max_attempts=200)
    sink.answer = lambda path, name, subject, times: 503 if name == "e0" else 200
    publish([target.pk], *OLD)
    with on_duty():
        eventually(lambda: len(exceptions(target.pk)) == 8, "one subject is parked")
        change(target, "none", SOON)
        # All lane groups are leased now, those without an event yet too, and the former order is in force in each.
        eventually(lambda: len(rows("SELECT 1 FROM runner_slot WHERE until > 0")) == SLOTS, "it drains", 10)
        assert rows("SELECT DISTINCT mode FROM runner_slot") == [("key",)]
        change(target, "key", SOON)
        publish([target.pk], *FRESH)
        sink.wait_for(64)
        assert len(exceptions(target.pk)) == 16
    kept("key", [one for one in OLD + FRESH if one[1] != "A"], sink.taken)


def test_without_order_what_waits_behind_a_dead_letter_goes_on_in_its_order(sink: Sink) -> None:
    target = a_target(sink.url)
    sink.answer = lambda path, name, subject, times: 422 if name == "e0" else (200, 0.01)
    publish([target.pk], *OLD)
    with on_duty():
        eventually(lambda: len(exceptions(target.pk)) == 8, "its subject waits for the dead letter")
        change(target, "none")
        publish([target.pk], *FRESH)
        sink.wait_for(79)
        eventually(lambda: exceptions(target.pk) == {1: State.DEAD}, "it alone is left")
    taken = sink.taken
    kept("key", OLD[1:], taken)
    assert set(taken[:39]) == set(dict(OLD[1:]))


def test_what_waits_behind_a_dead_letter_waits_by_the_rules_of_the_new_order(sink: Sink) -> None:
    target = a_target(sink.url)
    sink.answer = lambda path, name, subject, times: 422 if (name, times) == ("e0", 1) else 200
    publish([target.pk], *OLD)
    with on_duty():
        eventually(lambda: len(exceptions(target.pk)) == 8, "its subject waits for the dead letter")
        change(target, "all")
        publish([target.pk], *FRESH)
        eventually(lambda: len(exceptions(target.pk)) == 48, "now everything waits for it")
        assert len(sink.taken) == 32
        assert redrive(target.pk) == 1
        sink.wait_for(80)
        eventually(lambda: exceptions(target.pk) == {}, "nothing is left")
    assert sink.taken[32:] == [name for name, subject in OLD if subject == "A"] + list(dict(FRESH))


def test_two_shifts_agree_on_the_moment_the_new_order_comes_into_force(sink: Sink) -> None:
    target = a_target(sink.url, max_attempts=200)
    ill = True
    sink.answer = lambda path, name, subject, times: (503 if ill and name in ("e0", "e6") else 200, 0.002)
    with on_duty(600, 600):
        for n in range(0, 40, 5):  # One after the other, so that both get some of it.
            publish([target.pk], *OLD[n : n + 5])
        eventually(lambda: len(exceptions(target.pk)) == 15, "what fails is parked, with what waits for it")
        change(target, "all")
        for n in range(0, 40, 5):
            publish([target.pk], *FRESH[n : n + 5])
        time.sleep(0.5)
        ill = False
        sink.wait_for(80)
        eventually(lambda: exceptions(target.pk) == {}, "nothing is left")
    assert len(sink.taken) == 80
    kept("key", OLD, sink.taken)
    kept("all", FRESH, sink.taken)
    assert rows("SELECT COUNT(*) FROM attempt WHERE outcome = %s", int(Outcome.UNKNOWN)) == [(0,)]


def test_a_database_from_before_gets_the_column_and_one_that_has_it_is_left_alone() -> None:
    from django.core.management import call_command

    from tests.integration.sink import execute

    for drop in (True, False):
        if drop:
            execute("ALTER TABLE runner_slot DROP COLUMN mode")
        call_command("migrate", "delivery", "0002", verbosity=0)
        call_command("migrate", "delivery", verbosity=0)
        assert rows("SELECT mode FROM runner_slot") == []
