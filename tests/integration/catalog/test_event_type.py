"""The page of an event type: what it tells, its curl line, deleting it."""

from __future__ import annotations

import html
import json
import re
import subprocess

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from catalog.models import EventType, SchemaVersion, Source
from tests.integration.catalog.shop import text_of

pytestmark = pytest.mark.django_db


def test_the_page_of_a_type_tells_fields_listeners_versions_and_the_newest_event(client, person, town, log):
    log.publish("main", b'{"id": "a-1", "type": "order.placed", "source": "/shop", "data": {"x": "<b>"}}')
    page = client.get("/events/order.placed/")
    text = text_of(page)
    for words in (
        "order_id required",
        "The shop&#x27;s own number",
        "Billing API",
        "refusing",
        "first version",
        "90 days",
    ):
        assert words in text
    assert 'href="/journey/41/"' in page.content.decode()
    assert "<b>" not in page.content.decode().split('class="code pad"')[2]


def test_an_unknown_type_is_not_found(client, person, log):
    assert client.get("/events/no.such.type/").status_code == 404


def test_a_name_with_slashes_has_its_pages(client, person, town, log):
    EventType.objects.filter(pk=town.pk).update(name="com.example/orders/placed")
    for page in ("", "edit/", "publish/", "versions/new/"):
        assert client.get(f"/events/com.example/orders/placed/{page}").status_code == 200


def test_the_curl_line_is_what_a_shell_can_run(client, person, town, log):
    SchemaVersion.objects.create(
        event_type=town, number=2, schema="{}", example='{"who": "O\'Hara \\"x\\" $HOME `id`"}'
    )
    found = re.search(
        r'id="snippet"[^>]*>(.*?)</pre>', client.get("/events/order.placed/").content.decode(), re.S
    )
    shell = (
        "curl() { printf '%s\\0' \"$@\"; }; uuidgen() { echo made-up; }; SIGNALBOX_TOKEN=t\n"
        + html.unescape(found[1])
    )
    words = subprocess.run(["bash", "-c", shell], capture_output=True, check=True).stdout.decode().split("\0")
    assert "http://testserver/v1/buses/main/events" in words
    assert "Authorization: Bearer t" in words
    event = json.loads(words[words.index("-d") + 1])
    assert event["id"] == "made-up"
    assert event["data"] == {"who": 'O\'Hara "x" $HOME `id`'}


def test_deleting_a_type_asks_first_and_says_who_depends_on_it(client, person, town, log):
    url = "/events/order.placed/delete/"
    assert f'href="{url}"' in client.get("/events/order.placed/").content.decode()
    page = text_of(client.get(url))
    for word in (
        "Delete order.placed ?",
        "its 1 schema version go",
        "Orders to billing",
        "Billing API",
        "Shop",
    ):
        assert word in page
    assert EventType.objects.count() == 1
    assert client.post(url).url == "/"
    assert not EventType.objects.exists()
    assert not SchemaVersion.objects.exists()
    assert Source.objects.count() == 1
    assert client.get("/events/order.placed/").status_code == 404


def test_who_may_not_delete_types_is_not_offered_it(client, town, log):
    reader = get_user_model().objects.create_user("reader")
    reader.user_permissions.add(Permission.objects.get(codename="view_eventtype"))
    client.force_login(reader)
    assert "/delete/" not in client.get("/events/order.placed/").content.decode()
    assert client.post("/events/order.placed/delete/").status_code == 403
    assert EventType.objects.count() == 1
