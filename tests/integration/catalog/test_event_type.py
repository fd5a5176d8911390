"""The page of an event type: what it tells, its curl line, deleting it."""

from __future__ import annotations

import html
import json
import re
import subprocess

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.utils import timezone

from catalog.models import Bus, EventType, Observation, SchemaVersion, Source
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
    shell = "curl() { printf '%s\\0' \"$@\"; }; SIGNALBOX_TOKEN=t\n" + html.unescape(found[1])
    words = subprocess.run(["bash", "-c", shell], capture_output=True, check=True).stdout.decode().split("\0")
    assert "http://testserver/v1/buses/main/events" in words
    assert "Authorization: Bearer t" in words
    event = json.loads(words[words.index("-d") + 1])
    assert re.fullmatch(r"[0-9]{10,}N?", event["id"])
    assert event["data"] == {"who": 'O\'Hara "x" $HOME `id`'}


def snippet_of(client, language="curl"):
    page = client.get(f"/events/order.placed/?with={language}").content.decode()
    return html.unescape(re.search(r'id="snippet"[^>]*>(.*?)</pre>', page, re.S)[1])


def test_the_programs_have_the_subject_where_the_last_real_event_has_it(client, person, town, log):
    SchemaVersion.objects.create(
        event_type=town, number=2, schema="{}", example='{"total": 7, "ref": {"no": "order-9"}}'
    )
    real = {"id": "a", "type": "order.placed", "source": "/shop", "subject": "order-1"}
    log.publish("main", json.dumps({**real, "data": {"total": 8, "ref": {"no": "order-1"}}}).encode())
    assert '"subject": "order-9"' in snippet_of(client)
    assert "'subject': 'order-9'" in snippet_of(client, "python")
    assert '"subject": "order-9"' in snippet_of(client, "javascript")


def test_without_a_real_event_the_field_that_is_called_the_subject_gives_it(client, person, town, log):
    schema = {
        "properties": {"number": {"type": "string", "description": "Its number, and the event's subject."}}
    }
    version = SchemaVersion.objects.create(
        event_type=town, number=2, schema=json.dumps(schema), example='{"number": "order-9"}'
    )
    assert '"subject": "order-9"' in snippet_of(client)
    SchemaVersion.objects.filter(pk=version.pk).update(
        schema='{"properties": {"number": {"type": "string"}}}'
    )
    assert "subject" not in snippet_of(client)


def test_the_programs_say_what_to_install_and_what_an_open_bus_does_not_ask_for(client, person, town, log):
    assert "pip install 'cloudevents>=2'" in snippet_of(client, "python")
    assert "npm install cloudevents" in snippet_of(client, "javascript")
    open_word = "This bus takes events without a token. Other buses need one"
    assert open_word not in text_of(client.get("/events/order.placed/"))
    Bus.objects.update(open_publishing=True)
    page = text_of(client.get("/events/order.placed/"))
    assert f"{open_word}, in the header: Authorization: Bearer $SIGNALBOX_TOKEN" in page


def test_a_type_without_a_source_is_shown_as_sent_by_whoever_sends_it(client, person, town, log):
    town.sources.clear()
    Observation.objects.create(
        day=timezone.now().date(), bus="main", type_name="order.placed", source="/my/till", events=3,
        first_at=timezone.now(), last_at=timezone.now(),
    )  # fmt: skip
    assert '"source": "/my/till"' in snippet_of(client)


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
