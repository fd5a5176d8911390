"""What the observer notes of events, and what it leaves alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from catalog.models import Observation, Source, Team, Violation
from catalog.schemas.shape import Shape
from delivery.observer import noting, reading
from delivery.observer.scrubbing import Scrubber
from delivery.observer.work import observe
from tests.databases import Database
from tests.events import a_bus
from tests.integration.observer.looking import HOUR, TODAY, again, observed, position, register
from tests.integration.rows import execute, now, store


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
