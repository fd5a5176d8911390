"""Subscribing on the page of an event type: the panel, what it makes, and what it keeps for the full editor."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from catalog.models import Bus, Domain, EventType, Team
from rules.models import Rule
from tests.integration.rule_preview.tried import SCRIPT, form, look, order, text

HERE = "/rules/subscribe/"


def panel(client: Client, **asked: str) -> Any:
    return client.get(HERE, {"inline": "1", "type": "order.placed"} | asked, headers=SCRIPT)


def send(client: Client, bus: Bus, **values: Any) -> Any:
    return client.post(HERE, form(bus, inline="1", **values), headers=SCRIPT)


def test_the_panel_is_the_editors_form_for_the_type_without_a_page_around_it(
    someone: Client, bus: Bus
) -> None:
    answer = text(panel(someone))
    assert "<html" not in answer
    assert answer.count('id="rule-form"') == 1
    assert '<input type="hidden" name="type" value="order.placed">' in answer
    for part in ("Keep only", "Send as", "Deliver to", "Start listening", "Open in the full editor"):
        assert part in answer


def test_without_script_the_full_editor_opens(someone: Client, bus: Bus) -> None:
    assert someone.get(HERE, {"type": "a/b c"}).url == "/subscribe/?type=a%2Fb+c"


def test_started_it_is_a_rule_that_listens_and_the_page_stays(someone: Client, bus: Bus) -> None:
    answer = send(someone, bus, do="start", deliver="place:bin")
    assert answer.status_code == 200
    assert "HX-Redirect" not in answer
    rule = Rule.objects.get()
    assert (rule.name, rule.enabled, rule.draft) == ("Large orders", True, False)
    assert rule.pattern == {
        "type": ["order.placed"],
        "data": {"total": {"amount": [{"numeric": [">=", 500]}]}},
    }
    assert json.loads(answer["HX-Trigger"]) == {"subscribed": rule.pk}
    said = text(answer)
    assert "Listening." in said
    assert "The next event that fits goes to Billing." in said
    assert f'href="/rules/{rule.pk}/"' in said
    assert re.search(r'href="/bins/\d+/"', said)
    assert f'hx-get="/rules/{rule.pk}/targets/"' in said


def test_a_draft_is_gone_on_with_in_the_editor(someone: Client, bus: Bus) -> None:
    answer = send(someone, bus, do="draft")
    assert (answer.status_code, answer["HX-Redirect"]) == (204, f"/rules/{Rule.objects.get().pk}/edit/")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"values": ["≥ many"]}, "≥ many"),
        ({"name": ""}, "This field is required."),
        ({"template": '{"ref": "${data.'}, "template-problems"),
        ({"config-http-url": "nowhere"}, "config-http-url"),
    ],
)
def test_what_is_wrong_is_said_in_the_panel_and_nothing_is_made(
    someone: Client, bus: Bus, wrong: dict[str, Any], words: str
) -> None:
    answer = send(someone, bus, do="start", **wrong)
    said = text(answer)
    assert answer.status_code == 200
    assert "Not subscribed yet." in said
    assert words in said
    assert 'id="rule-form"' in said
    assert not Rule.objects.exists()


def test_a_condition_is_added_and_a_value_pressed_within_the_panel(someone: Client, bus: Bus) -> None:
    added = text(send(someone, bus, do="add-row"))
    assert 'id="row-1-path"' in added
    assert "Start listening" in added
    order(bus, 1, 700.0)
    tried = text(look(someone, bus, inline="1"))
    assert 'hx-post="/rules/subscribe/"' in tried
    picked = text(send(someone, bus, do="", pick='{"path": "data.n", "value": 1}'))
    assert 'value="data.n"' in picked
    assert "<html" not in picked


def test_the_full_editor_shows_what_was_entered(someone: Client, bus: Bus) -> None:
    answer = text(someone.post("/subscribe/", form(bus, inline="1", do="refresh")))
    assert "<html" in answer
    assert 'value="≥ 500"' in answer
    assert 'value="Large orders"' in answer
    assert '{"ref": "${data.n}"}' in answer


def test_who_may_not_make_rules_gets_neither_button_nor_panel(client: Client, bus: Bus) -> None:
    team = Team.objects.get()
    domain = Domain.objects.create(name="Orders", slug="orders", badge="OR", hue=0, team=team)
    EventType.objects.create(name="order.placed", summary="…", domain=domain, team=team)
    reader = get_user_model().objects.create_user("reader")
    reader.user_permissions.add(Permission.objects.get(codename="view_eventtype"))
    client.force_login(reader)
    assert 'id="subscribe-button"' not in text(client.get("/events/order.placed/"))
    assert panel(client).status_code == 403
