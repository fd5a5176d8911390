"""Drift and drops of quality, found in traffic and told once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.following import findings
from catalog.models import (
    Change,
    EventType,
    Observation,
    Violation,
)  # fmt: skip
from catalog.schemas.shape import Shape
from delivery import announcing
from tests.databases import in_thread
from tests.integration.following.town import register
from tests.integration.rows import execute


def observed(name: str, *data: Any, day: Any = None, events: int | None = None) -> None:
    shape = Shape()
    for one in data:
        shape.add(one)
    day = day or datetime.now(UTC).date()
    Observation.objects.create(
        type_name=name, day=day, source="/shop", bus="main", shape=shape.to_json(), events=events or len(data),
        sampled=len(data), first_at=timezone.now(), last_at=timezone.now(),
    )  # fmt: skip


def violated(name: str, count: int, rejected: bool = True, days_ago: int = 0) -> None:
    Violation.objects.create(
        type_name=name, version=1, day=datetime.now(UTC).date() - timedelta(days=days_ago), source="/shop",
        pointer="/order", message="Must be a number.", rejected=rejected, count=count, last_at=timezone.now(),
    )  # fmt: skip


def due() -> None:
    execute("UPDATE log_follower SET due_at = 0")


def test_drift_is_told_once_for_each_cause(placed: EventType) -> None:
    observed("order.placed", *({"order": n, "gift": True} for n in range(30)))
    announcing.find()
    (news,) = Change.objects.filter(kind="type.drifting")
    assert news.detail["causes"] == ["/gift is sent and not declared"]
    due()
    announcing.find()
    assert Change.objects.filter(kind="type.drifting").count() == 1
    Observation.objects.all().delete()
    observed("order.placed", *({"order": "text", "gift": True} for _ in range(30)))
    due()
    announcing.find()
    newest = Change.objects.filter(kind="type.drifting").first()
    assert newest.detail["causes"] == ["/order is string, declared as integer"]
    assert "text" not in json.dumps(newest.detail)


@pytest.mark.parametrize(
    ("lifecycle", "many"), [("active", findings.LEAST - 1), ("draft", 40), ("retired", 40)]
)
def test_few_events_drafts_and_what_is_retired_do_not_drift(lifecycle: str, many: int) -> None:
    register("order.placed", lifecycle=lifecycle)
    observed("order.placed", *({"gift": True} for _ in range(many)))
    findings.look(datetime.now(UTC).date())
    assert not Change.objects.filter(kind="type.drifting").exists()


@pytest.mark.parametrize(
    ("today", "before", "dropped"),
    [
        ((100, 0, 0), None, False),
        ((100, 0, 4), None, False),
        ((100, 0, 10), None, True),  # refused
        ((100, 10, 0), None, True),  # stored with a warning
        ((10, 0, 5), None, False),  # too few
        ((100, 0, 10), (100, 10), False),  # it was so before
        ((100, 0, 40), (100, 10), True),
        ((0, 0, 50), None, True),  # nothing came through at all
    ],
)
def test_quality_drops_when_clearly_more_than_before_does_not_fit(
    placed: EventType, today: tuple[int, int, int], before: tuple[int, int] | None, dropped: bool
) -> None:
    events, warned, refused = today
    if events:
        observed("order.placed", {"order": 1}, events=events)
    for count, rejected in ((warned, False), (refused, True)):
        if count:
            violated("order.placed", count, rejected)
    if before is not None:
        observed(
            "order.placed", {"order": 1}, events=before[0], day=datetime.now(UTC).date() - timedelta(days=2)
        )
        violated("order.placed", before[1], days_ago=2)
    for _ in range(2):
        due()
        announcing.find()
    found = Change.objects.filter(kind="type.quality_dropped")
    assert found.count() == dropped
    if dropped:
        assert found[0].detail["causes"] == ["/order: Must be a number."]


def test_two_workers_find_the_same_once(placed: EventType) -> None:
    observed("order.placed", *({"order": n, "gift": True} for n in range(30)))
    violated("order.placed", 30)
    day = datetime.now(UTC).date()
    ended = [in_thread(lambda: findings.look(day)) for _ in range(2)]
    for end in ended:
        end()
    assert sorted(Change.objects.exclude(kind="type.registered").values_list("kind", flat=True)) == [
        "type.drifting", "type.quality_dropped",
    ]  # fmt: skip


def test_many_types_are_looked_at_in_turns(placed: EventType) -> None:
    for number in range(4):
        register(f"order.n{number}")
        observed(f"order.n{number}", *({"gift": True} for _ in range(30)))
    day = datetime.now(UTC).date()
    first = findings.look(day, limit=3)
    assert first.more
    assert Change.objects.filter(kind="type.drifting").count() == 3
    assert not findings.look(day, first.upto, limit=3).more
    assert Change.objects.filter(kind="type.drifting").count() == 4


def test_a_type_that_cannot_be_looked_at_and_a_short_time_stop_no_other(
    placed: EventType, monkeypatch: pytest.MonkeyPatch
) -> None:
    register("order.paid")
    for name in ("order.placed", "order.paid"):
        observed(name, *({"gift": True} for _ in range(30)))
    real = findings.drifting

    def drifting(*about: Any, **how: Any) -> Any:
        monkeypatch.setattr(findings, "drifting", real)
        raise RecursionError

    monkeypatch.setattr(findings, "drifting", drifting)
    first = findings.look(datetime.now(UTC).date(), stay=0)
    assert first == (placed.pk, True)
    assert not findings.look(datetime.now(UTC).date(), first.upto).more
    assert [change.type_name for change in Change.objects.filter(kind="type.drifting")] == ["order.paid"]
