"""What the page of an event type says was seen of its fields, beside what its schema declares."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.utils import timezone

from catalog.models import Approval, EventType, Observation, SchemaVersion, Team
from catalog.schemas.shape import Shape
from tests.integration.catalog.shop import text_of

pytestmark = pytest.mark.django_db


def observe(name, values, *, source="/shop/checkout", sensitive=(), days_ago=0, at=None):
    """An observation of a day's events with these data."""
    now = at or timezone.now()
    shape = Shape(sensitive)
    for value in values:
        shape.add(value)
    when = now - timedelta(days=days_ago)
    return Observation.objects.create(
        type_name=name, day=when.date(), source=source, bus="main", shape=shape.to_json(),
        events=10 * len(values), sampled=len(values), first_at=when - timedelta(minutes=1), last_at=when,
    )  # fmt: skip


@pytest.fixture
def reader(client):
    """Somebody who may look at the catalog and is in no team, signed in."""
    user = get_user_model().objects.create_user("reader")
    user.user_permissions.add(Permission.objects.get(codename="view_eventtype"))
    client.force_login(user)
    return user


ORDERS = [
    {"order_id": "o-1", "total": {"amount": 10}, "channel": "app"},
    {"order_id": "o-2", "total": {"amount": 30}, "channel": "app"},
    {"order_id": "o-3", "total": {"amount": 20}, "channel": "web"},
    {"order_id": "o-4", "channel": "app"},
]


def row_of(response, name):
    """The line of the table of fields about `name`."""
    [found] = [line for line in response.context["rows"] if line.field.path[-1] == name]
    return found


def test_a_field_shows_how_often_it_came_and_its_values(client, person, town, log):
    SchemaVersion.objects.create(
        event_type=town, number=2, example="{}",
        schema=json.dumps({"properties": {
            "channel": {"type": "string"}, "order_id": {}, "gone": {},
            "total": {"properties": {"amount": {"type": "number"}}},
        }}),
    )  # fmt: skip
    observe("order.placed", ORDERS[:2])
    observe("order.placed", ORDERS[2:], days_ago=1)
    observe("order.placed", [{"order_id": "old", "older": 1}], days_ago=2)
    response = client.get("/events/order.placed/")
    page = text_of(response)
    assert "app 75% web 25%" in page
    assert "order_id string" not in page
    assert "10–30, median about " in page
    assert "40 events today and yesterday (UTC), 4 of them looked at." in page
    assert row_of(response, "amount").row.share == 1
    assert row_of(response, "total").row.share == 0.75
    assert "75%" in page
    assert row_of(response, "gone").row is None
    assert "never" in page
    assert "older" not in page
    drawn = response.content.decode()
    assert 'aria-label="10 to 30"' in drawn


def test_fields_that_were_never_declared_are_listed_with_the_way_to_declare_them(client, person, town, log):
    observe("order.placed", ORDERS)
    response = client.get("/events/order.placed/")
    assert [one.pointer for one in response.context["undeclared"]] == ["/channel"]
    assert "Seen, never declared" in text_of(response)
    assert text_of(response).count("/channel") == 1
    assert "/events/order.placed/versions/new/" in response.content.decode()


def test_personal_values_are_told_to_nobody_even_when_they_were_observed_before_the_mark(
    client, person, town, log
):
    observe("order.placed", [{"order_id": "lin-1"}, {"order_id": "lin-1"}])
    assert "lin-1" in text_of(client.get("/events/order.placed/"))
    town.personal = ["order_id"]
    town.save()
    page = text_of(client.get("/events/order.placed/"))
    assert "lin-1" not in page
    assert "hidden: personal data" in page
    assert "100%" in page


EVENT = b'{"id": "a-1", "type": "order.placed", "source": "/shop", "data": {"order_id": "lin-1", "n": 5}}'


def test_a_real_event_hides_its_personal_fields_from_whom_they_do_not_concern(client, reader, town, log):
    town.personal = ["order_id"]
    town.save()
    log.publish("main", EVENT)
    page = text_of(client.get("/events/order.placed/"))
    assert "lin-1" not in page
    assert "••••" in page
    assert "hidden: personal data, 1 value" in page
    team = Team.objects.create(name="Growth", slug="growth")
    team.members.add(reader)
    Approval.objects.create(event_type=town, team=team, reason="…", state=Approval.State.GRANTED)
    page = text_of(client.get("/events/order.placed/"))
    assert "lin-1" in page
    assert "hidden" not in page


def test_another_real_event_is_shown_and_after_the_last_the_newest_again(client, person, town, log):
    for number in range(3):
        log.publish("main", EVENT.replace(b"a-1", b"a-%d" % number))
    shown, url = [], "/events/order.placed/"
    for _turn in range(4):
        context = client.get(url).context
        shown.append(context["recent"].id)
        url = f"/events/order.placed/?event={context['another']}"
    assert shown == ["a-2", "a-1", "a-0", "a-2"]
    assert client.get("/events/order.placed/?event=99999999999").context["recent"].id == "a-2"


def test_sources_that_nobody_named_are_told_with_when_they_were_last_seen(client, person, town, log):
    observe("order.placed", ORDERS, source="/somebody/else")
    page = text_of(client.get("/events/order.placed/"))
    assert "Shop /shop/checkout nothing today or yesterday" in page
    assert "/somebody/else" in page
    assert "not named as a source" in page
    observe("order.placed", ORDERS[:1])
    page = text_of(client.get("/events/order.placed/"))
    assert "nothing today or yesterday" not in page


@pytest.mark.parametrize(
    ("show", "words"), [("schema", '"order_id"'), ("openapi", '"openapi"'), ("nonsense", "The shop")]
)
def test_the_schema_is_shown_as_fields_json_schema_or_openapi(client, person, town, log, show, words):
    page = client.get(f"/events/order.placed/?show={show}")
    assert words.replace('"', "&quot;") in page.content.decode()


def test_a_schema_is_downloaded_from_its_stable_address_and_as_openapi(client, person, town, log):
    page = client.get("/events/order.placed/?show=schema").content.decode()
    assert 'href="/schemas/order.placed/1"' in page
    page = client.get("/events/order.placed/?show=openapi").content.decode()
    assert 'href="/events/order.placed/versions/1/openapi.json"' in page
    answer = client.get("/events/order.placed/versions/1/openapi.json")
    assert answer["Content-Disposition"] == 'attachment; filename="orderplaced-v1.openapi.json"'
    document = answer.json()
    assert document["openapi"].startswith("3.")
    assert "order.placed" in document["components"]["schemas"]
    assert client.get("/events/order.placed/versions/9/openapi.json").status_code == 404
    town.versions.create(number=2, schema=town.versions.get().schema, example="{}")
    second = client.get("/events/order.placed/versions/2/openapi.json").json()
    assert (document["info"]["version"], second["info"]["version"]) == ("1", "2")


@pytest.mark.parametrize(
    ("binding", "words"),
    [("typescript", "order_id: string"), ("typeddict", "TypedDict"), ("pydantic", "BaseModel")],
)
def test_the_schema_is_shown_and_downloaded_as_types(client, person, town, log, binding, words):
    assert words in text_of(client.get(f"/events/order.placed/?types={binding}"))
    answer = client.get(f"/events/order.placed/versions/1/types/{binding}")
    assert words in answer.content.decode()
    assert answer["Content-Disposition"].startswith("attachment")
    assert client.get("/events/order.placed/versions/1/types/cobol").status_code == 404


def test_documentation_is_markdown_and_its_html_is_text(client, person, town, log):
    town.docs = "# Why\n\n* a **bold** [link](https://example.org) <script>x</script> [bad](javascript:x)"
    town.save()
    page = client.get("/events/order.placed/").content.decode()
    assert "<strong>bold</strong>" in page
    assert 'rel="nofollow noopener"' in page
    assert "<script>x" not in page
    assert 'href="javascript' not in page


def test_a_type_without_schema_traffic_and_listeners_says_so_and_what_to_do(client, person, town, log):
    EventType.objects.create(name="order.lost", summary="…", domain=town.domain, team=town.team)
    page = text_of(client.get("/events/order.lost/"))
    for words in ("No schema yet.", "Waiting for its first event.", "Without a schema nothing can be wrong."):
        assert words in page


def test_further_examples_are_shown_with_their_names(client, person, town, log):
    more = [{"name": "A gift", "data": '{"order_id": "gift-1"}'}, {"name": "broken"}]
    SchemaVersion.objects.create(event_type=town, number=2, schema="{}", example='{"a": 1}', examples=more)
    page = text_of(client.get("/events/order.placed/"))
    assert "A gift" in page
    assert "gift-1" in page


def test_what_people_asked_for_is_told_on_the_page_that_answers_it(client, person, town, log):
    client.post("/wanted/", {"name": "order.lost", "why": "To find them again"})
    EventType.objects.create(name="order.lost", summary="…", domain=town.domain, team=town.team)
    assert "To find them again 1 person asked for it" in text_of(client.get("/events/order.lost/"))
