"""Events per schema version and hour: exact, in the commit of the events, the same on both databases."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from catalog.facts import facts
from catalog.models import Domain, EventType, SchemaVersion, Team
from delivery.log.interface import open_log
from delivery.tracking import rates, versions
from delivery.tracking.read import rows
from tests.databases import Database, in_thread
from tests.events import a_bus, an_entry, current_versions
from tests.integration.rows import now, store

HOUR = 3_600_000_000
HALF_PAST_NOON = int(datetime(2026, 11, 26, 12, 30, tzinfo=UTC).timestamp()) * 1_000_000
NAME = "test.happened"


def register() -> list[SchemaVersion]:
    team = Team.objects.create(name="Shop", slug="shop")
    domain = Domain.objects.create(name="Orders", slug="orders", badge="OR")
    kind = EventType.objects.create(name=NAME, team=team, domain=domain)
    return [
        SchemaVersion.objects.create(
            event_type=kind, number=number, schema=json.dumps({"title": str(number)})
        )
        for number in (1, 2)
    ]


def put(count: int, version: int | None, at: int, prefix: str = "e") -> None:
    entries = [
        an_entry(f"{prefix}-{version}-{at}-{number}", versions=current_versions(), received_at=at)._replace(
            schema_version=version
        )
        for number in range(count)
    ]
    open_log().append([entries[: count // 2], entries[count // 2 :]], current_versions())


def test_events_are_counted_by_version_hour_and_day(log_database: Database) -> None:
    first, second = register()
    at = HALF_PAST_NOON
    put(5, first.pk, at)
    put(3, second.pk, at)
    put(2, None, at)
    put(4, second.pk, at - 23 * HOUR)
    put(7, second.pk, at - 25 * HOUR)
    put(1, first.pk, at - 40 * 24 * HOUR)
    # A repeat is not counted again.
    put(5, first.pk, at)
    assert versions.last_day(NAME, at) == {0: 2, 1: 5, 2: 7}
    days = versions.by_day(NAME, at, 30)
    assert {number: (len(counts), sum(counts)) for number, counts in days.items()} == {
        0: (30, 2),
        1: (30, 5),
        2: (30, 14),
    }
    assert days[1][-1] == 5
    assert days[2][-2:] == [11, 3]
    # A version that was deleted counts as none.
    second.delete()
    assert versions.last_day(NAME, at) == {0: 9, 1: 5}


def test_nothing_of_a_commit_that_fails_is_counted(log_database: Database) -> None:
    bad = an_entry("b")._replace(received_at=now(), raw=None)  # type: ignore[arg-type]
    with pytest.raises(Exception, match=r"(?i)null|cannot|expected|None"):
        open_log().append([[an_entry("a")], [bad]], current_versions())
    assert rows("SELECT * FROM rollup_version") == []


def test_what_several_writers_store_at_once_is_counted_exactly(log_database: Database) -> None:
    at = now()

    def write(name: str) -> None:
        for part in range(10):
            put(6, 7, at, f"{name}-{part}")

    waiting = [in_thread(lambda name=name: write(name)) for name in ("a", "b", "c")]  # type: ignore[misc]
    for ended in waiting:
        ended()
    assert rows("SELECT events FROM rollup_version WHERE version = 7") == [(180,)]


def test_events_per_hour_end_with_the_running_one(log_database: Database) -> None:
    bus, at = a_bus().pk, HALF_PAST_NOON
    for hours in (0, 0, 1, 23, 24):
        store(bus, at=at - hours * HOUR)
    found = rates.received_by_hour(["order.placed", "silent"], at, 24)
    assert found["order.placed"] == [1, *[0] * 21, 1, 2]
    assert found["silent"] == [0] * 24


def test_the_catalog_is_told_of_traffic_as_it_is_now(log_database: Database) -> None:
    first, _ = register()
    put(5, first.pk, now())
    assert sum(facts().versions(NAME).values()) == 5
    assert facts().versions("nobody.knows") == {}
    assert [sum(counts) for counts in facts().versions_by_day(NAME, 2).values()] == [5]
