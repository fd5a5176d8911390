"""Drafts: kept at any time, listed, gone on with, deleted."""

from __future__ import annotations

import pytest

from catalog.models import Draft, EventType
from tests.integration.catalog.shop import EXAMPLE, SCHEMA, registration, text_of

pytestmark = pytest.mark.django_db


def test_a_half_written_registration_is_kept_as_it_was_typed(client, person, town, log):
    sent = {
        "action": "draft",
        "name": "order placed?",
        "schema": "{ not yet",
        "tags": "a, b",
        "sources": ["1", "x"],
        "examples": ["{}", ""],
        "examples_name": ["one", ""],
        "personal": ["customer.email"],
        "accept_cautions": "on",
        "compatibility": "full",
        "new_team": "Mine",
    }
    url = client.post("/events/new/", sent).url
    draft = Draft.objects.get()
    assert url == f"/events/new/?draft={draft.pk}"
    assert (draft.name, draft.created_by, draft.event_type) == ("order placed?", person, None)
    page = client.get(url)
    form = page.context["form"]
    values = {
        name: form[name].value()
        for name in ("name", "schema", "tags", "personal", "compatibility", "new_team")
    }
    assert values == {
        "name": "order placed?", "schema": "{ not yet", "tags": "a, b", "personal": ["customer.email"],
        "compatibility": "full", "new_team": "Mine",
    }  # fmt: skip
    assert form["accept_cautions"].value() is True
    assert [(one.number, one.name) for one in form.example_rows()] == [(2, "one")]
    assert not EventType.objects.filter(name__contains="?").exists()


def test_a_draft_is_changed_where_it_is_and_gone_once_it_is_registered(client, person, town, log):
    client.post("/events/new/", registration(town, action="draft", summary=""))
    draft = Draft.objects.get()
    client.post("/events/new/", registration(town, action="draft", summary="Better.", draft=draft.pk))
    assert Draft.objects.get().content["summary"] == "Better."
    wrong = client.post("/events/new/", registration(town, draft=draft.pk, summary=""))
    assert wrong.context["draft_id"] == draft.pk
    assert client.post("/events/new/", registration(town, draft=draft.pk)).url == "/events/order.cancelled/"
    assert not Draft.objects.exists()


def test_a_draft_of_the_next_version_opens_in_the_version_form(client, person, town, log):
    changed = SCHEMA.replace("own", "very own")
    url = "/events/order.placed/versions/new/"
    sent = {
        "action": "draft",
        "schema": changed,
        "example": EXAMPLE,
        "notes": "clearer",
        "override": "because",
    }
    opened = client.get(client.post(url, sent).url)
    draft = Draft.objects.get()
    assert draft.event_type == town
    form = opened.context["form"]
    assert [form[name].value() for name in ("schema", "notes", "override")] == [changed, "clearer", "because"]
    client.post(url, {"schema": changed, "example": EXAMPLE, "draft": draft.pk})
    assert town.versions.count() == 2
    assert not Draft.objects.exists()


def test_what_discovery_left_opens_in_the_same_form_whatever_it_lacks(client, person, town, log):
    content = {
        "name": "door.opened",
        "domain": town.domain_id,
        "team": str(town.team_id),
        "sources": [source.pk for source in town.sources.all()],
        "schema": SCHEMA,
        "tags": ["building", "night"],
        "examples": [EXAMPLE, {"name": "b", "data": "{}"}],
        "personal": None,
        "notes": 5,
    }
    draft = Draft.objects.create(name="door.opened", content=content, origin="discovery")
    page = client.get(f"/events/new/?draft={draft.pk}").context
    form = page["form"]
    assert (form["domain"].value(), form["team"].value()) == (town.domain_id, town.team_id)
    assert (form["tags"].value(), form["personal"].value()) == ("building, night", [])
    assert len(form.example_rows()) == 2
    client.post("/events/new/", registration(town, name="door.opened", draft=draft.pk, origin=page["origin"]))
    assert EventType.objects.get(name="door.opened").latest.origin == "discovery"


def test_the_list_shows_ones_own_drafts_and_nobodys_with_what_they_are(client, person, town, log, colleague):
    Draft.objects.create(name="mine.new", created_by=person, origin="openapi")
    Draft.objects.create(name="order.placed", created_by=person, event_type=town)
    Draft.objects.create(name="found.one", origin="discovery")
    other = Draft.objects.create(name="theirs.new", created_by=colleague)
    page = text_of(client.get("/drafts/"))
    assert "mine.new a new type openapi" in page
    assert "order.placed a next version by hand" in page
    assert "found.one a new type discovery nobody’s yet" in page
    assert "theirs.new" not in page
    assert "3 drafts" in text_of(client.get("/events/new/"))
    assert client.get(f"/events/new/?draft={other.pk}").status_code == 404
    assert client.post(f"/drafts/{other.pk}/delete/").status_code == 404


def test_a_draft_is_deleted_after_a_question(client, person, town, log):
    draft = Draft.objects.create(name="mine.new", created_by=person)
    assert "Delete mine.new?" in text_of(client.get("/drafts/"))
    assert client.get(f"/drafts/{draft.pk}/delete/").status_code == 405
    assert client.post(f"/drafts/{draft.pk}/delete/").url == "/drafts/"
    assert "No drafts." in text_of(client.get("/drafts/"))


@pytest.mark.parametrize("pk", ["0", "x", "99999999999999999999", "-1"])
def test_a_draft_that_is_not_there_is_told_so(client, person, town, log, pk):
    assert client.get(f"/events/new/?draft={pk}").status_code == 404


def test_a_draft_of_a_version_opens_nowhere_else(client, person, town, log):
    draft = Draft.objects.create(name="order.placed", created_by=person, event_type=town)
    assert client.get(f"/events/new/?draft={draft.pk}").status_code == 404
    new = Draft.objects.create(name="a", created_by=person)
    assert client.get(f"/events/order.placed/versions/new/?draft={new.pk}").status_code == 404
