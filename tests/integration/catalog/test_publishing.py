"""Publishing a test event from the page of its type."""

from __future__ import annotations

import json
import re

import pytest

from catalog.facts import PublishRefused
from catalog.models import SchemaVersion
from tests.integration.catalog.shop import EXAMPLE, SCHEMA, published, text_of

pytestmark = pytest.mark.django_db


def test_a_test_event_goes_through_the_ingest_and_is_shown_as_stored(client, person, town, log):
    response = published(client)
    assert response.url == "/events/order.placed/publish/?as=form&stored=41"
    (stored,) = log.stored
    event = json.loads(stored.raw)
    assert event["data"] == json.loads(EXAMPLE)
    assert (event["type"], event["source"], event["subject"]) == ("order.placed", "/shop/checkout", "order-1")
    assert event["specversion"] == "1.0"
    page = client.get(response.url).content.decode()
    assert 'href="/journey/41/"' in page
    assert stored.id in page


def test_the_json_tab_sends_what_was_written(client, person, town, log):
    published(client, "/events/order.placed/publish/?as=json", whole='{"order_id": "x", "more": [1]}')
    assert json.loads(log.stored[0].raw)["data"] == {"order_id": "x", "more": [1]}


def test_a_refusal_of_the_ingest_stands_beside_its_field(client, person, town, log):
    log.refusal = PublishRefused("data/total/amount: Must be at least 20.", "/data")
    strict = json.loads(SCHEMA)
    strict["properties"]["total"]["properties"]["amount"]["minimum"] = 20
    SchemaVersion.objects.create(event_type=town, number=2, schema=json.dumps(strict), example=EXAMPLE)
    response = published(client)
    assert response.status_code == 200
    html = response.content.decode()
    assert html.count("Must be at least 20, is 12.5.") == 1
    assert re.search(r'name="data-1"[^>]*aria-invalid="true"', html)


def test_a_refusal_for_another_reason_than_the_data_is_told_above_the_form(client, person, town, log):
    log.refusal = PublishRefused("The database does not answer in time.")
    assert "The database does not answer in time." in text_of(published(client))


def test_the_same_form_sent_twice_is_one_event_and_changed_in_between_two(client, person, town, log):
    url = "/events/order.placed/publish/"
    form = client.get(url).context["form"]
    sent = {name: form.get_initial_for_field(field, name) or "" for name, field in form.fields.items()}
    sent |= {"source": "/shop/checkout", "subject": "order-1"}
    for subject in ("order-1", "order-1", "order-2"):
        client.post(url, sent | {"subject": subject})
    published(client)
    ids = [event.id for event in log.stored]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
