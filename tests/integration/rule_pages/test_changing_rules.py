"""Changing a saved rule or target: what is asked before, who may, what the lists show."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client

from catalog.models import Bus, Team
from delivery.models import RequestBin
from rules.models import Rule, RuleRevision, Target, TargetRevision
from rules.revisions import save_target
from tests.integration.rule_pages.editor_form import changed

pytestmark = pytest.mark.django_db


def test_a_change_of_a_listening_rule_is_saved_once_its_consequences_were_seen(
    someone: Client, town: Bus, saved: Rule
) -> None:
    url = f"/rules/{saved.pk}/edit/"
    assert 'value="Large orders"' in someone.get(url).content.decode()
    asked = someone.post(url, changed(town, saved))
    assert asked.status_code == 422
    assert "Save this change of a rule that listens?" in asked.content.decode()
    saved.refresh_from_db()
    assert saved.pattern == {"type": ["order.placed"]}
    # What was confirmed is that very filter, no other.
    confirmed = asked.context["digest"]
    assert someone.post(url, changed(town, saved, values=["9"], confirmed=confirmed)).status_code == 422
    assert someone.post(url, changed(town, saved, confirmed=confirmed)).status_code == 302
    saved.refresh_from_db()
    assert saved.pattern == {"type": ["order.placed"], "data": {"zip": ["12345"]}}
    newest = RuleRevision.objects.filter(rule_id=saved.pk).order_by("pk").last()
    assert newest.pattern == saved.pattern
    assert newest.by.get_username() == "mara"
    assert newest.target_ids == [saved.targets.get().pk]
    # The target was not changed, and its secret is still there.
    assert TargetRevision.objects.count() == 1
    assert saved.targets.get().config["headers"] == {"Authorization": "Bearer s3cret"}


def test_by_script_the_question_comes_as_a_page_and_the_end_as_a_redirect(
    someone: Client, town: Bus, saved: Rule
) -> None:
    url, script = f"/rules/{saved.pk}/edit/", {"HX-Request": "true"}
    asked = someone.post(url, changed(town, saved), headers=script)
    assert asked.status_code == 200
    done = someone.post(url, changed(town, saved, confirmed=asked.context["digest"]), headers=script)
    assert (done.status_code, done.headers["HX-Redirect"]) == (204, f"/rules/{saved.pk}/")


def test_a_rule_with_several_targets_is_edited_apart_from_them(
    someone: Client, town: Bus, saved: Rule
) -> None:
    second = Target(rule=saved, name="Second", connector="http", config={"url": "http://127.0.0.1:8999/2"})
    save_target(second)
    page = someone.get(f"/rules/{saved.pk}/edit/").content.decode()
    assert f'href="/targets/{second.pk}/edit/"' in page
    assert 'name="deliver"' not in page
    asked = someone.post(f"/rules/{saved.pk}/edit/", changed(town, saved))
    someone.post(f"/rules/{saved.pk}/edit/", changed(town, saved, confirmed=asked.context["digest"]))
    saved.refresh_from_db()
    assert saved.pattern["data"] == {"zip": ["12345"]}
    assert TargetRevision.objects.count() == 2


def test_who_may_change_rules_only_does_not_change_the_target_with_it(
    client: Client, town: Bus, saved: Rule
) -> None:
    person = get_user_model().objects.create_user("ruler")
    person.user_permissions.set(Permission.objects.filter(codename__in=("view_rule", "change_rule")))
    client.force_login(person)
    assert 'name="deliver"' not in client.get(f"/rules/{saved.pk}/edit/").content.decode()
    url = {"config-http-url": "http://127.0.0.1:8999/elsewhere"}
    asked = client.post(f"/rules/{saved.pk}/edit/", changed(town, saved, **url))
    values = changed(town, saved, confirmed=asked.context["digest"], **url)
    assert client.post(f"/rules/{saved.pk}/edit/", values).status_code == 302
    assert saved.targets.get().config["url"] == "http://127.0.0.1:8999/hook"
    assert TargetRevision.objects.count() == 1


def test_who_saves_over_a_newer_revision_is_told(someone: Client, town: Bus, saved: Rule) -> None:
    answer = someone.post(f"/rules/{saved.pk}/edit/", changed(town, saved, revision="0"))
    assert answer.status_code == 422
    assert "somebody else saved this rule meanwhile" in answer.content.decode()
    saved.refresh_from_db()
    assert saved.pattern == {"type": ["order.placed"]}


def test_a_targets_secret_is_never_shown_and_survives_an_edit(
    someone: Client, town: Bus, saved: Rule
) -> None:
    target = saved.targets.get()
    url = f"/targets/{target.pk}/edit/"
    assert "s3cret" not in someone.get(url).content.decode()
    values = {
        "send": "complete",
        "deliver": "connector:http",
        "config-http-url": "http://127.0.0.1:8999/other",
        "config-http-headers": "Authorization: ••••",
        "target-name": "Billing",
        "target-max_attempts": "3",
        # A pattern that is sent here does not change the rule.
        "mode": "json",
        "pattern": '{"type": ["other"]}',
        "do": "save",
    }
    assert someone.post(url, values).status_code == 302
    target.refresh_from_db()
    assert target.config["headers"] == {"Authorization": "Bearer s3cret"}
    assert (target.config["url"], target.max_attempts, target.revision) == (
        "http://127.0.0.1:8999/other",
        3,
        2,
    )
    saved.refresh_from_db()
    assert saved.pattern == {"type": ["order.placed"]}


def test_a_second_target_is_added_and_its_name_must_be_free(someone: Client, saved: Rule) -> None:
    url = f"/rules/{saved.pk}/targets/new/"
    values = {"send": "complete", "deliver": "place:bin", "target-name": "Billing", "do": "save"}
    answer = someone.post(url, values)
    assert answer.status_code == 422
    assert "has a target of this name already" in answer.content.decode()
    assert not RequestBin.objects.exists()
    assert someone.post(url, values | {"target-name": "Second"}).status_code == 302
    assert {target.name for target in saved.targets.all()} == {"Billing", "Second"}


def test_a_rule_is_switched_off_and_on(someone: Client, saved: Rule) -> None:
    for enabled in (False, True):
        someone.post(f"/rules/{saved.pk}/switch/", {"enabled": "1" if enabled else "0"})
        saved.refresh_from_db()
        assert saved.enabled is enabled
        assert RuleRevision.objects.order_by("pk").last().enabled is enabled
    assert someone.get(f"/rules/{saved.pk}/switch/").status_code == 405


def test_a_copy_is_switched_off_and_has_its_own_targets(someone: Client, saved: Rule) -> None:
    someone.post(f"/rules/{saved.pk}/duplicate/")
    copy = Rule.objects.exclude(pk=saved.pk).get()
    assert (copy.name, copy.enabled, copy.pattern) == ("Copy of Large orders", False, saved.pattern)
    assert copy.targets.get().config == saved.targets.get().config
    assert copy.targets.get().pk != saved.targets.get().pk
    assert TargetRevision.objects.filter(target_id=copy.targets.get().pk).count() == 1


def test_lists_and_pages_show_what_a_rule_does(someone: Client, saved: Rule) -> None:
    page = someone.get("/rules/").content.decode()
    assert "Large orders" in page
    assert "Billing" in page
    assert "No rule has" in someone.get("/rules/?q=zzz").content.decode()
    assert "POST http://127.0.0.1:8999/hook" in someone.get(f"/rules/{saved.pk}/").content.decode()
    assert "order.placed" in someone.get("/rules/types/?add_type=order").content.decode()


def test_many_rules_cost_a_bounded_number_of_queries(
    someone: Client, town: Bus, saved: Rule, django_assert_max_num_queries: Any
) -> None:
    team = Team.objects.get()
    Rule.objects.bulk_create(
        Rule(name=f"rule {number}", bus=town, team=team, pattern={"type": ["order.placed"]})
        for number in range(300)
    )
    with django_assert_max_num_queries(20):
        page = someone.get("/rules/").content.decode()
    assert page.count("<tr>") == 51


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/subscribe/"),
        ("get", "/rules/{rule}/edit/"),
        ("post", "/rules/{rule}/switch/"),
        ("post", "/rules/{rule}/duplicate/"),
        ("post", "/rules/{rule}/history/1/roll-back/"),
        ("post", "/targets/{target}/history/1/roll-back/"),
        ("post", "/rules/trial/"),
        ("get", "/rules/{rule}/delete/"),
        ("get", "/targets/{target}/edit/"),
        ("post", "/targets/{target}/pause/"),
        ("post", "/dead-letters/redrive/"),
    ],
)
def test_who_may_only_look_changes_nothing(client: Client, saved: Rule, method: str, path: str) -> None:
    person = get_user_model().objects.create_user("reader")
    person.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(person)
    url = path.format(rule=saved.pk, target=saved.targets.get().pk)
    assert getattr(client, method)(url).status_code == 403
    assert client.get(f"/rules/{saved.pk}/").status_code == 200
