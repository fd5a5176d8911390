"""The life of event types and versions over the API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import SchemaVersion
from tests.integration.catalog.calls import call
from tests.integration.catalog.shop import EXAMPLE, SCHEMA, more
from tests.integration.catalog.test_api_event_types import visitor

pytestmark = pytest.mark.django_db
URL = "/event-types/order.placed/lifecycle"


def test_a_type_goes_through_its_life_and_back(client, person, town, log):
    more(town, "order.bought")
    day = (timezone.localdate() + timedelta(days=30)).isoformat()
    said = {"lifecycle": "deprecated", "ends_on": day, "successor": "order.bought", "words": "Use it."}
    moved = call(client, "PUT", URL, said)
    assert (moved["lifecycle"], moved["successor"], moved["ends_on"]) == ("deprecated", "order.bought", day)
    assert call(client, "GET", URL)["may_become"] == ["retired", "active"]
    mended = call(client, "PUT", URL, {"lifecycle": "deprecated", "words": "Do use it."})
    assert (mended["farewell"], mended["successor"], mended["ends_on"]) == ("Do use it.", "order.bought", day)
    problem = call(client, "PUT", URL, {"lifecycle": "retired"}, 422)
    assert problem["errors"][0]["pointer"] == "/confirm"
    assert (
        call(client, "PUT", URL, {"lifecycle": "retired", "confirm": "order.placed"})["lifecycle"]
        == "retired"
    )
    assert call(client, "PUT", URL, {"lifecycle": "retired"})["lifecycle"] == "retired"
    assert call(client, "PUT", URL, {"lifecycle": "active"})["farewell"] == ""


@pytest.mark.parametrize(
    ("body", "places"),
    [
        ({}, ["/lifecycle"]),
        ({"lifecycle": "gone"}, ["/lifecycle"]),
        ({"lifecycle": "retired", "confirm": "order.placed"}, ["/lifecycle"]),
        ({"lifecycle": "deprecated"}, ["/words"]),
        ({"lifecycle": "deprecated", "words": "x", "successor": "nothing"}, ["/successor"]),
        ({"lifecycle": "deprecated", "words": "x", "successor": "order.placed"}, ["/successor"]),
        ({"lifecycle": "deprecated", "words": "x", "ends_on": "2001-01-01"}, ["/ends_on"]),
        ({"lifecycle": "active", "words": "x", "confirm": "y"}, ["/confirm", "/words"]),
    ],
)
def test_what_cannot_be_is_refused_at_its_place(client, person, town, log, body, places):
    assert sorted(one["pointer"] for one in call(client, "PUT", URL, body, 422)["errors"]) == places
    town.refresh_from_db()
    assert town.lifecycle == "active"


def test_only_owners_end_a_type(client, town, log):
    visitor(client, "change_eventtype", "view_eventtype")
    problem = call(client, "PUT", URL, {"lifecycle": "deprecated", "words": "x"}, 403)
    assert "Checkout" in problem["detail"]


def test_a_version_has_a_last_day_that_can_be_mended(client, person, town, log):
    SchemaVersion.objects.create(event_type=town, number=2, schema=SCHEMA, example=EXAMPLE)
    url = "/event-types/order.placed/versions/1/lifecycle"
    first, second = ((timezone.localdate() + timedelta(days=days)).isoformat() for days in (30, 60))
    assert call(client, "PUT", url, {"lifecycle": "deprecated", "ends_on": first})["ends_on"] == first
    assert call(client, "PUT", url, {"lifecycle": "deprecated"})["ends_on"] == first
    assert call(client, "PUT", url, {"lifecycle": "deprecated", "ends_on": second})["ends_on"] == second
    for body in (
        {"lifecycle": "deprecated", "ends_on": "2020-01-31"},
        {"lifecycle": "active", "ends_on": first},
    ):
        assert call(client, "PUT", url, body, 422)["errors"][0]["pointer"] == "/ends_on"
    assert call(client, "PUT", url, {"lifecycle": "active"})["ends_on"] is None


def test_a_version_ends_when_another_counts_instead(client, person, town, log):
    SchemaVersion.objects.create(event_type=town, number=2, schema=SCHEMA, example=EXAMPLE)
    url = "/event-types/order.placed/versions/2/lifecycle"
    assert call(client, "PUT", url, {"lifecycle": "deprecated"}, 422)["errors"][0]["pointer"] == "/lifecycle"
    assert (
        call(client, "PUT", url, {"lifecycle": "deprecated", "instead": 7}, 422)["errors"][0]["pointer"]
        == "/instead"
    )
    assert call(client, "PUT", url, {"lifecycle": "deprecated", "instead": 1})["lifecycle"] == "deprecated"
    assert call(client, "GET", "/event-types/order.placed")["default_version"] == 1
    assert call(client, "PUT", url, {"lifecycle": "active"})["lifecycle"] == "active"
    call(client, "PUT", "/event-types/order.placed/versions/9/lifecycle", {"lifecycle": "active"}, 404)


@pytest.mark.parametrize("name", ["a/versions", "a/versions/2", "a/lifecycle", "a/versions/2/lifecycle"])
def test_a_name_that_has_no_address_of_its_own_is_refused(client, person, town, name):
    from catalog.forms.event_types import name_problem

    assert "address" in (name_problem(name) or "")
