"""No page shows a secret that was saved, whoever looks; what was left as it is stays."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from rules.models import Target, TargetRevision
from rules.revisions import save_target
from tests.databases import Database
from tests.events import a_target
from tests.integration import rows as write

CONFIG = {
    "url": "https://robot:s3cret@shop.example/hook",
    "headers": {"Authorization-Extra": "Bearer s3cret", "X-Key": "s3cret"},
}


@pytest.fixture
def target(sqlite_database: Database) -> Target:
    return a_target(config=CONFIG, name="Billing")


@pytest.fixture
def someone(target: Target) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("mara"))
    return client


def form(**values: str) -> dict[str, str]:
    """What the editor sends when nothing was touched."""
    return {
        "send": "complete", "deliver": "connector:http", "config-http-url": "https://••••@shop.example/hook",
        "config-http-method": "POST", "config-http-mode": "binary", "config-http-timeout": "10",
        "config-http-headers": "Authorization-Extra: ••••\r\nX-Key: ••••",
        "target-name": "Billing", "target-order": "key", "target-after_dead_letter": "block",
        "target-max_attempts": "3", "target-first_delay": "1", "target-longest_delay": "300",
        "target-max_in_flight": "64", "do": "save",
    } | values  # fmt: skip


def test_no_page_shows_a_saved_secret(target: Target, someone: Client) -> None:
    seq = write.store(target.rule.bus_id, (target.pk,))
    for url in (
        f"/targets/{target.pk}/edit/", f"/targets/{target.pk}/", "/targets/", f"/rules/{target.rule_id}/", "/rules/",
        f"/rules/{target.rule_id}/targets/", f"/journey/{seq}/", f"/targets/{target.pk}/delete/",
    ):  # fmt: skip
        answer = someone.get(url)
        assert answer.status_code == 200, url
        assert "s3cret" not in answer.content.decode(), url
    page = someone.get(f"/targets/{target.pk}/edit/").content.decode()
    assert "https://••••@shop.example/hook" in page
    assert "X-Key: ••••" in page
    assert "POST https://shop.example/hook" in someone.get(f"/targets/{target.pk}/").content.decode()


def test_the_preview_says_where_it_goes_without_secrets(target: Target, someone: Client) -> None:
    write.store(target.rule.bus_id, (target.pk,))
    page = someone.post("/rules/preview/", form(bus=str(target.rule.bus_id))).content.decode()
    assert "POST https://shop.example/hook" in page
    assert "s3cret" not in page
    typed = form(bus=str(target.rule.bus_id), **{"config-http-url": "https://robot:s3cret@shop.example/hook"})
    page = someone.post("/rules/preview/", typed).content.decode()
    assert "POST https://shop.example/hook" in page
    assert "s3cret" not in page


def test_saved_untouched_they_stay_and_in_an_answer_to_a_mistake_they_are_still_dots(
    target: Target, someone: Client
) -> None:
    url = f"/targets/{target.pk}/edit/"
    answer = someone.post(url, form(**{"target-max_attempts": "0"}))
    assert answer.status_code == 422
    assert "s3cret" not in answer.content.decode()
    assert "https://••••@shop.example/hook" in answer.content.decode()
    assert someone.post(url, form()).status_code == 302
    target.refresh_from_db()
    assert {name: target.config[name] for name in CONFIG} == CONFIG
    assert TargetRevision.objects.order_by("number").last().config["url"] == CONFIG["url"]


NESTED: dict[str, object] = {
    "url": "https://shop.example/hook",
    "auth": "oauth2",
    "token_url": "https://login.example/token",
    "client_id": "box",
    "client_secret": "s3cret",
    "signing_keys": {"main": "whsec_czNjcmV0czNjcmV0czNjcmV0czNjcmV0"},
    "proxy": "http://robot:s3cret@proxy.example:3128",
}
HIDDEN = ("s3cret", "czNjcmV0")


def nested_form(**values: str) -> dict[str, str]:
    return form(**{
        "config-http-url": "https://shop.example/hook", "config-http-headers": "", "config-http-auth": "oauth2",
        "config-http-token_url": "https://login.example/token", "config-http-client_id": "box", "config-http-client_secret": "",
        "config-http-client_auth": "basic", "config-http-signing_keys": "main: ••••",
        "config-http-proxy": "http://••••@proxy.example:3128", **values,
    })  # fmt: skip


def test_no_page_shows_the_secrets_of_authentication_signatures_and_proxies(
    target: Target, someone: Client
) -> None:
    target.config = NESTED
    save_target(target)
    seq = write.store(target.rule.bus_id, (target.pk,))
    urls = [f"/targets/{target.pk}/{part}" for part in ("", "edit/", "history/", "signing/", "delete/")] + [
        f"/rules/{target.rule_id}/",
        f"/rules/{target.rule_id}/history/",
        f"/journey/{seq}/",
    ]
    pages = [someone.get(url) for url in urls]
    pages += [
        someone.post("/rules/preview/", nested_form(bus=str(target.rule.bus_id), target=str(target.pk))),
        someone.post(f"/targets/{target.pk}/edit/", nested_form(**{"target-max_attempts": "0"})),
        someone.post(
            "/rules/trial/", nested_form(trial="ask", target=str(target.pk), bus=str(target.rule.bus_id))
        ),
    ]
    for page in pages:
        assert page.status_code in (200, 422)
        for secret in HIDDEN:
            assert secret not in page.content.decode(), page.request["PATH_INFO"]
    assert someone.post(f"/targets/{target.pk}/edit/", nested_form()).status_code == 302
    target.refresh_from_db()
    assert {name: target.config[name] for name in NESTED} == NESTED


@pytest.mark.parametrize(
    ("changed", "goes"),
    [
        ({"config-http-token_url": "https://thief.example/token"}, False),
        ({"config-http-proxy": "http://thief.example:3128"}, False),
        ({"config-http-proxy": ""}, True),
    ],
)
def test_a_new_token_url_or_proxy_is_another_host_too(
    target: Target, someone: Client, changed: dict[str, str], goes: bool
) -> None:
    target.config = NESTED
    save_target(target)
    answer = someone.post(f"/targets/{target.pk}/edit/", nested_form(**changed))
    assert (answer.status_code == 302) is goes
    assert goes or "another host" in answer.content.decode()


def test_a_proxy_where_there_was_none_is_another_host(target: Target, someone: Client) -> None:
    answer = someone.post(
        f"/targets/{target.pk}/edit/", form(**{"config-http-proxy": "http://thief.example:3128"})
    )
    assert "another host" in answer.content.decode()


def test_what_was_typed_and_is_not_saved_yet_does_not_come_back_either(
    target: Target, someone: Client
) -> None:
    typed = form(**{
        "config-http-url": "https://new:n3w-pass@shop.example/hook", "config-http-headers": "X-Key: n3w-key",
        "config-http-auth": "bearer", "config-http-token": "n3w-token", "config-http-mtls": "on",
        "config-http-client_key": "n3w-pem", "config-http-client_certificate": "n3w-certificate", "target-max_attempts": "0",
    })  # fmt: skip
    for url, sent in (
        (f"/targets/{target.pk}/edit/", typed),
        (f"/targets/{target.pk}/edit/", typed | {"do": "add-row"}),
        ("/rules/trial/", typed | {"trial": "ask", "target": str(target.pk)}),
        ("/rules/test-connection/", typed | {"target": str(target.pk)}),
    ):
        assert "n3w-" not in someone.post(url, sent).content.decode(), url


def test_a_setting_that_says_nothing_beside_the_others_is_not_kept(target: Target, someone: Client) -> None:
    target.config = NESTED
    save_target(target)
    answer = someone.post(f"/targets/{target.pk}/edit/", nested_form(**{"config-http-auth": "none"}))
    assert answer.status_code == 302
    target.refresh_from_db()
    assert "client_secret" not in target.config
    assert "token_url" not in target.config


def test_they_do_not_go_along_to_another_host(target: Target, someone: Client) -> None:
    answer = someone.post(
        f"/targets/{target.pk}/edit/", form(**{"config-http-url": "https://••••@thief.example/hook"})
    )
    assert answer.status_code == 422
    assert "another host" in answer.content.decode()
    target.refresh_from_db()
    assert target.config == CONFIG
