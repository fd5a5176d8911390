"""Batches: what travels together, order within and across them, and what becomes of each event."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest

from delivery.connectors import registry
from delivery.connectors.spi import Delivered, Outcome, Reject, Retry
from delivery.tracking.words import State
from tests import recorded
from tests.events import a_target
from tests.integration.shifts.batch_target import BATCHES, TAKEN, Behaviour, takes_all
from tests.integration.sink import exceptions, on_duty, publish, rows
from tests.processes import eventually

MODULE = "tests.integration.shifts.batch_target"
KINDS = ["batches", "ordered-batches"]


@pytest.fixture(autouse=True)
def connectors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, kind in (("batches", "BatchTarget"), ("ordered-batches", "OrderedBatchTarget")):
        monkeypatch.setitem(registry.BUILT_IN, name, f"{MODULE}:{kind}")
    registry.registry.cache_clear()
    BATCHES.clear()
    TAKEN.clear()
    monkeypatch.setattr(Behaviour, "answer", staticmethod(takes_all))
    monkeypatch.setattr(Behaviour, "raises", False)
    yield
    registry.registry.cache_clear()


def names(count: int, subjects: int) -> list[tuple[str, str]]:
    return [(f"e{n}", f"s{n % subjects}") for n in range(count)]


def subject_of(name: str, subjects: int) -> str:
    return f"s{int(name[1:]) % subjects}"


def in_order(count: int, subjects: int) -> None:
    by_subject = defaultdict(list)
    for name in TAKEN:
        by_subject[subject_of(name, subjects)].append(int(name[1:]))
    assert sum(len(found) for found in by_subject.values()) == count
    assert all(found == sorted(set(found)) for found in by_subject.values()), by_subject


def delivered() -> None:
    """Every request has its attempt."""
    sent: dict[str, int] = defaultdict(int)
    for batch in BATCHES:
        for name in batch:
            sent[name] += 1
    names = dict(rows("SELECT seq, ce_id FROM log_event"))  # type: ignore[arg-type]
    assert Counter(names[one.seq] for one in recorded.attempts(rows)) == sent
    assert rows("SELECT * FROM runner_flight") == []


@pytest.mark.parametrize("kind", KINDS)
def test_events_travel_together_each_key_in_order(kind: str) -> None:
    target = a_target(connector=kind, config={}, batch_count=8, batch_wait=0.05)
    publish([target.pk], *names(400, 50))
    with on_duty():
        eventually(lambda: len(TAKEN) == 400, "all arrive")
        eventually(lambda: len(recorded.attempts(rows)) == 400, "all are on record")
    in_order(400, 50)
    delivered()
    assert max(len(batch) for batch in BATCHES) == 8  # the policy's, for the connector takes more
    assert len(BATCHES) < 150
    if kind == "batches":
        for batch in BATCHES:
            subjects = [subject_of(name, 50) for name in batch]
            assert len(set(subjects)) == len(subjects), "two events of a key in one batch"


def test_a_target_that_takes_batches_in_order_gets_many_events_of_one_key_at_once() -> None:
    target = a_target(connector="ordered-batches", config={}, batch_count=20)
    publish([target.pk], *names(100, 1))
    with on_duty():
        eventually(lambda: len(TAKEN) == 100, "all arrive")
    in_order(100, 1)
    assert len(BATCHES) <= 20


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_fails_parks_its_key_and_the_others_of_its_batch_are_delivered(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = a_target(connector=kind, config={}, batch_count=10, batch_wait=0.02)

    def answer(name: str, attempt: int) -> Outcome:
        return Retry("not now", 503) if name in ("e3", "e14") and attempt == 1 else Delivered()

    monkeypatch.setattr(Behaviour, "answer", staticmethod(answer))
    publish([target.pk], *names(120, 5))
    with on_duty():
        eventually(lambda: len(TAKEN) == 120, "all arrive")
        eventually(lambda: exceptions(target.pk) == {}, "nothing is left")
    in_order(120, 5)
    delivered()


def test_one_that_is_refused_is_a_dead_letter_and_its_later_ones_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = a_target(connector="ordered-batches", config={}, batch_count=10, batch_wait=0.02)
    monkeypatch.setattr(
        Behaviour,
        "answer",
        staticmethod(lambda name, attempt: Reject("no", 422) if name == "e3" else Delivered()),
    )
    publish([target.pk], *names(40, 4))
    with on_duty():
        eventually(lambda: len(TAKEN) == 30, "the other subjects arrive")
        eventually(lambda: len(exceptions(target.pk)) == 10, "its subject waits")
    assert [seq for seq, state in exceptions(target.pk).items() if state == State.DEAD] == [4]
    assert not {name for name in TAKEN if subject_of(name, 4) == "s3"}


def test_a_batch_that_raises_counts_as_not_taken_and_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    target = a_target(connector="batches", config={}, batch_count=10, batch_wait=0.02)
    monkeypatch.setattr(Behaviour, "raises", True)
    publish([target.pk], *names(10, 10))
    with on_duty():
        eventually(lambda: len(exceptions(target.pk)) == 10, "all are tried again")
        monkeypatch.setattr(Behaviour, "raises", False)
        eventually(lambda: len(TAKEN) == 10, "all arrive")
    assert "RuntimeError" in rows("SELECT reason FROM attempt WHERE seq = 1 AND number = 1")[0][0]


def test_an_event_alone_goes_when_its_window_is_over() -> None:
    target = a_target(connector="batches", config={}, batch_count=10, batch_wait=0.7)
    with on_duty():
        publish([target.pk], ("e0", "s0"))
        before = time.monotonic()
        publish([target.pk], ("e1", "s1"))
        eventually(lambda: len(TAKEN) == 2, "both arrive")
        assert time.monotonic() - before >= 0.5
    assert BATCHES == [["e0", "e1"]]


def test_what_cannot_be_made_into_a_request_is_rejected_and_the_rest_of_the_batch_goes() -> None:
    short = {"schema": {"type": "object", "properties": {"id": {"maxLength": 2}}}}
    template = {"kind": "template", "template": '{"id": "${id}"}'}
    target = a_target(
        connector="batches", config={}, contract=short, transform=template, batch_count=20, batch_wait=0.02
    )
    publish([target.pk], *names(12, 12))
    with on_duty():
        eventually(lambda: len(TAKEN) == 10, "those that fit arrive")
        eventually(
            lambda: exceptions(target.pk) == {11: State.DEAD, 12: State.DEAD}, "the others are dead letters"
        )


@pytest.mark.usefixtures("quick_looks")
def test_a_rate_counts_events_not_batches() -> None:
    target = a_target(connector="batches", config={}, batch_count=10, rate_limit=20)
    publish([target.pk], *names(60, 60))
    before = time.monotonic()
    with on_duty():
        eventually(lambda: len(TAKEN) == 60, "all arrive")
    assert time.monotonic() - before >= (60 - 20) / 20 - 0.5
