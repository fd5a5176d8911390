"""The CloudEvents webhook handshake: asked before the first event, kept, asked again, agreed to later by its URL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.contrib.auth import get_user_model
from django.test import Client, override_settings

from delivery.connectors.http.handshake import Gate, rate_of
from delivery.connectors.remembered import NOT_GIVEN, NOT_YET, Permission
from delivery.connectors.spi import Delivered, Misconfigured, Retry
from delivery.models import TargetPermission
from delivery.peers.asking import Asker
from delivery.peers.permissions import KeptPermissions
from rules.models import Target
from rules.revisions import save_rule, save_target, set_state
from tests.databases import Database
from tests.events import a_rule, a_target
from tests.integration.receiver import Answer, Receiver, Request, delivery, opened
from tests.integration.sink import on_duty, publish
from tests.integration.threaded_receiver import Threaded
from tests.processes import eventually

ASKS = {"handshake": True, "origin": "box.example", "request_rate": 120}


class Host:
    """A receiver that agrees when `allows` says so, and takes events while it does."""

    def __init__(self, allows: dict[str, str], takes: int = 200) -> None:
        self.allows = allows
        self.takes = takes
        self.asked: list[Request] = []
        self.events: list[Request] = []

    def __call__(self, request: Request) -> Answer:
        if request.method == "OPTIONS":
            self.asked.append(request)
            return Answer(200, b"", self.allows)
        self.events.append(request)
        return Answer(self.takes)


GRANTS = {"webhook-allowed-origin": "box.example", "webhook-allowed-rate": "100"}


@pytest.fixture
def target(log_database: Database) -> Target:
    return a_target(id=7)


def permission() -> TargetPermission:
    return TargetPermission.objects.get(target=7)


def test_permission_is_asked_before_the_first_event_and_the_rate_is_kept(target: Target) -> None:
    host = Host(GRANTS)

    async def scenario() -> None:
        async with Receiver(host) as receiver:
            async with opened(
                receiver.url("/hook?key=s3cret"), permissions=KeptPermissions(), **ASKS
            ) as made:
                assert host.asked == []
                outcomes = await asyncio.gather(*[made.send(delivery()) for _ in range(5)])
                assert {type(one) for one in outcomes} == {Delivered}
            # Another shift, or process, need not ask.
            async with opened(
                receiver.url("/hook?key=s3cret"), permissions=KeptPermissions(), **ASKS
            ) as made:
                assert isinstance(await made.send(delivery()), Delivered)

    asyncio.run(scenario())
    [asked] = host.asked
    assert asked.headers["webhook-request-origin"] == "box.example"
    assert asked.headers["webhook-request-rate"] == "120"
    assert "webhook-request-callback" not in asked.headers  # Signalbox itself is not reached by HTTPS here.
    assert {one.headers["webhook-request-origin"] for one in host.events} == {"box.example"}
    kept = permission()
    assert (kept.state, kept.rate) == ("granted", 100)
    assert "s3cret" not in kept.url
    target.refresh_from_db()
    assert target.granted_rate == 100


@pytest.mark.parametrize(
    ("allows", "part"),
    [
        ({}, "without the header"),
        ({"webhook-allowed-origin": "other.example", "webhook-allowed-rate": "*"}, "allows 'other.example'"),
    ],
)
def test_who_does_not_agree_is_sent_nothing(target: Target, allows: dict[str, str], part: str) -> None:
    host = Host(allows)

    async def scenario() -> None:
        async with Receiver(host) as receiver:
            for _ in range(2):
                async with opened(receiver.url(), permissions=KeptPermissions(), **ASKS) as made:
                    outcome = await made.send(delivery())
                    assert isinstance(outcome, Misconfigured)
                    assert outcome.reason.startswith(NOT_GIVEN)
                    assert part in outcome.reason

    asyncio.run(scenario())
    assert host.events == []
    assert len(host.asked) == 1  # within a minute nobody is asked twice
    assert permission().state == "denied"


def test_a_target_that_cannot_be_asked_is_tried_again(target: Target) -> None:
    async def scenario() -> None:
        config = {"permissions": KeptPermissions(), "timeout": 1, **ASKS}
        async with Receiver(lambda request: Answer(200)) as receiver:
            url = receiver.url()
        async with opened(url, **config) as made:  # type: ignore[arg-type]
            assert isinstance(await made.send(delivery()), Retry)

    asyncio.run(scenario())


@pytest.mark.parametrize("status", [403, 429])
def test_a_target_that_refuses_a_delivery_is_asked_again(target: Target, status: int) -> None:
    host = Host(GRANTS)
    moment = [time.time()]

    async def scenario() -> None:
        async with (
            Receiver(host) as receiver,
            opened(receiver.url(), permissions=KeptPermissions(), **ASKS) as made,
        ):
            assert made._gate is not None
            made._clock = made._gate._clock = lambda: moment[0]
            assert isinstance(await made.send(delivery()), Delivered)
            host.takes, host.allows = status, {}
            await made.send(delivery())  # within a minute the answer stands for itself
            assert len(host.asked) == 1
            moment[0] += 61
            outcome = await made.send(delivery())
            assert len(host.asked) == 2
            assert isinstance(outcome, Misconfigured)
            assert outcome.reason.startswith(NOT_GIVEN)

    asyncio.run(scenario())
    target.refresh_from_db()
    assert (permission().state, target.granted_rate) == ("denied", None)


@pytest.mark.parametrize(
    ("text", "rate"), [("100", 100), ("*", None), ("", None), (None, None), ("0", None), ("-1", None), ("1e3", None), ("9" * 30, None)]
)  # fmt: skip
def test_a_rate_is_a_whole_number_a_minute_or_none(text: str | None, rate: int | None) -> None:
    assert rate_of(text)[0] == rate


# later, by the URL


@contextmanager
def reachable() -> Iterator[None]:
    with override_settings(PUBLIC_URL="https://box.example", ALLOWED_HOSTS=["*"]):
        yield


def test_a_target_may_agree_later_and_then_runs_again(target: Target) -> None:
    host = Host({})

    async def scenario() -> None:
        async with (
            Receiver(host) as receiver,
            opened(receiver.url(), permissions=KeptPermissions(), **ASKS) as made,
        ):
            outcome = await made.send(delivery())
            assert isinstance(outcome, Misconfigured)
            assert outcome.reason.startswith(NOT_YET)

    with reachable():
        asyncio.run(scenario())
        assert permission().state == "asked"
        Target.objects.filter(pk=7).update(state="stopped", state_reason=f"{NOT_YET} It answers 200.")
        callback = host.asked[0].headers["webhook-request-callback"]
        assert callback.startswith("https://box.example/webhook-permission/")
        path = callback.removeprefix("https://box.example")
        client = Client()
        assert client.get(path + "x").status_code == 404
        other = client.post(path, headers={"WebHook-Allowed-Origin": "thief.example"})
        assert (other.status_code, permission().state) == (400, "asked")
        answer = client.post(path, headers={"WebHook-Allowed-Origin": "*", "WebHook-Allowed-Rate": "30"})
        assert answer.status_code == 200
    target.refresh_from_db()
    assert (permission().state, permission().rate) == ("granted", 30)
    assert (target.state, target.granted_rate) == ("running", 30)


def test_a_person_may_agree_with_a_browser(target: Target) -> None:
    with reachable():
        asking = Permission("asked", "https://shop.example/", "box.example", time.time())
        callback = asyncio.run(KeptPermissions().asking(7, asking))
        answer = Client().get(callback.removeprefix("https://box.example"))
    assert answer.status_code == 200
    assert "box.example may send events to https://shop.example/" in answer.content.decode()
    assert permission().state == "granted"


def test_an_answer_to_the_question_does_not_undo_what_was_agreed_meanwhile(target: Target) -> None:
    asking = Permission("asked", "https://shop.example/", "box.example", time.time())

    async def scenario() -> None:
        kept = KeptPermissions()
        await kept.asking(7, asking)
        await kept.answered(7, Permission("granted", asking.url, asking.origin, time.time() + 1))
        await kept.answered(7, asking)

    asyncio.run(scenario())
    assert permission().state == "granted"


def test_an_agreement_about_another_place_does_not_count(target: Target) -> None:
    asked: list[bytes] = []

    async def send(lines: bytes) -> None:
        asked.append(lines)
        raise AssertionError

    async def scenario() -> None:
        kept = KeptPermissions()
        first = Permission("granted", "https://a.example/", "box.example", time.time())
        await kept.asking(7, first)
        await kept.answered(7, first)
        gate = Gate(kept, 7, "https://b.example/", "box.example", 0, send)  # type: ignore[arg-type]
        with pytest.raises(AssertionError):
            await gate.refusal()

    asyncio.run(scenario())
    assert asked == [b""]


# whole


def test_the_runner_stops_a_target_that_does_not_agree_and_the_button_lets_it_run(
    log_database: Database,
) -> None:
    host = Host({})
    with Threaded(host) as receiver:
        target = a_target(config={"url": receiver.url("/hook"), **ASKS})
        publish([target.pk], ("e0", "A"))
        with on_duty():
            eventually(lambda: Target.objects.get().state == "stopped", "it is stopped")
            assert Target.objects.get().state_reason.startswith(NOT_GIVEN)
            assert host.events == []
            client = Client()
            client.force_login(get_user_model().objects.create_superuser("mara"))
            page = client.get(f"/targets/{target.pk}/").content.decode()
            assert "not given" in page
            host.allows = GRANTS
            answer = client.post(f"/targets/{target.pk}/permission/", follow=True)
            assert "Permission given." in answer.content.decode()
            eventually(lambda: len(host.events) == 1, "the event arrives")
    assert Target.objects.get().granted_rate == 100


# at save


def test_a_target_is_asked_as_soon_as_it_is_saved_and_again_when_it_is_changed_or_let_run(
    log_database: Database,
) -> None:
    host = Host({})
    asker = Asker()
    with Threaded(host) as receiver:
        target = a_target(config={"url": receiver.url("/hook"), **ASKS})
        assert asker.ask() == 1
        assert TargetPermission.objects.get(target=target.pk).state == "denied"
        assert asker.ask() == 0
        assert Asker().ask() == 0
        assert len(host.asked) == 1
        # It says otherwise after a change.
        host.allows = GRANTS
        target.name = "another"
        save_target(target)
        assert asker.ask() == 1
        found = TargetPermission.objects.get(target=target.pk)
        assert (found.state, found.rate) == ("granted", 100)
        target.refresh_from_db()
        assert target.granted_rate == 100
        assert asker.ask() == 0
        # One that agreed is not asked again because it runs again; one that did not is.
        set_state(target, Target.State.PAUSED)
        set_state(target, Target.State.RUNNING)
        assert asker.ask() == 0
        TargetPermission.objects.update(state="denied")
        set_state(target, Target.State.PAUSED)
        set_state(target, Target.State.RUNNING)
        assert asker.ask() == 1
    assert host.events == []


def test_targets_that_do_not_ask_and_those_of_drafts_are_left_alone(log_database: Database) -> None:
    a_target()
    rule = a_rule("draft")
    rule.enabled = False
    a_target(config={"url": "http://127.0.0.1:9/hook", **ASKS}, rule=save_rule(rule))
    assert Asker().ask() == 0
    assert not TargetPermission.objects.exists()
