"""Signing in and out, and the one-time link that makes the first administrator."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model

from catalog import setup
from catalog.models import Bus
from tests.integration.catalog.shop import ADMINISTRATOR, text_of

pytestmark = pytest.mark.django_db


def test_signing_in_leads_where_one_wanted_to_go_and_signing_out_needs_a_post(client):
    get_user_model().objects.create_user("mara", password="signal-box-9", is_superuser=True)
    wrong = client.post("/sign-in/", {"username": "mara", "password": "nope"})
    assert "do not belong together" in text_of(wrong)
    right = client.post(
        "/sign-in/?next=/sources/", {"username": "mara", "password": "signal-box-9", "next": "/sources/"}
    )
    assert right.url == "/sources/"
    elsewhere = client.post(
        "/sign-in/", {"username": "mara", "password": "signal-box-9", "next": "//example.com/"}
    )
    assert elsewhere.url == "/"
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/").url == "/sign-in/"
    assert client.get("/").status_code == 302


def test_without_users_every_page_leads_to_the_one_time_link(client, link):
    response = client.get("/sources/", follow=True)
    assert response.request["PATH_INFO"] == "/setup/"
    assert "printed in the terminal" in text_of(response)


def test_the_one_time_link_makes_the_administrator_once(client, link):
    assert "password" in text_of(client.post(link, ADMINISTRATOR | {"password2": "other"}))
    assert not get_user_model().objects.exists()
    assert client.post(link, ADMINISTRATOR).url == "/"
    user = get_user_model().objects.get()
    assert user.is_superuser
    assert [team.name for team in user.teams.all()] == ["Checkout"]
    assert Bus.objects.get().name == "main"
    assert client.get("/").status_code == 200, "signed in"
    client.logout()
    assert client.get(link).status_code == 404
    assert client.post(link, ADMINISTRATOR | {"username": "eve"}).status_code == 404
    assert get_user_model().objects.count() == 1
    assert setup.one_time_link() is None


def test_a_newer_link_replaces_the_older_and_a_guessed_one_opens_nothing(client, link):
    newer = setup.one_time_link()
    assert client.get(link).status_code == 404
    assert client.get("/setup/guess/").status_code == 404
    assert client.get(newer).status_code == 200


def test_the_link_is_kept_as_a_digest_that_only_its_owner_reads(link):
    (file,) = Path(django_settings.VAR).iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert link.split("/")[2] not in file.read_text()


def test_of_two_who_use_the_link_at_once_one_gets_the_account(link):
    token = link.split("/")[2]
    setup.make_administrator(token, "mara", "signal-box-9", "Checkout")
    with pytest.raises(setup.LinkUsed):
        setup.make_administrator(token, "eve", "signal-box-9", "Checkout")


def test_a_failure_while_making_the_administrator_keeps_the_link(link, monkeypatch):
    monkeypatch.setattr(setup, "new_team", lambda name, user: 1 / 0)
    token = link.split("/")[2]
    with pytest.raises(ZeroDivisionError):
        setup.make_administrator(token, "mara", "signal-box-9", "Checkout")
    assert setup.is_open(token)


def test_a_password_that_is_too_weak_is_told_at_the_password(client, link):
    response = client.post(link, ADMINISTRATOR | {"password1": "12345", "password2": "12345"})
    errors = response.context["form"].errors
    assert "too short" in str(errors["password1"])
    assert "password2" not in errors
