"""Whatever a person changes leaves a record: every address that takes a change is walked, and every model is watched.

An address that leaves none stands in EXCUSED with the reason.
"""

from __future__ import annotations

import inspect
import json
import re

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.utils import timezone

from catalog.audit.kinds import KINDS, WATCHED
from catalog.models import AuditRecord
from rules.revisions import set_state
from tests.integration.catalog.test_access import patterns
from tests.integration.settings.deeds import DOES

pytestmark = pytest.mark.django_db

CHECKS = "it answers about what is written, and saves nothing"
EXCUSED = {
    **dict.fromkeys(
        (
            "check-schema", "another-example", "preview-docs", "check-version",
            "start-count", "retry-words", "preview", "affected-by-version", "subscribe-here",
            "api-check-schema post", "api-check-compatibility post", "api-test-pattern post",
            "api-explain-pattern post", "api-preview-transform post", "api-convert-transform post", "paste",
        ),
        CHECKS,
    ),
    **dict.fromkeys((f"api-elsewhere {one}" for one in ("post", "put", "patch", "delete")), "there is nothing"),
    **dict.fromkeys(("test-connection", "test-target"), "it connects, sends no event and saves nothing"),
    "choose-language": "a choice of one browser, kept in its cookie",
    "webhook-permission": "the target itself answers, nobody of ours; its answer is kept with the target",
    "setup-link": "walked below: it works only while nobody exists",
    "join": "walked in test_members.py: it works without a session",
    "sign-in": "walked in test_audit.py",
    "demo-token": "it needs the demo; it makes a Token, which is watched",
    "import-run": "it needs a run over many requests; it makes event types, which are watched",
}  # fmt: skip


OURS = ("catalog", "rules", "delivery")


def texts(function, known=None):
    """The source of a view and of what it hands its request to, in our own packages."""
    known = set() if known is None else known
    function = inspect.unwrap(function)
    if function in known or not inspect.isfunction(function) or not function.__module__.startswith(OURS):
        return ""
    known.add(function)
    text = inspect.getsource(function)
    for name in re.findall(r"([\w.]+)\(\s*request\b", text):
        found = function.__globals__.get(name.split(".")[0])
        for part in name.split(".")[1:]:
            found = getattr(found, part, None)
        if found is not None:
            text += texts(found, known)
    return text


def addresses():
    """Every address by which something may be changed: its name, for the API with the method."""
    for _route, pattern in patterns():
        view, kind = pattern.callback, getattr(pattern.callback, "cls", None)
        if kind is not None:
            yield from (
                f"{pattern.name} {one}" for one in ("post", "put", "patch", "delete") if hasattr(kind, one)
            )
        elif "@require_safe" not in (text := texts(view)) and re.search(r"POST|request\.method", text):
            yield pattern.name


def test_every_address_that_changes_something_is_walked_or_excused_with_a_reason():
    found = set(addresses())
    assert found - DOES.keys() - EXCUSED.keys() == set(), "walk it here, or say why it leaves no record"
    assert DOES.keys() - found == set()
    assert EXCUSED.keys() - found == set()
    assert DOES.keys() & EXCUSED.keys() == set()


# The log commits by itself, so its rows are not undone with a test's transaction.
STORES = {"trial", "redrive", "discard", "undo-dead-letters", "ask-permission"} | {
    f"api-{name} post" for name in ("redrive", "discard", "undo-dead-letters")
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.django_db(transaction=True)] if name in STORES else [])
        for name in DOES
    ],
)
def test_a_change_leaves_a_record_of_who_did_what(client, town, mara, name):
    town.client = client

    def mark():
        town.after = AuditRecord.objects.order_by("id").values_list("id", flat=True).last() or 0

    town.mark = mark
    mark()
    answer = DOES[name](town)
    assert answer.status_code < 400 or name == "sign-out", answer.content.decode()[-2000:]
    made = AuditRecord.objects.filter(id__gt=town.after)
    assert made.exists(), (
        f"{answer.status_code} {answer.get('Location', '')} {answer.content.decode()[:3000]}"
    )
    for one in made:
        assert (one.by, one.via) == ("mara", "api" if name.startswith("api-") else "console")
        assert one.kind in KINDS
        assert "s3cret" not in json.dumps([one.before, one.after])


NOT_WATCHED = {
    "auth.Permission": "code makes them",
    "auth.Group": "no page changes them",
    "contenttypes.ContentType": "code makes them",
    "sessions.Session": "signing in and out is recorded",
    "catalog.AuditRecord": "it is the log",
    "catalog.Change": "news for followers, written with what is watched",
    "catalog.Notice": "mail that waits",
    "catalog.Reader": "how far somebody read; the key of a feed is recorded by its page",
    "catalog.SearchEntry": "made from event types",
    "catalog.FieldUse": "made from schema versions",
    "catalog.Stamp": "a counter",
    "catalog.Observation": "what Signalbox saw of events",
    "catalog.Violation": "what Signalbox saw of events",
    "rules.RuleRevision": "made with a rule, which is watched",
    "rules.TargetRevision": "made with a target, which is watched",
    "delivery.BinRequest": "what a bin received",
    "delivery.TargetPermission": "what a target answered",
    "delivery.AccessToken": "what another system lent",
    "delivery.Backfill": "made with a target, which is watched; stopping it is recorded by its page",
    "delivery.Reconciliation": "what Signalbox found",
}


def test_every_model_is_watched_or_excused_with_a_reason():
    models = {model._meta.label for model in apps.get_models()}
    watched = {model._meta.label for model in WATCHED}
    assert models - watched - NOT_WATCHED.keys() == set()
    assert NOT_WATCHED.keys() - models == set()
    assert watched & NOT_WATCHED.keys() == set()


def test_what_nobody_does_leaves_no_record(town, mara):
    set_state(town.target, "stopped", "It answers 401.")
    town.token.revoked_at = timezone.now()
    town.token.save()
    assert not AuditRecord.objects.exists()


def test_the_first_administrator_is_recorded(client, db, settings, tmp_path):
    from catalog import setup
    from tests.integration.catalog.shop import ADMINISTRATOR

    settings.VAR = tmp_path
    client.post(setup.one_time_link(), ADMINISTRATOR)
    assert get_user_model().objects.get().is_superuser
    assert AuditRecord.objects.filter(kind="person", key="mara", action="created").exists()
    assert AuditRecord.objects.filter(kind="team", action="created").exists()
