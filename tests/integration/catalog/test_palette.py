"""The command palette's answer, and what each page carries of it: ranks, marks, permissions, hostile names."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.contrib.auth.models import Permission

from catalog.models import EventType, SchemaVersion, Source, Token
from catalog.palette.entries import marked
from catalog.palette.keys import GOES, keys_for
from rules.models import Rule, Target
from rules.revisions import subscribe

pytestmark = pytest.mark.django_db

HOSTILE = "<script>alert(1)</script>"


def options(html: str) -> list[tuple[str, str]]:
    """Title and URL of every option, in the order of the list."""
    found = re.findall(
        r'role="option"[^>]*?data-href="([^"]*)".*?<span class="t[^"]*">(.*?)</span>', html, re.S
    )
    return [(unescape(re.sub(r"<[^>]+>", "", title)), unescape(url)) for url, title in found]


def titles(html: str) -> list[str]:
    return [title for title, _url in options(html)]


@pytest.fixture
def billing(town, person):
    """A rule with a target."""
    rule = Rule(
        name="Orders to Billing",
        bus=Source.objects.get().bus,
        team=town.team,
        pattern={"type": ["order.placed"]},
    )
    target = Target(name="Billing", connector="http", config={"url": "http://127.0.0.1:9/"})
    subscribe(rule, target, person)
    return target


def ask(client, query: str) -> str:
    response = client.get("/palette/", {"q": query})
    assert response.status_code == 200
    return response.content.decode()


def test_each_kind_is_found_by_its_name_and_leads_to_its_page(client, person, town, log, billing):
    assert ("order.placed", "/events/order.placed/") in options(ask(client, "placed"))
    assert ("Shop", "/sources/shop/") in options(ask(client, "shop"))
    found = options(ask(client, "billing"))
    assert ("Orders to Billing", f"/rules/{billing.rule_id}/") in found
    assert ("Billing", f"/targets/{billing.pk}/") in found


def test_a_type_is_found_by_a_field_and_the_field_is_named(client, person, town, log):
    field = SchemaVersion.objects.get().event_type.field_uses.first()
    html = ask(client, field.path)
    assert "order.placed" in titles(html)
    assert field.path in unescape(re.sub(r"</?mark>", "", html))


def test_the_beginning_of_a_word_comes_before_the_inside_of_one(client, person, town, log):
    for name in ("a.reordered", "order.moved", "big.order", "disorder.seen"):
        EventType.objects.create(name=name, summary="It says order.", domain=town.domain, team=town.team)
    found = [title for title in titles(ask(client, "order")) if "." in title and " " not in title]
    assert found == ["order.moved", "order.placed", "big.order", "a.reordered", "disorder.seen"]


def test_a_section_ends_after_six_with_a_way_to_all(client, person, town, log):
    for number in range(9):
        EventType.objects.create(
            name=f"stock.moved{number}", summary="Moved.", domain=town.domain, team=town.team
        )
    found = options(ask(client, "stock.moved"))
    assert len([1 for _title, url in found if url.startswith("/events/")]) == 6
    assert ("All results: Event types", "/?q=stock.moved") in found


def test_the_letters_looked_for_are_marked_and_nothing_else_is_html():
    assert marked("Order of <b>", ["or", "<"]) == "<mark>Or</mark>der of <mark>&lt;</mark>b&gt;"
    assert marked("a & b", []) == "a &amp; b"


def test_hostile_names_are_text(client, person, town, log):
    town.summary = HOSTILE
    town.save()
    Source.objects.create(name=HOSTILE, slug="bad", uri="/x", bus=Source.objects.get().bus, team=town.team)
    subscribe(
        Rule(name=HOSTILE, bus=Source.objects.get(slug="bad").bus, team=town.team),
        Target(name=HOSTILE, connector="http", config={"url": "http://127.0.0.1:9/"}),
        person,
    )
    for query in (
        "script",
        HOSTILE,
        "alert(1)",
        "pause script",
        '"><img src=x>',
        "%",
        "_",
        "\\",
        "\x00",
        "a" * 999,
    ):
        html = ask(client, query)
        assert "<script" not in html
        assert "<img" not in html
        assert "alert(1)" not in query or HOSTILE in titles(html)


def test_nobody_is_told_of_what_they_may_not_see(client, town, log, django_user_model):
    user = django_user_model.objects.create_user("lena", password="signal-box-9")
    user.user_permissions.set(Permission.objects.filter(codename__in=("view_source",)))
    rule = Rule(name="Shop rule", bus=Source.objects.get().bus, team=town.team)
    subscribe(rule, Target(name="Shop target", connector="http", config={"url": "http://127.0.0.1:9/"}), user)
    client.force_login(user)
    assert titles(ask(client, "shop")) == ["Shop"]
    assert titles(ask(client, "order")) == []
    assert "Nothing is called “order”" in ask(client, "order")
    page = client.get("/sources/").content.decode()
    listed = dict(options(page[page.index('id="palette"') :]))
    assert "Sources" in listed
    assert not {
        "Marketplace",
        "Rules",
        "Register a source",
        "Make a publishing token",
        "Redrive dead letters…",
    } & set(listed)
    [goes] = [group for group in keys_for(user) if str(group.title) == "Go to"]
    assert [str(key.does) for key in goes.keys] == ["Sources"]


def test_who_may_look_but_not_change_is_offered_no_change(client, town, log, billing, django_user_model):
    user = django_user_model.objects.create_user("lena", password="signal-box-9")
    user.user_permissions.set(Permission.objects.filter(codename__in=("view_target", "view_rule")))
    client.force_login(user)
    assert titles(ask(client, "pause billing")) == []  # not even the marketplace, which is not theirs
    user.user_permissions.add(Permission.objects.get(codename="change_target"))
    assert titles(ask(client, "pause bil")) == ["Pause Billing…"]


def test_an_action_is_found_by_its_verb_and_the_name(client, person, town, log, billing):
    assert ("Pause Billing…", f"/targets/{billing.pk}/") in options(ask(client, "pause bil"))
    assert ("Redrive dead letters of Billing…", f"/dead-letters/?target={billing.pk}") in options(
        ask(client, "redrive billing")
    )
    assert ("Subscribe to order.placed", "/subscribe/?type=order.placed") in options(
        ask(client, "subscribe placed")
    )
    # What rests is resumed, not paused.
    Target.objects.update(state="paused")
    assert "Pause Billing…" not in titles(ask(client, "pause billing"))
    assert "Resume Billing…" in titles(ask(client, "resume billing"))


def test_who_is_not_signed_in_gets_nothing(client, town, log):
    assert client.get("/palette/", {"q": "order"}).status_code == 302
    assert client.get("/palette/", {"q": "order"}, headers={"HX-Request": "true"}).status_code == 401
    assert b'id="palette"' not in client.get("/sign-in/").content


def test_secrets_of_a_target_are_not_found(client, person, town, log, billing):
    Target.objects.update(config={"url": "http://127.0.0.1:9/?token=s3cret"})
    assert titles(ask(client, "s3cret"))[0] == "Look in the marketplace"
    assert not Token.objects.exists()


def test_no_two_pages_have_the_same_keys_and_every_page_of_the_rail_has_some(client, person, town, log):
    page = client.get("/").content.decode()
    pressed = re.findall(r'data-keys="([^"]+)"', page)
    assert len(pressed) == len(set(pressed)) == len(GOES) + 7 - 1
    assert {f"g {key}" for key in GOES.values()} <= set(pressed)
    # One key alone must not be the first of two.
    assert not {one.split()[0] for one in pressed if " " in one} & {one for one in pressed if " " not in one}
    # What the palette shows beside a page is what the list says.
    for url, caps in re.findall(
        r'role="option"[^>]*data-href="([^"]+)".*?<span class="to">(.*?)</span>', page
    ):
        keys = " ".join(re.findall(r"<kbd>(.*?)</kbd>", caps))
        if keys:
            assert f'data-keys="{keys}" data-href="{url}"' in page
