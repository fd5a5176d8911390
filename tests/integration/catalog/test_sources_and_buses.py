"""Sources and buses: prefix and policy, the token made on the spot, the first event, retiring and bringing back."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.utils import timezone

from catalog import system
from catalog.facts import BusRule, SourceFacts
from catalog.forms.event_types import EditForm, RegisterForm
from catalog.forms.settings import TokenForm
from catalog.models import Bus, Change, Source, Token
from rules.forms import RuleForm, bus_for
from tests.integration.catalog.shop import text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(town):
    """Asks what was recorded of changes since the town was made: kind, what it is called, detail."""
    before = set(Change.objects.values_list("pk", flat=True))
    return lambda: [
        (one.kind, one.detail.pop("name", one.bus), one.detail)
        for one in Change.objects.exclude(pk__in=before).order_by("pk")
    ]


def source_form(town, **changes):
    bus = Bus.objects.get(name="main")
    return {
        "name": "Tills",
        "uri": "/tills",
        "bus": bus.pk,
        "team": town.team_id,
        "prefix": "shop.till.",
    } | changes


def bus_form(**changes):
    return {"name": "second", "retention_days": 7, "description": "", "unregistered": "reject"} | changes


def test_a_source_has_a_prefix_that_new_types_are_suggested_with(client, person, town, log, told):
    answer = client.post("/sources/new/", source_form(town), follow=True)
    source = Source.objects.get(slug="tills")
    assert source.prefix == "shop.till."
    assert 'href="/events/new/?name=shop.till.&amp;source=tills"' in answer.content.decode()
    new = client.get("/events/new/?name=shop.till.&source=tills")
    assert 'value="shop.till."' in new.content.decode()
    assert new.context["form"].initial["sources"] == [source]
    answer = client.post("/sources/tills/edit/", source_form(town, prefix="not a prefix"))
    assert "for example shop.order. with the dot at its end" in text_of(answer)
    client.post("/sources/tills/edit/", source_form(town, prefix=""))
    assert told() == [
        ("source.registered", "Tills", {}),
        ("source.changed", "Tills", {"fields": ["prefix"]}),
    ]


def test_a_token_is_made_on_the_page_of_the_source_and_shown_once_with_a_curl_line(client, person, town, log):
    answer = client.post("/sources/shop/token/")
    assert answer.status_code == 302
    token = Token.objects.get()
    assert (token.name, token.bus.name, token.team) == ("Shop", "main", town.team)
    page = client.get("/sources/shop/").content.decode()
    [text] = set(re.findall(rf"sbx_{token.public_id}_[\w-]+", page))
    assert token.fits(text)
    assert f"export SIGNALBOX_TOKEN={text}" in page
    assert "http://testserver/v1/buses/main/events" in page
    assert text not in client.get("/sources/shop/").content.decode()


def test_a_token_goes_to_the_page_it_was_made_on_alone(client, person, town, log):
    client.post("/sources/shop/token/")
    cookie = client.cookies["issued-token"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == ("/sources/shop/", True, "Strict")
    shown = client.get("/sources/shop/")
    assert shown["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    assert shown.cookies["issued-token"]["max-age"] == 0


def test_the_page_asks_for_the_first_event_until_it_came(client, person, town, log):
    waiting = client.get("/sources/shop/first/").content.decode()
    assert 'hx-trigger="every 2s"' in waiting
    assert "Waiting for its first event" in client.get("/sources/shop/").content.decode()
    log.first["/shop/checkout"] = datetime.now(UTC) - timedelta(seconds=5)
    seen = client.get("/sources/shop/first/").content.decode()
    assert "First event seen" in seen
    assert "hx-trigger" not in seen


def test_the_list_says_how_busy_each_source_is_and_shows_the_retired_last(client, person, town, log):
    Source.objects.create(
        name="Attic",
        slug="attic",
        uri="/attic",
        bus=Bus.objects.get(),
        team=town.team,
        retired_at=timezone.now(),
    )
    log.sent["/shop/checkout"] = SourceFacts(
        4.2, {"order.placed": 9}, datetime.now(UTC) - timedelta(minutes=3)
    )
    page = client.get("/sources/")
    text = text_of(page)
    assert "4.2" in text
    assert "3 minutes ago" in text
    assert text.index("Shop") < text.index("Attic retired")
    assert page.content.decode().count('<tr class="gone">') == 1


def test_a_retired_source_is_offered_nowhere_and_comes_back(client, person, town, log, told):
    shop = Source.objects.get(slug="shop")
    client.post("/sources/shop/retire/")
    shop.refresh_from_db()
    assert shop.retired_at is not None
    assert "Retired on" in text_of(client.get("/sources/shop/"))
    assert shop not in RegisterForm(user=person).fields["sources"].queryset
    # What it emitted once is not lost by editing the rest of a type.
    assert shop in EditForm(user=person, event_type=town).fields["sources"].queryset
    assert "/shop/checkout" not in client.get("/events/order.placed/publish/").content.decode()
    client.post("/sources/shop/restore/")
    shop.refresh_from_db()
    assert shop.retired_at is None
    assert [kind for kind, *_ in told()] == ["source.retired", "source.changed"]


def test_a_bus_says_what_stops_and_is_retired_by_typing_its_name(client, person, town, log, told):
    bus = Bus.objects.get()
    log.on_bus["main"] = [BusRule(3, "Orders to billing", "Billing")]
    Token.issue(name="t", bus=bus, team=town.team)
    page = text_of(client.get("/settings/buses/main/retire/"))
    for words in (
        "Orders to billing Billing",
        "Shop /shop/checkout Checkout",
        "1 publishing token",
        "the only bus",
    ):
        assert words in page
    answer = client.post("/settings/buses/main/retire/", {"confirm": "mian"})
    assert answer.status_code == 422
    assert "Type main to end it all the same." in text_of(answer)
    assert client.post("/settings/buses/main/retire/", {"confirm": "main"}).status_code == 302
    bus.refresh_from_db()
    assert bus.retired_at is not None
    assert "main" in client.get("/settings/buses/").content.decode().split('<tr class="gone">')[1]
    client.post("/settings/buses/main/restore/")
    bus.refresh_from_db()
    assert bus.retired_at is None
    assert [kind for kind, *_ in told()] == ["bus.retired", "bus.changed"]


def test_a_bus_that_holds_nothing_is_retired_without_typing(client, person, town, log):
    empty = Bus.objects.create(name="empty")
    assert "no rule listens on it, and no source publishes to it" in text_of(
        client.get("/settings/buses/empty/retire/")
    )
    assert client.post("/settings/buses/empty/retire/").status_code == 302
    empty.refresh_from_db()
    assert empty.retired_at is not None


def test_what_is_on_a_retired_bus_is_offered_nowhere(client, person, town, log):
    second = Bus.objects.create(name="second")
    Bus.objects.filter(name="main").update(retired_at=timezone.now())
    old = Bus.objects.get(name="main")
    assert not Source.objects.offered().exists()
    assert list(TokenForm(user=person).fields["bus"].queryset) == [second]
    assert list(RuleForm().fields["bus"].queryset) == [second]
    assert bus_for("order.placed") == second
    page = client.get("/sources/shop/edit/")
    # Its source may stay there while the rest of it is edited; a new one may not go there.
    assert set(page.context["form"].fields["bus"].queryset) == {old, second}
    assert list(client.get("/sources/new/").context["form"].fields["bus"].queryset) == [second]
    Source.objects.update(retired_at=timezone.now())
    answer = client.post("/sources/shop/restore/", follow=True)
    assert "Its bus main is retired." in text_of(answer)
    assert Source.objects.get().retired_at is not None
    assert '<b>second</b> <span class="faint">bus</span>' in client.get("/").content.decode()


def test_a_bus_has_a_team_and_a_policy_for_what_is_not_registered(client, person, town, log, told):
    assert client.post("/settings/buses/new/", bus_form(team=town.team_id)).status_code == 302
    made = Bus.objects.get(name="second")
    assert (made.team, made.unregistered, made.retention_days) == (town.team, "reject", 7)
    client.post("/settings/buses/second/", bus_form(team="", unregistered="accept"))
    made.refresh_from_db()
    assert (made.team, made.unregistered) == (None, "accept")
    assert told() == [
        ("bus.registered", "second", {}),
        ("bus.changed", "second", {"fields": ["team", "unregistered"]}),
    ]


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("/sources/shop/retire/", {}),
        ("/sources/shop/restore/", {}),
        ("/sources/shop/edit/", {"name": "Mine now"}),
        ("/settings/buses/main/", {"description": "Mine now"}),
        ("/settings/buses/main/retire/", {"confirm": "main"}),
        ("/settings/buses/main/restore/", {}),
    ],
)
def test_only_the_owners_change_what_is_theirs(client, town, log, url, sent):
    Bus.objects.update(team=town.team)
    if "restore" in url:
        Source.objects.update(retired_at=timezone.now())
        Bus.objects.update(retired_at=timezone.now())
    before = (list(Source.objects.values()), list(Bus.objects.values()))
    user = get_user_model().objects.create_user("jonas")
    codes = ["view_source", "change_source", "view_bus", "change_bus", "view_eventtype"]
    user.user_permissions.add(*Permission.objects.filter(codename__in=codes))
    client.force_login(user)
    answer = client.post(url, sent, follow=True)
    assert "Only members of Checkout, who own it, and staff decide this." in text_of(answer)
    assert (list(Source.objects.values()), list(Bus.objects.values())) == before


def test_what_signalbox_keeps_itself_offers_nothing_to_change(client, person, town, log):
    system.ensure()
    page = client.get("/sources/signalbox/")
    assert "Signalbox alone publishes as this source." in text_of(page)
    for words in ("Make a token", "source=signalbox", "Retire…", "/sources/signalbox/edit/", 'id="curl"'):
        assert words not in page.content.decode(), words
    page = client.get("/settings/buses/system/").content.decode()
    assert '<fieldset class="stack" disabled>' in page
    assert '<fieldset class="stack">' in client.get("/settings/buses/main/").content.decode()
    buses = text_of(client.get("/discovery/"))
    assert "main are accepted, and proposed here" in buses
    assert "system are accepted" not in buses


def test_the_example_of_a_schemas_address_is_of_an_event_type_of_ours(client, person, town, log):
    system.ensure()
    assert "/schemas/order.placed/1" in text_of(client.get("/export/"))
