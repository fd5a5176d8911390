"""The changes feed over the API."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.utils import timezone

from catalog import changes
from catalog.models import Bus, Change, Source, Team, Token
from tests.integration.catalog.calls import call
from tests.integration.catalog.shop import more

pytestmark = pytest.mark.django_db


def told(client, question="", **headers):
    return [
        (one["kind"], one["event_type"] or one["source"] or one["bus"])
        for one in call(client, "GET", f"/changes{question}", **headers)["items"]
    ]


def test_what_changed_is_listed_the_newest_first_in_words(client, person, town, log):
    (other,) = more(town, "order.paid")
    changes.record("type.deprecated", event_type=other, by=person, detail={"ends_on": "2031-01-31"})
    first, second, *_ = call(client, "GET", "/changes")["items"]
    assert first["title"] == "order.paid is deprecated and ends on 31 January 2031."
    assert (first["by"], first["team"], first["page"]) == ("mara", "checkout", "/events/order.paid/")
    assert first["id"] == str(Change.objects.get(kind="type.deprecated").key)
    assert (second["kind"], second["event_type"]) == ("type.registered", "order.paid")


def test_it_is_narrowed_by_what_it_is_about_and_since_when(client, person, town, log):
    Change.objects.all().delete()
    more(town, "order.paid", team=Team.objects.create(name="Billing", slug="billing"))
    changes.record("type.retired", event_type=town)
    changes.record("source.retired", source=Source.objects.get())
    changes.record("bus.retired", bus=Bus.objects.get())
    assert told(client, "?type=order.placed") == [("type.retired", "order.placed")]
    assert told(client, "?team=billing") == [("type.registered", "order.paid")]
    assert told(client, "?source=shop") == [("source.retired", "shop")]
    assert told(client, "?bus=main") == [("bus.retired", "main")]
    assert told(client, "?kind=type.retired&team=checkout") == [("type.retired", "order.placed")]
    moment = timezone.now()
    Change.objects.exclude(kind="bus.retired").update(at=moment - timedelta(days=2))
    Change.objects.filter(kind="bus.retired").update(at=moment)
    for text in (moment.isoformat(), f"{moment:%Y-%m-%dT%H:%M:%S}", f"{moment:%Y-%m-%dT%H:%M:%SZ}"):
        assert told(client, f"?since={quote(text)}") == [("bus.retired", "main")], text


@pytest.mark.parametrize("question", ["since=yesterday", "since=2026-99-01T00:00:00Z", "kind=x", "about=x"])
def test_a_question_that_cannot_be_is_refused(client, person, town, log, question):
    call(client, "GET", f"/changes?{question}", status=422)


def test_its_pages_go_back_to_the_first(client, person, town, log):
    Change.objects.all().delete()
    for number in range(5):
        changes.record("wanted.asked", event_type=f"thing.{number}")
    seen, url = [], "/changes?limit=2&kind=wanted.asked"
    while url:
        page = call(client, "GET", url)
        seen += [one["event_type"] for one in page["items"]]
        url = page["next"] and page["next"].removeprefix("/api/v1")
    assert seen == [f"thing.{number}" for number in reversed(range(5))]


def test_a_token_for_one_bus_hears_of_that_bus_alone(client, town, log):
    Change.objects.all().delete()
    second = Bus.objects.create(name="second")
    erp = Source.objects.create(name="ERP", slug="erp", uri="/erp", bus=second, team=town.team)
    (booked,) = more(town, "invoice.booked")
    booked.sources.add(erp)
    Change.objects.all().delete()
    for event_type in (town, booked):
        changes.record("type.retired", event_type=event_type)
    for source in Source.objects.order_by("pk"):
        changes.record("source.retired", source=source)
    for bus in Bus.objects.order_by("pk"):
        changes.record("bus.retired", bus=bus)
    _, text = Token.issue(name="build", team=town.team, bus=second, reads=True)
    assert told(client, Authorization=f"Bearer {text}") == [
        ("bus.retired", "second"),
        ("source.retired", "erp"),
        ("type.retired", "invoice.booked"),
    ]
