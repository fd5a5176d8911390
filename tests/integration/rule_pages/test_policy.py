"""The delivery policy on the target's form: presets, what it says in words, what may be emptied, what is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from rules.models import POLICY_FIELDS, Rule, Target, TargetRevision, policy_of
from rules.retries import PRESETS, RETRY_FIELDS
from rules.revisions import roll_back_target, save_target

pytestmark = pytest.mark.django_db


def sent(**values: Any) -> dict[str, Any]:
    """What the form of the saved target sends, with some of its policy."""
    return {
        "send": "complete", "deliver": "connector:http", "config-http-url": "http://127.0.0.1:8999/hook",
        "config-http-headers": "Authorization: ••••", "target-name": "Billing", "do": "save",
    } | {f"target-{name}": value for name, value in values.items()}  # fmt: skip


def save(someone: Client, target: Target, **values: Any) -> Target:
    answer = someone.post(f"/targets/{target.pk}/edit/", sent(**values))
    assert answer.status_code == 302, answer.content.decode()
    target.refresh_from_db()
    return target


@pytest.fixture
def target(saved: Rule) -> Target:
    return saved.targets.get()


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_stands_for_the_values_of_its_fields(someone: Client, target: Target, preset: Any) -> None:
    # What stands in the fields that are hidden then does not count, not even what is wrong there.
    save(someone, target, preset=preset.name, max_attempts="-7", first_delay="3", longest_asked="60")
    for name in RETRY_FIELDS:
        wanted = 60 if name == "longest_asked" else getattr(preset.retries, name)
        assert getattr(target, name) == wanted
    page = someone.get(f"/targets/{target.pk}/edit/").content.decode()
    assert f'<option value="{preset.name}" selected>' in page


def test_own_values_are_kept_and_a_form_without_a_policy_changes_none(
    someone: Client, target: Target
) -> None:
    values: dict[str, Any] = {
        "preset": "own", "retry_kind": "linear", "max_attempts": 5, "max_age": 600.0, "first_delay": 2.0,
        "delay_step": 3.0, "longest_delay": 9.0, "jitter": "full", "longest_asked": 0.0, "order": "all",
        "after_dead_letter": "continue", "max_in_flight": 3, "rate_limit": 0.5, "breaker": "False",
        "breaker_failures": 7, "breaker_probe": 2.0, "breaker_longest_probe": 30.0, "batch_count": 10,
        "batch_bytes": 1000, "batch_wait": 1.5, "classes": "404: retry\r\n5xx: stop",
    }  # fmt: skip
    save(someone, target, **values)
    wanted = values | {"breaker": False, "classes": {"404": "retry", "5xx": "stop"}}
    wanted.pop("preset")
    assert policy_of(target) == wanted
    assert set(wanted) == set(POLICY_FIELDS)
    assert '<option value="own" selected>' in someone.get(f"/targets/{target.pk}/edit/").content.decode()
    save(someone, target)
    assert policy_of(target) == wanted
    # The history holds all of it, and going back brings all of it back.
    assert TargetRevision.objects.get(target_id=target.pk, number=2).policy == wanted
    roll_back_target(target, TargetRevision.objects.get(target_id=target.pk, number=1))
    assert policy_of(target) == policy_of(Target())
    page = someone.get(f"/targets/{target.pk}/history/").content.decode()
    assert "Policy, breaker: off; it was on." in page
    assert "Policy, waits: growing by seconds; it was growing by a factor." in page
    assert "Policy, answers: changed." in page
    assert "Policy, events a second, at most: 0.5; it was none." in page


def test_the_rate_and_the_meanings_of_answers_may_be_emptied(someone: Client, target: Target) -> None:
    target.rate_limit, target.classes = 5, {"404": "retry"}
    save_target(target)
    save(someone, target, rate_limit="", classes="")
    assert (target.rate_limit, target.classes) == (None, {})


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"classes": "404 retry"}, "Line 1: write a status, a colon"),
        ({"breaker_probe": "9", "breaker_longest_probe": "2"}, "must not be shorter"),
        ({"preset": "own", "retry_kind": "exponential", "delay_step": "0.5"}, "A factor below 1"),
        ({"longest_asked": "90000"}, "86400"),
        ({"rate_limit": "0"}, "0.001"),
        ({"batch_count": "0"}, "greater than or equal to 1"),
        ({"max_age": "x"}, "Enter a number."),
    ],
)
def test_what_is_wrong_stands_at_its_field(
    someone: Client, target: Target, values: dict[str, str], sentence: str
) -> None:
    before = policy_of(target)
    answer = someone.post(f"/targets/{target.pk}/edit/", sent(**values))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    target.refresh_from_db()
    assert policy_of(target) == before


def test_a_policy_recorded_before_it_had_a_setting_tells_of_no_change(
    someone: Client, target: Target
) -> None:
    first = TargetRevision.objects.get(target_id=target.pk)
    first.policy = {name: first.policy[name] for name in ("order", "max_attempts", "first_delay")}
    first.save()
    target.name = "Invoices"
    save_target(target)
    page = someone.get(f"/targets/{target.pk}/history/").content.decode()
    assert "The name became" in page
    assert "Policy," not in page


def test_the_form_says_in_words_what_the_retries_mean_while_they_are_written(
    someone: Client, target: Target
) -> None:
    page = someone.get(f"/targets/{target.pk}/edit/").content.decode()
    assert "No. 2 after 500 ms to 1 s" in page
    assert "Going on gives up the order of that subject" in page
    values = {"target": target.pk} | sent(preset="backoff")
    words = someone.post("/rules/retry-words/", values).content.decode()
    assert "4 tries." in words
    assert "No. 2 after 10 s to 20 s, No. 3 after 20 s to 40 s" in words
    own = {
        "preset": "own",
        "retry_kind": "constant",
        "first_delay": "5",
        "jitter": "none",
        "max_attempts": "3",
    }
    words = someone.post("/rules/retry-words/", {"target": target.pk} | sent(**own)).content.decode()
    assert "No. 1 at once, No. 2 after 5 s, No. 3 after 10 s. Given up 10 s after the first try" in words
    words = someone.post("/rules/retry-words/", sent(preset="own", first_delay="x")).content.decode()
    assert "is shown when their values can be" in words
