"""A condition on a field that nothing has: said while it is written, and asked about before the rule listens."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.models import Bus
from rules.models import Rule
from tests.integration.rule_preview.tried import form, look, order, text

MEANT = "Did you mean <code>data.total.amount</code>?"


@pytest.mark.parametrize(
    ("filter", "said"),
    [
        ({"path": ["data.total.ammount"]}, "<code>data.total.ammount</code> is in none of the 2 events"),
        ({"path": ["data.total.ammount"], "method": ["absent"], "values": [""]}, MEANT),
        ({"mode": "json", "pattern": '{"data": {"total": {"ammount": [7]}}}'}, MEANT),
    ],
    ids=["row", "absent", "json"],
)
def test_a_misspelt_field_is_said_with_the_one_that_is_meant(
    someone: Client, bus: Bus, filter: dict[str, Any], said: str
) -> None:
    order(bus, 1, 900)
    order(bus, 2, 1000)
    shown = text(look(someone, bus, **filter))
    assert said in shown
    assert MEANT in shown


@pytest.mark.parametrize(
    "path", ["data.total.amount", "data.lines.sku", "data.total", "subject", "data.rare"]
)
def test_a_field_that_a_schema_or_any_event_has_is_no_mistake(someone: Client, bus: Bus, path: str) -> None:
    order(bus, 1, 900)
    order(bus, 2, 900, data={"rare": 1})
    order(bus, 3, 900)
    assert "is in none of" not in text(look(someone, bus, path=[path], method=["is"], values=["x"]))


def test_a_field_that_may_be_absent_is_no_mistake_when_no_other_is_like_it(someone: Client, bus: Bus) -> None:
    order(bus, 1, 900)
    assert (
        "zzzz"
        not in text(look(someone, bus, path=["data.zzzz"], method=["absent"], values=[""])).split("<pre")[0]
    )


def test_a_rule_that_would_have_taken_nothing_is_asked_about_once(someone: Client, bus: Bus) -> None:
    order(bus, 1, 900)
    sent = form(bus, path=["data.total.ammount"], do="start")
    asked = someone.post("/subscribe/", sent)
    assert asked.status_code == 422
    assert not Rule.objects.exists()
    shown = text(asked)
    assert "Listen although nothing would have passed?" in shown
    assert MEANT in shown
    confirmed = asked.context["digest"]
    # Another filter is another question.
    assert someone.post("/subscribe/", sent | {"confirmed": confirmed, "values": ["≥ 7"]}).status_code == 422
    assert someone.post("/subscribe/", sent | {"confirmed": confirmed}).status_code == 302
    assert Rule.objects.get().enabled


def test_a_draft_that_would_take_nothing_is_asked_about_when_it_starts(someone: Client, bus: Bus) -> None:
    order(bus, 1, 900)
    sent = form(bus, path=["data.total.ammount"])
    someone.post("/subscribe/", sent | {"do": "draft"})
    rule = Rule.objects.get()
    asked = someone.post(f"/rules/{rule.pk}/edit/", sent | {"do": "start", "rule": rule.pk})
    assert "Listen although nothing would have passed?" in text(asked)
    rule.refresh_from_db()
    assert not rule.enabled


def test_where_nothing_has_arrived_nothing_is_asked(someone: Client, bus: Bus) -> None:
    assert someone.post("/subscribe/", form(bus, path=["data.total.ammount"], do="start")).status_code == 302


def test_trying_a_form_presses_none_of_its_buttons(someone: Client, bus: Bus) -> None:
    order(bus, 1, 900)
    for pressed in ({"do": "add-row"}, {"do": "drop-row-0"}, {"pick": '{"path": "data.n", "value": 1}'}):
        assert [row.path for row in look(someone, bus, **pressed).context["draft"].rows] == [
            "data.total.amount"
        ]


def test_the_switch_of_a_rule_that_would_take_nothing_asks_once(someone: Client, bus: Bus) -> None:
    order(bus, 1, 900)
    someone.post("/subscribe/", form(bus, path=["data.total.ammount"]) | {"do": "draft"})
    rule = Rule.objects.get()
    switch = f"/rules/{rule.pk}/switch/"
    asked = someone.post(switch, {"enabled": "1"})
    assert asked.status_code == 422
    shown = text(asked)
    assert "Listen although nothing would have passed?" in shown
    assert "would have passed. That is right for something rare" in shown
    assert "Did you mean <code>data.total.amount</code>?" in shown
    assert not Rule.objects.get().enabled
    # What was seen was another revision of the rule.
    assert someone.post(switch, {"enabled": "1", "confirmed": str(rule.revision + 1)}).status_code == 422
    answer = someone.post(switch, {"enabled": "1", "confirmed": str(rule.revision)})
    assert (answer.status_code, Rule.objects.get().enabled) == (302, True)


def test_the_switch_asks_nothing_where_events_would_pass_or_none_came_yet(someone: Client, bus: Bus) -> None:
    someone.post("/subscribe/", form(bus, path=["data.total.amount"]) | {"do": "draft"})
    switch = f"/rules/{Rule.objects.get().pk}/switch/"
    assert someone.post(switch, {"enabled": "1"}).status_code == 302
    someone.post(switch, {"enabled": "0"})
    order(bus, 1, 900)
    assert someone.post(switch, {"enabled": "1"}).status_code == 302
    assert Rule.objects.get().enabled
