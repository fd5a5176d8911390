"""Packs: what is fetched by npm, what is registered of it, and what is said when that cannot be."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from catalog.models import Bus, Draft, EventType, Source, Team
from catalog.packs import fetching
from catalog.packs.fetching import PackNotFetched, fetch
from catalog.packs.known import PACKS
from tests.integration.catalog.shop import text_of

pytestmark = pytest.mark.django_db

PING = {"type": "object", "required": ["zen"], "properties": {"zen": {"type": "string"}}}
# What the package holds, in small: two actions of one event, and one event without actions.
WEBHOOKS = {
    "$schema": "http://json-schema.org/draft-07/schema",
    "definitions": {
        "ping_event": PING,
        "ping$event": PING,
        "star$created": {**PING, "description": "A repository got a star."},
        "star$deleted": PING,
        # Nothing fits it, so there is no example, and it can only be a draft.
        "never$event": {"type": "object", "required": ["a"], "properties": {"a": False}},
    },
}


@pytest.fixture
def fetched(settings, tmp_path):
    """A folder in which the pack lies as npm would leave it."""
    settings.VAR = tmp_path
    pack = PACKS["github"]
    place = tmp_path / "packs" / "github"
    document = place / "node_modules" / pack.package / pack.file
    document.parent.mkdir(parents=True)
    document.write_text(json.dumps(WEBHOOKS))
    (place / "fetched.json").write_bytes((pack.folder / "package-lock.json").read_bytes())
    return document


def pack(*arguments: str) -> str:
    out = StringIO()
    call_command("catalog", "pack", "github", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("name", sorted(PACKS))
def test_a_lock_names_exact_versions_and_digests_and_no_address(name):
    lock = (PACKS[name].folder / "package-lock.json").read_text()
    packages = {at: one for at, one in json.loads(lock)["packages"].items() if at}
    assert packages[f"node_modules/{PACKS[name].package}"]["version"] == PACKS[name].version
    assert all(re.fullmatch(r"sha512-[\w+/]+=*", one["integrity"]) for one in packages.values())
    assert "://" not in lock
    assert '"resolved"' not in lock


@pytest.mark.service("npm")
def test_npm_fetches_what_the_lock_says_and_its_event_types_are_registered(settings, tmp_path, town):
    settings.VAR = tmp_path
    said = pack("--only", "push", "star")
    assert "GitHub: 3 registered." in said
    pushed = EventType.objects.get(name="com.github.push")
    assert [source.uri for source in pushed.sources.all()] == ["/github"]
    assert pushed.validation == "warn"
    assert pushed.latest.origin == "github"
    assert {"ref", "commits"} <= json.loads(pushed.latest.schema)["properties"].keys()
    assert json.loads(pushed.latest.example)["ref"]
    assert not (tmp_path / "packs" / "github" / "node_modules" / ".bin").exists()
    # What is there is not fetched again.
    before = fetch(PACKS["github"], tmp_path).stat().st_mtime_ns
    assert "3 were there already" in pack("--only", "push", "star")
    assert fetch(PACKS["github"], tmp_path).stat().st_mtime_ns == before


def test_each_event_and_action_becomes_a_type_of_its_own(fetched, town):
    said = pack()
    assert "4 of 4 event types" in said
    assert "com.github.never: Example:" in said
    assert "GitHub: 3 registered, 1 kept as drafts." in said
    names = {"com.github.ping", "com.github.star.created", "com.github.star.deleted"}
    assert set(EventType.objects.exclude(pk=town.pk).values_list("name", flat=True)) == names
    starred = EventType.objects.get(name="com.github.star.created")
    assert (starred.summary, starred.team, starred.domain.name) == (
        "A repository got a star.",
        town.team,
        "GitHub",
    )
    assert Source.objects.get(uri="/github").bus.name == "main"
    assert not Draft.objects.filter(origin="import").exists()


def test_again_it_registers_nothing_twice_and_keeps_no_second_draft(fetched, town):
    pack()
    assert "GitHub: 3 were there already, 1 wait as drafts since an earlier run." in pack()
    assert Draft.objects.filter(name="com.github.never").count() == 1


def test_the_owner_can_be_named_and_is_made(fetched, town):
    pack("--team", "Platform", "--domain", "Code", "--only", "ping")
    ping = EventType.objects.get(name="com.github.ping")
    assert (ping.team.name, ping.domain.name) == ("Platform", "Code")


@pytest.mark.parametrize(
    ("arguments", "without", "said"),
    [
        (["--only", "nothing"], None, "no event type called nothing"),
        (["--bus", "second"], None, "There are: main."),
        ([], Bus, "make one first"),
        ([], Team, "--team Platform"),
    ],
)
def test_what_cannot_be_registered_is_said_and_changes_nothing(fetched, town, arguments, without, said):
    town.delete()
    Source.objects.all().delete()
    if without is Bus:
        Bus.objects.all().delete()
    if without is Team:
        Team.objects.create(name="Billing", slug="billing")
    with pytest.raises(CommandError, match=said):
        pack(*arguments)
    assert not EventType.objects.exists()
    assert not Source.objects.exists()


def test_without_npm_it_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(fetching.shutil, "which", lambda name: None)
    with pytest.raises(PackNotFetched, match=r"Install Node\.js with npm"):
        fetch(PACKS["github"], tmp_path)
    assert not (tmp_path / "packs").exists()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'the digest differs' >&2; exit 1", "could not fetch .* It said: the digest differs"),
        ("exit 0", "has no file schema.json"),
    ],
)
def test_a_failing_npm_is_told_with_its_own_words_and_leaves_nothing_as_fetched(
    monkeypatch, tmp_path, script, said
):
    program = tmp_path / "npm"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(fetching.shutil, "which", lambda name: str(program))
    with pytest.raises(PackNotFetched, match=said):
        fetch(PACKS["github"], tmp_path)
    assert not (tmp_path / "packs" / "github" / "fetched.json").exists()


def test_the_page_shows_each_pack_with_its_command(client, person, fetched, town):
    assert "not registered" in text_of(client.get("/import/"))
    pack("--only", "ping")
    page = text_of(client.get("/import/"))
    assert "1 event type is registered" in page
    assert "python manage.py catalog pack github" in page


def test_an_uploaded_document_is_read_and_what_it_describes_is_offered(client, person, town, tmp_path):
    document: Path = tmp_path / "webhooks.json"
    document.write_text(json.dumps(WEBHOOKS))
    with document.open("rb") as upload:
        page = client.post("/events/new/", {"action": "read", "upload": upload})
    assert "It describes 4 event types." in text_of(page)


def test_what_is_too_large_to_read_is_said(client, person, town, tmp_path):
    document: Path = tmp_path / "large.json"
    document.write_text(json.dumps(["x" * (2 * 1024 * 1024)]))
    with document.open("rb") as upload:
        page = client.post("/events/new/", {"action": "read", "upload": upload})
    assert "At most 2 MiB can be read at once." in text_of(page)
