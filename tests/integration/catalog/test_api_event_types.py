"""The API of event types and their versions."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from catalog.models import EventType, SchemaVersion
from tests.integration.catalog.calls import call
from tests.integration.catalog.shop import EXAMPLE, SCHEMA, more

pytestmark = pytest.mark.django_db

CANCELLED = {
    "name": "order.cancelled",
    "summary": "An order was withdrawn.",
    "domain": "orders",
    "team": "checkout",
    "sources": ["shop"],
    "tags": ["billing", "EU"],
    "validation": "warn",
    "schema": json.loads(SCHEMA),
    "example": json.loads(EXAMPLE),
}
BROKEN = '{\n "type": "object",\n "properties": {\n  "a": {"type": "strin"}\n }\n}'


def without(field):
    """The registered schema without one of its fields."""
    schema = json.loads(SCHEMA)
    schema["properties"].pop(field)
    schema["required"] = [name for name in schema["required"] if name != field]
    return schema


def test_an_event_type_is_registered_and_shown_with_its_first_version(client, person, town):
    made = call(client, "POST", "/event-types", CANCELLED, 201)
    assert (made["tags"], made["sources"], made["validation"]) == (["billing", "EU"], ["shop"], "warn")
    assert call(client, "GET", "/event-types/order.cancelled") == made
    version = call(client, "GET", "/event-types/order.cancelled/versions/1")
    assert (version["schema"], version["example"]) == (CANCELLED["schema"], CANCELLED["example"])
    assert EventType.objects.get(name="order.cancelled").created_by == person


def test_the_same_registration_again_changes_nothing_and_another_is_a_conflict(client, person, town):
    made = call(client, "POST", "/event-types", CANCELLED, 201)
    assert call(client, "POST", "/event-types", CANCELLED, 200) == made
    differs = CANCELLED | {"summary": "Another.", "schema": {"type": "string"}, "sources": []}
    problem = call(client, "POST", "/event-types", differs, 409)
    assert {one["pointer"] for one in problem["errors"]} == {"/summary", "/schema", "/sources"}
    assert SchemaVersion.objects.filter(event_type__name="order.cancelled").count() == 1


def test_what_has_a_first_choice_in_the_form_may_be_left_out(client, person, town):
    body = {name: value for name, value in CANCELLED.items() if name != "validation"}
    assert call(client, "POST", "/event-types", body, 201)["validation"] == "reject"


def test_a_dry_run_saves_nothing(client, person, town):
    found = call(client, "POST", "/event-types?dry_run=1", CANCELLED, 200)
    assert (found["would"], found["number"]) == ("register", 1)
    assert not EventType.objects.filter(name="order.cancelled").exists()
    call(client, "POST", "/event-types?dry_run=1", CANCELLED | {"example": {}}, 422)
    call(client, "POST", "/event-types?dry_run=maybe", CANCELLED, 422)


@pytest.mark.parametrize(
    ("changes", "places"),
    [
        ({"name": "new"}, ["/name"]),
        ({"name": "order  placed"}, ["/name"]),
        ({"name": 3}, ["/name"]),
        ({"domain": "nowhere"}, ["/domain"]),
        ({"team": None}, ["/team"]),
        ({"sources": ["shop", "nowhere"]}, ["/sources/1"]),
        ({"sources": "shop"}, ["/sources"]),
        ({"tags": ["a,b"]}, ["/tags/0"]),
        ({"tags": ["x" * 41]}, ["/tags"]),
        ({"validation": "maybe"}, ["/validation"]),
        ({"accept_cautions": 1}, ["/accept_cautions"]),
        ({"colour": "red"}, ["/colour"]),
        ({"example": {"total": 1}}, ["/example", "/example/total"]),
        ({"examples": [{"name": "a", "data": {}}]}, ["/examples/0/data"]),
        ({"examples": [{"nam": "a"}]}, ["/examples/0"]),
        ({"schema": BROKEN}, ["/schema/properties/a/type"]),
    ],
)
def test_every_mistake_is_named_at_its_place(client, person, town, changes, places):
    problem = call(client, "POST", "/event-types", CANCELLED | changes, 422)
    assert sorted(one["pointer"] for one in problem["errors"]) == places
    assert not EventType.objects.filter(name="order.cancelled").exists()


def test_a_mistake_in_a_schema_has_the_line_it_was_sent_with(client, person, town):
    as_text = call(client, "POST", "/event-types", CANCELLED | {"schema": BROKEN}, 422)
    whole = json.dumps({name: value for name, value in CANCELLED.items() if name != "schema"})
    as_json = call(client, "POST", "/event-types", f'{whole[:-1]}, "schema": {BROKEN}}}', 422)
    assert as_text["errors"] == as_json["errors"]
    assert as_text["errors"][0]["line"] == 4


def test_what_is_said_is_what_the_form_says(client, person, town, log):
    from tests.integration.catalog.shop import registration, text_of

    problem = call(client, "POST", "/event-types", CANCELLED | {"schema": BROKEN}, 422)
    page = client.post("/events/new/", registration(town, schema=BROKEN))
    from html import unescape

    assert problem["errors"][0]["detail"] in unescape(text_of(page))


def test_types_are_found_as_the_marketplace_finds_them(client, person, town, log):
    more(town, "invoice.paid", "order.lost")
    names = lambda url: [one["name"] for one in call(client, "GET", url)["items"]]  # noqa: E731
    assert names("/event-types") == ["invoice.paid", "order.lost", "order.placed"]
    assert names("/event-types?q=order.") == ["order.lost", "order.placed"]
    assert names("/event-types?q=amount") == ["order.placed"]
    assert names("/event-types?source=shop") == ["order.placed"]
    assert names("/event-types?domain=nowhere") == []
    assert names("/event-types?lifecycle=active&team=checkout&q=invoice") == ["invoice.paid"]
    assert len(names("/event-types?show=new")) == 3
    for wrong in ("lifecycle=gone", "show=all", "colour=red"):
        call(client, "GET", f"/event-types?{wrong}", status=422)


def test_a_search_goes_on_at_its_cursor_best_first(client, person, town, log):
    more(town, "placed", "order.placed.twice", "x.placed")
    names, url = [], "/event-types?q=placed&limit=1"
    while url:
        page = call(client, "GET", url)
        names += [one["name"] for one in page["items"]]
        url = page["next"] and page["next"].removeprefix("/api/v1")
    assert names == [one["name"] for one in call(client, "GET", "/event-types?q=placed")["items"]]
    assert (names[0], len(names)) == ("placed", 4)


def test_names_with_slashes_have_an_address(client, person, town):
    more(town, "com/acme/order")
    assert call(client, "GET", "/event-types/com/acme/order")["name"] == "com/acme/order"
    assert call(client, "GET", "/event-types/com%2Facme%2Forder/versions")["items"] == []


def test_a_change_keeps_what_was_not_sent(client, person, town):
    call(client, "POST", "/event-types", CANCELLED, 201)
    etag = client.get("/api/v1/event-types/order.cancelled")["ETag"]
    new = call(client, "PATCH", "/event-types/order.cancelled", {"summary": "Gone."}, **{"If-Match": etag})
    assert (new["summary"], new["tags"], new["sources"]) == ("Gone.", ["billing", "EU"], ["shop"])
    assert call(client, "PATCH", "/event-types/order.cancelled", {"sources": [], "tags": []})["sources"] == []
    call(client, "PATCH", "/event-types/order.cancelled", {"summary": "No."}, 412, **{"If-Match": etag})
    assert (
        call(client, "PATCH", "/event-types/order.cancelled", {"new_domain": "Withdrawn"})["domain"]
        == "withdrawn"
    )
    problem = call(client, "PATCH", "/event-types/order.cancelled", {"schema": {}}, 422)
    assert problem["errors"][0]["pointer"] == "/schema"


def visitor(client, *codenames):
    """Somebody of no team, with these permissions, signed in."""
    user = get_user_model().objects.create_user("jonas")
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return user


def test_only_owners_change_what_a_type_promises(client, town):
    visitor(client, "change_eventtype", "view_eventtype")
    problem = call(client, "PATCH", "/event-types/order.placed", {"compatibility": "none"}, 422)
    assert problem["errors"][0]["pointer"] == "/compatibility"
    assert "Checkout" in problem["detail"]
    assert call(client, "PATCH", "/event-types/order.placed", {"summary": "Bought."})["summary"] == "Bought."


# ── versions ──


def gift():
    """The registered schema with one more field."""
    schema = json.loads(SCHEMA)
    schema["properties"]["gift"] = {"type": "boolean"}
    return schema


def test_a_compatible_version_is_registered_with_its_verdict(client, person, town):
    body = {"schema": gift(), "example": {"order_id": "1", "gift": True}, "notes": "Gifts."}
    dry = call(client, "POST", "/event-types/order.placed/versions?dry_run=1", body, 200)
    assert (dry["would"], dry["number"], dry["verdict"]["outcome"]) == ("register", 2, "compatible")
    assert town.versions.count() == 1
    made = call(client, "POST", "/event-types/order.placed/versions", body, 201)
    assert (made["number"], made["outcome"], made["verdict"]["against"]) == (2, "compatible", [1])
    assert call(client, "POST", "/event-types/order.placed/versions", body, 200) == made
    listed = call(client, "GET", "/event-types/order.placed/versions")["items"]
    assert [one["number"] for one in listed] == [2, 1]
    assert call(client, "GET", "/event-types/order.placed/versions/2") == made
    call(client, "GET", "/event-types/order.placed/versions/3", status=404)
    call(client, "GET", "/event-types/order.placed/versions/99999999999", status=404)


def test_a_version_that_breaks_the_promise_is_refused_with_the_event_that_shows_it(client, person, town):
    body = {"schema": without("order_id"), "example": {}}
    problem = call(client, "POST", "/event-types/order.placed/versions", body, 422)
    (broken,) = problem["verdict"]["breaks"]
    assert broken["has_counterexample"]
    assert "order_id" not in (broken["counterexample"] or {})
    assert [one["pointer"] for one in problem["errors"]] == ["", "/schema"]
    assert town.versions.count() == 1
    dry = call(client, "POST", "/event-types/order.placed/versions?dry_run=1", body, 422)
    assert dry["verdict"] == problem["verdict"]
    made = call(client, "POST", "/event-types/order.placed/versions", body | {"override": "Agreed."}, 201)
    assert (made["override"], made["outcome"]) == ("Agreed.", "incompatible")


def test_only_owners_register_a_version_that_breaks_the_promise(client, town):
    visitor(client, "add_schemaversion", "view_eventtype")
    body = {"schema": without("order_id"), "example": {}, "override": "I want it."}
    assert "owner" in call(client, "POST", "/event-types/order.placed/versions", body, 422)["detail"]
    assert town.versions.count() == 1


def test_marks_of_personal_data_stay_unless_they_are_sent(client, person, town):
    town.personal = ["order_id"]
    town.save()
    body = {"schema": gift(), "example": {"order_id": "1"}}
    call(client, "POST", "/event-types/order.placed/versions", body, 201)
    town.refresh_from_db()
    assert town.personal == ["order_id"]
    newer = gift() | {"title": "Order"}
    body = {"schema": newer, "example": {"order_id": "1"}, "personal": ["gift"]}
    call(client, "POST", "/event-types/order.placed/versions", body, 201)
    town.refresh_from_db()
    assert town.personal == ["gift"]


def test_mistakes_of_a_version_are_named_at_their_places(client, person, town):
    url = "/event-types/order.placed/versions"
    problem = call(client, "POST", url, {"schema": BROKEN, "example": {}}, 422)
    assert (problem["errors"][0]["pointer"], problem["errors"][0]["line"]) == ("/schema/properties/a/type", 4)
    problem = call(client, "POST", url, {"schema": gift(), "example": {"gift": 1}}, 422)
    assert {one["pointer"] for one in problem["errors"]} == {"/example", "/example/gift"}
    call(client, "POST", "/event-types/nothing/versions", {}, 404)
