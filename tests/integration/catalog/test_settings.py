"""Sources, tokens and buses: how they are made, shown and changed."""

from __future__ import annotations

import html
import re

import pytest

from catalog.models import Bus, Source, Token
from tests.integration.catalog.shop import text_of

pytestmark = pytest.mark.django_db


def test_a_source_is_registered_and_shows_its_curl_line(client, person, town, log):
    sent = {"name": "Parcel post", "uri": "/post", "bus": Bus.objects.get().pk, "new_team": "Fulfilment"}
    assert client.post("/sources/new/", sent).url == "/sources/parcel-post/"
    page = text_of(client.get("/sources/parcel-post/"))
    assert "/v1/buses/main/events" in page
    assert "&quot;source&quot;: &quot;/post&quot;" in page


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"uri": "/shop/checkout"}, "uri", "Another source"),
        ({"uri": "with space"}, "uri", "no spaces"),
        ({"name": "SHOP"}, "name", "is registered"),
        ({"bus": ""}, "bus", "required"),
        ({"new_team": "checkout"}, "new_team", "Choose it in the list"),
    ],
)
def test_a_wrong_source_is_told_at_its_field(client, person, town, log, changes, field, words):
    sent = {"name": "Post", "uri": "/post", "bus": Bus.objects.get().pk, "team": town.team_id} | changes
    response = client.post("/sources/new/", sent)
    assert words in str(response.context["form"].errors[field])
    assert Source.objects.count() == 1


def test_editing_a_source_keeps_its_address(client, person, town, log):
    sent = {"name": "Shop two", "uri": "/shop/checkout", "bus": Bus.objects.get().pk, "team": town.team_id}
    assert client.post("/sources/shop/edit/", sent).url == "/sources/shop/"
    assert Source.objects.get().name == "Shop two"


def test_a_token_is_shown_once_and_kept_as_a_digest(client, person, town, log):
    bus = Bus.objects.get()
    made = client.post("/settings/tokens/", {"name": "checkout", "team": town.team_id, "bus": bus.pk})
    # Reloading the page that shows it asks for it again, and must not make another.
    assert made.url == "/settings/tokens/"
    cookie = made.cookies["issued-token"]
    assert (cookie["path"], cookie["httponly"], cookie["samesite"]) == (made.url, True, "Strict")
    shown = client.get(made.url)
    page = html.unescape(shown.content.decode())
    text = re.search(r'<code id="token">([^<]+)</code>', page)[1]
    token = Token.objects.get()
    assert token.fits(text)
    assert f"export SIGNALBOX_TOKEN={text}\ncurl -i http://testserver/v1/buses/main/events" in page
    assert "no-store" in shown["Cache-Control"]
    assert text not in client.get("/settings/tokens/").content.decode()
    assert Token.objects.count() == 1
    assert client.get(f"/settings/tokens/{token.pk}/revoke/").status_code == 405
    client.post(f"/settings/tokens/{token.pk}/revoke/")
    token.refresh_from_db()
    first = token.revoked_at
    assert first is not None
    client.post(f"/settings/tokens/{token.pk}/revoke/")
    token.refresh_from_db()
    assert token.revoked_at == first


def test_a_bus_is_made_and_its_name_stays(client, person, log):
    sent = {"name": "main", "retention_days": 30, "description": "", "open_publishing": "on"}
    assert client.post("/settings/buses/new/", sent).url == "/settings/buses/"
    assert (
        client.post("/settings/buses/main/", sent | {"name": "other", "retention_days": 7}).status_code == 302
    )
    bus = Bus.objects.get()
    assert (bus.name, bus.retention_days, bus.open_publishing) == ("main", 7, True)
    for wrong in ({"name": "Two Words"}, {"name": "main"}, {"name": "b", "retention_days": 0}):
        assert client.post("/settings/buses/new/", sent | wrong).status_code == 200
    assert Bus.objects.count() == 1
