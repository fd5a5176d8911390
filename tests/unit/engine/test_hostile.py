"""Events and rules made to be slow cost a bounded amount of work, counted in calls: a busy machine cannot fake it."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from rules.engine import compile
from rules.engine.allowance import STEPS, Allowance, TooMuchWork
from rules.engine.matcher import Matcher
from tests.unit.engine import hostile

SMALL = {case.name: case for case in hostile.cases(rules=400, size=12_000)}
LARGE = {case.name: case for case in hostile.cases(rules=800, size=24_000)}
CALLS_OF_A_RULE, CALLS_OF_A_BYTE = 130, 5
TIRING = {"a path spelled in many ways"}
"""Cases that may use up what an event may cost: then rules fail, loudly."""


def calls(matcher: Matcher, case: hostile.Case) -> int:
    """Calls of Python and C functions that matching takes."""
    matcher.match(case.event())  # what is made on first use
    matcher.failures.clear()
    event = case.event()
    count = 0

    def profile(frame: Any, what: str, argument: Any) -> None:
        nonlocal count
        count += what in ("call", "c_call")

    sys.setprofile(profile)
    try:
        matcher.match(event)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("name", SMALL)
def test_the_work_grows_with_the_rules_and_the_event_and_not_with_their_product(name) -> None:
    small, large = (compile(enumerate(cases[name].rules)) for cases in (SMALL, LARGE))
    before, after = calls(small, SMALL[name]), calls(large, LARGE[name])
    failures = set(map(type, large.failures.values()))
    if name in TIRING:
        assert failures <= {TooMuchWork}
        assert after <= CALLS_OF_A_RULE * 800 + CALLS_OF_A_BYTE * 24_000 + 1.5 * STEPS
    else:
        assert failures == set()
        assert after <= CALLS_OF_A_RULE * 800 + CALLS_OF_A_BYTE * 24_000
        assert after <= 2.5 * before + 100


@pytest.mark.parametrize("name", SMALL)
def test_a_plain_rule_is_decided_beside_hostile_ones(name) -> None:
    case = SMALL[name]
    told: list[int] = []
    rules = [
        *enumerate(case.rules),
        (10_000, {"type": ["t"], "source": [{"prefix": "/"}]}),
        (10_001, {"type": ["u"]}),
    ]
    matcher = compile(rules, on_error=lambda rule_id, event, error: told.append(rule_id))
    met = matcher.match(case.event())
    assert met == [10_000]
    assert sorted(told) == sorted(matcher.failures)
    assert 10_001 not in told


def test_where_substrings_are_too_much_work_only_rules_that_ask_for_substrings_fail(monkeypatch) -> None:
    monkeypatch.setattr(Allowance, "left", 20_000)
    case = LARGE["substrings inside each other"]
    beside = [
        {"data": {"a": [{"prefix": "aaaa"}]}},
        {"data": {"a": [{"exists": True}]}},
        {"data": {"a": ["x", {"suffix": {"equals-ignore-case": "A"}}]}},
        {"data": {"a": [{"equals-ignore-case": "x"}]}},
    ]
    matcher = compile([*enumerate(beside), *((10 + number, rule) for number, rule in enumerate(case.rules))])
    assert matcher.match(case.event()) == [0, 1, 2]
    assert set(matcher.failures) == set(range(10, 10 + len(case.rules)))
