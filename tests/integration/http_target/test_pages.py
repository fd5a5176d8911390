"""Signing keys and tests of a connection, on the console."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from standardwebhooks import Webhook

from delivery.connectors.http import signing
from delivery.models import TargetPermission
from rules.models import Target, TargetRevision
from tests.databases import Database
from tests.events import a_target
from tests.integration.receiver import Answer, Request
from tests.integration.sink import on_duty, publish
from tests.integration.threaded_receiver import Threaded
from tests.processes import eventually


@pytest.fixture
def target(sqlite_database: Database) -> Target:
    return a_target("http://127.0.0.1:8999/", name="Billing")


@pytest.fixture
def someone(target: Target) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("mara"))
    return client


def make(someone: Client, target: Target, kind: str = "hmac", overlap: int = 0) -> str:
    answer = someone.post(f"/targets/{target.pk}/signing/", {"kind": kind, "overlap": overlap})
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    found = re.search(r"wh(?:sec|pk)_[A-Za-z0-9+/=]+", answer.content.decode().partition("<table")[0])
    assert found
    return found[0]


def test_a_key_is_shown_once_and_signs(target: Target, someone: Client) -> None:
    key = make(someone, target)
    for url in (f"/targets/{target.pk}/signing/", f"/targets/{target.pk}/", f"/targets/{target.pk}/history/"):
        page = someone.get(url).content.decode()
        assert key not in page
        assert key[6:-4] not in page
    target.refresh_from_db()
    [kept] = target.config["signing_keys"].values()
    assert kept == key
    received: list[Request] = []

    def answer(request: Request) -> Answer:
        received.append(request)
        return Answer()

    with Threaded(answer) as receiver:
        Target.objects.filter(pk=target.pk).update(config={**target.config, "url": receiver.url()})
        publish([target.pk], ("e0", "A"))
        with on_duty():
            eventually(lambda: len(received) == 1, "it arrives")
    Webhook(key).verify(received[0].body, received[0].headers)


def test_of_a_curve_key_only_the_public_half_is_ever_shown(target: Target, someone: Client) -> None:
    public = make(someone, target, "ed25519")
    target.refresh_from_db()
    [private] = target.config["signing_keys"].values()
    assert private.startswith("whsk_")
    assert signing.key_of(private).shown == public
    page = someone.get(f"/targets/{target.pk}/signing/").content.decode()
    assert public in page
    assert private[5:40] not in page


def test_a_new_key_lets_the_old_ones_sign_along_until_a_date(target: Target, someone: Client) -> None:
    make(someone, target)
    make(someone, target, overlap=24)
    target.refresh_from_db()
    old, new = target.config["signing_keys"]
    assert list(target.config["signing_until"]) == [old]
    ends = datetime.fromtimestamp(signing.time_of(target.config["signing_until"][old]), UTC)
    assert timedelta(hours=23) < ends - datetime.now(UTC) <= timedelta(hours=24)
    assert "until" in someone.get(f"/targets/{target.pk}/signing/").content.decode()
    # A third with a longer overlap does not lengthen the first one's.
    make(someone, target, overlap=168)
    target.refresh_from_db()
    assert signing.time_of(target.config["signing_until"][old]) == ends.timestamp()
    assert new in target.config["signing_until"]
    someone.post(f"/targets/{target.pk}/signing/{old}/end/")
    target.refresh_from_db()
    assert old not in target.config["signing_keys"]
    assert old not in target.config["signing_until"]
    assert TargetRevision.objects.filter(target_id=target.pk).count() == 5


def test_what_ended_is_cleared_away_by_the_next_key_and_ten_are_the_most(
    target: Target, someone: Client
) -> None:
    target.config = {
        **target.config,
        "signing_keys": {"gone": signing.generate("hmac")},
        "signing_until": {"gone": "2020-01-01T00:00:00Z"},
    }
    target.save()
    for _ in range(signing.MOST_KEYS):
        make(someone, target)
    target.refresh_from_db()
    assert "gone" not in target.config["signing_keys"]
    answer = someone.post(f"/targets/{target.pk}/signing/", {"kind": "hmac", "overlap": 0})
    assert answer.status_code == 422
    assert "At most 10 keys" in answer.content.decode()


def test_only_who_may_change_a_target_sees_keys_or_tries_it(target: Target) -> None:
    client = Client()
    watcher = get_user_model().objects.create_user("wim")
    watcher.user_permissions.add(Permission.objects.get(codename="view_target"))
    client.force_login(watcher)
    assert client.get(f"/targets/{target.pk}/").status_code == 200
    assert client.get(f"/targets/{target.pk}/signing/").status_code == 403
    for part in ("test", "permission", "signing/x/end"):
        assert client.post(f"/targets/{target.pk}/{part}/").status_code == 403


# Test of a connection


def tried(someone: Client, target: Target, **config: object) -> str:
    Target.objects.filter(pk=target.pk).update(config={"timeout": 2, **config})
    answer = someone.post(f"/targets/{target.pk}/test/", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_trying_shows_the_phases_and_the_answer_and_sends_no_event(target: Target, someone: Client) -> None:
    received: list[Request] = []

    def answer(request: Request) -> Answer:
        received.append(request)
        return Answer(405, b"no, and your key is s3cret-key")

    with Threaded(answer) as receiver:
        url = receiver.url("/a/b?x=1").replace("127.0.0.1", "localhost")
        page = tried(someone, target, url=url, auth="api_key", api_key="s3cret-key")
        assert "It can be reached." in page
        assert "Name localhost" in page
        assert "Connection" in page
        assert "It answers 405." in page
        assert "your key is ••••" in page
        page = tried(someone, target, url=receiver.url("/a/${subject}/b?x=${type}"))
        assert "It can be reached." in page
    assert [(one.method, one.target, one.body) for one in received] == [
        ("OPTIONS", "/a/b?x=1", b""),
        ("OPTIONS", "/a/", b""),
    ]
    assert received[0].headers["x-api-key"] == "s3cret-key"


def test_trying_says_at_which_step_it_ends(target: Target, someone: Client) -> None:
    with Threaded() as receiver:
        gone = receiver.url()
        assert "TLS" in tried(someone, target, url=gone.replace("http:", "https:"))
        assert "Access token" in tried(
            someone, target, url=gone, auth="oauth2", token_url=gone, client_id="c", client_secret="s"
        )
    assert "refused" in tried(someone, target, url=gone)
    page = tried(someone, target, url="http://169.254.169.254/")
    assert "It did not work." in page
    assert "link-local" in page
    assert "It did not work." in tried(someone, target, url="http://x.invalid/")


def test_trying_asks_for_permission_where_that_is_on(target: Target, someone: Client) -> None:
    allows = {"webhook-allowed-origin": "*", "webhook-allowed-rate": "60"}
    with Threaded(lambda request: Answer(200, b"", allows)) as receiver:
        page = tried(someone, target, url=receiver.url(), handshake=True)
    assert "It agrees to 60 events a minute." in page
    assert TargetPermission.objects.get(target=target.pk).state == "granted"
    target.refresh_from_db()
    assert target.granted_rate == 60


def test_the_editor_tries_what_is_written_and_not_saved(target: Target, someone: Client) -> None:
    with Threaded() as receiver:
        sent = {
            "deliver": "connector:http", "config-http-url": receiver.url(), "config-http-method": "POST",
            "config-http-mode": "binary", "config-http-timeout": "2", "config-http-auth": "none",
        }  # fmt: skip
        page = someone.post("/rules/test-connection/", sent).content.decode()
        assert "It can be reached." in page
        page = someone.post("/rules/test-connection/", sent | {"config-http-url": "nowhere"}).content.decode()
        assert "Mend the target" in page
        page = someone.post("/rules/test-connection/", {"deliver": "place:bin"}).content.decode()
        assert "nothing to connect to yet" in page
        wanting = sent | {"config-http-handshake": "on"}
        page = someone.post("/rules/test-connection/", wanting).content.decode()
        assert "Save the target first" in page
