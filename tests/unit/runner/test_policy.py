"""A target's stored policy as the runner reads it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from delivery.runner.breaker import Settings
from delivery.runner.policy import Policy
from rules.models import Target, policy_of
from rules.retries import Retries

SECOND = 1_000_000


def test_a_new_target_has_the_policy_of_signalbox_and_a_breaker() -> None:
    policy = Policy.of(policy_of(Target()))
    assert policy.retries == Retries()
    assert policy.breaker == Settings(10, SECOND, 60 * SECOND)
    assert (policy.rate, policy.classes, policy.batching.count) == (None, {}, 1)


@pytest.mark.parametrize(
    ("own", "granted", "rate"),
    [(None, None, None), (5.0, None, 5.0), (None, 120, 2.0), (5.0, 120, 2.0), (1.0, 120, 1.0), (5.0, 0, 5.0)],
)
def test_the_lower_of_both_rates_holds(own: float | None, granted: int | None, rate: float | None) -> None:
    assert Policy.of(policy_of(Target()) | {"rate_limit": own}, granted).rate == rate


def test_without_a_breaker_there_are_no_settings_of_one() -> None:
    assert Policy.of(policy_of(Target()) | {"breaker": False}).breaker is None


RETRIES = Retries("constant", 3, 100.0, 10.0, 1.0, 10.0, "none", 60.0)


@pytest.mark.parametrize(
    ("failures", "age", "asked", "wait"),
    [
        (1, 0, None, 10),
        (2, 0, None, 10),
        (3, 0, None, None),  # it had its three attempts
        (1, 90, None, 10),
        (1, 91, None, None),  # the next would come too late
        (1, 0, 30.0, 30),
        (1, 0, 5.0, 10),
        (1, 0, 3600.0, 60),  # the ceiling
        (1, 50, 60.0, None),
    ],
)
def test_when_an_event_is_tried_again_and_when_it_is_given_up(
    failures: int, age: int, asked: float | None, wait: int | None
) -> None:
    policy = replace(Policy(), retries=RETRIES)
    due_at = policy.due_at(failures, 0.5, 1000 * SECOND, age * SECOND, asked)
    assert due_at == (None if wait is None else (1000 + wait) * SECOND)
