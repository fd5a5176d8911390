"""The quality of a type's events on its page, and what the page costs however much there is."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import EventType, SchemaVersion, Violation
from catalog.quality import quality_of
from tests.integration.catalog.shop import text_of
from tests.integration.catalog.test_event_type_fields import observe

pytestmark = pytest.mark.django_db


def violation(days_ago=0, count=1, **fields):
    """A day's violations of one kind."""
    at = timezone.now() - timedelta(days=days_ago)
    told = {"pointer": "/total", "message": "Must be at least 0.", "rejected": True, "source": "/shop"}
    return Violation.objects.create(
        type_name="order.placed", day=at.date(), last_at=at, count=count, **(told | fields)
    )


def test_violations_are_summed_by_day_and_by_kind_with_the_newest_event_of_each(town):
    violation(0, 2, last_event="new", sample='{"total": -1}', version=2)
    violation(3, 5, last_event="old", version=1)
    violation(3, 4, rejected=False, message="“x” is missing.", pointer="")
    violation(31, 100)
    found = quality_of("order.placed", ())
    assert found.total == 11
    assert len(found.days) == 30
    assert [(day[1], day[2]) for day in found.days[-4:]] == [(5, 4), (0, 0), (0, 0), (2, 0)]
    assert [(kind.count, kind.last_event, kind.version) for kind in found.kinds] == [
        (7, "new", 2),
        (4, "", 0),
    ]


def test_the_page_tells_them_and_links_what_was_stored_to_its_journey(client, person, town, log):
    violation(0, 2, last_event="never-stored")
    violation(1, 3, rejected=False, last_event="e 1", sample='{"a": 1, "order_id": "lin-1"}')
    town.personal = ["order_id"]
    town.save()
    response = client.get("/events/order.placed/")
    page, drawn = text_of(response), response.content.decode()
    assert "Must be at least 0." in page
    assert "(was not stored)" in page
    assert 'href="/find/?q=e%201"' in drawn
    assert "find/?q=never" not in drawn
    assert "lin-1" not in page
    assert drawn.count("<title>") == 31  # the page's own, and one for each day
    assert 'class="by-day"' in drawn


def test_rare_kinds_are_counted_and_not_listed(town):
    for number in range(13):
        violation(0, 20 - number, message=f"kind {number}")
    found = quality_of("order.placed", ())
    assert (len(found.kinds), found.more) == (10, 3)


@pytest.mark.parametrize(("validation", "words"), [("reject", "No event broke"), ("off", "are not checked")])
def test_without_violations_the_page_says_why(client, person, town, log, validation, words):
    town.validation = validation
    town.save()
    assert words in text_of(client.get("/events/order.placed/"))


def large(town):
    """A hundred versions of five hundred fields, many sources and kinds of violations, thousands of other types."""
    names = [f"group{n // 20}" for n in range(0, 500, 20)]
    schema = {
        "type": "object",
        "properties": {
            group: {"type": "object", "properties": {f"field{n}": {"type": "string"} for n in range(19)}}
            for group in names
        },
    }
    text = json.dumps(schema)
    value = {group: {f"field{n}": f"value {n}" for n in range(19)} for group in names}
    SchemaVersion.objects.bulk_create(
        SchemaVersion(event_type=town, number=number, schema=text, example=json.dumps(value))
        for number in range(2, 101)
    )
    EventType.objects.bulk_create(
        EventType(name=f"other.type{number}", summary="…", domain=town.domain, team=town.team)
        for number in range(2000)
    )
    for number in range(30):
        observe("order.placed", [value] * 20, source=f"/source/{number}")
        violation(number % 28, message=f"kind {number}")


def queries(client, url):
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert client.get(url).status_code == 200
    return len(found)


def test_a_large_type_in_a_large_catalog_takes_as_many_queries_as_a_small_one(client, person, town, log):
    observe("order.placed", [{"order_id": "o-1"}])
    violation()
    for url in ("/events/order.placed/", "/events/order.placed/diff/"):
        client.get(url)
    SchemaVersion.objects.create(event_type=town, number=1000, schema="{}", example="{}")
    small = [queries(client, url) for url in ("/events/order.placed/", "/events/order.placed/diff/")]
    large(town)
    grown = [queries(client, url) for url in ("/events/order.placed/", "/events/order.placed/diff/")]
    # One more: how many rare kinds of violations there are.
    assert grown[0] <= small[0] + 1
    assert grown[1] == small[1]
    assert small[0] <= 32


def test_a_large_type_shows_the_first_fields_and_the_newest_versions_and_the_rest_when_asked(
    client, person, town, log
):
    large(town)
    first = client.get("/events/order.placed/")
    assert (len(first.context["rows"]), first.context["more_fields"]) == (60, 440)
    assert (len(first.context["lines"]), first.context["older"]) == (5, 95)
    assert "440 more fields" in text_of(first)
    assert "95 older versions" in text_of(first)
    every = client.get("/events/order.placed/?fields=all&versions=all")
    assert (len(every.context["rows"]), every.context["more_fields"]) == (500, 0)
    assert (len(every.context["lines"]), every.context["older"]) == (100, 0)
