"""Dead letters over the API: listed, grouped, shown, redriven, discarded, undone."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from delivery.tracking.read import rows
from delivery.tracking.words import State
from rules.models import Target
from tests.databases import Database
from tests.events import a_target
from tests.integration import rows as write
from tests.integration.catalog.calls import call


@pytest.fixture
def target(log_database: Database) -> Target:
    return a_target("http://127.0.0.1:8999/")


@pytest.fixture
def someone(target: Target) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("mara"))
    return client


def dead(target: Target, subject: str = "A", reason: str = "Order 1 is unknown", **columns: Any) -> int:
    seq = write.store(target.rule.bus_id, (target.pk,), subject=subject, data={"n": 1})
    write.hold(target.pk, seq, State.DEAD, reason=reason, **columns)
    return seq


def test_they_are_listed_page_by_page_and_filtered(target: Target, someone: Client) -> None:
    seqs = [dead(target, "A", f"Order {n} is unknown") for n in range(3)]
    first = call(someone, "get", "/dead-letters?limit=2")
    assert [one["seq"] for one in first["items"]] == [seqs[2], seqs[1]]
    second = call(someone, "get", first["next"].removeprefix("/api/v1"))
    assert ([one["seq"] for one in second["items"]], second["next"]) == ([seqs[0]], None)
    cause = first["items"][0]["cause"]
    assert (
        len(call(someone, "get", f"/dead-letters?cause={cause}&target={target.pk}&status=422")["items"]) == 3
    )
    assert call(someone, "get", "/dead-letters?since=2100-01-01T00:00:00Z")["items"] == []
    for wrong in ("since=yesterday", "target=x", "limit=0", "cursor=x", "colour=red"):
        call(someone, "get", f"/dead-letters?{wrong}", status=422)
    (group,) = call(someone, "get", "/dead-letters/groups")["items"]
    assert (group["size"], group["cause"], group["words"]) == (3, cause, "Order … is unknown")


def test_one_shows_what_was_sent_and_answered(target: Target, someone: Client) -> None:
    seq = dead(target, response="no such order", request='{"whole": true, "revision": 1}')
    later = write.store(target.rule.bus_id, (target.pk,), subject="A")
    write.hold(target.pk, later, State.WAITING, reason=None, status=None)
    found = call(someone, "get", f"/dead-letters/{target.pk}/{seq}")
    assert (found["answer"], found["waiting_behind"], found["event"]["data"]) == (
        "no such order",
        1,
        {"n": 1},
    )
    assert found["sent"]["line"].startswith("POST ")
    call(someone, "get", f"/dead-letters/{target.pk}/{later}", status=404)


def test_a_redrive_by_filter_or_by_name(target: Target, someone: Client) -> None:
    first, second = dead(target), dead(target)
    would = call(
        someone,
        "post",
        "/dead-letters:redrive?dry_run=1",
        {"letters": [{"target": target.pk, "seq": second}]},
    )
    assert would == {"dry_run": True, "total": 1, "exact": True, "earlier_left": 1}
    body = {"letters": [{"target": target.pk, "seq": second}]}
    refused = call(someone, "post", "/dead-letters:redrive", body, status=422)
    assert "earlier dead letters" in refused["errors"][0]["detail"]
    job = call(someone, "post", "/dead-letters:redrive", body | {"out_of_order": True})
    assert (job["done"], job["by"], job["ended"]) == (1, "mara", "done")
    assert call(someone, "get", f"/dead-letter-jobs/{job['id']}") == job
    call(someone, "post", "/dead-letters:redrive", {"filter": {"target": target.pk}})
    states = dict(rows("SELECT seq, state FROM runner_exception"))  # type: ignore[arg-type]
    assert states == {first: State.RETRY, second: State.RETRY}
    call(someone, "post", "/dead-letters:redrive", {"filter": {"target": target.pk}}, status=422)


def test_a_filter_that_leaves_out_earlier_ones_of_a_key_is_asked_about_too(
    target: Target, someone: Client
) -> None:
    first, _second = dead(target, reason="Away"), dead(target, reason="Order 1 is unknown")
    body = {"filter": {"text": "unknown"}}
    assert call(someone, "post", "/dead-letters:redrive?dry_run=1", body)["earlier_left"] == 1
    call(someone, "post", "/dead-letters:redrive", body, status=422)
    page = someone.post("/dead-letters/redrive/?q=unknown").content.decode()
    assert "Redrive out of order?" in page
    assert rows("SELECT state FROM runner_exception WHERE seq = %s", [first]) == [(State.DEAD,)]
    assert call(someone, "post", "/dead-letters:redrive", body | {"out_of_order": True})["done"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"filter": {}, "letters": []},
        {"filter": []},
        {"filter": {"target": True}},
        {"filter": {"since": 5}},
        {"filter": {"colour": "red"}},
        {"letters": []},
        {"letters": [{"target": 1}]},
        {"letters": "all"},
    ],
)
def test_what_names_nothing_clearly_changes_nothing(
    target: Target, someone: Client, body: dict[str, Any]
) -> None:
    seq = dead(target)
    call(someone, "post", "/dead-letters:redrive", body, status=422)
    assert rows("SELECT state FROM runner_exception WHERE seq = %s", [seq]) == [(State.DEAD,)]


def test_a_discard_needs_a_reason_and_can_be_undone(target: Target, someone: Client) -> None:
    dead(target)
    call(someone, "post", "/dead-letters:discard", {"filter": {}, "reason": " "}, status=422)
    job = call(someone, "post", "/dead-letters:discard", {"filter": {}, "reason": "A test order."})
    assert rows("SELECT state FROM runner_exception") == [(State.DISCARD,)]
    undone = call(someone, "post", f"/dead-letter-jobs/{job['id']}:undo")
    assert (undone["ended"], undone["done"]) == ("cancelled", 0)
    assert rows("SELECT state FROM runner_exception") == [(State.DEAD,)]
