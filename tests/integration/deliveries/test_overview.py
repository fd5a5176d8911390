"""The pages of deliveries: what is wrong comes first, and what they cost."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import URLPattern, get_resolver

from catalog.access import permission_of
from delivery.tracking.rates import minute_of
from delivery.tracking.words import Outcome
from rules.models import Target
from tests.integration import rows as write
from tests.integration.deliveries.billing import REASON, order, refuse, text

# The log commits by itself, so its rows are not undone with a test's transaction.
pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_wrong_is_said_first(someone: Client, town: SimpleNamespace) -> None:
    for number in range(3):
        refuse(town, subject=f"order-{number}")
    page = text(someone.get("/deliveries/"))
    assert "Billing has not taken 3 events since" in page
    assert page.index("Billing has not taken 3 events") < page.index("Throughput")
    assert REASON in page
    assert "Redrive 3…" in page


def test_a_stopped_target_is_said_before_its_dead_letters(someone: Client, town: SimpleNamespace) -> None:
    order(town)
    Target.objects.update(state="stopped", state_reason="It answers 401: who are you?")
    page = text(someone.get("/deliveries/"))
    assert "Billing has stopped since" in page
    assert "It answers 401: who are you? 1 event waits." in page


def test_when_nothing_is_wrong_the_page_says_so(someone: Client, town: SimpleNamespace) -> None:
    seq = order(town)
    write.attempt(town.billing.pk, seq, Outcome.DELIVERED)
    write.pass_cursor(town.billing.pk, seq)
    write.count_minute(town.billing.pk, minute_of(write.now()), delivered=1, l3=1)
    page = text(someone.get("/deliveries/?range=15m"))
    assert "All is well." in page
    assert "100<small>" in page
    assert f"/journey/{seq}/?target={town.billing.pk}" in page


def test_what_was_given_up_and_put_right_is_not_passed_over(someone: Client, town: SimpleNamespace) -> None:
    seq = order(town)
    write.pass_cursor(town.billing.pk, seq)
    write.count_minute(town.billing.pk, minute_of(write.now()), delivered=1, l3=1, dead=1)
    page = text(someone.get("/deliveries/?range=15m"))
    assert "All is well again." in page
    assert "1 delivery was given up in the last 15 min, and nothing of it is left to do." in page


def test_the_tail_shows_failures_alone_when_asked(someone: Client, town: SimpleNamespace) -> None:
    good, bad = order(town), refuse(town)
    write.attempt(town.billing.pk, good, Outcome.DELIVERED)
    rows = text(someone.get("/deliveries/tail/?show=failed"))
    assert f"/journey/{bad}/" in rows
    assert f"/journey/{good}/" not in rows
    assert rows.count("<tr") == 1
    assert text(someone.get("/deliveries/tail/")).count("<tr") == 2


@pytest.mark.parametrize("query", ["", "?range=24h", "?range=6h&show=failed", "?range=nonsense"])
def test_the_page_of_a_fresh_install_opens(client: Client, query: str) -> None:
    client.force_login(get_user_model().objects.create_superuser("mara"))
    for path in (
        "/deliveries/",
        "/targets/",
        "/dead-letters/",
        "/bins/",
        "/rules/",
        "/find/",
        "/deliveries/wire/",
    ):
        assert client.get(path + query).status_code == 200
    assert "Nothing is delivered yet." in text(client.get("/deliveries/"))


def test_pages_cost_a_bounded_number_of_queries(
    someone: Client, town: SimpleNamespace, django_assert_max_num_queries: Any
) -> None:
    Target.objects.bulk_create(
        Target(name=f"t{number}", rule=town.rule, connector="http", transform={"kind": "complete"})
        for number in range(300)
    )
    seq = refuse(town)
    for path, most in (
        ("/deliveries/", 45),
        ("/targets/", 25),
        ("/dead-letters/", 25),
        (f"/journey/{seq}/", 40),
    ):
        with django_assert_max_num_queries(most):
            assert someone.get(path).status_code == 200


def test_attempts_are_listed_by_the_time_that_is_shown(town: SimpleNamespace) -> None:
    from django.contrib.auth.models import AnonymousUser

    from delivery.pages import lines
    from delivery.tracking import attempts

    seq, now = order(town), write.now()
    for number, (began, took) in enumerate([(0, 5_000_000), (1_000_000, 1000), (2_000_000, 1000)]):
        write.attempt(town.billing.pk, seq, Outcome.DELIVERED, number, at=now + began, took=took)
    listed = lines.of_attempts(attempts.newest(8, False), AnonymousUser())
    assert [line.attempt.number for line in listed] == [0, 2, 1]
    shown = [line.ended for line in listed]
    assert shown == sorted(shown, reverse=True)


def test_every_page_of_rules_and_delivery_names_its_permission() -> None:
    found = [
        one
        for one in _patterns(get_resolver())
        if one.callback.__module__.startswith(("rules.", "delivery."))
    ]
    assert len(found) > 25
    for pattern in found:
        assert permission_of(pattern.callback) is not None, pattern.name
    # A target has no account here: it agrees by an address that nobody can guess.
    public = {one.name for one in found if permission_of(one.callback) == "public"}
    assert public == {"webhook-permission"}


def _patterns(resolver: Any) -> list[URLPattern]:
    listed: list[URLPattern] = []
    for one in resolver.url_patterns:
        listed += [one] if isinstance(one, URLPattern) else _patterns(one)
    return listed
