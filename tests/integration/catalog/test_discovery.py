"""Discovery: what comes and is not registered, drafts made of it, and where events and schemas disagree."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog import discovery, drifting
from catalog.models import Bus, Draft, EventType, Ignored, Observation, SchemaVersion
from catalog.schemas.shape import Shape
from tests.integration.catalog.shop import more, text_of

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)


def came(name, events, *, times=1, days_ago=0, source="/shop/checkout", bus="main", sensitive=()):
    """Notes `events`, each `times` times, as the observer does."""
    shape = Shape(sensitive)
    for event in events * times:
        shape.add(event)
    at = NOW - timedelta(days=days_ago)
    return Observation.objects.create(
        type_name=name,
        day=at.date(),
        source=source,
        bus=bus,
        shape=shape.to_json(),
        events=3 * shape.samples,
        sampled=shape.samples,
        first_at=at,
        last_at=at,
    )


def lost(number):
    """An event of a type that nobody registered: a coupon in one of a hundred, and a person in each."""
    event = {
        "order_id": f"order-{number}",
        "state": "lost" if number % 2 else "found",
        "customer": {"email": f"ada.{number}@example.com", "full_name": f"Ada Lovelace {number % 3}"},
        "prices": {f"{1000 + number * 7 + at}": 1.5 for at in range(3)},
    }
    return event | ({"coupon": "SPRING"} if number % 100 == 0 else {})


@pytest.fixture
def seen(town):
    """100 events of order.lost on two days from two sources, one of which is registered."""
    came("order.lost", [lost(number) for number in range(50)], days_ago=2)
    came("order.lost", [lost(number) for number in range(50, 100)], source="/legacy")
    return town


def test_unregistered_types_are_listed_with_where_they_come_from(client, person, seen, log):
    came("order.placed", [{"order_id": "1"}])
    came("order.plcaed", [{"order_id": "1"}])
    page = text_of(client.get("/discovery/"))
    assert "order.lost 4 fields: customer, order_id, prices, state" in page
    for said in ("/legacy", "/shop/checkout", "300", "2 days ago", "maybe a typo of order.placed"):
        assert said in page
    names = re.findall(
        r'link mono" href="/discovery/type/\?name=[^"]+">([^<]+)<',
        client.get("/discovery/").content.decode().replace("<wbr>", ""),
    )
    assert names == ["order.lost", "order.plcaed"], "the busiest first, and nothing that is registered"
    assert discovery.count() == 2


def test_a_type_is_shown_by_counts_and_never_by_values_of_people(client, person, seen, log):
    html = client.get("/discovery/type/?name=order.lost").content.decode()
    for told in (
        "in 1 % of 100 events",
        "always the same so far",
        "looks like a map",
        "one of 2 in 100 values",
        "looks personal",
    ):
        assert told in html, told
    for kept in ("ada.", "Lovelace", "order-1", "SPRING"):
        assert kept not in html, kept
    assert "This is what its events look like" in html


def test_a_click_makes_a_draft_that_opens_in_the_form_and_registers_nothing(client, person, seen, log):
    answer = client.post("/discovery/draft/", {"name": "order.lost"})
    draft = Draft.objects.get()
    assert answer["Location"] == f"/events/new/?draft={draft.pk}"
    assert (draft.origin, draft.event_type, draft.created_by) == ("discovery", None, person)
    content = draft.content
    assert set(content["personal"]) == {"customer.email", "customer.full_name"}
    assert content["sources"] == [seen.sources.get().pk]
    assert (content["team"], content["domain"]) == (str(seen.team_id), str(seen.domain_id))
    assert content["validation"] == "warn"
    schema = json.loads(content["schema"])
    assert schema["required"] == ["customer", "order_id", "prices", "state"]
    assert schema["properties"]["state"]["enum"] == ["found", "lost"]
    assert "ada" not in json.dumps(content).lower()
    page = client.get(answer["Location"])
    assert "order.lost" in page.content.decode()
    assert not EventType.objects.filter(name="order.lost").exists()


def test_the_draft_is_complete_but_for_what_only_a_person_can_say(client, person, seen, log):
    client.post("/discovery/draft/", {"name": "order.lost"})
    draft = Draft.objects.get()
    fields = draft.content | {"draft": draft.pk, "origin": draft.origin, "summary": "An order was lost."}
    fields["action"] = "register"
    answer = client.post("/events/new/", fields)
    assert answer.status_code == 302, text_of(answer)
    version = EventType.objects.get(name="order.lost").latest
    assert version.origin == "discovery"
    assert not Draft.objects.exists()
    assert discovery.count() == 0


def test_a_second_click_opens_the_draft_that_was_begun(client, person, seen, log):
    client.post("/discovery/draft/", {"name": "order.lost"})
    Draft.objects.update(content={"name": "order.lost", "summary": "Mine."})
    answer = client.post("/discovery/draft/", {"name": "order.lost"}, follow=True)
    assert "You have begun this draft already." in text_of(answer)
    assert Draft.objects.get().content["summary"] == "Mine."


def test_what_is_ignored_is_listed_apart_and_comes_back(client, person, seen, log):
    answer = client.post("/discovery/ignore/", {"name": "order.lost"}, follow=True)
    assert "order.lost is ignored." in text_of(answer)
    assert "Everything that comes is registered." in text_of(client.get("/discovery/"))
    assert discovery.count() == 0
    assert "order.lost" in text_of(client.get("/discovery/?show=ignored"))
    assert Ignored.objects.get().by == person
    client.post("/discovery/ignore/", {"name": "order.lost", "undo": "1"})
    assert "order.lost" in text_of(client.get("/discovery/"))


@pytest.mark.parametrize("url", ["/discovery/draft/", "/discovery/ignore/"])
@pytest.mark.parametrize("name", ["never.seen", "order.placed", ""])
def test_only_what_was_seen_and_is_not_registered_is_drafted_or_ignored(client, person, seen, log, url, name):
    came("order.placed", [{"order_id": "1"}])
    assert client.post(url, {"name": name}).status_code == 404
    assert not Draft.objects.exists()
    assert not Ignored.objects.exists()


def test_a_name_that_cannot_be_registered_is_said_to_be_so(client, person, seen, log):
    came("Order Lost?<b>&#x202e;", [{"a": 1}])
    came("ORDER.PLACED", [{"a": 1}])
    assert client.get("/discovery/").status_code == 200
    page = client.get("/discovery/type/", {"name": "Order Lost?<b>&#x202e;"})
    assert "cannot be registered under this name" in text_of(page)
    assert "<b>&#x202e;" not in page.content.decode()
    assert "This name is taken." in text_of(client.get("/discovery/type/?name=ORDER.PLACED"))


def test_whoever_may_only_look_finds_no_buttons_and_is_refused(client, person, seen, log):
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Permission

    reader = get_user_model().objects.create_user("jonas", password="signal-box-9")
    reader.user_permissions.add(Permission.objects.get(codename="view_eventtype"))
    client.force_login(reader)
    assert "Make it a draft" not in text_of(client.get("/discovery/"))
    assert client.post("/discovery/draft/", {"name": "order.lost"}).status_code == 403
    assert client.post("/discovery/ignore/", {"name": "order.lost"}).status_code == 403


def test_each_bus_says_what_it_does_with_unregistered_types(client, person, town, log):
    Bus.objects.create(name="strict", unregistered="reject")
    page = client.get("/discovery/")
    assert "main are accepted, and proposed here" in text_of(page)
    assert "strict are refused" in text_of(page)
    assert 'href="/settings/buses/strict/"' in page.content.decode()


def test_a_thousand_unregistered_types_are_paged_in_as_many_queries_as_one(client, person, town, log):
    came("thing.0", [{"a": 1}])
    with CaptureQueriesContext(
        connection,
    ) as one:
        client.get("/discovery/")
    shape = Observation.objects.get().shape
    Observation.objects.bulk_create(
        Observation(
            type_name=f"thing.{n}",
            day=NOW.date(),
            source="/s",
            bus="main",
            shape=shape,
            events=n,
            sampled=1,
            first_at=NOW,
            last_at=NOW,
        )
        for n in range(1, 1001)
    )
    with CaptureQueriesContext(connection) as many:
        page = client.get("/discovery/")
    assert "1 to 25 of 1001" in text_of(page)
    assert "thing.1000" in text_of(page)
    assert "26 to 50 of 1001" in text_of(client.get("/discovery/?page=2"))
    assert "thing.777" in text_of(client.get("/discovery/?q=g.777"))
    assert len(many) <= len(one) + 24, "a row costs the query of its newest shape"


def test_totals_are_read_without_the_shapes_beside_them(town):
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's query plan")
    with connection.cursor() as cursor:
        sql, values = discovery.strangers().query.sql_with_params()
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", values)
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "COVERING INDEX observation_totals" in plan


# ── drift ──

DECLARED = json.dumps(
    {
        "type": "object",
        "required": ["order_id"],
        "properties": {
            "order_id": {"type": "string"},
            "quantity": {"type": "integer"},
            "colour": {"enum": ["red", "blue"]},
            "gift": {"type": "boolean"},
        },
    }
)


@pytest.fixture
def drifted(town):
    """order.placed at a schema from which its events of today differ in every way."""
    SchemaVersion.objects.create(
        event_type=town, number=2, schema=DECLARED, example='{"order_id": "order-1", "colour": "red"}'
    )
    events = [
        {
            "order_id": f"o-{n}",
            "quantity": "two",
            "colour": ["red", "green"][n % 2],
            "contact": {"phone": f"+49 30 {n}"},
        }
        | ({"coupon": n} if n % 10 == 0 else {})
        for n in range(60)
    ]
    came("order.placed", events)
    return town


def test_drift_is_told_field_by_field(client, person, drifted, log):
    page = text_of(client.get("/events/order.placed/drift/"))
    for told in (
        "60 events of the last 7 days, held against version 2",
        "/quantity of another type always string, declared integer",
        "/coupon never declared integer, in 10 %",
        "/contact never declared object, in 100 %",
        "/colour new values green",
        "/gift never sent",
        "/colour values that never came blue",
    ):
        assert told in page, told
    assert "+49" not in page


def test_htmx_is_given_the_part_alone(client, person, drifted, log):
    part = client.get("/events/order.placed/drift/", headers={"HX-Request": "true"}).content.decode()
    assert part.startswith('<section class="card" id="drift">')
    assert "<html" not in part


def test_the_list_holds_types_that_drift_and_no_others(client, person, drifted, log):
    more(drifted, "order.kept", "order.bare")
    kept = EventType.objects.get(name="order.kept")
    SchemaVersion.objects.create(event_type=kept, number=1, schema=DECLARED)
    came(
        "order.kept",
        [{"order_id": "1", "quantity": 2, "colour": c, "gift": True} for c in ("red", "blue")],
        times=60,
    )
    came("order.bare", [{"a": 1}])
    page = text_of(client.get("/discovery/drift/"))
    assert "order.placed" in page
    assert (
        "2 never declared, 1 never sent, 1 of another type, 1 with new values, 1 with values that never came"
        in page
    )
    assert "order.kept" not in page
    assert "order.bare" not in page
    assert "The 3 busiest types were looked at." in page


def test_a_look_at_the_list_ends_in_time_and_goes_on_where_it_stopped(drifted):
    clock = iter([0.0, 9.0, 9.0])
    came("order.second", [{"a": 1}])
    more(drifted, "order.second")
    look = drifting.look(clock=lambda: next(clock), seconds=1.0)
    assert ([one.type.name for one in look.found], look.next) == (["order.placed"], 1)
    rest = drifting.look(after=1)
    assert (rest.found, rest.looked_at, rest.next) == ([], 2, None)


def test_a_draft_of_the_next_version_takes_in_what_was_seen(client, person, drifted, log):
    answer = client.post("/events/order.placed/drift/draft/")
    draft = Draft.objects.get()
    assert answer["Location"] == f"/events/order.placed/versions/new/?draft={draft.pk}"
    assert (draft.event_type, draft.origin) == (drifted, "discovery")
    schema = json.loads(draft.content["schema"])
    assert schema["required"] == ["order_id"]
    assert schema["properties"]["coupon"] == {"type": "integer"}
    assert schema["properties"]["quantity"]["type"] == ["integer", "string"]
    assert schema["properties"]["colour"]["enum"] == ["red", "blue", "green"]
    assert draft.content["example"] == '{"order_id": "order-1", "colour": "red"}'
    assert draft.content["personal"] == ["contact.phone"]
    assert drifted.versions.count() == 2, "nothing is published by itself"
    page = client.get(answer["Location"])
    assert page.status_code == 200
    assert "coupon" in page.content.decode()
    client.post("/events/order.placed/drift/draft/")
    assert Draft.objects.count() == 1


def test_the_form_judges_the_drafted_version_before_it_is_saved(client, person, drifted, log):
    client.post("/events/order.placed/drift/draft/")
    draft = Draft.objects.get()
    fields = draft.content | {"draft": draft.pk, "origin": draft.origin, "action": "check"}
    page = text_of(client.post("/events/order.placed/versions/new/", fields))
    assert "quantity" in page
    assert drifted.versions.count() == 2


def test_what_the_version_says_already_needs_no_draft(client, person, town, log):
    came("order.placed", [{"order_id": "o"}], times=60)
    answer = client.post("/events/order.placed/drift/draft/", follow=True)
    assert "The newest version says all that was seen already." in text_of(answer)
    assert not Draft.objects.exists()


def test_what_was_seen_before_the_version_came_does_not_count(client, person, town, log):
    came("order.placed", [{"order_id": "o", "old": 1}], times=60, days_ago=3)
    assert "No event was looked into since version 1 came: nothing can differ yet." in text_of(
        client.get("/events/order.placed/drift/")
    )


def test_values_of_marked_fields_are_not_shown(client, person, drifted, log):
    EventType.objects.filter(pk=drifted.pk).update(personal=["colour"])
    page = text_of(client.get("/events/order.placed/drift/"))
    assert "green" not in page


def test_a_type_without_a_schema_or_without_traffic_says_so(client, person, town, log):
    more(town, "order.bare")
    assert "Register version 1" in text_of(client.get("/events/order.bare/drift/"))
    assert "No event was looked into" in text_of(client.get("/events/order.placed/drift/"))


def test_names_that_are_nearly_right_follow_the_catalog(town):
    assert discovery.registered_names().near("order.plcaed") == ("order.placed",)
    town.delete()
    assert discovery.registered_names().near("order.plcaed") == ()
