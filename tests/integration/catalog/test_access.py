"""The catalog's pages: who may open which, and that each opens within the content security policy."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from catalog import facts as asked
from catalog.access import PUBLIC, permission_of
from catalog.models import Bus, EventType
from catalog.navigation import RAIL
from tests.integration.catalog.shop import PAGES, published, registration, text_of

pytestmark = pytest.mark.django_db


def patterns(resolver=None, prefix=""):
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern):
            yield prefix + str(pattern.pattern), pattern


def address(route):
    """A URL of `route` with something in each of its places."""
    return "/" + re.sub(r"<(\w+):\w+>", lambda place: "1" if place[1] == "int" else "x", route)


def test_every_url_names_the_permission_it_needs():
    nameless = [route for route, pattern in patterns() if permission_of(pattern.callback) is None]
    assert nameless == []
    known = {
        f"{app}.{name}" for app, name in Permission.objects.values_list("content_type__app_label", "codename")
    }
    named = {permission_of(pattern.callback) for _, pattern in patterns()}
    assert named - known - {PUBLIC, "signed in"} == set()


def test_nobody_opens_a_page_without_signing_in_and_htmx_gets_401(client, person):
    client.logout()
    for route, pattern in patterns():
        if permission_of(pattern.callback) == PUBLIC:
            continue
        for method in (client.get, client.post):
            response = method(address(route))
            assert response.status_code in (302, 401, 403), route
            if response.status_code == 302:
                assert response.url.startswith("/sign-in/?next=/"), route
        assert client.get(address(route), headers={"HX-Request": "true"}).status_code in (401, 403), route


def test_whoever_lacks_the_permission_is_told_which(client, town, log):
    person = get_user_model().objects.create_user("jonas", password="signal-box-9")
    client.force_login(person)
    response = client.get("/settings/buses/")
    assert response.status_code == 403
    assert "catalog.view_bus" in text_of(response)
    person.user_permissions.add(Permission.objects.get(codename="view_bus"))
    client.force_login(get_user_model().objects.get(pk=person.pk))
    assert client.get("/settings/buses/").status_code == 200
    assert client.post("/settings/buses/new/", {"name": "second"}).status_code == 403
    assert not Bus.objects.filter(name="second").exists()


def test_the_rail_lists_only_pages_that_exist(client, person, town, log):
    html = client.get("/").content.decode()
    for _, places in RAIL:
        for place in places:
            assert str(place.label) in html


@pytest.mark.parametrize("url", PAGES)
def test_a_page_opens_within_the_content_security_policy(client, person, town, log, url):
    response = client.get(url)
    assert response.status_code == 200
    page = response.content.decode()
    assert not re.search(r"<[^>]+\s(style|on\w+)=", page), "an attribute that the policy forbids"
    assert not re.search(r"<style|<script(?![^>]*\ssrc=)", page), "an inline element that the policy forbids"
    assert "default-src 'none'" in response["Content-Security-Policy"]


@pytest.mark.parametrize(
    "url", ["/", "/?view=table", "/sources/", "/settings/tokens/", "/settings/buses/", "/events/new/"]
)
def test_a_page_of_an_empty_installation_opens_and_says_what_to_do(client, person, log, url):
    response = client.get(url)
    assert response.status_code == 200
    assert 'class="btn primary"' in response.content.decode()


def test_the_theme_of_the_cookie_is_rendered_and_nothing_else_from_it(client, person, town, log):
    client.cookies["theme"] = "dark"
    assert b'data-theme="dark"' in client.get("/").content
    client.cookies["theme"] = '"><b>'
    assert b"data-theme" not in client.get("/").content


def test_a_post_without_the_forms_protection_changes_nothing(person, town, log):
    client = Client(enforce_csrf_checks=True)
    client.force_login(person)
    response = client.post("/events/new/", registration(town))
    assert response.status_code == 403
    assert "too old to be sent" in text_of(response)
    assert EventType.objects.count() == 1


def test_before_delivery_has_registered_nothing_can_be_published_and_pages_still_open(
    client, person, town, monkeypatch
):
    monkeypatch.setattr(asked, "_facts", asked.NoFacts())
    for url in PAGES:
        assert client.get(url).status_code == 200
    assert "no ingest" in text_of(published(client))
