"""Checks, drafts and wishes over the API."""

from __future__ import annotations

import json

import pytest

from catalog.models import Draft, Token, Wanted
from tests.integration.catalog.calls import call
from tests.integration.catalog.shop import SCHEMA
from tests.integration.catalog.test_api_event_types import BROKEN, gift, without

pytestmark = pytest.mark.django_db


@pytest.fixture
def bearer(town):
    """The headers of a program that may read."""
    _, text = Token.issue(name="build", team=town.team, reads=True)
    return {"Authorization": f"Bearer {text}"}


def test_a_schema_is_checked_with_its_examples(client, bearer):
    good = call(client, "POST", "/schemas:check", {"schema": json.loads(SCHEMA)}, **bearer)
    assert (good["valid"], good["mistakes"], len(good["notes"])) == (True, [], 1)
    bad = call(client, "POST", "/schemas:check", {"schema": BROKEN}, **bearer)
    assert (bad["valid"], bad["mistakes"][0]["line"]) == (False, 4)
    body = {"schema": SCHEMA, "example": {"order_id": 1}, "examples": [{"order_id": "1"}, {}]}
    wrong = call(client, "POST", "/schemas:check", body, **bearer)["mistakes"]
    assert [one["pointer"] for one in wrong] == ["/example/order_id", "/examples/1"]


def test_the_example_of_the_description_is_what_is_answered(client, bearer):
    from catalog.api.checks import BROKEN as ANSWER

    body = {"schema": {"type": "object", "properties": {"order_id": {"type": "strin"}}}}
    assert call(client, "POST", "/schemas:check", body, **bearer) == ANSWER


def test_a_document_is_checked_with_the_types_it_describes(client, bearer):
    text = """asyncapi: 3.0.0
info: {title: Shop, version: "1"}
channels:
  orders:
    address: orders
    messages:
      placed:
        name: order.placed
        payload: {type: object, properties: {id: {type: strin}}}
"""
    found = call(client, "POST", "/schemas:check", {"document": text}, **bearer)
    assert (found["kind"], found["valid"]) == ("AsyncAPI", False)
    assert [one["name"] for one in found["candidates"]] == ["order.placed"]
    assert found["candidates"][0]["problems"][0]["line"] == 9
    event = {"specversion": "1.0", "id": "1", "source": "/s", "type": "a.b", "data": {"x": 1}}
    assert (
        call(client, "POST", "/schemas:check", {"document": event}, **bearer)["candidates"][0]["name"]
        == "a.b"
    )
    call(client, "POST", "/schemas:check", {"document": "{}", "schema": {}}, 422, **bearer)
    call(client, "POST", "/schemas:check", {"document": "{}", "examples": []}, 422, **bearer)
    call(client, "POST", "/schemas:check", {}, 422, **bearer)
    call(client, "POST", "/schemas:check", "[1]", 400, **bearer)


def test_two_schemas_are_compared(client, bearer):
    old = json.loads(SCHEMA)
    same = call(client, "POST", "/compatibility:check", {"old": old, "new": gift()}, **bearer)
    assert (same["outcome"], same["accepted"], same["mode"]) == ("compatible", True, "forward")
    assert [one["path"] for one in same["changes"]] == ["data.gift"]
    body = {"old": old, "new": without("order_id")}
    broken = call(client, "POST", "/compatibility:check", body, **bearer)
    assert (broken["outcome"], broken["breaks"][0]["direction"]) == ("incompatible", "forward")
    kept = call(client, "POST", "/compatibility:check", body | {"mode": "backward"}, **bearer)
    assert kept["outcome"] == "compatible"


def test_a_schema_is_compared_with_the_versions_of_a_type(client, bearer, town):
    body = {"event_type": "order.placed", "new": without("order_id")}
    found = call(client, "POST", "/compatibility:check", body, **bearer)
    assert (found["outcome"], found["against"], found["accepted"]) == ("incompatible", [1], False)
    assert call(client, "POST", "/compatibility:check", body | {"mode": "none"}, **bearer)["accepted"]
    town.refresh_from_db()
    assert town.compatibility == "forward"
    town.versions.all().delete()
    assert call(client, "POST", "/compatibility:check", body, **bearer)["outcome"] == "compatible"


@pytest.mark.parametrize(
    ("body", "status", "places"),
    [
        ({"new": {}}, 422, [""]),
        ({"old": {}}, 422, ["/new"]),
        ({"old": {}, "new": {}, "event_type": "x"}, 422, ["/old"]),
        ({"old": {"type": "strin"}, "new": {"type": 3}}, 422, ["/new/type", "/old/type"]),
        ({"old": {}, "new": {}, "mode": "sideways", "policy": "lax"}, 422, ["/mode", "/policy"]),
        ({"old": {}, "new": {}, "accept_cautions": "yes"}, 422, ["/accept_cautions"]),
        ({"old": {}, "new": {}, "examples": ["{"]}, 422, ["/examples/0"]),
        ({"old": {}, "new": {}, "examples": {}}, 422, ["/examples"]),
        ({"event_type": 7, "new": {}}, 422, ["/event_type"]),
        ({"event_type": "nothing", "new": {}}, 404, None),
    ],
)
def test_a_comparison_that_cannot_be_made_says_why(client, bearer, body, status, places):
    problem = call(client, "POST", "/compatibility:check", body, status, **bearer)
    if places is not None:
        assert sorted(one["pointer"] for one in problem["errors"]) == places


# ── drafts ──


def test_a_draft_is_kept_changed_opened_and_deleted(client, person, town, log):
    made = call(
        client,
        "POST",
        "/drafts",
        {"name": "order.lost", "domain": "orders", "schema": {"type": "object"}},
        201,
    )
    assert made["content"]["domain"] == town.domain_id
    assert client.get(made["page"]).status_code == 200
    assert (
        call(client, "PATCH", f"/drafts/{made['id']}", {"summary": "Lost."})["content"]["name"]
        == "order.lost"
    )
    assert [one["id"] for one in call(client, "GET", "/drafts")["items"]] == [made["id"]]
    assert call(client, "GET", f"/drafts/{made['id']}")["content"]["summary"] == "Lost."
    call(client, "DELETE", f"/drafts/{made['id']}", status=204)
    call(client, "GET", f"/drafts/{made['id']}", status=404)


def test_a_draft_of_a_new_version_opens_in_its_form(client, person, town, log):
    made = call(
        client, "POST", "/drafts", {"event_type": "order.placed", "schema": gift(), "notes": "Gifts."}, 201
    )
    assert "gift" in client.get(made["page"]).content.decode()
    problem = call(client, "POST", "/drafts", {"event_type": "order.placed", "summary": "x"}, 422)
    assert problem["errors"][0]["pointer"] == "/summary"
    call(client, "POST", "/drafts", {"event_type": "nothing"}, 404)


def test_drafts_of_others_are_not_there(client, person, town):
    from django.contrib.auth import get_user_model

    theirs = Draft.objects.create(name="x", created_by=get_user_model().objects.create_user("jonas"))
    call(client, "GET", f"/drafts/{theirs.pk}", status=404)
    call(client, "DELETE", f"/drafts/{theirs.pk}", status=404)
    assert call(client, "GET", "/drafts")["items"] == []


# ── wishes ──


def test_an_event_is_asked_for_joined_and_left(client, person, town, bearer):
    made = call(client, "POST", "/wanted", {"name": "invoice.overdue", "why": "To stop deliveries."}, 201)
    assert (made["people"], made["mine"]) == (1, True)
    assert call(client, "POST", "/wanted", {"name": "invoice.overdue", "why": "Me too."}, 201)["people"] == 1
    client.logout()
    assert call(client, "GET", "/wanted", **bearer)["items"] == [made | {"mine": False}]
    call(client, "PUT", f"/wanted/{made['id']}/voice", status=403, **bearer)
    call(client, "POST", "/wanted", {"name": "a.b", "why": "x"}, 403, **bearer)
    client.force_login(person)
    assert call(client, "PUT", f"/wanted/{made['id']}/voice")["people"] == 1
    call(client, "DELETE", f"/wanted/{made['id']}/voice", status=204)
    assert not Wanted.objects.exists()
    call(client, "PUT", f"/wanted/{made['id']}/voice", status=404)


def test_what_exists_is_not_asked_for(client, person, town):
    problem = call(client, "POST", "/wanted", {"name": "order.placed", "why": "x"}, 422)
    assert problem["errors"][0]["pointer"] == "/name"
