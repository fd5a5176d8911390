"""The welcome page: once, by itself; and the generator's switch on it."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from catalog.models import Bus, Source, Team, Token
from delivery.demo import first_event, town, trouble, welcome
from delivery.models import Switch

pytestmark = pytest.mark.django_db
SINCE = datetime(2026, 11, 26, 13, 40, tzinfo=UTC)


@pytest.fixture(autouse=True)
def var(tmp_path: Path, settings: Any) -> Path:
    settings.VAR, settings.DEMO = tmp_path, True
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return tmp_path


@pytest.fixture
def visitor() -> Client:
    """Somebody who signed in to the demo for the first time."""
    town.load()
    return signed_in(User.objects.get(username="demo"))


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_first_look_at_the_marketplace_leads_to_the_welcome_page_once(visitor: Client) -> None:
    assert visitor.get("/").headers["location"] == reverse("welcome")
    assert visitor.get(reverse("welcome")).status_code == 200
    assert visitor.get("/").status_code == 200
    again = signed_in(User.objects.get(username="demo"))
    assert again.get("/").status_code == 200


def test_who_has_not_seen_it_is_led_there_although_another_has(visitor: Client) -> None:
    visitor.get(reverse("welcome"))
    other = signed_in(User.objects.create_superuser("other"))
    assert other.get("/").headers["location"] == reverse("welcome")


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/?q=order", {}), ("/", {"HX-Request": "true"})],
    ids=["a search", "a part of the page"],
)
def test_nothing_but_the_plain_page_leads_there(visitor: Client, path: str, headers: dict[str, str]) -> None:
    assert visitor.get(path, headers=headers).status_code == 200


def test_who_is_not_signed_in_is_not_led_there(visitor: Client) -> None:
    assert "/welcome" not in Client().get("/").headers["location"]


def test_without_the_demo_nobody_is_led_there_and_it_shows_the_way_to_a_first_event() -> None:
    client = signed_in(User.objects.create_superuser("mine"))
    assert client.get("/").status_code == 200
    page = client.get(reverse("welcome")).content.decode()
    assert "There is no bus yet." in page
    bus, team = Bus.objects.create(name="main"), Team.objects.create(name="Shop", slug="shop")
    Source.objects.create(name="Shop", slug="shop", uri="/shop/checkout", bus=bus, team=team)
    page = html.unescape(client.get(reverse("welcome")).content.decode())
    for step in ("register-source", "tokens", "subscribe", "find"):
        assert f'href="{reverse(step)}' in page, step
    assert "export SIGNALBOX_TOKEN=sbx_…\ncurl -i http://testserver/v1/buses/main/events" in page
    assert '"source": "/shop/checkout"' in page


@pytest.mark.parametrize("page", ["marketplace", "rules", "deliveries"])
def test_an_empty_page_leads_to_the_way_to_a_first_event(page: str) -> None:
    client = signed_in(User.objects.create_superuser("mine"))
    found = client.get(reverse(page)).content.decode()
    inside = found.partition("<main")[2]
    assert f' href="{reverse("welcome")}"' in inside
    assert f' href="{reverse("marketplace")}"' not in inside


def test_the_page_says_what_there_is_and_shows_the_line_of_the_terminal(visitor: Client) -> None:
    page = html.unescape(visitor.get(reverse("welcome")).content.decode())
    assert "8 sources, 14 event types, 4 rules" in page
    facts = welcome.banner_facts()
    assert facts is not None
    assert first_event.curl("http://testserver", "demo-bus", facts["token"]) in page
    assert f"{reverse('find')}?q=my-first-event" in page
    assert facts["password"] not in page


def test_who_may_make_no_tokens_sees_the_line_without_one() -> None:
    facts = town.load()
    reader = User.objects.create_user("reader")
    reader.user_permissions.add(Permission.objects.get(codename="view_eventtype"))
    page = html.unescape(signed_in(reader).get(reverse("welcome")).content.decode())
    assert first_event.curl("http://testserver", "demo-bus", None) in page
    assert facts["token"] not in page


def test_the_switch_stops_and_starts_the_generator(visitor: Client) -> None:
    def press(on: str) -> str:
        answer = visitor.post(reverse("demo-generator"), {"on": on}, headers={"HX-Request": "true"})
        assert answer.status_code == 200
        return answer.content.decode()

    assert 'name="on" value="1"' in press("0")
    assert not Switch.objects.get(name=town.GENERATOR).on
    assert 'name="on" value="0"' in press("1")
    assert Switch.objects.get(name=town.GENERATOR).on


def test_the_switch_works_without_javascript(visitor: Client) -> None:
    answer = visitor.post(reverse("demo-generator"), {"on": "0"})
    assert answer.headers["location"].startswith(reverse("welcome"))
    assert not Switch.objects.get(name=town.GENERATOR).on


@pytest.mark.parametrize(
    ("spoil", "word", "reason"),
    [
        (lambda: Token.objects.update(revoked_at=SINCE), "refused since 13:40", "its token was revoked."),
        (lambda: Token.objects.all().delete(), "refused", "its token was deleted."),
    ],
    ids=["revoked", "deleted"],
)
def test_a_dead_token_is_said_and_replaced(
    visitor: Client, spoil: Callable[[], object], word: str, reason: str
) -> None:
    assert "sending events" in visitor.get(reverse("welcome")).content.decode()
    spoil()
    page = visitor.get(reverse("welcome")).content.decode()
    assert "sending events" not in page
    assert word in page
    assert reason in page
    trouble.note("This token is not known or was revoked.")
    card = visitor.post(reverse("demo-token"), headers={"HX-Request": "true"}).content.decode()
    assert "sending events" in card
    facts = welcome.banner_facts()
    assert facts is not None
    assert facts["token"] in html.unescape(visitor.get(reverse("welcome")).content.decode())
    assert town.token_of(facts) is not None


def test_what_the_ingest_says_to_the_generator_is_said(visitor: Client) -> None:
    trouble.note("There is no bus called demo-bus")
    trouble.note("There is no bus called demo-bus")
    page = visitor.get(reverse("welcome")).content.decode()
    assert "There is no bus called demo-bus." in page
    assert "sending events" not in page
    trouble.clear()
    trouble.clear()
    assert "sending events" in visitor.get(reverse("welcome")).content.decode()


def test_started_with_demo_0_the_town_is_asleep(visitor: Client, settings: Any) -> None:
    settings.DEMO = False
    page = visitor.get(reverse("welcome")).content.decode()
    assert "asleep" in page
    assert "sending events" not in page


def test_to_look_at_the_switch_does_not_press_it(visitor: Client) -> None:
    assert visitor.get(reverse("demo-generator")).status_code == 405
    assert Switch.objects.get(name=town.GENERATOR).on


def test_who_may_only_look_sees_the_page_and_cannot_press_the_switch(visitor: Client) -> None:
    reader = User.objects.create_user("reader")
    reader.user_permissions.add(Permission.objects.get(codename="view_eventtype"))
    client = signed_in(reader)
    page = client.get(reverse("welcome")).content.decode()
    assert reverse("demo-generator") not in page
    assert client.post(reverse("demo-generator"), {"on": "0"}).status_code == 403
    assert Switch.objects.get(name=town.GENERATOR).on
