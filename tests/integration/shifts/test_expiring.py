"""What waits longer than its bus keeps it at all becomes a dead letter, whatever holds its target up; nothing is lost."""

from __future__ import annotations

import time

import pytest

from catalog.changes import LETTERS
from delivery.connectors.http.target import HTTPTarget
from delivery.log.interface import open_log
from delivery.log.retention import needed_from, retain_all
from delivery.runner import expiring, sending
from delivery.runner.expiring import expire_all
from delivery.tracking.words import EXPIRED, State
from rules.revisions import set_state
from tests.events import a_bus, a_target, an_entry, current_versions
from tests.integration.sink import Sink, exceptions, execute, leases, on_duty, rows
from tests.processes import eventually

DAY = 86_400_000_000


def store(target: int, old: int, young: int, *, bus: str = "city", age: float = 5, first: int = 0) -> None:
    """Events of as many subjects: `old` of them `age` days old, `young` ones of now."""
    now = time.time_ns() // 1000
    entries = [
        an_entry(
            f"e{first + n}", f"S{first + n}", bus=a_bus(bus).pk, targets=(target,),
            received_at=now - int(age * DAY) if n < old else now, versions=current_versions(),
        )
        for n in range(old + young)
    ]  # fmt: skip
    open_log().append([entries], current_versions())


def dead() -> list[tuple[int, int, str]]:
    return rows("SELECT seq, state, reason FROM runner_exception ORDER BY seq")


@pytest.fixture
def short() -> None:
    bus = a_bus(retention_days=1)
    bus.limit_days = 3
    bus.save()


@pytest.mark.parametrize("state", ["paused", "stopped", "disabled"])
@pytest.mark.parametrize("order", ["key", "all", "none"])
def test_what_waits_for_a_target_at_rest_expires_and_only_then_leaves_the_log(
    short: None, sink: Sink, state: str, order: str
) -> None:
    target = a_target(sink.url, order=order, after_dead_letter="continue")
    store(target.pk, 20, 5)
    set_state(target, state)
    assert retain_all() == 0
    assert needed_from(a_bus().pk) == 1
    assert expire_all() == 20
    assert expire_all() == 0
    assert [(seq, kind) for seq, kind, _ in dead()] == [(seq, State.DEAD) for seq in range(1, 21)]
    assert {reason.startswith(EXPIRED) and "3 days" in reason for _, _, reason in dead()} == {True}
    assert rows("SELECT SUM(dead) FROM rollup_delivered") == [(20,)]
    assert rows("SELECT raw FROM runner_exception ORDER BY seq") == rows(
        "SELECT raw FROM log_event WHERE seq <= 20 ORDER BY seq"
    )
    assert leases() == []
    assert needed_from(a_bus().pk) == 21
    assert retain_all() == 20
    set_state(target, "running")
    with on_duty():
        sink.wait_for(5)
    assert sorted(sink.taken) == [f"e{n}" for n in range(20, 25)]
    assert len(dead()) == 20


def test_nothing_expires_before_the_limit(short: None, sink: Sink) -> None:
    target = a_target(sink.url)
    store(target.pk, 10, 0, age=2)
    set_state(target, "paused")
    assert expire_all() == 0
    assert retain_all() == 0


def test_more_than_one_part_of_a_lane_group_expires_in_one_run(
    short: None, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = a_target(sink.url)
    store(target.pk, 300, 0)
    set_state(target, "paused")
    monkeypatch.setattr(expiring, "PART", 7)
    assert expire_all() == 300
    assert retain_all() == 300


def test_later_events_of_an_expired_key_wait_as_behind_every_dead_letter(short: None, sink: Sink) -> None:
    target = a_target(sink.url)
    store(target.pk, 1, 0)
    now = time.time_ns() // 1000
    later = [
        an_entry(
            name, subject, bus=a_bus().pk, targets=(target.pk,), received_at=now, versions=current_versions()
        )
        for name, subject in (("same", "S0"), ("other", "S9"))
    ]
    open_log().append([later], current_versions())
    set_state(target, "paused")
    assert expire_all() == 1
    set_state(target, "running")
    with on_duty():
        sink.wait_for(1)
        eventually(lambda: len(exceptions(target.pk)) == 2, "the later one of its key waits")
    assert sink.taken == ["other"]


def test_a_shift_gives_back_what_it_cannot_deliver_and_goes_on(
    short: None, sink: Sink, quick_looks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its exceptions are many, so it reads nothing new: what is behind them expires while it holds the leases."""
    monkeypatch.setattr(sending, "EXCEPTIONS", 3)
    target = a_target(sink.url)
    sink.answer = lambda path, name, subject, times: (422, 0.0)
    store(target.pk, 5, 0)
    with on_duty():
        eventually(lambda: len(exceptions(target.pk)) == 5, "they are refused")
        store(target.pk, 30, 0, first=100)
        assert leases() != []
        assert expire_all() == 30
        eventually(lambda: retain_all() >= 0 and rows("SELECT * FROM log_event") == [], "the log lets go", 10)
        assert rows("SELECT COUNT(*) FROM runner_slot WHERE wanted > 0") == [(0,)]
        assert len(sink.seen) == 5
        monkeypatch.setattr(sending, "EXCEPTIONS", 10_000)
        sink.answer = lambda path, name, subject, times: (200, 0.0)
        store(target.pk, 0, 3, first=200)
        sink.wait_for(3, 20)
    assert sorted(sink.taken) == ["e200", "e201", "e202"]


def test_a_lane_group_whose_sends_do_not_end_is_left_to_the_next_run(
    short: None, sink: Sink, quick_looks: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HTTPTarget, "max_in_flight", 1)
    monkeypatch.setattr(expiring, "PATIENCE", 1.0)
    target = a_target(sink.url, order="all", config={"url": sink.url, "timeout": 30})
    sink.answer = lambda path, name, subject, times: (200, 3.0 if name == "e0" else 0.0)
    store(target.pk, 5, 0)
    with on_duty():
        eventually(lambda: len(sink.seen) == 1, "one is on its way")
        assert expire_all() == 0
        assert dead() == []
        eventually(lambda: leases() == [], "what was asked for is given back once that ended", 10)
        assert expire_all() == 4
        eventually(
            lambda: rows("SELECT COUNT(*) FROM runner_slot WHERE wanted > 0") == [(0,)],
            "nothing stays reserved",
        )
    assert sink.taken == ["e0"]


def test_copies_of_dead_letters_are_kept_for_a_target_of_another_bus(short: None, sink: Sink) -> None:
    target = a_target(sink.url)
    set_state(target, "paused")
    a_bus(LETTERS, retention_days=1)
    store(target.pk, 3, 0, bus=LETTERS, age=1.5)
    assert expire_all() == 0
    assert retain_all() == 0
    execute("UPDATE log_event SET received_at = received_at - %s", DAY)
    assert expire_all() == 3
    assert retain_all() == 3
