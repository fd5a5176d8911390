"""Versions, lifecycles and buses at the door: answers and headers of the real application."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.utils import timezone

from catalog.facts import PublishRefused, facts
from catalog.models import Bus, Domain, EventType, Lifecycle, SchemaVersion, Team
from tests.unit.ingest import calling
from tests.unit.ingest.calling import Caller, assert_problem, event, stored

HOST = "https://events.example.org/schemas"
SINCE = datetime(2026, 11, 3, 8, tzinfo=UTC)


def register(domain: Domain, name: str = "shop.order.placed", versions: int = 3, **fields: Any) -> EventType:
    """A type whose version n asks for the field vn."""
    found = EventType.objects.create(name=name, domain=domain, team=Team.objects.get(), **fields)
    for number in range(1, versions + 1):
        schema = json.dumps({"required": [f"v{number}"]})
        SchemaVersion.objects.create(event_type=found, number=number, schema=schema, created_at=SINCE)
    return found


def end(version: SchemaVersion | None, lifecycle: str) -> None:
    assert version is not None
    version.lifecycle = lifecycle
    version.save(update_fields=["lifecycle"])


def kept(bus: Bus) -> list[tuple[int | None, int | None]]:
    return [(row["schema_version"], row["valid"]) for row in stored(bus)]


def test_dataschema_chooses_the_version_that_is_stored(caller: Caller, bus: Bus, domain: Domain) -> None:
    kind = register(domain, "chosen")
    ids = dict(kind.versions.values_list("number", "id"))
    found = [
        event(id="a", type="chosen", data={"v3": 1}),
        event(id="b", type="chosen", data={"v1": 1}, dataschema=f"{HOST}/chosen/1"),
        event(id="c", type="chosen", data={"v2": 1}, dataschema="http://localhost/schemas/ch%6Fsen/2/"),
    ]
    assert caller.batch(found).status == 202
    assert kept(bus) == [(ids[3], 1), (ids[1], 1), (ids[2], 1)]
    assert facts().versions("chosen") == {1: 1, 2: 1, 3: 1}
    problem = assert_problem(
        caller.structured(event(type="chosen", data={"v3": 1}, dataschema=f"{HOST}/chosen/1")), 422, "schema"
    )
    assert "“v1” is missing" in problem["detail"]


def test_the_default_version_counts_until_it_is_retired(caller: Caller, bus: Bus, domain: Domain) -> None:
    kind = register(domain)
    kind.default_version = kind.versions.get(number=1)
    kind.save()
    assert caller.structured(event(id="a", data={"v1": 1})).status == 202
    end(kind.versions.get(number=3), Lifecycle.DRAFT)
    end(kind.versions.get(number=1), Lifecycle.RETIRED)
    assert caller.structured(event(id="b", data={"v1": 1})).status == 422
    assert caller.structured(event(id="c", data={"v2": 1})).status == 202
    kind.refresh_from_db()
    assert kind.current == kind.versions.get(number=2)


def test_an_unknown_version_is_refused_with_those_that_exist(
    caller: Caller, bus: Bus, domain: Domain
) -> None:
    register(domain)
    answer = caller.structured(event(data={"v3": 1}, dataschema=f"{HOST}/shop.order.placed/7"))
    problem = assert_problem(answer, 422, "schema")
    assert problem["detail"] == "This event names version 7 of shop.order.placed; there are 1, 2 and 3."
    assert problem["attribute"] == "dataschema"
    assert stored(bus) == []


def test_a_version_registered_a_moment_ago_may_be_named(caller: Caller, bus: Bus, domain: Domain) -> None:
    kind = register(domain)
    assert caller.structured(event(id="a", data={"v3": 1})).status == 202
    SchemaVersion.objects.create(event_type=kind, number=4, schema='{"required": ["v4"]}')
    named = event(id="b", data={"v4": 1}, dataschema=f"{HOST}/shop.order.placed/4")
    assert caller.structured(named).status == 202


def test_warn_and_off_store_unknown_versions_with_their_verdict(
    caller: Caller, bus: Bus, domain: Domain
) -> None:
    kind = register(domain, "kept.verdict", validation=EventType.Validation.WARN)
    unknown = f"{HOST}/kept.verdict/7"

    def event(**attributes: Any) -> dict[str, Any]:
        return calling.event(type="kept.verdict", **attributes)

    assert caller.structured(event(id="a", dataschema=unknown)).status == 202
    kind.validation = EventType.Validation.OFF
    kind.save()
    assert caller.structured(event(id="b", dataschema=unknown)).status == 202
    assert caller.structured(event(id="c", data={})).status == 202
    newest = kind.versions.get(number=3).pk
    assert kept(bus) == [(None, 0), (None, None), (newest, None)]
    assert facts().versions("kept.verdict") == {0: 2, 3: 1}


# ── what is deprecated ──


def test_publishers_of_a_deprecated_type_are_told_until_when_and_what_comes_instead(
    caller: Caller, bus: Bus, domain: Domain
) -> None:
    successor = register(domain, "shop.order.committed", versions=2)
    register(
        domain,
        lifecycle=Lifecycle.DEPRECATED,
        deprecated_at=SINCE,
        ends_on=date(2026, 12, 31),
        successor=successor,
    )
    answer = caller.structured(event(data={"v3": 1}))
    assert answer.status == 202
    assert answer.headers["deprecation"] == f"@{int(SINCE.timestamp())}"
    assert answer.headers["sunset"] == "Thu, 31 Dec 2026 23:59:59 GMT"
    assert answer.headers["link"] == (
        '</schemas/shop.order.committed/2>; rel="successor-version", '
        '</events/shop.order.placed/>; rel="deprecation"; type="text/html"'
    )
    assert answer.json()["accepted"][0]["deprecated"] is True


def test_publishers_of_a_deprecated_version_are_told_of_the_one_that_counts(
    caller: Caller, bus: Bus, domain: Domain
) -> None:
    kind = register(domain)
    end(kind.versions.get(number=1), Lifecycle.DEPRECATED)
    old = event(id="a", data={"v1": 1}, dataschema=f"{HOST}/shop.order.placed/1")
    answer = caller.structured(old)
    assert answer.status == 202
    assert answer.headers["deprecation"] == f"@{int(SINCE.timestamp())}"
    assert "sunset" not in answer.headers
    assert answer.headers["link"].startswith('</schemas/shop.order.placed/3>; rel="successor-version", ')
    ending = kind.versions.get(number=1)
    ending.ends_on = date(2027, 3, 31)
    ending.save(update_fields=["ends_on"])
    assert caller.structured(old | {"id": "c"}).headers["sunset"] == "Wed, 31 Mar 2027 23:59:59 GMT"
    # A repeat is told again, and who sends the version that counts is told nothing.
    assert "deprecation" in caller.structured(old).headers
    fresh = caller.structured(event(id="b", data={"v3": 1}))
    assert not {"deprecation", "sunset", "link"} & fresh.headers.keys()
    assert "deprecated" not in fresh.json()["accepted"][0]


def test_a_batch_is_told_the_earliest_dates_and_which_of_its_events_are_meant(
    caller: Caller, bus: Bus, domain: Domain
) -> None:
    for name, day, last in (("a", 5, date(2027, 1, 1)), ("b", 4, date(2027, 2, 1)), ("c", 6, None)):
        since = datetime(2026, 11, day, tzinfo=UTC)
        register(domain, name, versions=1, lifecycle=Lifecycle.DEPRECATED, deprecated_at=since, ends_on=last)
    register(domain, "fresh", versions=0)
    sent = [
        event(id=str(n), type=name, data={"v1": 1}) for n, name in enumerate(["a", "fresh", "b", "c", "a"])
    ]
    answer = caller.batch(sent)
    assert answer.status == 202
    assert answer.headers["deprecation"] == f"@{int(datetime(2026, 11, 4, tzinfo=UTC).timestamp())}"
    assert answer.headers["sunset"] == "Fri, 01 Jan 2027 23:59:59 GMT"
    assert answer.headers["link"].count('rel="deprecation"') == 3
    told = [entry.get("deprecated", False) for entry in answer.json()["accepted"]]
    assert told == [True, False, True, True, True]


def test_put_events_is_told_as_well(caller: Caller, bus: Bus, domain: Domain) -> None:
    register(domain, lifecycle=Lifecycle.DEPRECATED, deprecated_at=SINCE)
    answer = caller.structured(event(data={"v3": 1}, eventbusname="orders"), path="/putEvents")
    assert (answer.status, answer.headers["deprecation"]) == (200, f"@{int(SINCE.timestamp())}")


# ── what is retired, what is not registered ──


@pytest.mark.parametrize("mode", EventType.Validation.values)
def test_a_retired_type_takes_nothing(caller: Caller, bus: Bus, domain: Domain, mode: str) -> None:
    register(domain, lifecycle=Lifecycle.RETIRED, validation=mode)
    problem = assert_problem(caller.structured(event(data={"v3": 1})), 422, "retired-type")
    assert "shop.order.placed is retired" in problem["detail"]
    assert problem["attribute"] == "type"
    assert stored(bus) == []


def test_a_bus_may_refuse_types_that_nobody_registered(caller: Caller, bus: Bus, domain: Domain) -> None:
    register(domain)
    assert caller.structured(event(id="a", type="shop.order.plcaed")).status == 202
    bus.unregistered = Bus.Unregistered.REJECT
    bus.save()
    found = [event(id="b", data={"v3": 1}), event(id="c", type="shop.order.plcaed")]
    problem = assert_problem(caller.batch(found), 422, "unregistered")
    assert "Did you mean shop.order.placed?" in problem["detail"]
    assert (problem["index"], problem["attribute"]) == (1, "type")
    assert [row["ce_id"] for row in stored(bus)] == ["a"]
    register(domain, "shop.order.plcaed", versions=0)
    assert caller.batch(found).status == 202


def test_a_retired_bus_takes_nothing_by_any_way(caller: Caller, bus: Bus) -> None:
    assert caller.structured(event(id="a")).status == 202
    bus.retired_at = datetime(2026, 11, 3, tzinfo=UTC)
    bus.save()
    problem = assert_problem(caller.structured(event(id="b")), 410, "retired-bus")
    assert "'orders' was retired on 2026-11-03" in problem["detail"]
    put = caller.structured(event(id="c", eventbusname="orders"), path="/putEvents")
    assert (put.status, put.json()["code"]) == (409, "EventBusNotExist")
    with pytest.raises(PublishRefused, match="was retired on"):
        facts().publish("orders", json.dumps(event(id="d")).encode())
    # Who has no token learns nothing of it.
    assert caller.structured(event(id="e"), token=None).status == 401
    assert [row["ce_id"] for row in stored(bus)] == ["a"]
    bus.retired_at, bus.open_publishing = timezone.now(), True
    bus.save()
    assert caller.structured(event(id="f"), token=None).status == 410
