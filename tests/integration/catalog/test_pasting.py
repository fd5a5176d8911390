"""Paste anything: what it is, what it fills, what stays of what a person wrote."""

from __future__ import annotations

import json
import re
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from catalog.models import EventType
from tests.integration.catalog.documents import THING, openapi, pasted, value
from tests.integration.catalog.shop import EXAMPLE, SCHEMA, registration, text_of

pytestmark = pytest.mark.django_db

EVENT = {
    "specversion": "1.0",
    "id": "1",
    "type": "invoice.overdue",
    "source": "/shop/checkout",
    "data": {"invoice_id": "inv-1", "customer": {"email": "a@example.com"}, "due": 12.5},
}


def test_an_example_event_fills_the_form_with_a_proposed_schema(client, person, town, log):
    response = pasted(client, EVENT)
    assert "This is CloudEvent 1.0." in text_of(response)
    assert "The schema is proposed from the example" in text_of(response)
    assert (value(response, "name"), value(response, "sources")) == (
        "invoice.overdue",
        [town.sources.get().pk],
    )
    schema = json.loads(value(response, "schema"))
    assert schema["properties"]["customer"]["properties"]["email"] == {"type": "string", "format": "email"}
    assert json.loads(value(response, "example")) == EVENT["data"]
    assert response.context["origin"] == "example"


KINDS = [
    ({"a": 1}, "event data", {}),
    (THING | {"title": "Order Placed"}, "JSON Schema", {"name": "order.placed"}),
    (
        {"version": "0", "id": "1", "detail-type": "Order Sent", "source": "shop", "account": "1", "time": "2026-01-01T00:00:00Z",
         "region": "eu", "resources": [], "detail": {"id": "x"}},
        "AWS EventBridge event",
        {"name": "Order Sent"},
    ),
    (json.loads(openapi("order.sent")), "OpenAPI 3.1.0", {"name": "order.sent", "summary": "About order.sent"}),
    (
        {"asyncapi": "3.0.0", "info": {"title": "A", "version": "1"},
         "channels": {"c": {"address": "c", "messages": {"m": {"name": "order.sent", "summary": "Went out.", "payload": THING}}}}},
        "AsyncAPI 3.0.0",
        {"name": "order.sent", "summary": "Went out."},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("document", "kind", "fields"), KINDS)
def test_what_is_pasted_is_recognised_and_fills_the_form(client, person, town, log, document, kind, fields):
    response = pasted(client, document)
    assert f"This is {kind}" in text_of(response)
    assert {name: value(response, name) for name in fields} == fields
    assert json.loads(value(response, "schema"))
    assert value(response, "example")


def test_what_comes_from_aws_is_told_which_events_will_be_of_it(client, person, town, log):
    event = {"version": "0", "id": "1", "source": "shop", "detail": {"id": "x"}}
    page = text_of(pasted(client, event | {"detail-type": "Order Sent"}))
    assert "Events belong to it whose type is “Order Sent”: AWS's detail-type as it is" in unescape(page)
    response = pasted(client, event | {"detail-type": "Order (sent)"})
    assert value(response, "name") == "order.sent"
    assert "AWS sends “Order (sent)” as detail-type, which cannot be a name here." in text_of(response)


def test_an_event_of_aws_has_the_type_that_was_registered_from_its_schema(client, person, town, log):
    from rules.engine import Event

    raw = {"version": "0", "id": "1", "source": "shop", "detail-type": "Order Sent", "detail": {"id": "x"}}
    response = pasted(client, raw)
    name = value(response, "name")
    answer = client.post("/events/new/", registration(town, name=name))
    assert answer.status_code == 302, text_of(answer)
    assert EventType.objects.get(name="Order Sent")
    # What docs/coming-from.md has a rule of AWS send: the type is $.detail-type.
    sent = Event.from_json(
        json.dumps({"specversion": "1.0", "type": raw["detail-type"], "id": "1", "source": "shop"}).encode()
    )
    assert sent.attributes["type"] == name
    for url in (
        "/events/Order%20Sent/",
        "/?q=Order+Sent",
        "/schemas/Order%20Sent/1",
        "/api/v1/event-types/Order%20Sent",
    ):
        assert client.get(url).status_code == 200, url


@pytest.mark.parametrize("name", ["Order  Sent", "Order\tSent", "Order\nSent", "Order (sent)"])
def test_a_name_has_single_spaces_inside_alone(client, person, town, log, name):
    answer = client.post("/events/new/", registration(town, name=name))
    assert "Use letters, digits, single spaces and" in text_of(answer)
    assert EventType.objects.count() == 1


WRONG = [
    ('{\n "a": 1,\n}', "Line 3:", 3),
    ("just words", "This is plain text", 1),
    ('{"openapi": "3.1.0"}', "info", 1),
    (json.dumps(THING | {"type": "objekt"}, indent=1), "no JSON type", 2),
    (json.dumps({"$ref": "https://example.com/x.json"}, indent=1), "nothing is fetched", 2),
]


@pytest.mark.parametrize(("text", "words", "line"), WRONG)
def test_what_is_wrong_in_it_is_told_at_its_line_and_the_form_stays(
    client, person, town, log, text, words, line
):
    response = pasted(client, text, name="order.kept", summary="Mine.")
    html = response.content.decode()
    assert words in text_of(response)
    assert f"&quot;line&quot;: {line}" in html
    assert (value(response, "name"), value(response, "summary")) == ("order.kept", "Mine.")


def test_what_a_person_wrote_stays_and_what_was_read_is_read_again(client, person, town, log):
    first = pasted(client, EVENT, taken=client.get("/events/new/").context["taken"])
    form = {name: value(first, name) for name in ("name", "schema", "example")}
    taken = first.context["taken"]
    changed = EVENT | {"type": "invoice.settled", "data": {"invoice_id": "inv-2"}}
    second = pasted(client, changed, **form, taken=taken)
    assert value(second, "name") == "invoice.settled"
    assert "inv-2" in value(second, "example")
    third = pasted(client, changed, **(form | {"name": "invoice.mine"}), taken=taken)
    assert (value(third, "name"), json.loads(value(third, "example"))) == (
        "invoice.mine",
        {"invoice_id": "inv-2"},
    )
    assert "What you wrote yourself stays: Name" in text_of(third)


def test_without_script_a_button_reads_it(client, person, town, log):
    response = client.post("/events/new/", {"document": json.dumps(EVENT), "action": "read"})
    assert value(response, "name") == "invoice.overdue"
    assert '"invoice.overdue"' in response.content.decode().replace("&quot;", '"')
    made = client.post(
        "/events/new/",
        registration(town, **{name: value(response, name) for name in ("name", "schema", "example")}),
    )
    assert made.url == "/events/invoice.overdue/"


def test_a_file_is_read_as_what_is_pasted(client, person, town, log):
    upload = SimpleUploadedFile("api.json", b"\xef\xbb\xbf" + openapi("order.sent", "order.lost").encode())
    response = client.post("/events/new/", {"upload": upload, "action": "read"})
    assert [choice.candidate.name for choice in response.context["choices"]] == ["order.sent", "order.lost"]
    assert "order.lost" in response.context["pasted"]


def test_a_large_text_waits_for_the_button_and_a_larger_one_is_refused(client, person, town, log):
    large = json.dumps({"a": "x" * 300_000})
    assert "press “Read it”" in text_of(pasted(client, large))
    assert "This is event data" in text_of(client.post("/events/new/", {"document": large, "action": "read"}))
    upload = SimpleUploadedFile("a.json", json.dumps({"a": "x" * 2_200_000}).encode())
    assert "At most 2 MiB" in text_of(client.post("/events/new/", {"upload": upload, "action": "read"}))


def test_an_example_that_no_form_holds_is_left_out_and_the_form_can_be_sent_again(client, person, town, log):
    large = json.dumps({"a": "x" * 1_900_000})
    page = client.post("/events/new/", {"document": large, "action": "read"})
    assert "Examples of more than 256 KiB are left out" in text_of(page)
    assert json.loads(value(page, "schema"))["properties"] == {"a": {"type": "string"}}
    assert not value(page, "example")
    again = {"document": large, "schema": value(page, "schema"), "example": "x" * 200_000, "action": "draft"}
    assert client.post("/events/new/", again).status_code == 302


def test_a_pasted_name_is_looked_up_when_the_form_appears(client, person, town, log):
    trigger = 'from:#id_name, load"'
    assert trigger not in client.get("/events/new/").content.decode()
    assert trigger in pasted(client, openapi("order.sent")).content.decode()


def test_the_paste_box_never_shows_text_as_markup(client, person, town, log):
    html = pasted(client, openapi("<b>x</b>", "</textarea><script>")).content.decode()
    assert not re.search(r"<b>x|<script>", html)


def test_the_form_still_opens_as_it_did(client, person, town, log):
    form = client.get("/events/new/?name=order.lost").context["form"]
    assert form["name"].value() == "order.lost"
    made = client.post("/events/new/", registration(town, schema=SCHEMA, example=EXAMPLE))
    assert made.status_code == 302


def test_a_pasted_event_offers_to_register_its_source_with_the_type(client, person, town):
    event = EVENT | {"source": "/shop/billing"}
    page = client.post("/events/new/", {"action": "read", "document": json.dumps(event)})
    assert page.context["form"]["new_source"].value() == "/shop/billing"
    assert "on the bus main" in text_of(page)
    client.post(
        "/events/new/",
        registration(town, name="invoice.overdue", sources=[]) | {"new_source": "/shop/billing"},
    )
    [source] = EventType.objects.get(name="invoice.overdue").sources.all()
    assert (source.uri, source.name, source.bus.name, source.team) == (
        "/shop/billing",
        "Billing",
        "main",
        town.team,
    )
    assert '"source": "/shop/billing"' in text_of(client.get("/events/invoice.overdue/")).replace(
        "&quot;", '"'
    )


def test_a_source_that_is_registered_or_no_uri_is_not_made_again(client, person, town):
    page = client.post("/events/new/", {"action": "read", "document": json.dumps(EVENT)})
    assert not page.context["form"]["new_source"].value()
    for uri in ("/shop/checkout", "two words"):
        answer = client.post("/events/new/", registration(town, name="a.b") | {"new_source": uri})
        assert answer.context["form"].errors.keys() == {"new_source"}, uri


def test_who_may_register_no_sources_is_not_offered_one(client, colleague, town):
    client.force_login(colleague)
    page = client.post("/events/new/", {"action": "read", "document": json.dumps(EVENT | {"source": "/x"})})
    assert "new_source" not in page.context["form"].fields
    assert "which is no registered source yet" in text_of(page)


def test_a_schema_of_one_line_is_shown_in_lines_with_its_numbers_as_written(client, person, town):
    text = '{"type":"object","required":["a"],"properties":{"a":{"type":"number","maximum":1.50}}}'
    page = client.post("/events/new/", {"action": "read", "document": text})
    shown = page.context["form"]["schema"].value()
    assert '\n      "maximum": 1.50' in shown
    town.versions.update(schema=text, example='{"a":1}')
    form = client.get("/events/order.placed/versions/new/").context["form"]
    assert (form["schema"].value(), form["example"].value()) == (shown, '{\n  "a": 1\n}')
    unchanged = client.post("/events/order.placed/versions/new/", {"schema": shown, "example": '{"a": 1}'})
    assert "This is the schema of version 1, unchanged." in text_of(unchanged)


def test_a_document_is_pasted_into_the_next_version_and_judged(client, person, town):
    changed = {"type": "object", "required": ["other"], "properties": {"other": {"type": "string"}}}
    text = openapi("order.placed", "order.paid", **{"order.placed": changed})
    page = client.post("/events/order.placed/versions/new/", {"action": "read", "document": text})
    assert json.loads(page.context["form"]["schema"].value())["required"] == ["other"]
    assert page.context["answer"].breaks
    assert town.versions.count() == 1
    page = client.post(
        "/events/order.placed/versions/new/", {"action": "read", "document": openapi("a.b", "c.d")}
    )
    assert "None of the 2 event types that it describes is called order.placed." in text_of(page)
