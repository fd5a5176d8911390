"""No page shows a secret that was saved, whoever looks; what was left as it is stays."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from rules.models import Target, TargetRevision
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


def test_they_do_not_go_along_to_another_host(target: Target, someone: Client) -> None:
    answer = someone.post(
        f"/targets/{target.pk}/edit/", form(**{"config-http-url": "https://••••@thief.example/hook"})
    )
    assert answer.status_code == 422
    assert "another host" in answer.content.decode()
    target.refresh_from_db()
    assert target.config == CONFIG
