"""The observer on both databases: what it notes, within which bounds, and that nothing is noted twice or left out."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.db import connection

from catalog.facts import facts
from catalog.models import Bus, Domain, EventType, Observation, Source, Team, Violation
from catalog.schemas.shape import Shape
from catalog.schemas.shape.paths import sensitive_pointer
from delivery.log.retention import retain_all
from delivery.observer import noting, reading, work
from delivery.observer.scrubbing import Scrubber
from delivery.observer.work import Overtaken, claim, look, observe
from delivery.tracking import sources
from delivery.tracking.read import rows
from tests.databases import Database, default_database, in_thread
from tests.events import a_bus
from tests.integration.rows import empty, execute, now, store
from tests.processes import Towns

TODAY = datetime.now(UTC).date
HOUR = 3_600_000_000


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service("postgresql"))]
)
def database(request: pytest.FixtureRequest, towns: Towns, django_db_blocker: Any) -> Iterator[Database]:
    """SQLite, then PostgreSQL, for all tests of this file."""
    postgresql = request.param == "postgresql"
    with (
        towns.new(postgresql=postgresql) as town,
        django_db_blocker.unblock(),
        default_database(town) as found,
    ):
        yield found


@pytest.fixture
def log_database(database: Database) -> Database:
    """The database, empty again."""
    empty()
    execute("UPDATE log_head SET seq = 0")
    for model in (Observation, Violation, EventType, Domain, Source, Bus, Team):
        model.objects.all().delete()
    return database


def again() -> int:
    """Lets the observer look at once, whenever it looked last."""
    execute("UPDATE log_follower SET due_at = 0")
    return observe(chance=random.Random(1))


def observed(name: str = "order.placed") -> list[tuple[str, int, int]]:
    """(source, events, sampled) of the rows of a type."""
    found = Observation.objects.filter(type_name=name).order_by("source")
    return list(found.values_list("source", "events", "sampled"))


def register(name: str = "order.placed", **fields: Any) -> EventType:
    team = Team.objects.get_or_create(name="Shop", slug="shop")[0]
    domain = Domain.objects.get_or_create(name="Orders", slug="orders", defaults={"badge": "OR"})[0]
    return EventType.objects.create(name=name, team=team, domain=domain, **fields)


def position() -> int:
    return int(rows("SELECT seq FROM log_follower")[0][0])


def test_it_notes_each_event_once_and_what_its_data_looks_like(log_database: Database) -> None:
    bus = a_bus("city").pk
    assert observe() == 0  # Nothing there yet.
    for number in range(3):
        store(bus, data={"order": number, "gift": True})
    store(bus, type="order.paid", source="/payments", data={"amount": 1.5})
    assert again() == 1
    assert observed() == [("/shop", 3, 3)]
    assert observed("order.paid") == [("/payments", 1, 1)]
    store(bus, data={"order": 4})
    assert again() == 1
    assert again() == 0
    [row] = Observation.objects.filter(type_name="order.placed")
    assert (row.events, row.sampled, row.bus, row.day) == (4, 4, "city", TODAY())
    wanted = Shape()
    for data in (
        {"order": 0, "gift": True},
        {"order": 1, "gift": True},
        {"order": 2, "gift": True},
        {"order": 4},
    ):
        wanted.add(data)
    assert Shape.from_json(row.shape) == wanted
    assert row.first_at <= row.last_at


def test_it_waits_a_little_between_looks(log_database: Database) -> None:
    bus = a_bus().pk
    store(bus)
    assert observe() == 1
    store(bus)
    assert observe() == 0
    execute("UPDATE log_follower SET due_at = %s", now() - 1)
    assert observe() == 1


def test_data_that_is_no_json_is_counted_and_not_sampled(log_database: Database) -> None:
    bus = a_bus().pk
    store(bus)
    store(bus, datacontenttype="text/plain", data="hello")
    store(bus, datacontenttype="image/png", data_base64="AAE=")
    assert again() == 1
    assert observed() == [("/shop", 3, 0)]
    [row] = Observation.objects.all()
    assert Shape.from_json(row.shape).samples == 0


def test_personal_fields_leave_counts_alone(log_database: Database) -> None:
    bus = a_bus().pk
    register(personal=["customer.email", "lines[].name"])
    store(bus, data={"customer": {"email": "lin@example.org"}, "lines": [{"name": "Lin", "sku": "40017"}]})
    assert again() == 1
    [row] = Observation.objects.all()
    assert "40017" in row.shape
    assert "lin@example.org" not in row.shape
    assert "Lin" not in row.shape


def test_a_field_that_becomes_personal_is_scrubbed_with_the_next_sample(log_database: Database) -> None:
    bus = a_bus().pk
    kind = register()
    store(bus, data={"nick": "Lin"})
    assert again() == 1
    assert "Lin" in Observation.objects.get().shape
    kind.personal = ["nick"]
    kind.save()
    store(bus, data={"nick": "Noor"})
    assert again() == 1
    row = Observation.objects.get()
    assert "Lin" not in row.shape
    assert "Noor" not in row.shape
    assert row.sampled == 2


def test_what_has_become_personal_is_taken_out_of_past_days_and_samples(log_database: Database) -> None:
    bus = a_bus().pk
    kind, other = register(), register("other")
    for name in ("order.placed", "other"):
        store(bus, type=name, data={"nick": "Lin"})
        Violation.objects.create(
            type_name=name, day=TODAY(), source="/shop", message="It is wrong.", rejected=True,
            sample='{"nick": "Lin", "total": -1}', last_at=datetime.now(UTC),
        )  # fmt: skip
    assert again() == 1
    scrubber = Scrubber()
    assert scrubber.scrub() == 0
    kind.personal = ["nick"]
    kind.save()
    assert scrubber.scrub() == 2
    row = Observation.objects.get(type_name=kind.name)
    assert "Lin" not in row.shape
    assert Shape.from_json(row.shape).samples == 1
    assert Violation.objects.get(type_name=kind.name).sample == '{"nick": "•••", "total": -1}'
    # Of the other type nobody said so.
    assert "Lin" in Observation.objects.get(type_name=other.name).shape
    assert "Lin" in Violation.objects.get(type_name=other.name).sample
    assert scrubber.scrub() == Scrubber().scrub() == 0


def test_it_begins_a_day_back_in_a_log_that_is_older_than_it(log_database: Database) -> None:
    bus = a_bus().pk
    for hours in (50, 30, 20, 0):
        store(bus, at=now() - hours * HOUR)
    assert observe() == 1
    assert sum(events for _, events, _ in observed()) == 2
    assert position() == 4


def test_of_many_events_a_few_of_each_type_are_sampled(
    log_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "OF_TYPE", 5)
    bus = a_bus().pk
    for number in range(12):
        store(bus, data={"number": number})
    store(bus, type="rare", data={})
    assert again() == 1
    assert observed() == [("/shop", 12, 5)]
    assert observed("rare") == [("/shop", 1, 1)]


def test_of_what_has_plenty_of_samples_few_more_are_taken(
    log_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "PLENTY", 6)
    bus = a_bus().pk
    for turn in range(2):
        for _ in range(6):
            store(bus, data={"turn": turn})
        assert again() == 1
    assert observed() == [("/shop", 12, 6 + reading.FEW)]


def test_data_beyond_the_bytes_of_a_part_is_not_read(
    log_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "BYTES", 1000)
    bus = a_bus().pk
    store(bus, data={"large": "x" * 2000})
    store(bus, data={"small": 1})
    assert again() == 1
    assert observed() == [("/shop", 2, 1)]
    assert '"large"' not in Observation.objects.get().shape


def test_sources_beyond_the_bound_are_counted_together_but_registered_ones_are_told_apart(
    log_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noting, "SOURCES", 2)
    bus = a_bus()
    team = Team.objects.create(name="City", slug="city")
    Source.objects.create(name="Known", slug="known", uri="/s/known", bus=bus, team=team)
    for name in ("a", "b", "c", "d", "known"):
        store(bus.pk, source=f"/s/{name}", data={})
    assert again() == 1
    assert observed() == [("", 2, 2), ("/s/a", 1, 1), ("/s/b", 1, 1), ("/s/known", 1, 1)]
    store(bus.pk, source="/s/d", data={})
    assert again() == 1
    assert observed()[0] == ("", 3, 3)


def test_types_that_nobody_registered_are_noted_up_to_a_bound(
    log_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noting, "STRANGERS", 2)
    bus = a_bus().pk
    register("known")
    for name in ("a", "b", "c", "known", "d", "a"):
        store(bus, type=name, data={})
    assert again() == 1
    store(bus, type="e", data={})
    store(bus, type="b", data={})
    assert again() == 1
    found = dict(Observation.objects.values_list("type_name", "events"))
    assert found == {"a": 2, "b": 2, "known": 1}
    assert position() == 8


def test_a_type_name_longer_than_can_be_registered_is_passed_over(log_database: Database) -> None:
    bus = a_bus().pk
    store(bus, type="x" * 300, data={})
    store(bus, data={})
    assert again() == 1
    assert Observation.objects.count() == 1


def test_what_retention_dropped_is_passed_over(log_database: Database) -> None:
    bus = a_bus().pk
    for _ in range(4):
        store(bus)
    execute("DELETE FROM log_event WHERE seq <= 2")
    execute("INSERT INTO log_follower (name, seq, due_at) VALUES ('observer', 0, 0)")
    assert again() == 1
    assert observed() == [("/shop", 2, 0)]
    execute("DELETE FROM log_event")
    execute("UPDATE log_follower SET seq = 1")
    assert again() == 1
    assert position() == 4


def test_a_shape_of_another_version_begins_anew(log_database: Database) -> None:
    bus = a_bus().pk
    store(bus, data={"a": 1})
    assert again() == 1
    Observation.objects.update(shape="{}")
    store(bus, data={"b": 1})
    assert again() == 1
    row = Observation.objects.get()
    assert (row.events, Shape.from_json(row.shape).samples) == (2, 1)


# ── killed, frozen, overtaken ──


def test_a_worker_that_fails_before_its_commit_has_noted_nothing_and_the_next_notes_all(
    log_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    bus = a_bus().pk
    for _ in range(3):
        store(bus, data={"a": 1})
    turn = claim()
    assert turn is not None
    original = noting.write

    def killed(notes: noting.Notes) -> None:
        original(notes)
        raise KeyboardInterrupt

    monkeypatch.setattr(work, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        look(turn, random.Random(1))
    monkeypatch.setattr(work, "write", original)
    assert Observation.objects.count() == 0
    assert rows("SELECT * FROM rollup_source") == []
    assert observe() == 0  # Its turn lasts until it lapses.
    assert again() == 1
    assert observed() == [("/shop", 3, 3)]
    assert rows("SELECT events FROM rollup_source") == [(3,)]


def test_a_worker_that_was_overtaken_notes_nothing(log_database: Database) -> None:
    bus = a_bus().pk
    store(bus, data={})
    slow = claim()
    assert slow is not None
    assert again() == 1
    with pytest.raises(Overtaken):
        look(slow, random.Random(1))
    assert observed() == [("/shop", 1, 1)]


KILLED = """
import os, sys
from delivery.observer import work
write = work.write
def killed(notes):
    write(notes)
    os.kill(os.getpid(), 9)
work.write = killed
work.observe()
"""


def test_what_a_killed_process_was_writing_is_noted_once(log_database: Database) -> None:
    bus = a_bus().pk
    for number in range(5):
        store(bus, data={"number": number})
    log_database.run(KILLED, status=-9)
    assert observed() == []
    assert again() == 1
    assert observed() == [("/shop", 5, 5)]


def test_several_workers_note_each_event_once(
    log_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "EVERY", 0)
    monkeypatch.setattr(work, "PART", 7)
    monkeypatch.setattr(work, "REST", 0)
    bus = a_bus().pk
    for number in range(40):
        store(bus, data={"number": number}, source=f"/s/{number % 3}")
    waiting = [in_thread(lambda: observe(stay=3)) for _ in range(3)]
    for ended in waiting:
        ended()
    again()
    assert sum(events for _, events, _ in observed()) == 40
    [(counted,)] = rows("SELECT sum(events) FROM rollup_source")
    assert counted == 40


def test_it_stops_when_it_is_told_to(log_database: Database) -> None:
    stop = threading.Event()
    stop.set()
    store(a_bus().pk)
    began = time.monotonic()
    assert observe(stop.is_set) == 0
    assert time.monotonic() - began < 1


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
