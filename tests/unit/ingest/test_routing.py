"""Which targets an event is routed to when it is stored, while rules come, change and go."""

from __future__ import annotations

import itertools
import logging
from typing import Any

import pytest
from django.db import connection

from catalog.models import Bus, Team
from delivery.doorbell import Doorbell
from rules.models import Rule, Target
from rules.revisions import delete_rule, delete_target, save_rule, save_target, set_state, subscribe
from tests.unit.ingest.calling import Caller, event

NUMBERS = itertools.count(1)
BROKEN = {"type": [{"no-such-operator": 1}]}


def listen(bus: Bus, pattern: Any, **fields: Any) -> Target:
    """A rule with one target."""
    number = Rule.objects.count()
    rule = Rule(name=f"rule {number}", bus=bus, team=Team.objects.get(), pattern=pattern, **fields)
    target = Target(name="target", connector="http", config={"url": "http://127.0.0.1:9/"})
    subscribe(rule, target)
    return target


def routed(caller: Caller, **attributes: Any) -> list[int]:
    """The targets that a new event is routed to."""
    answer = caller.structured(event(id=str(next(NUMBERS)), **attributes))
    assert answer.status == 202, answer.body
    seq = answer.json()["accepted"][0]["seq"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT target FROM log_route WHERE seq = %s ORDER BY target", [seq])
        return [target for (target,) in cursor.fetchall()]


def test_a_rule_counts_from_the_next_event_on(caller: Caller, bus: Bus) -> None:
    assert routed(caller) == []
    orders = listen(bus, {"type": ["shop.order.placed"]})
    assert routed(caller) == [orders.pk]
    everything = listen(bus, {})
    assert routed(caller) == [orders.pk, everything.pk]
    assert routed(caller, type="other") == [everything.pk]


def test_a_change_of_a_rule_counts_from_the_next_event_on(caller: Caller, bus: Bus) -> None:
    target = listen(bus, {"type": ["other"]})
    assert routed(caller) == []
    target.rule.pattern = {"type": ["shop.order.placed"]}
    save_rule(target.rule)
    assert routed(caller) == [target.pk]
    target.rule.enabled = False
    save_rule(target.rule)
    assert routed(caller) == []
    target.rule.enabled = True
    save_rule(target.rule)
    second = Target(name="second", rule=target.rule, connector="http", config={})
    save_target(second)
    assert routed(caller) == [target.pk, second.pk]
    delete_target(second)
    assert routed(caller) == [target.pk]
    delete_rule(target.rule)
    assert routed(caller) == []


@pytest.mark.parametrize("read_before", [False, True], ids=["when all are read", "when changes are read"])
def test_an_expression_and_filters_of_a_rule_count_beside_its_pattern(
    caller: Caller, bus: Bus, read_before: bool
) -> None:
    if read_before:
        assert routed(caller) == []
    sql = listen(bus, {}, sql="subject LIKE 'order-1%'")
    filters = listen(bus, {}, filters=[{"suffix": {"subject": "7"}}])
    both = listen(
        bus,
        {"type": ["shop.order.placed"]},
        sql="LENGTH(subject) > 8",
        filters=[{"not": {"exact": {"subject": "x"}}}],
    )
    assert routed(caller, subject="order-17") == [sql.pk, filters.pk]
    assert routed(caller, subject="order-123") == [sql.pk, both.pk]
    assert routed(caller, subject="order-123", type="other") == [sql.pk]
    assert routed(caller, subject="parcel-7") == [filters.pk]
    sql.rule.sql = ""
    save_rule(sql.rule)
    assert routed(caller, subject="parcel-8") == [sql.pk]


def test_a_stopped_target_still_gets_its_routes(caller: Caller, bus: Bus) -> None:
    target = listen(bus, {})
    set_state(target, Target.State.PAUSED)
    assert routed(caller) == [target.pk]


def test_a_rule_of_another_bus_takes_nothing(caller: Caller, bus: Bus) -> None:
    listen(Bus.objects.create(name="payments"), {})
    assert routed(caller) == []


@pytest.mark.parametrize("read_before", [False, True], ids=["when all are read", "when changes are read"])
def test_a_rule_that_does_not_compile_harms_no_other(
    caller: Caller, bus: Bus, caplog: pytest.LogCaptureFixture, read_before: bool
) -> None:
    if read_before:
        assert routed(caller) == []
    first, broken, last = listen(bus, {}), listen(bus, BROKEN), listen(bus, {"id": [{"exists": True}]})
    with caplog.at_level(logging.ERROR):
        assert routed(caller) == [first.pk, last.pk]
    assert f"Rule {broken.rule_id} does not compile" in caplog.text


def test_rules_changed_together_with_one_that_does_not_compile_go_on(caller: Caller, bus: Bus) -> None:
    targets = [listen(bus, {"type": ["other"]}) for _ in range(4)]
    assert routed(caller) == []
    for target, pattern in zip(targets, ({}, BROKEN, {"source": ["/shop"]}, {}), strict=True):
        target.rule.pattern = pattern
        save_rule(target.rule)
    assert routed(caller) == [targets[0].pk, targets[2].pk, targets[3].pk]
    targets[1].rule.pattern = {}
    save_rule(targets[1].rule)
    assert routed(caller) == [target.pk for target in targets]


def test_what_is_stored_is_answered_so_although_nobody_can_be_woken(
    caller: Caller, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: Doorbell) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(Doorbell, "ring", fails)
    target = listen(bus, {})
    assert routed(caller) == [target.pk]
