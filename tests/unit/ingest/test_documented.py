"""docs/ingest.md says what the application answers: its examples are made here and compared word for word."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connections, transaction

from catalog.models import Bus, Domain, EventType, SchemaVersion, Team
from delivery.ingest import app
from delivery.ingest.problem import FURTHER, KINDS
from delivery.ingest.putevents import CODES
from tests.unit.ingest.calling import BATCH, Answer, Caller, event
from tests.vectors import REPOSITORY

PAGE = (REPOSITORY / "docs" / "ingest.md").read_text()
PROBLEMS = {
    document["type"].rpartition(":")[2]: document
    for document in map(
        json.loads, re.findall(r"^```json\n(\{\"type\".*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    )
}

Scene = Callable[[Caller, pytest.MonkeyPatch], Answer]


def schema(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> Answer:
    team = Team.objects.get()
    domain = Domain.objects.create(name="Orders", slug="orders", badge="OR", team=team)
    kind = EventType.objects.create(name="shop.order.placed", domain=domain, team=team)
    text = '{"properties": {"total": {"type": "number", "minimum": 0}}}'
    SchemaVersion.objects.create(event_type=kind, number=1, schema=text)
    return caller.structured(event(data={"total": -1}))


def registered(name: str = "shop.order.placed", **fields: Any) -> EventType:
    team = Team.objects.get()
    domain = Domain.objects.get_or_create(slug="orders", defaults={"name": "Orders", "badge": "OR"})[0]
    return EventType.objects.create(name=name, domain=domain, team=team, **fields)


def retired_bus(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> Answer:
    bus = Bus.objects.get(name="orders")
    bus.retired_at = datetime(2026, 11, 3, tzinfo=UTC)
    bus.save()
    return caller.structured(event())


def unregistered(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> Answer:
    registered()
    bus = Bus.objects.get(name="orders")
    bus.unregistered = Bus.Unregistered.REJECT
    bus.save()
    return caller.structured(event(type="shop.order.plcaed"))


def retired_type(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> Answer:
    successor = registered("shop.order.committed")
    registered(lifecycle="retired", ends_on=date(2026, 11, 1), successor=successor)
    return caller.structured(event())


def forbidden(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> Answer:
    Bus.objects.create(name="payments")
    return caller.structured(event(), path="/v1/buses/payments/events")


def too_many(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> Answer:
    caller.ingest._waiting[caller.token.split("_")[1]] = app.SHARE
    return caller.structured(event())


def unavailable(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> Answer:
    assert caller.structured(event(), token="x").status == 401  # The directory is read by now.
    monkeypatch.setitem(connections["default"].settings_dict["OPTIONS"], "timeout", 0.05)
    with transaction.atomic():
        Team.objects.create(name="Slow", slug="slow")
        return caller.structured(event())


SCENES: dict[str, Scene] = {
    "malformed": lambda caller, _: caller.batch([event(id="1"), event(id="2", time="yesterday")]),
    "unauthenticated": lambda caller, _: caller.structured(event(), token=None),
    "forbidden": forbidden,
    "not-found": lambda caller, _: caller.structured(event(), path="/v1/buses/nowhere/events"),
    "method": lambda caller, _: caller.call(method="GET"),
    "retired-bus": retired_bus,
    "unregistered": unregistered,
    "retired-type": retired_type,
    "too-large": lambda caller, _: caller.call(b"x" * (1024 * 1024 + 1), {"content-type": "text/plain"}),
    "content-type": lambda caller, _: caller.call(b"{}", {"content-type": "application/json"}),
    "schema": schema,
    "too-many": too_many,
    "unavailable": unavailable,
}


def test_every_kind_of_problem_has_an_example() -> None:
    kinds = {kind for kind, _ in KINDS.values()} | FURTHER.keys()
    assert kinds == SCENES.keys() == PROBLEMS.keys()


@pytest.mark.parametrize("kind", SCENES)
def test_the_example_of_a_problem_is_what_is_answered(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    answer = SCENES[kind](caller, monkeypatch)
    assert answer.json() == PROBLEMS[kind]
    assert answer.status == PROBLEMS[kind]["status"]
    assert f"### {answer.status} {kind}\n" in PAGE


@pytest.mark.parametrize("header", ["retry-after", "www-authenticate", "allow"])
def test_the_headers_of_problems_are_named(header: str) -> None:
    assert header in PAGE.lower()


@pytest.mark.parametrize(
    "code",
    [
        *CODES.values(),
        "Success",
        "EventBusEmpty",
        "PutEventsRequestMoreThanOneEventBus",
        "EventBusNotExist",
        "LoginFailed",
        "InternalError",
    ],
)
def test_every_code_of_putevents_is_in_its_table(code: str) -> None:
    assert f"`{code}`" in PAGE


def test_the_limits_are_those_of_the_codec(caller: Caller) -> None:
    limits = caller.ingest.limits
    section = PAGE.partition("\n## Limits\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| ([\d,]+) ", section, re.MULTILINE)
    documented = {name: int(value.replace(",", "")) for name, value in rows}
    assert documented == {
        "one event": limits.event_bytes,
        "one batch": limits.batch_bytes,
        "events in a batch": limits.batch,
        "attributes of an event": limits.attributes,
        "one attribute, name and value": limits.attribute_bytes,
        "levels of nesting": limits.depth,
    }


def test_the_batch_of_the_page_is_answered_as_it_says(caller: Caller) -> None:
    assert BATCH in PAGE
    first = caller.structured(event(id="1")).json()["accepted"][0]
    found = caller.batch([event(id="1"), event(id="1", data=1), event(id="2")]).json()["accepted"]
    documented = json.loads(re.findall(r'^(\{"accepted":.*"differs".*)$', PAGE, re.MULTILINE)[0])["accepted"]
    offset = first["seq"] - documented[0]["seq"]
    assert [{**entry, "seq": entry["seq"] + offset} for entry in documented] == found
