"""Teams: who may change them, and where what they own goes when one is deleted."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model

from catalog.changes import OWN
from catalog.models import Approval, EventType, Follow, Profile, Source, Team, Token
from delivery.models import RequestBin
from rules.models import Rule, RuleRevision
from tests.integration.catalog.shop import text_of

pytestmark = pytest.mark.django_db
SHOP = "/settings/teams/by-slug/shop/"
BILLING = "/settings/teams/by-slug/billing/"


def test_the_list_counts_people_and_what_they_own_and_searches(client, town):
    page = text_of(client.get("/settings/teams/"))
    assert "Shop yours shop 2 1 1" in page
    assert "Billing billing 0 0 0" in page
    found = text_of(client.get("/settings/teams/?q=bill"))
    assert "Billing billing" in found
    assert "Shop yours" not in found
    assert "No team is called “nothing”" in text_of(client.get("/settings/teams/?q=nothing"))


def test_a_team_is_made_renamed_and_its_slug_stays(client, town, mara):
    assert (
        client.post("/settings/teams/new/", {"name": "Parcel post"}).url
        == "/settings/teams/by-slug/parcel-post/"
    )
    made = Team.objects.get(slug="parcel-post")
    assert list(made.members.all()) == [mara]
    client.post("/settings/teams/by-slug/parcel-post/", {"name": "Fulfilment"})
    made.refresh_from_db()
    assert (made.name, made.slug) == ("Fulfilment", "parcel-post")
    for url in ("/settings/teams/new/", "/settings/teams/by-slug/parcel-post/"):
        answer = client.post(url, {"name": "SHOP"})
        assert "There is a team of this name" in text_of(answer)
    assert "<h1>Fulfilment</h1>" in answer.content.decode()


def test_its_page_lists_members_with_their_role_and_what_it_owns(client, town):
    page = text_of(client.get(SHOP))
    for words in (
        "lena editor",
        "mara administrator",
        "Event types 1 order.placed",
        "Rules 1 Orders to Billing",
    ):
        assert words in page
    Approval.objects.all().delete()
    assert "It owns nothing yet." in text_of(client.get(BILLING))
    assert "Nobody is in this team." in text_of(client.get(BILLING))


def test_people_are_taken_in_and_out(client, town, lena):
    client.post(BILLING + "members/", {"member": "lena", "do": "add"})
    assert lena.teams.filter(slug="billing").exists()
    client.post(BILLING + "members/", {"member": "lena", "do": "remove"})
    assert not lena.teams.filter(slug="billing").exists()
    answer = client.post(BILLING + "members/", {"member": "nobody", "do": "add"}, follow=True)
    assert "Nobody is called “nobody”" in text_of(answer)
    lena.is_active = False
    lena.save()
    answer = client.post(BILLING + "members/", {"member": "lena", "do": "add"}, follow=True)
    assert "is switched off" in text_of(answer)


def test_members_with_the_role_decide_about_their_team_and_no_other(client, town, lena):
    client.force_login(lena)
    assert client.post(SHOP, {"name": "Till"}).status_code == 302
    answer = client.post(BILLING, {"name": "Mine"})
    assert answer.status_code == 403
    assert "Only members of Billing" in text_of(answer)
    client.post(BILLING + "members/", {"member": "lena", "do": "add"})
    assert not lena.teams.filter(slug="billing").exists()
    assert client.post(BILLING + "delete/").status_code == 403
    Profile.objects.filter(user=lena).update(role="reader")
    client.force_login(get_user_model().objects.get(pk=lena.pk))
    assert client.get(SHOP).status_code == 200
    assert client.post(SHOP, {"name": "Other"}).status_code == 403
    assert client.get("/settings/teams/new/").status_code == 403
    assert client.post(SHOP + "members/", {"member": "mara", "do": "remove"}).status_code == 403
    assert sorted(Team.objects.values_list("name", flat=True)) == ["Billing", "Till"]


def test_what_depends_on_it_is_listed_and_goes_to_another_team(client, town, mara):
    Follow.objects.create(user=mara, kind="team", key="shop")
    page = text_of(client.get(SHOP + "delete/"))
    for words in ("order.placed", "Orders to Billing", "checkout", "Bin", "What ends with it", "Follows 1"):
        assert words in page, words
    refused = client.post(SHOP + "delete/")
    assert refused.status_code == 422
    assert "Choose the team that takes what it owns." in text_of(refused)
    EventType.objects.update(personal=[])
    before = RuleRevision.objects.filter(rule_id=town.rule.pk).count()
    assert client.post(SHOP + "delete/", {"to": town.other.pk}).url == "/settings/teams/"
    assert list(Team.objects.values_list("slug", flat=True)) == ["billing"]
    for model in (EventType, Source, Rule, Token, RequestBin):
        assert {row.team_id for row in model.objects.all()} == {town.other.pk}
    assert RuleRevision.objects.filter(rule_id=town.rule.pk).count() == before + 1
    assert not Follow.objects.exists()
    assert Token.objects.get().revoked_at is None


def test_a_rule_that_the_other_team_may_not_have_keeps_everything_where_it_is(client, town, mara):
    third = Team.objects.create(name="Third", slug="third")
    fourth = Team.objects.create(name="Fourth", slug="fourth")
    Rule.objects.update(team=third)
    Approval.objects.filter(team=town.other).update(team=third, state="granted")
    answer = client.post("/settings/teams/by-slug/third/delete/", {"to": fourth.pk})
    assert answer.status_code == 422
    assert "Orders to Billing cannot go to Fourth" in text_of(answer)
    assert Rule.objects.get().team_id == third.pk


def test_without_another_team_nothing_that_is_owned_can_be_deleted(client, town):
    town.other.delete()
    page = text_of(client.get(SHOP + "delete/"))
    assert "There is no other team that could take over" in page
    assert client.post(SHOP + "delete/").status_code == 422
    assert Team.objects.filter(slug="shop").exists()


def test_signalboxs_own_team_stays(client, town):
    Team.objects.create(name="Signalbox", slug=OWN)
    url = f"/settings/teams/by-slug/{OWN}/"
    assert "Signalbox keeps this team itself" in text_of(client.get(url))
    assert client.post(url, {"name": "Mine"}).status_code == 403
    assert client.post(url + "delete/").status_code == 403
    client.post(url + "members/", {"member": "lena", "do": "add"})
    assert not Team.objects.get(slug=OWN).members.exists()
