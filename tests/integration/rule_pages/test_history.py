"""The history of rules and targets, and the way back."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from catalog.models import Bus
from rules.models import Rule, RuleRevision, Target, TargetRevision
from rules.pages import history
from rules.revisions import save_rule, save_target

pytestmark = pytest.mark.django_db


def test_a_rule_goes_back_to_what_it_was_as_a_new_revision(someone: Client, town: Bus, saved: Rule) -> None:
    first = RuleRevision.objects.filter(rule_id=saved.pk).earliest("pk")
    saved.pattern, saved.sql = {"type": ["order.paid"]}, "EXISTS subject"
    save_rule(saved)
    page = someone.get(f"/rules/{saved.pk}/history/").content.decode()
    assert "It listens to order.paid too." in page
    assert "The CESQL expression was added: EXISTS subject" in page
    url = f"/rules/{saved.pk}/history/{first.pk}/roll-back/"
    asked = someone.post(url)
    assert "Go back: 0 gained, 0 lost" in asked.content.decode()
    saved.refresh_from_db()
    assert saved.sql == "EXISTS subject"
    assert someone.post(url, {"confirmed": str(first.pk)}).status_code == 302
    saved.refresh_from_db()
    assert (saved.pattern, saved.sql, saved.enabled) == ({"type": ["order.placed"]}, "", True)
    newest = RuleRevision.objects.filter(rule_id=saved.pk).latest("pk")
    assert (newest.back_to, newest.number) == (first.number, saved.revision)
    assert "back to r1" in someone.get(f"/rules/{saved.pk}/history/").content.decode()


def test_a_rule_that_was_saved_very_often_shows_its_newest_changes(
    someone: Client, saved: Rule, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(history, "MOST", 10)
    for number in range(20):
        saved.sql = f"a = '{number}'"
        save_rule(saved)
    with django_assert_max_num_queries(14):
        page = someone.get(f"/rules/{saved.pk}/history/").content.decode()
    assert page.count("Go back to revision") == 9
    assert "The CESQL expression became “a = &#x27;19&#x27;”; it was “a = &#x27;18&#x27;”." in page
    assert "The rule was made." not in page


def test_a_target_goes_back_and_its_secret_is_never_shown(someone: Client, saved: Rule) -> None:
    target = saved.targets.get()
    first = TargetRevision.objects.get(target_id=target.pk)
    target.config = {"url": "http://127.0.0.1:8999/new", "headers": {"Authorization": "Bearer 0ther"}}
    target.transform, target.max_attempts = {"kind": "template", "template": "{}"}, 3
    save_target(target)
    page = someone.get(f"/targets/{target.pk}/history/").content.decode()
    assert "URL became “http://127.0.0.1:8999/new”; it was “http://127.0.0.1:8999/hook”." in page
    assert "Headers: changed, not shown." in page
    assert "Policy, attempts: 3; it was 200." in page
    assert "s3cret" not in page
    assert "0ther" not in page
    someone.post(f"/targets/{target.pk}/history/{first.pk}/roll-back/")
    target.refresh_from_db()
    assert (target.config, target.max_attempts) == (first.config, 200)
    assert TargetRevision.objects.filter(target_id=target.pk).latest("number").back_to == 1


def test_going_back_to_a_connector_that_is_gone_is_refused(someone: Client, saved: Rule) -> None:
    target = saved.targets.get()
    gone = TargetRevision.objects.create(
        target_id=target.pk, number=9, name="Billing", connector="pigeon", config={}
    )
    answer = someone.post(f"/targets/{target.pk}/history/{gone.pk}/roll-back/", follow=True)
    assert "“pigeon” of that revision is not installed" in answer.content.decode()
    target.refresh_from_db()
    assert target.connector == "http"


def test_a_new_rule_has_one_entry_and_a_target_that_comes_makes_no_second_revision(
    someone: Client, saved: Rule
) -> None:
    assert RuleRevision.objects.filter(rule_id=saved.pk).count() == 1
    [only] = history.of_rule(saved.pk)
    assert only.words == ["The rule was made.", "Target added: Billing"]
    save_target(Target(name="Stock", rule=saved, connector="http", transform={"kind": "complete"}))
    page = someone.get(f"/rules/{saved.pk}/history/").content.decode()
    assert "Target added: Stock" in page
    assert page.count(">r1<") == 1
    assert "Go back to revision" not in page


def test_going_back_is_offered_only_to_what_differs_from_now(someone: Client, saved: Rule) -> None:
    target = saved.targets.get()
    for sql in ("EXISTS subject", ""):
        saved.sql = sql
        save_rule(saved)
    saved.pattern = {"detail-type": ["order.placed"]}  # the same in other words
    save_rule(saved)
    page = someone.get(f"/rules/{saved.pk}/history/").content.decode()
    assert page.count("Go back to revision") == 1
    assert "Go back to revision 2" in page
    first = dict(target.config)
    for config in (first | {"timeout": 20}, first | {"timeout": 10.0, "mode": "binary"}):
        target.config, target.transform = config, {}
        save_target(target)
    page = someone.get(f"/targets/{target.pk}/history/").content.decode()
    assert page.count("Go back to revision") == 1
    assert "Go back to revision 2" in page
