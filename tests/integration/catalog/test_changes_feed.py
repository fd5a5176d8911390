"""The Atom feed: valid, escaped, cached, and open to a key alone."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest

from catalog import changes
from catalog.models import Change, Reader
from tests.integration.catalog.shop import more, text_of

pytestmark = pytest.mark.django_db

ATOM = "{http://www.w3.org/2005/Atom}"


def read(response):
    """The feed's root, checked against what RFC 4287 §4.1 requires."""
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    root = ET.fromstring(response.content)
    assert root.tag == f"{ATOM}feed"
    ids = []
    for node in (root, *root.iter(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(node.findall(ATOM + name)) == 1, name
        assert datetime.fromisoformat(node.find(f"{ATOM}updated").text).tzinfo is not None
        ids.append(node.find(f"{ATOM}id").text)
        alternate = [link for link in node.findall(f"{ATOM}link") if link.get("rel") == "alternate"]
        assert len(alternate) == 1
        assert urlsplit(alternate[0].get("href")).scheme == "http"
    assert root.find(f"{ATOM}author/{ATOM}name").text
    assert all(one.startswith("urn:uuid:") for one in ids)
    assert len(set(ids)) == len(ids)
    return root


def titles(root):
    return [entry.find(f"{ATOM}title").text for entry in root.iter(f"{ATOM}entry")]


def made_address(client):
    """A new key's address, as the page shows it once."""
    page = client.post("/following/feed/", {"do": "make"}, follow=True)
    return re.search(r'id="feed">([^<]+)<', page.content.decode())[1].replace("http://testserver", "")


def test_the_feed_is_valid_and_newest_first(client, person, town, log):
    changes.record("type.deprecated", event_type=town, by=person)
    root = read(client.get("/changes.atom"))
    assert titles(root) == ["order.placed is deprecated.", "order.placed is on the shelf."]
    entry = root.find(f"{ATOM}entry")
    assert entry.find(f"{ATOM}link").get("href") == "http://testserver/events/order.placed/"
    assert entry.find(f"{ATOM}author/{ATOM}name").text == "mara"
    assert entry.find(f"{ATOM}category").get("term") == "type.deprecated"


def test_an_empty_feed_is_valid_too(client, person):
    assert titles(read(client.get("/changes.atom"))) == []


def test_whatever_people_wrote_is_text(client, person, town, log):
    hostile = "<script>alert(1)</script> & ]]> \x00\x0b\ud800 “”"
    change = changes.record("type.deprecated", event_type=town, by=person)
    change.detail = {"farewell": hostile.replace("\ud800", "").replace("\x00", "\x01")}
    change.save()
    answer = client.get("/changes.atom")
    assert b"<script>" not in answer.content
    summary = read(answer).find(f"{ATOM}entry/{ATOM}summary").text
    assert "<script>alert(1)</script> & ]]> \ufffd\ufffd “”" in summary


def test_ids_stay_and_the_feed_is_not_sent_twice(client, person, town, log):
    first = client.get("/changes.atom")
    assert [one.text for one in read(first).iter(f"{ATOM}id")] == [
        one.text for one in read(client.get("/changes.atom")).iter(f"{ATOM}id")
    ]
    assert "max-age=60" in first["Cache-Control"]
    assert "private" in first["Cache-Control"]
    for headers in ({"If-None-Match": first["ETag"]}, {"If-Modified-Since": first["Last-Modified"]}):
        again = client.get("/changes.atom", headers=headers)
        assert (again.status_code, again.content) == (304, b"")
        assert again["ETag"] == first["ETag"]
    changes.record("type.deprecated", event_type=town)
    assert client.get("/changes.atom", headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_a_key_opens_what_its_owner_follows_without_signing_in(client, person, town, log):
    client.post("/following/follow/", {"kind": "type", "key": "order.placed", "do": "follow"})
    more(town, "order.lost")
    address = made_address(client)
    key = address.partition("follow=")[2]
    assert len(key) >= 40
    assert key not in str(Reader.objects.values()), "only a digest is kept"
    assert key not in client.get("/following/").content.decode(), "it is shown once"
    client.logout()
    answer = client.get(address)
    assert titles(read(answer)) == ["order.placed is on the shelf."]
    assert key.encode() not in answer.content
    assert answer["Referrer-Policy"] == "no-referrer"


def test_a_revoked_replaced_or_guessed_key_opens_nothing(client, person, town, log):
    first = made_address(client)
    second = made_address(client)
    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200
    assert client.get("/changes.atom?follow=guess").status_code == 404
    assert client.get("/changes.atom?follow=").status_code == 200, "no key: the session counts"
    client.post("/following/feed/", {"do": "revoke"})
    assert client.get(second).status_code == 404
    third = made_address(client)
    person.is_active = False
    person.save()
    assert client.get(third).status_code == 404


def test_without_a_key_the_feed_is_for_who_is_signed_in_and_may_see_the_catalog(client, person, town, log):
    from django.contrib.auth import get_user_model

    client.logout()
    assert client.get("/changes.atom")["Location"] == "/sign-in/?next=%2Fchanges.atom"
    client.force_login(get_user_model().objects.create_user("nobody"))
    assert client.get("/changes.atom").status_code == 403
    assert "Atom" not in text_of(client.get("/changes.atom"))


def test_a_feed_of_many_changes_holds_the_newest(client, person, town, log):
    more(town, *(f"order.n{number}" for number in range(60)))
    root = read(client.get("/changes.atom"))
    assert len(titles(root)) == 50
    assert titles(root)[0] == "order.n59 is on the shelf."
    assert Change.objects.count() > 50
