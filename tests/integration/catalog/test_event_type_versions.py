"""Versions on the page of an event type: shares, verdicts, any two compared, which one is the default."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from catalog.models import Lifecycle, SchemaVersion
from tests.integration.catalog.shop import text_of

pytestmark = pytest.mark.django_db


def add(town, number, properties, required=(), **fields):
    """A further version."""
    schema = json.dumps({"type": "object", "required": list(required), "properties": properties}, indent=1)
    return SchemaVersion.objects.create(event_type=town, number=number, schema=schema, example="{}", **fields)


@pytest.fixture
def versions(town):
    """Three versions: 1 is the town's, 2 adds a field, 3 takes the first one's type away."""
    second = add(
        town, 2, {"order_id": {"type": "string"}, "gift": {"type": "boolean"}}, ["order_id"], notes="adds gift",
        verdict={"outcome": "compatible", "mode": "forward", "breaks": []},
    )  # fmt: skip
    third = add(
        town, 3, {"order_id": {"type": "integer"}}, notes="numbers", override="All listeners were asked.",
        verdict={"outcome": "incompatible", "breaks": [{"message": "data.order_id is a number.", "caution": False}]},
    )  # fmt: skip
    return [town.versions.get(number=1), second, third]


def test_a_version_shows_its_share_of_the_days_events_and_its_verdict(client, person, town, versions, log):
    log.by_version = {3: 61, 2: 38, 0: 1}
    page = text_of(client.get("/events/order.placed/"))
    for words in ("61% of events", "38% of events", "no events", "compatible", "saved all the same",
                  "All listeners were asked.", "1 event of the last 24 hours was taken for no version"):  # fmt: skip
        assert words in page
    assert page.count("default ") >= 1


@pytest.mark.parametrize(
    ("verdict", "override", "word"),
    [
        ({}, "", None),
        ({"outcome": "compatible"}, "", "compatible"),
        ({"outcome": "incompatible", "breaks": [{"caution": True}]}, "", "a caution"),
        ({"outcome": "incompatible", "breaks": [{"caution": True}]}, "because", "saved all the same"),
        ({"outcome": "incompatible", "breaks": [{"caution": False}]}, "", "incompatible"),
        ({"outcome": "incompatible", "mode": "none", "breaks": [{}]}, "", "no promise"),
        ({"outcome": "undecided", "undecided": [{"path": "data", "why": "$ref"}]}, "", "undecided"),
    ],
)
def test_a_verdict_is_told_in_a_word(town, verdict, override, word):
    from catalog.verdicts import told

    found = told(SchemaVersion(event_type=town, number=2, verdict=verdict, override=override))
    assert (found.word if found else None) == word


@pytest.mark.parametrize(
    ("query", "pair"),
    [
        ("", (2, 3)),
        ("?from=1&to=3", (1, 3)),
        ("?from=3&to=1", (3, 1)),
        ("?from=9&to=abc", (2, 3)),
        ("?to=1", (2, 1)),
        ("?to=2", (1, 2)),
        ("?from=99999999999999999999&to=2", (1, 2)),
    ],
)
def test_any_two_versions_are_compared(client, person, town, versions, log, query, pair):
    context = client.get(f"/events/order.placed/diff/{query}").context
    assert (context["from"], context["to"]) == pair


def test_the_difference_says_what_changed_for_listeners_and_publishers_and_shows_the_lines(
    client, person, town, versions, log
):
    response = client.get("/events/order.placed/diff/?from=1&to=3")
    page = text_of(response)
    assert "data.order_id is integer now; it was string." in page
    assert "listeners break" in page
    assert "+ &quot;type&quot;: &quot;integer&quot;" in page
    assert response.context["verdict"] is None  # 3 was judged against 2
    page = text_of(client.get("/events/order.placed/diff/?from=2&to=3"))
    assert "saved all the same" in page
    assert "All listeners were asked." in page


def test_versions_that_say_the_same_and_a_type_with_one_version_say_so(client, person, town, log):
    assert "Nothing to compare." in text_of(client.get("/events/order.placed/diff/"))
    SchemaVersion.objects.create(
        event_type=town, number=2, schema=town.versions.get(number=1).schema, example="{}"
    )
    page = text_of(client.get("/events/order.placed/diff/"))
    assert "Nothing that means anything for an event." in page
    assert "The texts say the same." in page


def test_two_huge_schemas_are_not_compared_line_by_line(client, person, town, log):
    for number in (2, 3):
        add(town, number, {f"f{number}_{n}": {"type": "string"} for n in range(900)})
    assert "too large to be compared line by line" in text_of(client.get("/events/order.placed/diff/"))


def test_an_owner_chooses_the_default_and_undoes_it(client, person, town, versions, log):
    page = client.get("/events/order.placed/")
    assert page.context["default"].number == 3
    answer = client.post("/events/order.placed/default/", {"version": "2"})
    assert answer.url == "/events/order.placed/?was=#versions"
    town.refresh_from_db()
    assert town.default_version.number == 2
    page = client.get("/events/order.placed/?was=")
    assert page.context["version"].number == 2
    assert "Version 2 counts for events that name none." in text_of(page)
    assert "Undo" in text_of(page)
    client.post("/events/order.placed/default/", {"version": "", "undo": "1"})
    town.refresh_from_db()
    assert town.default_version is None


@pytest.mark.parametrize("asked", ["9", "abc", "1"])
def test_what_is_no_version_or_retired_cannot_be_the_default(client, person, town, versions, log, asked):
    first = versions[0]
    first.lifecycle = Lifecycle.RETIRED
    first.save(update_fields=["lifecycle"])
    client.post("/events/order.placed/default/", {"version": "2"})
    page = client.post("/events/order.placed/default/", {"version": asked}, follow=True)
    assert "There is no such version that can be the default." in text_of(page)
    town.refresh_from_db()
    assert town.default_version.number == 2


def test_only_owners_choose_the_default(client, town, versions, log):
    user = get_user_model().objects.create_user("lin")
    for codename in ("view_eventtype", "change_eventtype"):
        user.user_permissions.add(Permission.objects.get(codename=codename))
    client.force_login(user)
    assert "Make it the default" not in text_of(client.get("/events/order.placed/"))
    answer = client.post("/events/order.placed/default/", {"version": "2"})
    assert answer.status_code == 403
    assert "Only members of Checkout may choose the default." in text_of(answer)
    town.team.members.add(user)
    assert "Make it the default" in text_of(client.get("/events/order.placed/"))
    assert client.post("/events/order.placed/default/", {"version": "2"}).status_code == 302


def test_a_name_with_slashes_has_its_version_pages(client, person, town, versions, log):
    type(town).objects.filter(pk=town.pk).update(name="com.example/orders/placed")
    for page in ("diff/", "versions/2/openapi.json", "versions/2/types/typescript"):
        assert client.get(f"/events/com.example/orders/placed/{page}").status_code == 200
