"""Whom a new schema version would touch, tried on past events through the rules that listen."""

from __future__ import annotations

import copy
import html
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog import facts
from catalog.models import Bus, Domain, EventType, SchemaVersion, Team
from delivery.pages.affecting import affected, gone_between, without
from delivery.tracking.facts import LogFacts
from rules.models import Rule, Target
from rules.revisions import subscribe
from tests.integration import rows as write

OLD = {
    "type": "object",
    "required": ["n"],
    "properties": {
        "n": {"type": "integer"},
        "total": {"type": "object", "properties": {"amount": {"type": "number"}}},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
    },
}


@pytest.fixture(autouse=True)
def an_empty_log(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # Each test's rules begin at version 1 again, which the facts of the process have seen.
    monkeypatch.setattr(facts, "_facts", LogFacts())
    write.empty()
    yield
    write.empty()


@pytest.fixture
def bus() -> Bus:
    team = Team.objects.create(name="Shop", slug="shop")
    domain = Domain.objects.create(name="Orders", slug="orders", badge="OR", team=team)
    placed = EventType.objects.create(name="order.placed", summary="…", domain=domain, team=team)
    SchemaVersion.objects.create(event_type=placed, number=1, schema=json.dumps(OLD), example='{"n": 1}')
    return Bus.objects.create(name="main")


@pytest.fixture
def someone(client: Client, bus: Bus) -> Client:
    client.force_login(get_user_model().objects.create_superuser("mara"))
    return client


def orders(bus: Bus, count: int) -> None:
    for number in range(count):
        data = {"n": number, "total": {"amount": 100.0 * number}, "lines": [{"sku": "a"}]}
        write.store(bus.pk, id=f"e{number}", data=data)


def listens(bus: Bus, name: str, pattern: dict[str, Any], **target: Any) -> Rule:
    rule = Rule(name=name, bus=bus, team=Team.objects.get(), pattern={"type": ["order.placed"]} | pattern)
    made = {"name": f"{name}’s", "connector": "http", "config": {"url": "http://127.0.0.1:8999/"}} | target
    return subscribe(rule, Target(**made))


def asked(client: Client, schema: Any, name: str = "order.placed") -> str:
    text = schema if isinstance(schema, str) else json.dumps(schema)
    answer = client.post(f"/rules/affected/?type={name}", {"schema": text})
    assert answer.status_code == 200
    page = html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode()))
    return re.sub(r"\s+", " ", page)


def changed(**properties: Any) -> dict[str, Any]:
    """OLD with other properties; None takes one away."""
    schema = copy.deepcopy(OLD)
    schema["properties"] |= properties
    schema["properties"] = {name: one for name, one in schema["properties"].items() if one is not None}
    return schema


def test_a_rule_that_filters_by_what_is_gone_would_stop_matching(someone: Client, bus: Bus) -> None:
    orders(bus, 10)
    large = listens(bus, "Large orders", {"data": {"total": {"amount": [{"numeric": [">=", 500]}]}}})
    listens(bus, "All orders", {})
    page = asked(someone, changed(total=None))
    assert "1 of 2 rules would stop matching" in page
    assert "took 5 events, would take none" in page
    assert "all of the last 10 events fit" in page
    assert "no longer declares: data.total" in page
    answer = someone.post("/rules/affected/?type=order.placed", {"schema": json.dumps(changed(total=None))})
    assert f'href="/rules/{large.pk}/"' in answer.content.decode()
    assert "All orders" not in page


def test_the_only_event_there_is_is_not_counted(someone: Client, bus: Bus) -> None:
    orders(bus, 1)
    assert "tried on the last event" in asked(someone, changed(note={"type": "string"}))
    assert "the last event fits" in asked(someone, changed(note={"type": "string"}))
    assert "the last event would be refused" in asked(someone, changed(n={"type": "string"}))


def test_events_that_the_new_version_refuses_are_counted_and_miss_in_the_rules(
    someone: Client, bus: Bus
) -> None:
    orders(bus, 10)
    listens(bus, "All orders", {})
    few = changed(n={"type": "integer", "maximum": 6})
    page = asked(someone, few)
    assert "3 of the last 10 events would be refused" in page
    assert "took 10 events, would take 7" in page
    assert "the one rule that listens keeps matching" in page
    EventType.objects.update(validation="warn")
    page = asked(someone, few)
    assert "3 of the last 10 events would not fit" in page
    assert "would take" not in page


def test_events_that_do_not_even_fit_today_are_told_apart(someone: Client, bus: Bus) -> None:
    orders(bus, 2)
    write.store(bus.pk, id="odd", data={"n": "many"})
    page = asked(someone, changed(note={"type": "string"}))
    assert "1 of the last 3 events would be refused" in page
    assert "1 of them do not fit today’s version either." in page


def test_a_transform_that_reads_what_is_gone_is_named_with_its_path(someone: Client, bus: Bus) -> None:
    orders(bus, 3)
    transform = {"kind": "partial", "path": "$.data.total"}
    listens(bus, "Sums", {}, transform=transform)
    target = Target.objects.get()
    answer = someone.post("/rules/affected/?type=order.placed", {"schema": json.dumps(changed(total=None))})
    page = html.unescape(answer.content.decode())
    assert f'href="/targets/{target.pk}/"' in page
    assert "data.total" in page.split("Sums’s")[1]


def test_what_a_contract_would_refuse_is_counted_with_the_reason(someone: Client, bus: Bus) -> None:
    orders(bus, 3)
    contract = {"schema": {"type": "object", "required": ["lines"]}}
    listens(bus, "Warehouse", {}, transform={"kind": "partial", "path": "$.data"}, contract=contract)
    page = asked(someone, changed(lines=None))
    assert "3 of 3 could not be sent" in page
    assert "“lines” is missing" in page


def test_without_events_it_says_who_listens(someone: Client, bus: Bus) -> None:
    listens(bus, "All orders", {})
    assert "no event of this type to try it on. 1 rule listens to it." in asked(someone, changed())


def test_a_rule_that_is_switched_off_is_not_asked(someone: Client, bus: Bus) -> None:
    orders(bus, 2)
    rule = listens(bus, "All orders", {})
    Rule.objects.filter(pk=rule.pk).update(enabled=False)
    assert "no rule listens to it" in asked(someone, changed(total=None))


def test_a_wrong_schema_or_a_first_version_says_nothing(someone: Client, bus: Bus) -> None:
    assert asked(someone, "{").strip() == ""
    SchemaVersion.objects.all().delete()
    assert asked(someone, changed()).strip() == ""
    assert someone.post("/rules/affected/?type=order.lost", {"schema": "{}"}).status_code == 404
    assert someone.get("/rules/affected/?type=order.placed").status_code == 405


def test_who_may_not_see_rules_does_not_see_whom_it_touches(client: Client, bus: Bus) -> None:
    person = get_user_model().objects.create_user("reader")
    person.user_permissions.set(Permission.objects.filter(codename="add_schemaversion"))
    client.force_login(person)
    assert client.post("/rules/affected/?type=order.placed", {"schema": "{}"}).status_code == 403


def test_it_ends_in_time_and_says_that_it_did(bus: Bus) -> None:
    orders(bus, 5)
    listens(bus, "All orders", {})
    from catalog.schemas.validator import compile_schema

    old, ticks = json.dumps(OLD), iter(range(1000))
    both = (compile_schema(old), compile_schema(old))
    found = affected("order.placed", old, old, both, True, clock=lambda: next(ticks) * 0.3)
    assert 0 < found.looked < 5
    assert not found.all_tried
    assert affected("order.placed", old, old, both, True).all_tried


def test_the_outermost_field_that_is_gone_stands_for_what_is_inside() -> None:
    assert gone_between(OLD, changed(total=None)) == [("total",)]
    assert gone_between(OLD, changed(lines={"type": "array", "items": {"type": "object"}})) == [
        ("lines", "[]", "sku")
    ]
    assert gone_between(OLD, OLD) == []


VALUES = st.recursive(
    st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
)


# On a loaded machine making values is slow, which says nothing of them; all are made and tried.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(VALUES, st.lists(st.sampled_from([("a",), ("a", "b"), ("b", "[]", "c"), ("c", "a")]), max_size=3))
def test_taking_fields_out_leaves_the_event_as_it_was_and_is_done_once(
    value: Any, paths: list[tuple[str, ...]]
) -> None:
    before = copy.deepcopy(value)
    left = without(value, paths)
    assert value == before
    assert without(left, paths) is left
