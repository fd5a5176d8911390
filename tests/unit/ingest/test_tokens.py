"""Who may publish where, and that a token never shows."""

from __future__ import annotations

import logging
from datetime import datetime

import pytest
from django.db import transaction
from django.utils import timezone

from catalog import token_use
from catalog.models import Bus, Team, Token
from delivery.log.writer import Writer
from tests.processes import eventually
from tests.unit.ingest.calling import PROBLEM, Caller, assert_problem, event, stored


def revoke(token: Token) -> None:
    token.revoked_at = timezone.now()
    token.save(update_fields=["revoked_at"])


def test_without_a_token_nothing_is_taken(caller: Caller, bus: Bus) -> None:
    answer = caller.structured(event(), token=None)
    problem = assert_problem(answer, 401, "unauthenticated")
    assert "Authorization: Bearer" in problem["detail"]
    assert answer.headers["www-authenticate"] == 'Bearer realm="signalbox"'
    assert stored(bus) == []


def test_publishing_without_a_token_is_off_for_a_new_bus_and_can_be_switched_on_and_off(
    caller: Caller, bus: Bus
) -> None:
    assert bus.open_publishing is False
    assert caller.structured(event(id="1"), token=None).status == 401
    bus.open_publishing = True
    bus.save()
    assert caller.structured(event(id="2"), token=None).status == 202
    bus.open_publishing = False
    bus.save()
    assert caller.structured(event(id="3"), token=None).status == 401
    assert [row["ce_id"] for row in stored(bus)] == ["2"]


def test_a_wrong_token_does_not_count_as_none_on_an_open_bus(caller: Caller, bus: Bus) -> None:
    bus.open_publishing = True
    bus.save()
    assert caller.structured(event(), token="sbx_000000000000_wrong").status == 401


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: "x",
        lambda text: text[:-1],
        lambda text: text + "x",
        lambda text: text[:-1] + ("A" if text[-1] != "A" else "B"),
        lambda text: text.swapcase(),
        lambda text: text.replace("sbx_", "xyz_"),
        lambda text: "sbx_" + "0" * 12 + text[16:],
        lambda text: "sbx__" + text[17:],
        lambda text: text.split("_", 2)[2],
        lambda text: text + "é",
    ],
)
def test_a_token_that_differs_in_anything_is_refused(caller: Caller, bus: Bus, change: object) -> None:
    assert callable(change)
    assert caller.structured(event(id="0")).status == 202  # The right one is known by now.
    assert_problem(caller.structured(event(), token=change(caller.token) or " "), 401, "unauthenticated")
    assert len(stored(bus)) == 1


@pytest.mark.parametrize("value", ["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "sbx_1_2", ""])
def test_another_kind_of_authorization_is_refused(caller: Caller, value: str) -> None:
    answer = caller.call(b"", {"authorization": value}, token=None)
    assert "Bearer <token>" in assert_problem(answer, 401, "unauthenticated")["detail"]


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer "])
def test_the_scheme_is_read_in_any_case(caller: Caller, scheme: str) -> None:
    headers = {
        "authorization": f"{scheme} {caller.token}",
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "/a",
        "ce-type": "b",
    }
    assert caller.call(b"", headers, token=None).status == 202


def test_a_token_made_a_moment_ago_works_at_once(caller: Caller, bus: Bus) -> None:
    assert caller.structured(event(id="1")).status == 202
    _, text = Token.issue(name="new", team=Team.objects.get(), bus=bus)
    assert caller.structured(event(id="2"), token=text).status == 202


def test_a_revoked_token_is_refused_from_the_next_request_on(
    caller: Caller, bus: Bus, issued: tuple[Token, str]
) -> None:
    assert caller.structured(event(id="1")).status == 202
    revoke(issued[0])
    for number in "23":
        assert_problem(caller.structured(event(id=number)), 401, "unauthenticated")
    assert [row["ce_id"] for row in stored(bus)] == ["1"]


def test_it_is_kept_when_a_token_was_used_once_a_minute(caller: Caller, issued: tuple[Token, str]) -> None:
    def used() -> datetime | None:
        return Token.objects.get(pk=issued[0].pk).used_at

    assert caller.structured(event(id="1"), token="sbx_000000000000_wrong").status == 401
    assert used() is None
    assert caller.structured(event(id="2")).status == 202
    eventually(lambda: used() is not None, "the use of the token was written")
    first = used()
    assert caller.structured(event(id="3")).status == 202
    assert not token_use.due(issued[0].public_id)
    assert used() == first


def test_a_deleted_token_is_refused_from_the_next_request_on(
    caller: Caller, bus: Bus, issued: tuple[Token, str]
) -> None:
    assert caller.structured(event(id="1")).status == 202
    issued[0].delete()
    assert caller.structured(event(id="2")).status == 401
    assert len(stored(bus)) == 1


def test_a_token_of_another_bus_is_refused(caller: Caller, bus: Bus) -> None:
    other = Bus.objects.create(name="payments")
    problem = assert_problem(caller.structured(event(), path="/v1/buses/payments/events"), 403, "forbidden")
    assert "'payments'" in problem["detail"]
    assert stored(other) == []


def test_a_token_of_no_bus_is_for_every_bus(caller: Caller, bus: Bus) -> None:
    other = Bus.objects.create(name="payments")
    _, text = Token.issue(name="both", team=Team.objects.get())
    for name in ("orders", "payments"):
        assert caller.structured(event(), path=f"/v1/buses/{name}/events", token=text).status == 202
    assert (len(stored(bus)), len(stored(other))) == (1, 1)


def test_a_bus_that_does_not_exist_is_not_found_and_only_for_who_has_a_token(caller: Caller) -> None:
    path = "/v1/buses/nowhere/events"
    assert "'nowhere'" in assert_problem(caller.structured(event(), path=path), 404, "not-found")["detail"]
    assert caller.structured(event(), path=path, token=None).status == 401


def test_a_bus_made_a_moment_ago_takes_events_at_once(caller: Caller) -> None:
    _, text = Token.issue(name="both", team=Team.objects.get())
    assert caller.structured(event(), token=text).status == 202
    Bus.objects.create(name="payments")
    assert caller.structured(event(), path="/v1/buses/payments/events", token=text).status == 202


def test_who_may_publish_is_known_while_somebody_writes(caller: Caller, bus: Bus) -> None:
    """A wrong token makes the directory look again; it must not queue for the write lock to do so."""
    with transaction.atomic():
        Team.objects.create(name="Slow", slug="slow")
        assert caller.structured(event(), token="sbx_000000000000_x").status == 401


def test_a_token_never_shows_in_an_answer_or_in_the_log(
    caller: Caller,
    issued: tuple[Token, str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    Bus.objects.create(name="payments")
    text = caller.token
    answers = [
        caller.structured(event()),
        caller.structured(event(type=None)),
        caller.structured(event(), path="/v1/buses/payments/events"),
        caller.structured(event(), path="/v1/buses/nowhere/events"),
        caller.structured(event(), token=text + "x"),
        caller.call(b"", {"authorization": f"Basic {text}"}, token=None),
        caller.call(b"", {"authorization": text}, token=None),
        caller.call(b"", {"content-type": "text/html"}),
        caller.call(b"x" * 2_000_000, {"content-type": "text/html"}),
        caller.call(b"", {"content-type": "text/html"}, path="/putEvents"),
        caller.structured(event(eventbusname="orders"), path="/putEvents"),
        caller.structured(event(eventbusname="payments"), path="/putEvents"),
    ]

    def breaks(*arguments: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Writer, "store", breaks)
    answers.append(caller.structured(event()))
    assert answers[-1].status == 503
    assert "broken" in caplog.text
    revoke(issued[0])
    answers.append(caller.structured(event()))
    shown = b"".join(answer.body + repr(answer.headers).encode() for answer in answers).decode() + caplog.text
    assert text not in shown
    assert text.split("_", 2)[2] not in shown
    assert PROBLEM in shown
