"""Events whose type has a schema."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection

from catalog.models import Bus, Domain, EventType, SchemaVersion, Team
from tests.unit.ingest.calling import Caller, assert_problem, event, stored

SCHEMA = {
    "type": "object",
    "required": ["order"],
    "properties": {
        "order": {"type": "object", "properties": {"total": {"type": "number", "minimum": 0}}},
        "lines": {"type": "array", "items": {"type": "string"}},
    },
}


def register(domain: Domain, schema: Any = SCHEMA, **fields: Any) -> EventType:
    found, _ = EventType.objects.get_or_create(
        name="shop.order.placed", defaults={"domain": domain, "team": Team.objects.get(), **fields}
    )
    number = found.versions.count() + 1
    SchemaVersion.objects.create(event_type=found, number=number, schema=json.dumps(schema))
    return found


def invalid_counted(bus: Bus) -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE(SUM(events), 0), COALESCE(SUM(invalid), 0) FROM rollup_received WHERE bus = %s",
            [bus.pk],
        )
        events, invalid = cursor.fetchone()
    return int(events), int(invalid)


def test_an_event_that_fits_is_stored_with_the_version_it_fits(
    caller: Caller, bus: Bus, domain: Domain
) -> None:
    version = register(domain).latest
    assert version is not None
    assert caller.structured(event(data={"order": {"total": 1}})).status == 202
    assert [(row["schema_version"], row["valid"]) for row in stored(bus)] == [(version.pk, 1)]


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"data": {"order": {"total": -1}}}, "data/order/total: "),
        ({"data": {"order": {}, "lines": ["a", 7]}}, "data/lines/1: "),
        ({"data": {}}, "data: "),
        ({"data": []}, "data: "),
        ({"data": None}, "data: "),
        ({}, "The event has no data. "),
        ({"data": "text", "datacontenttype": "text/plain"}, "The data is text/plain"),
        ({"data_base64": "AAE=", "datacontenttype": "image/png"}, "The data is image/png"),
    ],
    ids=str,
)
def test_an_event_that_does_not_fit_is_refused_with_the_place(
    caller: Caller, bus: Bus, domain: Domain, data: dict[str, Any], place: str
) -> None:
    register(domain)
    problem = assert_problem(caller.structured(event(**data) | data), 422, "schema")
    assert problem["detail"].startswith(place)
    assert "version 1 of shop.order.placed" in problem["detail"]
    assert problem["attribute"] == "data"
    assert "index" not in problem
    assert stored(bus) == []


def test_one_event_that_does_not_fit_refuses_its_batch(caller: Caller, bus: Bus, domain: Domain) -> None:
    register(domain)
    good = event(id="a", data={"order": {}})
    problem = assert_problem(caller.batch([good, event(id="b", type="free"), event(id="c")]), 422, "schema")
    assert problem["index"] == 2
    assert stored(bus) == []


def test_a_batch_of_one_names_its_index_too(caller: Caller, domain: Domain) -> None:
    register(domain)
    assert assert_problem(caller.batch([event()]), 422, "schema")["index"] == 0


def test_a_type_that_only_records_takes_and_counts_them(caller: Caller, bus: Bus, domain: Domain) -> None:
    register(domain, validation=EventType.Validation.WARN)
    answer = caller.batch([event(id="a", data={"order": {}}), event(id="b"), event(id="c", data=1)])
    assert answer.status == 202
    assert [row["valid"] for row in stored(bus)] == [1, 0, 0]
    assert invalid_counted(bus) == (3, 2)


def test_a_type_without_a_schema_takes_anything(caller: Caller, bus: Bus, domain: Domain) -> None:
    EventType.objects.create(name="shop.order.placed", domain=domain, team=Team.objects.get())
    assert caller.structured(event(data=[1])).status == 202
    assert [(row["schema_version"], row["valid"]) for row in stored(bus)] == [(None, None)]


def test_a_schema_counts_from_the_next_event_on(caller: Caller, bus: Bus, domain: Domain) -> None:
    assert caller.structured(event(id="1")).status == 202
    register(domain)
    assert caller.structured(event(id="2")).status == 422
    assert caller.structured(event(id="3", data={"order": {}})).status == 202
    register(domain, {"type": "array"})
    problem = assert_problem(caller.structured(event(id="4", data={"order": {}})), 422, "schema")
    assert "version 2 of" in problem["detail"]
    assert caller.structured(event(id="5", data=[])).status == 202
    assert [row["ce_id"] for row in stored(bus)] == ["1", "3", "5"]


def test_a_change_of_validation_counts_from_the_next_event_on(
    caller: Caller, bus: Bus, domain: Domain
) -> None:
    found = register(domain)
    assert caller.structured(event(id="1")).status == 422
    found.validation = EventType.Validation.WARN
    found.save()
    assert caller.structured(event(id="2")).status == 202


def test_a_repeat_of_what_was_accepted_before_the_schema_is_judged_by_the_schema(
    caller: Caller, bus: Bus, domain: Domain
) -> None:
    assert caller.structured(event()).status == 202
    register(domain)
    assert caller.structured(event()).status == 422
    assert len(stored(bus)) == 1
