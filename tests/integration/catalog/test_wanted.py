"""Wanted: asking for an event that does not exist, joining in, and being answered."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model

from catalog.models import Team, Wanted, Wish
from tests.integration.catalog.shop import more, text_of

pytestmark = pytest.mark.django_db

ASKED = {"name": "invoice.overdue", "why": "Reminders, with the amount."}


@pytest.fixture
def other(client):
    """A second person, of a team of their own."""
    user = get_user_model().objects.create_user("jonas", password="signal-box-9", is_superuser=True)
    Team.objects.create(name="Billing", slug="billing").members.add(user)
    return user


def test_an_event_is_asked_for_and_others_join_in(client, person, other, town, log):
    town.team.members.add(person)
    page = client.post("/wanted/", ASKED, follow=True)
    assert "invoice.overdue is on the list." in text_of(page)
    assert "1 team" in text_of(page)
    client.force_login(other)
    assert "Me too" in text_of(client.get("/")), "the marketplace shows it"
    wanted = Wanted.objects.get()
    assert client.post(f"/wanted/{wanted.pk}/join/", {"next": "/"})["Location"] == "/"
    assert "2 teams" in text_of(client.get("/"))
    assert "Joined" in text_of(client.get("/wanted/"))


def test_asking_twice_joins_what_is_there(client, person, other, town, log):
    client.post("/wanted/", ASKED)
    client.force_login(other)
    client.post("/wanted/", ASKED | {"why": "Something else"})
    assert Wanted.objects.get().why == ASKED["why"]
    assert Wish.objects.count() == 2


def test_a_voice_is_taken_back_and_what_nobody_wants_is_gone(client, person, town, log):
    client.post("/wanted/", ASKED)
    wanted = Wanted.objects.get()
    assert client.post(f"/wanted/{wanted.pk}/join/")["Location"] == "/wanted/"
    assert not Wanted.objects.exists()
    assert client.post(f"/wanted/{wanted.pk}/join/").status_code == 404


def test_registering_the_event_answers_the_wish(client, person, town, log):
    client.post("/wanted/", ASKED)
    (made,) = more(town, "Invoice.Overdue")
    assert Wanted.objects.get().event_type == made
    page = text_of(client.get("/wanted/"))
    assert "Nobody misses anything." in page
    assert "Answered" in page


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": ""}, "required"),
        ({"name": "has  two spaces"}, "Use letters, digits"),
        ({"name": "order.placed"}, "exists already"),
        ({"why": ""}, "required"),
    ],
)
def test_a_wish_that_says_too_little_is_sent_back(client, person, town, log, changes, said):
    page = client.post("/wanted/", ASKED | changes)
    assert said in text_of(page)
    assert not Wanted.objects.exists()


def test_joining_in_never_leads_to_another_site(client, person, town, log):
    for back in ("https://thief.example/", "//thief.example/", "javascript:alert(1)"):
        client.post("/wanted/", ASKED)
        pk = Wanted.objects.get().pk
        assert client.post(f"/wanted/{pk}/join/", {"next": back})["Location"] == "/wanted/"
