"""The API of teams, domains, buses and sources."""

from __future__ import annotations

import pytest

from catalog.models import Bus, Domain, Source, Team, Token
from tests.integration.catalog.calls import call

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("url", "body", "model"),
    [
        ("/teams", {"name": "Billing"}, Team),
        ("/domains", {"name": "Money", "team": "checkout"}, Domain),
        ("/buses", {"name": "second", "retention_days": 7}, Bus),
        ("/sources", {"name": "ERP", "uri": "/erp", "bus": "main", "team": "checkout"}, Source),
    ],
)
def test_what_is_registered_twice_with_the_same_words_is_there_once(client, person, town, url, body, model):
    before = model.objects.count()
    made = call(client, "POST", url, body, 201)
    assert call(client, "POST", url, body, 200) == made
    assert model.objects.count() == before + 1
    key = made.get("slug") or made["name"]
    assert call(client, "GET", f"{url}/{key}") == made
    assert made in call(client, "GET", url)["items"]


@pytest.mark.parametrize(
    ("url", "body", "place"),
    [
        ("/domains", {"name": "Orders", "team": None}, "/team"),
        ("/buses", {"name": "main", "retention_days": 7}, "/retention_days"),
        ("/sources", {"name": "Shop", "uri": "/else", "bus": "main", "team": "checkout"}, "/uri"),
    ],
)
def test_what_is_there_and_differs_is_a_conflict_that_names_the_member(
    client, person, town, url, body, place
):
    problem = call(client, "POST", url, body, 409)
    assert [one["pointer"] for one in problem["errors"]] == [place]
    assert "PATCH" in problem["detail"]


@pytest.mark.parametrize(
    ("url", "body", "places"),
    [
        ("/teams", {}, ["/name"]),
        ("/teams", {"name": "checkout"}, ["/name"]),
        ("/teams", {"name": 7}, ["/name"]),
        ("/teams", {"name": "x" * 81}, ["/name"]),
        ("/teams", {"name": "a\0b"}, ["/name"]),
        ("/domains", {"name": "Money", "team": "nobody"}, ["/team"]),
        ("/domains", {"name": "Money", "colour": 3}, ["/colour"]),
        ("/buses", {"name": "Not A Name", "retention_days": 0}, ["/name", "/retention_days"]),
        ("/buses", {"name": "second", "retention_days": "7"}, ["/retention_days"]),
        ("/buses", {"name": "second", "retention_days": 7, "limit_days": 6}, ["/limit_days"]),
        ("/buses", {"name": "second", "open_publishing": "yes"}, ["/open_publishing"]),
        ("/sources", {"name": "ERP", "uri": "/e r p", "bus": "main"}, ["/team", "/uri"]),
        ("/sources", {"name": "ERP", "uri": "/erp", "bus": "nowhere", "team": "checkout"}, ["/bus"]),
        ("/sources", {"name": "ERP", "uri": "/shop/checkout", "bus": "main", "team": "checkout"}, ["/uri"]),
    ],
)
def test_every_mistake_is_named_at_its_place_and_nothing_is_saved(client, person, town, url, body, places):
    before = [model.objects.count() for model in (Team, Domain, Bus, Source)]
    problem = call(client, "POST", url, body, 422)
    assert sorted(one["pointer"] for one in problem["errors"]) == places
    assert [model.objects.count() for model in (Team, Domain, Bus, Source)] == before


def test_a_change_keeps_what_was_not_sent_and_a_stale_one_is_refused(client, person, town):
    response = client.get("/api/v1/sources/shop")
    changed = call(
        client, "PATCH", "/sources/shop", {"description": "Web."}, **{"If-Match": response["ETag"]}
    )
    assert (changed["description"], changed["uri"], changed["team"]) == ("Web.", "/shop/checkout", "checkout")
    call(client, "PATCH", "/sources/shop", {"description": "App."}, 412, **{"If-Match": response["ETag"]})
    assert Source.objects.get(slug="shop").description == "Web."
    assert call(client, "PATCH", "/buses/main", {"retention_days": 3})["retention_days"] == 3
    assert call(client, "PATCH", "/buses/main", {"limit_days": 9})["limit_days"] == 9
    assert call(client, "PATCH", "/buses/main", {"description": "x"})["limit_days"] == 9
    assert call(client, "PATCH", "/buses/main", {"limit_days": None})["limit_days"] is None
    assert call(client, "PATCH", "/buses/main", {"name": "other"}, 422)["errors"][0]["pointer"] == "/name"


def test_who_has_the_newest_state_is_not_sent_it_again(client, person, town):
    etag = client.get("/api/v1/buses/main")["ETag"]
    response = client.get("/api/v1/buses/main", headers={"If-None-Match": etag})
    assert (response.status_code, response.content, response["ETag"]) == (304, b"", etag)


@pytest.mark.parametrize("url", ["/teams/x", "/domains/x", "/buses/x", "/sources/x"])
def test_what_is_not_there_is_404_that_names_it(client, person, town, url):
    assert "“x”" in call(client, "GET", url, status=404)["detail"]


def test_pages_follow_each_other_until_the_last(client, person):
    for number in range(5):
        Team.objects.create(name=f"Team {number}", slug=f"team-{number}")
    seen, url = [], "/teams?limit=2"
    while url:
        page = call(client, "GET", url)
        assert len(page["items"]) <= 2
        seen += [one["name"] for one in page["items"]]
        url = page["next"] and page["next"].removeprefix("/api/v1")
    assert seen == [f"Team {number}" for number in range(5)]


@pytest.mark.parametrize(
    "question",
    ["limit=0", "limit=201", "limit=x", "cursor=x", "cursor=W251bGxd", "cursor=WyJhXHUwMDAwIl0", "page=2"],
)
def test_a_page_that_cannot_be_is_refused(client, person, question):
    call(client, "GET", f"/teams?{question}", status=422)


def test_a_cursor_of_another_list_is_refused(client, person, town):
    Team.objects.create(name="A", slug="a")
    cursor = call(client, "GET", "/teams?limit=1")["next"].partition("cursor=")[2]
    call(client, "GET", f"/drafts?cursor={cursor}", status=422)


def test_a_token_for_one_bus_sees_the_sources_of_that_bus_alone(client, town):
    other = Bus.objects.create(name="other")
    Source.objects.create(name="ERP", slug="erp", uri="/erp", bus=other, team=town.team)
    _, text = Token.issue(name="build", team=town.team, bus=other, reads=True)
    bearer = {"Authorization": f"Bearer {text}"}
    assert [one["slug"] for one in call(client, "GET", "/sources", **bearer)["items"]] == ["erp"]
    assert [one["name"] for one in call(client, "GET", "/buses", **bearer)["items"]] == ["other"]
    call(client, "GET", "/sources/shop", status=404, **bearer)
    call(client, "GET", "/event-types/order.placed", status=404, **bearer)
    call(client, "GET", "/event-types/order.placed/versions/1", status=404, **bearer)
    assert call(client, "GET", "/event-types", **bearer)["items"] == []


def test_only_owners_change_a_source_or_a_bus_that_a_team_has(client, town):
    from tests.integration.catalog.test_api_event_types import visitor

    Bus.objects.filter(name="main").update(team=town.team)
    visitor(client, "view_eventtype", "change_source", "change_bus")
    for url, body in (("/sources/shop", {"description": "x"}), ("/buses/main", {"retention_days": 3})):
        assert "Checkout" in call(client, "PATCH", url, body, 403)["detail"]
    assert Bus.objects.get(name="main").retention_days == 90


def test_a_retired_bus_is_offered_to_no_new_source(client, person, town):
    from django.utils import timezone

    Bus.objects.create(name="old", retired_at=timezone.now())
    body = {"name": "ERP", "uri": "/erp", "bus": "old", "team": "checkout"}
    assert call(client, "POST", "/sources", body, 422)["errors"][0]["pointer"] == "/bus"
