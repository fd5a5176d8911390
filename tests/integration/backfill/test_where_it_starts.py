"""Where a target that starts in the past begins, and which positions are refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from delivery.backfill import AlreadyLive, NotInThePast, cancel, count_past, start
from delivery.backfill.work import claim, reader_of, step, work
from delivery.log.interface import open_log
from delivery.log.retention import needed_from, retain_all
from delivery.models import Backfill
from rules.engine import Filter
from rules.models import Rule
from tests.events import a_bus, an_entry, current_versions
from tests.integration.backfill.catching_up import ODD, named, routed, subscribed, the_job
from tests.integration.sink import execute, publish


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
