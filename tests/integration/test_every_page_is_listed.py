"""No page of the console is forgotten by what looks at all of them: tests/pages.py names each."""

from __future__ import annotations

from collections import Counter

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import resolve

from tests.integration.catalog.test_access import address, patterns
from tests.pages import NO_PAGES, PAGES, PLACES, SIGNED_OUT, paths

API = "api/v1/"
LISTED = Counter([*PAGES, *SIGNED_OUT, *NO_PAGES])


def console_patterns() -> list[tuple[str, str]]:
    """The routes of the console with their names; of the API, its documentation alone is a page."""
    return [
        (route, str(pattern.name))
        for route, pattern in patterns()
        if not route.startswith(API) or pattern.name == "api-docs"
    ]


@pytest.mark.django_db
def test_what_answers_a_get_is_a_page_in_the_list_or_is_said_to_be_none(client: Client) -> None:
    client.force_login(get_user_model().objects.create_superuser("mara"))
    forgotten = [
        f"{name}: {route}"
        for route, name in console_patterns()
        if name not in LISTED and client.get(address(route)).status_code != 405
    ]
    assert forgotten == [], "write them into tests/pages.py"


def test_the_lists_name_each_page_once_and_none_that_is_not_there() -> None:
    known = {name for _, name in console_patterns()}
    assert sorted(set(LISTED) - known) == []
    assert {name: times for name, times in LISTED.items() if times > 1} == {}


def test_an_address_is_of_the_page_it_is_listed_under() -> None:
    places = dict.fromkeys(PLACES, "1")
    for shown in [*paths(places), *paths(places, SIGNED_OUT)]:
        assert resolve(shown.path.partition("?")[0]).url_name == shown.page, shown.path
