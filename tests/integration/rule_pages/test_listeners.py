"""Who listens to an event type, wherever a rule says so: on the pages of the marketplace and of the rules."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.models import Bus, Team
from delivery.tracking.facts import LogFacts
from rules.models import Rule, Target
from rules.revisions import save_rule, subscribe

pytestmark = pytest.mark.django_db

SAYS: list[tuple[str, dict[str, Any]]] = [
    ("by its alternatives", {"pattern": {"$or": [{"type": ["order.placed"]}, {"type": ["order.sent"]}]}}),
    ("by an expression", {"sql": "type = 'order.placed' AND EXISTS subject"}),
    ("by filters", {"filters": [{"any": [{"exact": {"type": "order.placed"}}]}]}),
    ("as AWS", {"pattern": {"detail-type": ["order.placed"]}}),
    ("by its beginning", {"pattern": {"type": [{"prefix": "order."}]}}),
    ("to everything", {}),
]


@pytest.fixture
def rules(town: Bus) -> list[Rule]:
    team = Team.objects.get()
    made = []
    for name, says in SAYS:
        target = Target(name=name, connector="http", config={"url": "http://127.0.0.1:9/"})
        made.append(subscribe(Rule(name=name, bus=town, team=team, **says), target))
    return made


@pytest.mark.parametrize(
    ("type_name", "listen"),
    [
        ("order.placed", {name for name, _says in SAYS}),
        ("order.sent", {"by its alternatives", "by its beginning", "to everything"}),
        ("parcel.sent", {"to everything"}),
    ],
)
def test_a_rule_listens_to_what_its_filter_could_take(
    rules: list[Rule], type_name: str, listen: set[str]
) -> None:
    facts = LogFacts()
    assert {one.target for one in facts.listeners(type_name)} == listen
    assert facts.types([type_name])[type_name].listeners == len(listen)


def test_a_changed_rule_listens_elsewhere_at_once(rules: list[Rule]) -> None:
    facts = LogFacts()
    assert "by an expression" in {one.target for one in facts.listeners("order.placed")}
    rules[1].sql = "type = 'order.sent'"
    save_rule(rules[1])
    assert "by an expression" not in {one.target for one in facts.listeners("order.placed")}
    assert "by an expression" in {one.target for one in facts.listeners("order.sent")}


def test_the_pages_name_the_types_wherever_they_are_said(someone: Client, rules: list[Rule]) -> None:
    for rule in rules[:4]:
        assert "/events/order.placed/" in someone.get(f"/rules/{rule.pk}/").content.decode()
    assert "Every event of the bus." in someone.get(f"/rules/{rules[5].pk}/").content.decode()
    listed = someone.get("/rules/").content.decode()
    assert listed.count("order.placed</span>") == 4
    edited = someone.get(f"/rules/{rules[0].pk}/edit/").content.decode()
    assert "As the conditions below say:" in edited
    assert "order.placed, order.sent" in edited


def test_types_as_aws_calls_them_can_be_removed_and_added(someone: Client, rules: list[Rule]) -> None:
    aws = rules[3]
    page = someone.get(f"/rules/{aws.pk}/edit/").content.decode()
    assert 'name="type" value="order.placed"' in page
    assert 'name="types-key" value="detail-type"' in page
    sent = {
        "name": aws.name,
        "bus": aws.bus_id,
        "team": aws.team_id,
        "type": ["order.placed", "order.sent"],
        "types-key": "detail-type",
        "mode": "rows",
        "path": ["detail.total"],
        "method": ["present"],
        "values": [""],
        "do": "mode-json",
    }
    shown = someone.post(f"/rules/{aws.pk}/edit/", sent).context["draft"]
    wanted = {"detail-type": ["order.placed", "order.sent"], "detail": {"total": [{"exists": True}]}}
    assert shown.pattern == wanted
    sent |= {"mode": "json", "pattern": shown.text, "do": "drop-type-0"}
    dropped = someone.post(f"/rules/{aws.pk}/edit/", sent).context["draft"]
    assert dropped.pattern == wanted | {"detail-type": ["order.sent"]}
