"""What the catalog is told of sources, and what is dropped with time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib import import_module

import pytest
from django.db import connection

from catalog.facts import facts
from catalog.models import Observation, Violation
from catalog.schemas.shape.paths import sensitive_pointer
from delivery.log.retention import retain_all
from delivery.tracking import sources
from delivery.tracking.read import rows
from tests.databases import Database
from tests.events import a_bus
from tests.integration.observer.looking import HOUR, again
from tests.integration.rows import execute, now, store

# ── what the catalog is told ──


def test_the_first_event_of_a_source_is_known_before_and_after_the_observer_saw_it(
    log_database: Database,
) -> None:
    bus = a_bus().pk
    assert facts().first_seen("/shop") is None
    first = now() - 1_000_000
    store(bus, at=first)
    store(bus)
    before = facts().first_seen("/shop")
    assert again() == 1
    store(bus)
    assert before is not None
    assert facts().first_seen("/shop") == before
    assert int(before.timestamp() * 1_000_000) == pytest.approx(first, abs=10)
    assert facts().first_seen("/other") is None


def test_what_a_source_sends_is_counted_by_type_without_waiting_for_the_observer(
    log_database: Database,
) -> None:
    bus = a_bus().pk
    for _ in range(3):
        store(bus)
    store(bus, source="/other")
    assert again() == 1
    store(bus, type="order.paid")
    found = facts().per_source("/shop")
    assert found.types == {"order.placed": 3, "order.paid": 1}
    assert found.day == 4
    assert found.rate > 0
    assert found.last_seen is not None
    silent = facts().per_source("/nobody")
    assert (silent.types, silent.rate, silent.last_seen) == ({}, 0.0, None)


def test_a_source_that_is_silent_since_yesterday_says_when_it_was_last_seen(log_database: Database) -> None:
    store(a_bus().pk, at=now() - 30 * HOUR)
    execute("INSERT INTO log_follower (name, seq, due_at) VALUES ('observer', 0, 0)")
    assert again() == 1
    found = sources.of_source("/shop", now())
    assert (found.types, found.rate) == ({}, 0.0)
    assert found.last_seen is not None


def test_a_list_of_sources_says_how_busy_each_is(log_database: Database) -> None:
    bus = a_bus().pk
    execute("INSERT INTO log_follower (name, seq, due_at) VALUES ('observer', 0, 0)")
    store(bus, source="/quiet", at=now() - 30 * HOUR)
    for _ in range(3):
        store(bus)
    assert again() == 1
    found = facts().pulses(["/shop", "/quiet", "/nobody"])
    assert found.keys() == {"/shop", "/quiet"}
    assert found["/shop"].rate > 0
    assert (datetime.now(UTC) - found["/shop"].last_seen).total_seconds() < 60
    assert found["/quiet"].rate == 0
    assert (datetime.now(UTC) - found["/quiet"].last_seen).total_seconds() > 29 * 3600
    assert facts().pulses([]) == {}


def test_days_older_than_thirty_are_dropped(log_database: Database) -> None:
    moment = datetime.now(UTC)
    for age in (0, 30, 31):
        day = moment.date() - timedelta(days=age)
        Observation.objects.create(
            type_name="a", day=day, source="/s", bus="city", shape="{}", first_at=moment, last_at=moment
        )
        Violation.objects.create(
            type_name="a", day=day, source="/s", message="It is wrong.", rejected=False, last_at=moment
        )
    retain_all()
    assert Observation.objects.count() == Violation.objects.count() == 2


def test_the_pointer_of_a_path() -> None:
    paths = ["customer.email", "lines[].name", "tags[]", "[].a", "/already/one", "a/b.c", ""]
    assert [sensitive_pointer(path) for path in paths] == [
        "/customer/email", "/lines/[]/name", "/tags/[]", "/[]/a", "/already/one", "/a~1b/c", "",
    ]  # fmt: skip


def test_a_database_made_before_these_tables_gets_them_and_keeps_those_it_has(log_database: Database) -> None:
    migration = import_module("delivery.migrations.0005_versions_and_sources")
    store(a_bus().pk)
    tables = ("rollup_version", "rollup_source", "log_follower")
    for table in tables[1:]:
        execute(f"DROP TABLE {table}")
    with connection.schema_editor() as editor:
        migration.add(None, editor)
    with connection.schema_editor() as editor:
        migration.add(None, editor)
    assert [len(rows(f"SELECT * FROM {table}")) for table in tables] == [1, 0, 0]
    assert again() == 1
