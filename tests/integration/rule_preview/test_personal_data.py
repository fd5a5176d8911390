"""Personal fields of real events in what the rule editor and a journey show to whom they do not concern."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from catalog.models import Bus, Domain, EventType, Team, Token
from delivery.pages.veil import hides
from rules.fields import fields_of
from rules.models import Rule
from tests.integration.rule_preview.tried import SCRIPT, Receiver, form, look, order, text
from tests.integration.rules_api.asking import PREVIEW, TEST, ask

DATA = {"n": 1, "total": {"amount": 700}, "customer": {"email": "lin@example.org", "country": "SE"}}


@pytest.fixture
def stored(bus: Bus) -> int:
    """The seq of an event of a type with a personal field; the reader is not of its owner's team."""
    team = Team.objects.get()
    domain = Domain.objects.create(name="Orders", slug="orders", badge="OR", hue=0, team=team)
    EventType.objects.create(
        name="order.placed", summary="…", domain=domain, team=team, personal=["customer.email"]
    )
    return order(bus, 1, 700.0, data=DATA)


@pytest.fixture
def reader(client: Client, bus: Bus) -> Client:
    """Somebody of no team who may write rules, and look at everything."""
    user = get_user_model().objects.create_user("lin")
    for codename in (
        "view_rule",
        "add_rule",
        "change_rule",
        "change_target",
        "view_target",
        "view_eventtype",
    ):
        user.user_permissions.add(Permission.objects.get(codename=codename))
    client.force_login(user)
    return client


CONDITION = {"path": ["data.customer.email"], "method": ["is"], "values": ["somebody@example.org"]}


@pytest.mark.parametrize(
    "draft",
    [
        {},
        {"send": "complete"},
        {"template": '{"to": "${data.customer.email}"}'},
        CONDITION,
        {"path": ["data.n"], "method": ["is"], "values": ["2"]},
        {"contract": '{"type": "object", "properties": {"to": {"maxLength": 3}}}', "template": '{"to": "${data.customer.email}"}'},
        {"values": ["≥ broken"]},
    ],
)  # fmt: skip
def test_the_preview_hides_them_from_strangers_and_shows_them_to_staff(
    reader: Client, someone: Client, bus: Bus, stored: int, draft: dict[str, object]
) -> None:
    user = get_user_model().objects.get(username="lin")
    reader.force_login(user)
    seen = text(look(reader, bus, **draft))
    assert "o-1" in seen
    assert "lin@example.org" not in seen
    assert "SE" in seen
    someone.force_login(get_user_model().objects.get(username="mara"))
    assert "lin@example.org" in text(look(someone, bus, **draft))


def test_hidden_values_still_count_for_what_a_rule_takes(reader: Client, bus: Bus, stored: int) -> None:
    seen = text(look(reader, bus, **CONDITION | {"values": ["lin@example.org"]}))
    assert "1</span></b> of the 1 events there are would have gone" in " ".join(seen.split())


def test_the_editors_completions_hold_no_personal_values(reader: Client, bus: Bus, stored: int) -> None:
    samples = {field.path: field.sample for field in fields_of(["order.placed"])}
    assert samples["data.customer.email"] == ""
    assert samples["data.customer.country"] == "SE"
    page = text(reader.post("/subscribe/", form(bus, do="refresh")))
    assert "lin@example.org" not in page


def test_a_journey_and_its_download_hide_them(reader: Client, bus: Bus, stored: int) -> None:
    rule = Rule(name="Lin only", bus=bus, team=Team.objects.get(), enabled=True)
    rule.pattern = {"type": ["order.placed"], "data": {"customer": {"email": ["ada@example.org"]}}}
    rule.save()
    for url in (f"/journey/{stored}/", f"/journey/{stored}/event.json"):
        page = text(reader.get(url))
        assert "••••" in page
        assert "lin@example.org" not in page
        assert "SE" in page


@pytest.mark.parametrize(
    ("sent", "refused"),
    [
        ({"send": "complete"}, True),
        ({"template": '{"to": "${data.customer.email}"}'}, True),
        ({"template": '{"where": "${data.customer.country}"}'}, False),
    ],
)
def test_nobody_sends_by_hand_what_they_may_not_see(
    reader: Client, bus: Bus, stored: int, sink: Receiver, sent: dict[str, str], refused: bool
) -> None:
    values = {
        "path": [""],
        "method": ["is"],
        "values": [""],
        "config-http-url": sink.url("/hook"),
        "trial": "send",
    }
    answer = text(reader.post("/rules/trial/", form(bus, **values | sent), headers=SCRIPT))
    assert ("This would send personal data" in answer) is refused
    assert len(sink.requests) == (0 if refused else 1)


@pytest.mark.parametrize(
    ("contract", "words"),
    [
        ('{"properties": {"to": {"maxLength": 3}}}', "why is hidden"),
        ('{"required": ["from"]}', "“from” is missing"),
    ],
)
def test_a_refused_save_names_no_personal_value(
    someone: Client, bus: Bus, stored: int, contract: str, words: str
) -> None:
    values = {"template": '{"to": "${data.customer.email}"}', "contract": contract, "do": "start"}
    answer = text(someone.post("/subscribe/", form(bus, **values), headers=SCRIPT))
    assert "would not fit" in answer
    assert words in answer
    assert "lin@example.org" not in answer


@pytest.mark.parametrize(("team", "seen"), [("Shop", "lin@example.org"), ("Growth", "••••")])
def test_a_program_reads_them_in_stored_events_with_a_token_of_a_team_that_may(
    client: Client, bus: Bus, stored: int, team: str, seen: str
) -> None:
    whose, _made = Team.objects.get_or_create(name=team, defaults={"slug": team.lower()})
    _token, secret = Token.issue(name="tests", bus=bus, team=whose, reads=True)

    def ask_for(url: str, asked: dict[str, object]) -> dict[str, object]:
        found = ask(client, url, asked, Authorization=f"Bearer {secret}")
        assert found.status_code == 200, found.content
        return dict(json.loads(found.content))

    transform = {"kind": "template", "template": '{"to": "${data.customer.email}"}'}
    found = ask_for(PREVIEW, {"transform": transform, "seq": stored})
    assert json.loads(found["body"]) == {"to": seen}
    pattern = {"data": {"customer": {"email": ["lin@example.org"]}}}
    tested = ask_for(TEST, {"pattern": pattern, "bus": bus.name})
    assert tested["matched"] == (1 if seen != "••••" else 0)


@pytest.mark.parametrize(
    ("path", "hidden"),
    [
        ("data.customer.email", True),
        ("data.customer", True),
        ("data.customer.email.domain", True),
        ("data.customer.country", False),
        ("data.lines.name", True),
        ("data", True),
        ("subject", False),
        ("data.other", False),
    ],
)
def test_a_condition_is_personal_when_it_looks_at_or_around_what_is(path: str, hidden: bool) -> None:
    assert hides(path, ["customer.email", "lines[].name"]) is hidden
