"""Which language is answered: what a person chose, else what the browser asks for; programs read English."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils import translation

from catalog.display import words
from catalog.models import EventType

pytestmark = pytest.mark.django_db
HAN = re.compile("[\u4e00-\u9fff]")
CHINESE = {"headers": {"accept-language": "zh-CN,zh;q=0.9,en;q=0.5", "accept": "text/html"}}


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("zh-CN,zh;q=0.9", "zh-hans"),
        ("zh", "zh-hans"),
        ("zh-Hans-CN", "zh-hans"),
        ("de,en;q=0.5", "en"),
        ("fr", "en"),
        ("", "en"),
    ],
)
def test_the_browser_says_the_language_until_somebody_chooses(client, person, log, asked, language):
    page = client.get("/sources/", headers={"accept-language": asked})
    assert f'<html lang="{language}"' in page.content.decode()
    assert page["Content-Language"] == language
    assert "Accept-Language" in page["Vary"]


def test_a_choice_is_kept_leads_back_and_counts_more_than_the_browser(client, person, log):
    assert 'name="language" value="zh-hans" lang="zh-hans"' in client.get("/sources/?q=shop").content.decode()
    chosen = client.post("/language/", {"language": "zh-hans", "next": "/sources/?q=shop"})
    assert (chosen.status_code, chosen.url) == (302, "/sources/?q=shop")
    cookie = client.cookies["language"]
    assert (cookie.value, cookie["samesite"], cookie["httponly"]) == ("zh-hans", "Lax", True)
    assert cookie["max-age"] == 365 * 24 * 3600
    page = client.get("/sources/", headers={"accept-language": "en"}).content.decode()
    assert '<html lang="zh-hans"' in page
    assert "事件源" in page
    client.post("/sign-out/")
    assert "登录" in client.get("/sign-in/", headers={"accept-language": "en"}).content.decode()


def test_the_sign_in_page_offers_the_languages_without_an_account(client, person):
    client.logout()
    page = client.get("/sign-in/?next=/rules/").content.decode()
    assert "简体中文" in page
    assert 'name="next" value="/sign-in/?next=/rules/"' in page
    assert client.post("/language/", {"language": "zh-hans"}).status_code in (204, 302)


def test_choosing_needs_a_post_with_a_token_and_leads_nowhere_else(client, person):
    assert client.get("/language/").status_code == 405
    away = client.post("/language/", {"language": "zh-hans", "next": "https://example.com/"})
    assert away.get("location", "/") == "/"
    unknown = client.post("/language/", {"language": "xx", "next": "/"})
    assert unknown.cookies.get("language") is None
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/language/", {"language": "zh-hans"}).status_code == 403


def test_programs_are_answered_in_english_whatever_they_ask_for(client, person, log, town):
    for path in ("/api/v1/event-types/no.such", "/api/v1/nothing", "/api/v1/teams?limit=x"):
        found = client.get(path, headers={"accept-language": "zh-CN"})
        assert found.headers["Content-Type"].startswith("application/"), path
        assert not HAN.search(found.content.decode()), path
    refused = client.post(
        "/api/v1/wanted", "no JSON", "application/json", headers={"accept-language": "zh-CN"}
    )
    assert "not JSON" in refused.content.decode()
    client.logout()
    assert not HAN.search(
        client.get("/schemas/order.placed", headers={"accept-language": "zh-CN"}).content.decode()
    )
    assert not HAN.search(client.get("/api/v1/nothing", **CHINESE).content.decode())


def test_forms_say_what_is_wrong_in_the_language_of_the_page(client, person, log, town):
    page = client.post("/sources/new/", {"name": ""}, **CHINESE).content.decode()
    assert "该字段是必填项" in page
    assert "This field is required" not in page


def test_numbers_times_and_plurals_follow_the_language():
    with translation.override("zh-hans"):
        assert words.number(1_920_000) == "192 万"
        assert words.duration(3 * 86_400_000) == "3 天"
        assert words.ago(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)) == "1天前"
        assert words.number(1234) == "1,234"
        assert str(EventType.Compatibility.NONE.label) == "无承诺"
    assert words.duration(3 * 86_400_000) == "3 days"
    assert str(EventType.Compatibility.NONE.label) == "No promise"
