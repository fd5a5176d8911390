"""A document of many event types: which are listed, taken in one go, and left as drafts."""

from __future__ import annotations

import json

import pytest

from catalog import importing
from catalog.models import Draft, EventType, Team
from tests.integration.catalog.documents import SCRIPT, THING, openapi, pasted, value
from tests.integration.catalog.shop import text_of

pytestmark = pytest.mark.django_db


def test_the_list_says_which_types_are_registered_already(client, person, town, log):
    response = pasted(client, openapi("order.sent", "order.placed"))
    assert [choice.known for choice in response.context["choices"]] == ["", "order.placed"]
    assert response.content.decode().count("registered already") == 1


def test_several_types_are_listed_and_one_of_them_may_be_opened_in_the_form(client, person, town, log):
    document = openapi("order.sent", "order.lost", **{"order.lost": {"type": "objekt"}})
    response = pasted(client, document)
    assert "“Shop” describes 2 event types" in text_of(response)
    assert [(choice.candidate.name, choice.on) for choice in response.context["choices"]] == [
        ("order.sent", True),
        ("order.lost", False),
    ]
    assert "no JSON type" in text_of(response)
    assert "Register 1 event type" in text_of(response)
    opened = pasted(client, document, open="0")
    assert value(opened, "name") == "order.sent"


def test_schemas_that_are_only_parts_of_events_are_not_ticked(client, person, town, log):
    document = json.loads(openapi("order.sent"))
    document["components"] = {"schemas": {"Money": THING}}
    choices = pasted(client, document).context["choices"]
    assert {choice.candidate.name: choice.on for choice in choices} == {"order.sent": True, "money": False}


def shared(town, document, **fields):
    return {
        "document": document,
        "action": "several",
        "team": town.team_id,
        "domain": town.domain_id,
        "validation": "warn",
    } | fields


def test_ticked_types_are_registered_in_one_go_with_a_report(client, person, town, log):
    schemas = {
        "order.bad": {"type": "objekt"},
        "order.hard": THING
        | {"properties": {"id": {"type": "string", "pattern": "^[A-Z]$", "minLength": 5}}},
    }
    document = openapi("order.sent", "order.bad", "order.hard", "order.left", **schemas)
    response = client.post(
        "/events/new/", shared(town, document, take=["0", "1", "2"], tags="import, EU", before="shop.")
    )
    assert response.status_code == 302
    page = client.get(response.url)
    rows = {row["name"]: (row["state"], row["why"]) for row in page.context["report"]}
    assert rows["shop.order.sent"] == ("registered", "")
    assert rows["shop.order.bad"][0] == "draft"
    assert "no JSON type" in rows["shop.order.bad"][1]
    assert rows["shop.order.hard"][0] == "draft"
    assert "Write an example" in rows["shop.order.hard"][1]
    assert "1 event type is registered. 2 are drafts." in text_of(page)
    made = EventType.objects.get(name="shop.order.sent")
    assert (made.summary, made.team, made.validation, made.tags) == (
        "About order.sent", town.team, "warn", ["import", "EU"],
    )  # fmt: skip
    assert (made.latest.origin, json.loads(made.latest.example)) == ("openapi", {"id": "text"})
    hard = Draft.objects.get(name="shop.order.hard")
    opened = client.get(f"/events/new/?draft={hard.pk}")
    assert (value(opened, "name"), value(opened, "team")) == ("shop.order.hard", town.team_id)
    assert not EventType.objects.filter(name="shop.order.left").exists()


def test_a_type_that_is_there_gets_a_draft_of_its_next_version_or_nothing(client, person, town, log):
    document = openapi("order.placed", "order.sent")
    run = client.post("/events/new/", shared(town, document, take=["0", "1"])).url
    rows = {row["name"]: row for row in client.get(run).context["report"]}
    assert rows["order.placed"]["state"] == "draft"
    draft = Draft.objects.get(event_type=town)
    page = client.get(f"/events/order.placed/versions/new/?draft={draft.pk}")
    assert json.loads(value(page, "schema")).items() >= THING.items()
    again = client.post("/events/new/", shared(town, document, take=["1"])).url
    assert [row["state"] for row in client.get(again).context["report"]] == ["unchanged"]


def test_a_new_team_and_domain_are_made_once_for_all(client, person, town, log):
    fields = {"team": "", "domain": "", "new_team": "Logistics", "new_domain": "Parcels"}
    client.post("/events/new/", shared(town, openapi("a.one", "a.two"), take=["0", "1"], **fields))
    assert {one.team.name for one in EventType.objects.filter(name__startswith="a.")} == {"Logistics"}
    assert Team.objects.filter(name="Logistics").count() == 1


def test_ticked_types_may_be_kept_as_drafts_instead(client, person, town, log):
    run = client.post(
        "/events/new/", shared(town, openapi("a.one", "a.two"), take=["0", "1"], action="several-drafts")
    ).url
    assert [row["state"] for row in client.get(run).context["report"]] == ["draft", "draft"]
    assert EventType.objects.count() == 1
    assert Draft.objects.filter(name__in=["a.one", "a.two"], origin="openapi").count() == 2


MISSING = [
    ({"take": []}, "Tick at least one event type."),
    ({"take": ["7"]}, "Tick at least one event type."),
    ({"take": ["0"], "team": ""}, "Choose a team"),
    ({"take": ["0"], "before": "no space"}, "Only letters, digits"),
]


@pytest.mark.parametrize(("fields", "words"), MISSING)
def test_what_is_missing_for_several_is_told_and_changes_nothing(client, person, town, log, fields, words):
    response = client.post("/events/new/", shared(town, openapi("a.one", "a.two"), **fields))
    assert words in text_of(response)
    assert [choice.on for choice in response.context["choices"]] == ["0" in fields["take"], False]
    assert EventType.objects.count() == 1
    assert not Draft.objects.exists()


def test_a_long_import_goes_on_in_steps_and_after_an_interruption(client, person, town, log):
    names = [f"a.n{number}" for number in range(5)]
    at = {
        "team": str(town.team_id),
        "domain": str(town.domain_id),
        "before": "",
        "tags": "",
        "validation": "reject",
    }
    run = importing.start(person, openapi(*names), range(5), at, False, "Shop")
    importing.step(run, person, seconds=0)
    assert [row["name"] for row in run.content["report"]] == ["a.n0"]
    page = client.get(f"/events/new/import/{run.pk}/")
    assert "1 of 5 done." in text_of(page)
    assert 'hx-trigger="load' in page.content.decode()
    stale = Draft.objects.get(pk=run.pk)
    importing.step(Draft.objects.get(pk=run.pk), person, seconds=0)
    importing.step(stale, person)
    assert EventType.objects.filter(name__startswith="a.").count() == 2
    part = client.post(f"/events/new/import/{run.pk}/", headers=SCRIPT)
    assert "5 event types are registered." in text_of(part)
    assert "<html" not in part.content.decode()
    run.refresh_from_db()
    assert run.content["document"] == ""
    assert EventType.objects.filter(name__startswith="a.").count() == 5


def test_more_types_than_are_shown_can_be_taken_too(client, person, town, log, monkeypatch):
    from catalog.pages import pasting

    monkeypatch.setattr(pasting, "SHOWN", 2)
    document = openapi("a.one", "a.two", "a.three", "a.four")
    page = pasted(client, document)
    assert "and 2 more that are not shown" in text_of(page)
    run = client.post("/events/new/", shared(town, document, take=["1"], take_rest="on")).url
    assert [row["name"] for row in client.get(run).context["report"]] == ["a.two", "a.three", "a.four"]


def test_another_persons_import_cannot_be_seen(client, person, town, log, colleague):
    run = client.post("/events/new/", shared(town, openapi("a.one", "a.two"), take=["0"])).url
    client.force_login(colleague)
    assert client.get(run).status_code == 404
