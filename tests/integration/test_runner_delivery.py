"""A shift from the log to a real HTTP server: order, retries, dead letters, and what people may do about them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from unittest.mock import patch

import pytest

from delivery.deadletters import asking
from delivery.deadletters.asking import redrive
from delivery.deadletters.chosen import Chosen
from delivery.tracking.words import Outcome, State
from tests.databases import Database
from tests.events import a_target
from tests.integration.sink import Sink, a_sink, exceptions, on_duty, publish, rows
from tests.processes import eventually
from tests.recorded import attempts

pytestmark = pytest.mark.usefixtures("log_database")


@pytest.fixture
def sink() -> Iterator[Sink]:
    with a_sink() as found:
        yield found


def events(count: int, *subjects: str) -> list[tuple[str, str]]:
    """e0, e1, … dealt to the subjects in turn."""
    return [(f"e{n}", subjects[n % len(subjects)]) for n in range(count)]


def all_is_recorded(target: int, sink: Sink) -> None:
    """Every request has an attempt, no attempt's number is there twice, and nothing is in flight."""
    names = dict(rows("SELECT seq, ce_id FROM log_event"))
    recorded = [one for one in attempts(rows) if one.target == target]
    tried = [(names[one.seq], one.number) for one in recorded if one.outcome != Outcome.DISCARDED]
    assert len(set(tried)) == len(tried)
    assert {(seen.id, seen.attempt) for seen in sink.seen} <= set(tried)
    assert len(tried) >= len(sink.seen)
    assert rows("SELECT * FROM runner_flight") == []


def test_everything_arrives_once_and_in_order_per_subject(sink: Sink) -> None:
    target = a_target(sink.url)
    subjects = [f"s{n}" for n in range(200)]
    names = events(2000, *subjects)
    publish([target.pk], *names[:1000])
    with on_duty():
        sink.wait_for(1000)
        publish([target.pk], *names[1000:])
        sink.wait_for(2000)
    assert len(sink.taken) == 2000
    assert sink.by_subject() == {subject: [name for name, s in names if s == subject] for subject in subjects}
    all_is_recorded(target.pk, sink)
    assert exceptions(target.pk) == {}
    delivered = rows(
        "SELECT SUM(delivered), SUM(retried), SUM(dead) FROM rollup_delivered WHERE target = %s", target.pk
    )
    assert [int(number) for number in delivered[0]] == [2000, 0, 0]


def test_an_event_that_is_published_while_the_shift_rests_arrives(sink: Sink) -> None:
    target = a_target(sink.url)
    with on_duty():
        for n in range(5):
            publish([target.pk], (f"e{n}", "A"))
            sink.wait_for(n + 1)
    assert sink.taken == [f"e{n}" for n in range(5)]


def test_a_failing_event_parks_its_subject_alone_and_drains_in_order(sink: Sink) -> None:
    target = a_target(sink.url)
    subjects = [f"s{n}" for n in range(20)]
    poisoned = {"e0", "e1", "e2"}
    sink.answer = lambda path, name, subject, times: 503 if name in poisoned and times <= 2 else 200
    names = events(400, *subjects)
    publish([target.pk], *names)
    with on_duty():
        sink.wait_for(400)
        eventually(lambda: exceptions(target.pk) == {}, "no exception is left")
    assert sink.by_subject() == {subject: [name for name, s in names if s == subject] for subject in subjects}
    assert len(sink.taken) == 400
    # The others did not wait: all they had was taken before the poisoned ones came through.
    first_of_poisoned = min(sink.taken.index(name) for name in poisoned)
    assert first_of_poisoned > 200
    assert [seen.attempt for seen in sink.seen if seen.id == "e0"] == [1, 2, 3]
    all_is_recorded(target.pk, sink)


SHORT_ID = {"schema": {"type": "object", "properties": {"id": {"maxLength": 2}}}}


@pytest.mark.parametrize(
    "values",
    [
        {"transform": {"kind": "template", "template": '{"id": "${id}"}'}},
        {"config": {"mode": "structured"}},
    ],
    ids=["a template", "a whole event"],
)
def test_what_does_not_fit_the_contract_is_never_sent_and_says_where(
    sink: Sink, values: dict[str, dict[str, str]]
) -> None:
    config = {"url": sink.url} | values.get("config", {})
    target = a_target(contract=SHORT_ID, **(values | {"config": config}))
    publish([target.pk], ("e1", "A"), ("far-too-long", "B"), ("e2", "C"))
    with on_duty():
        sink.wait_for(2)
        eventually(lambda: State.DEAD in exceptions(target.pk).values(), "the dead letter is there")
    assert sorted(sink.taken) == ["e1", "e2"]
    assert len(sink.seen) == 2
    reason = rows("SELECT reason FROM runner_exception WHERE state = %s", int(State.DEAD))[0][0]
    assert "does not fit the target's contract" in reason
    assert "/id" in reason


def test_a_contract_that_cannot_be_used_stops_the_target_and_loses_nothing(sink: Sink) -> None:
    target = a_target(sink.url, contract={"schema": {"type": "no such type"}})
    publish([target.pk], ("e1", "A"))
    with on_duty():
        eventually(lambda: target_state(target.pk) == "stopped", "the target is stopped")
    assert sink.seen == []


def target_state(pk: int) -> str:
    return str(rows("SELECT state FROM rules_target WHERE id = %s", pk)[0][0])


def test_a_rejected_event_becomes_a_dead_letter_and_blocks_its_subject_until_it_is_redriven(
    sink: Sink,
) -> None:
    target = a_target(sink.url, transform={"kind": "template", "template": '{"name": "$.id"}'})
    sink.answer = lambda path, name, subject, times: 422 if name == "e1" and times == 1 else 200
    publish([target.pk], *[(f"e{n}", "A") for n in range(6)], ("other", "B"))
    with on_duty():
        sink.wait_for(2)
        eventually(lambda: State.DEAD in exceptions(target.pk).values(), "the dead letter is there")
        eventually(lambda: len(exceptions(target.pk)) == 5, "what follows waits")
        assert sink.taken_of("A") == ["e0"]
        dead = rows(
            "SELECT seq, reason, status, request, response, attempts FROM runner_exception WHERE state = %s",
            int(State.DEAD),
        )
        assert [row[0] for row in dead] == [2]
        _, reason, status, request, response, attempts = dead[0]
        assert (status, attempts) == (422, 1)
        assert "422" in reason
        assert "the answer is 422" in response
        assert json.loads(request)["whole"] is False
        assert redrive(target.pk) == 1
        sink.wait_for(7)
        eventually(lambda: exceptions(target.pk) == {}, "nothing is left")
    assert sink.taken_of("A") == [f"e{n}" for n in range(6)]
    assert [seen.attempt for seen in sink.seen if seen.id == "e1"] == [1, 2]
    all_is_recorded(target.pk, sink)


def test_an_event_dies_after_its_last_attempt(sink: Sink) -> None:
    target = a_target(sink.url, max_attempts=3)
    sink.answer = lambda path, name, subject, times: 503
    publish([target.pk], ("e0", "A"))
    with on_duty():
        eventually(lambda: exceptions(target.pk) == {1: State.DEAD}, "it is a dead letter")
    assert [seen.attempt for seen in sink.seen] == [1, 2, 3]
    all_is_recorded(target.pk, sink)


def test_a_discarded_dead_letter_lets_the_later_ones_go_on(sink: Sink) -> None:
    target = a_target(sink.url)
    sink.answer = lambda path, name, subject, times: 422 if name == "e0" else 200
    publish([target.pk], *[(f"e{n}", "A") for n in range(120)])
    with on_duty():
        eventually(lambda: len(exceptions(target.pk)) == 120, "all wait behind the first")
        with patch.object(asking, "UNDO", 0):
            assert asking.ask("discard", Chosen(letters=((target.pk, 1),)), reason="a test").done == 1
        sink.wait_for(119)
        eventually(lambda: exceptions(target.pk) == {}, "nothing is left")
    assert sink.taken == [f"e{n}" for n in range(1, 120)]
    last = rows(
        "SELECT outcome, reason FROM attempt WHERE target = %s AND seq = 1 ORDER BY id DESC LIMIT 1",
        target.pk,
    )
    assert last == [(Outcome.DISCARDED, "Discarded by Signalbox: a test\nIt answers 422: the answer is 422.")]


def test_with_continue_later_events_overtake_a_dead_letter(sink: Sink) -> None:
    target = a_target(sink.url, after_dead_letter="continue", max_attempts=2)
    bad = {"e0", "e3"}
    sink.answer = lambda path, name, subject, times: 503 if name in bad else 200
    publish([target.pk], *[(f"e{n}", "A") for n in range(6)])
    with on_duty():
        eventually(lambda: exceptions(target.pk) == {1: State.DEAD, 4: State.DEAD}, "both are dead letters")
        sink.wait_for(4)
        assert sink.taken == ["e1", "e2", "e4", "e5"]
        bad.clear()
        assert redrive(target.pk) == 2
        sink.wait_for(6)
        eventually(lambda: exceptions(target.pk) == {}, "nothing is left")
    assert sink.taken[4:] == ["e0", "e3"]
    all_is_recorded(target.pk, sink)


def test_order_all_keeps_one_order_over_all_subjects(sink: Sink) -> None:
    target = a_target(sink.url, order="all")
    sink.answer = lambda path, name, subject, times: 503 if name in ("e5", "e40") and times <= 2 else 200
    names = events(200, *[f"s{n}" for n in range(50)])
    publish([target.pk], *names[:100])
    with on_duty():
        sink.wait_for(50)
        for at in range(100, 200, 5):
            publish([target.pk], *names[at : at + 5])
        sink.wait_for(200)
        eventually(lambda: exceptions(target.pk) == {}, "nothing is left")
    assert sink.taken == [name for name, _ in names]
    all_is_recorded(target.pk, sink)


def test_without_order_a_failing_event_holds_up_nothing(sink: Sink) -> None:
    target = a_target(sink.url, order="none")
    sink.answer = lambda path, name, subject, times: 503 if name == "e0" and times <= 3 else 200
    publish([target.pk], *[(f"e{n}", "A") for n in range(50)])
    with on_duty():
        sink.wait_for(50)
        eventually(lambda: exceptions(target.pk) == {}, "nothing is left")
    assert sorted(sink.taken) == sorted(f"e{n}" for n in range(50))
    assert sink.taken[-1] == "e0"


def test_one_target_that_fails_does_not_hold_up_another(sink: Sink) -> None:
    bad = a_target(f"{sink.url}bad")
    good = a_target(f"{sink.url}good", rule=bad.rule, name="good")
    sink.answer = lambda path, name, subject, times: 503 if path == "/bad" else 200
    publish([bad.pk, good.pk], *events(100, "A", "B"))
    with on_duty():
        sink.wait_for(100)
        eventually(lambda: len(exceptions(bad.pk)) == 100, "the other target keeps its own")
    assert {seen.path for seen in sink.seen if seen.status == 200} == {"/good"}
    all_is_recorded(good.pk, Sink(seen=[seen for seen in sink.seen if seen.path == "/good"]))


def test_dead_letters_by_the_hundred_are_redriven(sink: Sink) -> None:
    target = a_target(sink.url)
    well = False

    def answer(path: str, name: str, subject: str, times: int) -> int:
        return 200 if well else 422

    sink.answer = answer
    publish([target.pk], *[(f"e{n}", f"s{n}") for n in range(500)])
    with on_duty():
        eventually(
            lambda: list(exceptions(target.pk).values()).count(State.DEAD) == 500, "all are dead letters"
        )
        well = True
        assert redrive(target.pk) == 500
        sink.wait_for(500)
        eventually(lambda: exceptions(target.pk) == {}, "nothing is left")
    all_is_recorded(target.pk, sink)


def test_what_waits_is_delivered_by_the_next_shift_when_one_ends_while_a_subject_drains(
    sink: Sink, log_database: Database
) -> None:
    """Between the head that came through and what waits behind it a shift may end: what waits must be found."""
    target = a_target(sink.url, first_delay=0.01, longest_delay=0.01)
    sink.answer = lambda path, name, subject, times: 503 if name == "e0" and times == 1 else (200, 0.02)
    names = [(f"e{n}", "A") for n in range(60)]
    publish([target.pk], *names)
    for _ in range(20):
        with on_duty() as (shift,):
            before = len(sink.taken)
            eventually(lambda at=before: len(sink.taken) > at, "something arrives")  # type: ignore[misc]
            shift.stop()
        if len(set(sink.taken)) == 60:
            break
    else:
        with on_duty():
            sink.wait_for(60)
    assert list(dict.fromkeys(sink.taken)) == [name for name, _ in names]
    assert len(sink.taken) == 60
    assert exceptions(target.pk) == {}
    all_is_recorded(target.pk, sink)
