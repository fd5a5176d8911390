"""The settings as one section: its sub-navigation, tokens, buses and connectors, and what each says to whom."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model

from catalog import token_use
from catalog.models import Bus, Profile, Team, Token
from catalog.navigation import SETTINGS
from delivery.connectors import registry as connectors
from delivery.tracking.words import State
from rules.models import Target
from rules.revisions import save_target, set_state
from tests.integration import rows as write
from tests.integration.catalog.shop import text_of

pytestmark = pytest.mark.django_db
PAGES = [
    "/settings/teams/", "/settings/teams/new/", "/settings/teams/by-slug/shop/", "/settings/teams/by-slug/shop/delete/",
    "/settings/members/", "/settings/members/new/", "/settings/members/by-name/lena/", "/settings/tokens/", "/settings/buses/",
    "/settings/buses/new/", "/settings/buses/main/", "/settings/buses/main/retire/", "/settings/connectors/", "/settings/audit/",
    "/profile/",
]  # fmt: skip


def tabs(page):
    bar = re.search(r'<nav class="tabs".*?</nav>', page.content.decode(), re.S)[0]
    return re.findall(r'href="([^"]+)"(?: aria-current="(page|true)")?', bar)


@pytest.mark.parametrize("url", PAGES)
def test_every_page_is_in_the_section_and_within_the_policy(client, town, lena, url):
    answer = client.get(url)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert not re.search(r"<[^>]+\s(style|on\w+)=", page)
    assert not re.search(r"<style|<script(?![^>]*\ssrc=)", page)
    bar = tabs(answer)
    assert len(bar) == len(SETTINGS)
    assert [marked for _url, marked in bar if marked], "one tab is marked"
    assert re.search(r'<a href="/settings/" aria-current="(true|page)"', page), (
        "and so is Settings in the rail"
    )


def test_the_sub_navigation_holds_what_one_may_open(client, town, lena):
    client.force_login(lena)
    mine = [url for url, _ in tabs(client.get("/settings/teams/"))]
    assert mine == ["/settings/teams/", "/settings/members/", "/settings/tokens/", "/settings/buses/", "/settings/connectors/", "/profile/"]  # fmt: skip
    assert client.get("/settings/").url == "/settings/teams/"
    Profile.objects.filter(user=lena).update(role="")
    client.force_login(get_user_model().objects.get(pk=lena.pk))
    assert client.get("/settings/").url == "/profile/"
    assert [url for url, _ in tabs(client.get("/profile/"))] == ["/profile/"]


@pytest.mark.parametrize(
    "url", ["/settings/teams/", "/settings/members/", "/settings/tokens/", "/settings/buses/", "/settings/connectors/", "/settings/audit/"]
)  # fmt: skip
def test_who_may_not_is_told_which_permission_it_needs(client, town, lena, url):
    Profile.objects.all().delete()
    client.force_login(lena)
    answer = client.get(url)
    assert answer.status_code == 403
    assert "This page needs the permission" in text_of(answer)


def test_a_token_says_who_made_it_and_when_it_was_used(client, town, mara):
    client.post("/settings/tokens/", {"name": "build", "team": town.team.pk, "reads": "on"})
    made = client.get("/settings/tokens/")
    text = re.search(r'<code id="token">([^<]+)</code>', made.content.decode())[1]
    assert "by mara" in text_of(made)
    token = Token.objects.get(name="build")
    assert (token.created_by, token.used_at) == (mara, None)
    token_use._uses.forget(token.public_id)
    for _ in range(2):
        assert client.get("/api/v1/teams", headers={"Authorization": f"Bearer {text}"}).status_code == 200
    token.refresh_from_db()
    first = token.used_at
    assert first is not None
    client.get("/export/openapi.json", headers={"Authorization": f"Bearer {text}"})
    token.refresh_from_db()
    assert token.used_at == first, "once a minute"


def test_tokens_are_found_also_by_a_pasted_whole_one_which_is_not_shown_again(client, town):
    _, text = Token.issue(name="build", team=town.team)
    page = client.get("/settings/tokens/", {"q": text}, follow=True)
    assert [token.name for token, _may in page.context["lines"]] == ["build"]
    assert text not in page.content.decode()
    assert [token.name for token, _ in client.get("/settings/tokens/?q=check").context["lines"]] == [
        "checkout"
    ]
    assert "No token fits." in text_of(client.get("/settings/tokens/?show=revoked"))


def test_editors_make_and_revoke_tokens_of_their_teams_alone(client, town, lena):
    theirs, _ = Token.issue(name="billing", team=town.other)
    client.force_login(lena)
    page = client.get("/settings/tokens/")
    assert list(page.context["form"].fields["team"].queryset) == [town.team]
    assert client.post("/settings/tokens/", {"name": "x", "team": town.other.pk}).status_code == 200
    assert "Only members of Billing" in text_of(
        client.post(f"/settings/tokens/{theirs.pk}/revoke/", follow=True)
    )
    client.post(f"/settings/tokens/{town.token.pk}/revoke/")
    assert list(Token.objects.filter(revoked_at=None)) == [theirs]
    Team.objects.get(slug="shop").members.remove(lena)
    assert "You are in no team." in text_of(client.get("/settings/tokens/"))


def test_editors_see_buses_and_change_none(client, town, lena):
    client.force_login(lena)
    page = client.get("/settings/buses/").content.decode()
    assert "main" in page
    assert 'href="/settings/buses/main/"' not in page
    assert "/settings/buses/new/" not in page
    assert client.post("/settings/buses/main/", {"retention_days": 1}).status_code == 403
    assert Bus.objects.get().retention_days == 30


@pytest.mark.django_db(transaction=True)
def test_connectors_say_how_their_targets_are(client, town, monkeypatch):
    for name in ("Paused", "Refusing", "Fine"):
        save_target(
            Target(rule=town.rule, name=name, connector="http", config={"url": "http://127.0.0.1:8999/"})
        )
    set_state(Target.objects.get(name="Paused"), "paused")
    refusing = Target.objects.get(name="Refusing")
    seq = write.store(town.bus.pk, (refusing.pk,), subject="A")
    write.hold(refusing.pk, seq, State.DEAD, reason="No.")
    Target.objects.filter(name="Billing").update(connector="carrier-pigeon")
    found = dict(connectors.registry()) | {
        "broken": connectors.Registered("broken", "nowhere.at:all", "signalbox-broken")
    }
    monkeypatch.setattr(connectors, "registry", lambda: found)
    lines = {line.name: line for line in client.get("/settings/connectors/").context["lines"]}
    assert [(state.word, n) for state, n in lines["http"].health] == [
        ("Refusing", 1),
        ("Paused", 1),
        ("Healthy", 1),
    ]
    assert "No module named 'nowhere'" in lines["broken"].trouble
    assert lines["carrier-pigeon"].targets == 1
    page = text_of(client.get("/settings/connectors/"))
    assert "It is not installed here." in page
    assert "no target uses it" in page


@pytest.mark.parametrize(
    "url", ["/settings/teams/", "/settings/members/", "/settings/audit/", "/settings/connectors/"]
)
def test_the_number_of_queries_does_not_grow_with_the_rows(client, town, url, django_assert_max_num_queries):
    for number in range(30):
        user = get_user_model().objects.create_user(f"p{number}")
        made = Team.objects.create(name=f"T{number}", slug=f"t{number}")
        made.members.add(user)
        client.post("/settings/teams/by-slug/billing/members/", {"member": f"p{number}", "do": "add"})
    client.get(url)
    with django_assert_max_num_queries(24):
        assert client.get(url).status_code == 200
