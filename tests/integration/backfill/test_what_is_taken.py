"""Which past events a rule takes, how a journey shows it, and how they are counted before saving."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import transaction

from delivery.backfill import count_past, start
from delivery.backfill.work import claim, reader_of, step, work
from delivery.tracking import journey
from rules import registry
from rules.engine import Filter
from rules.models import Rule, Target
from rules.revisions import save_rule, subscribe
from tests.events import a_bus, a_rule
from tests.integration.backfill.catching_up import ODD, named, routed, subscribed
from tests.integration.sink import execute, publish


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
