"""Retry policies: waits, presets, when it ends; and the same in words."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.retries import DAY, JITTERS, KINDS, PRESETS, Retries, ending, microseconds, plan, preset_of
from rules.retry_words import in_words

EXACT = Retries("exponential", 8, DAY, 1.0, 2.0, 300.0, "none")
BY_NAME = {preset.name: preset.retries for preset in PRESETS}


@pytest.mark.parametrize(
    ("retries", "waits"),
    [
        (EXACT, [1, 2, 4, 8, 16]),
        (replace(EXACT, delay_step=3.0, longest_delay=10), [1, 3, 9, 10, 10]),
        (replace(EXACT, retry_kind="linear", first_delay=5, delay_step=10), [5, 15, 25, 35, 45]),
        (replace(EXACT, retry_kind="linear", longest_delay=4), [1, 3, 4, 4, 4]),
        (replace(EXACT, retry_kind="constant", first_delay=7), [7, 7, 7, 7, 7]),
    ],
)
def test_waits_grow_as_the_kind_says(retries: Retries, waits: list[float]) -> None:
    assert [retries.delay(failures, 0.9) for failures in range(1, 6)] == waits


@pytest.mark.parametrize(("jitter", "least"), [("none", 8.0), ("half", 4.0), ("full", 0.0)])
def test_jitter_spreads_a_wait_below_it(jitter: str, least: float) -> None:
    retries = replace(EXACT, jitter=jitter)
    assert retries.bounds(4) == (least, 8.0)
    assert retries.delay(4, 0.0) == least
    assert retries.delay(4, 0.5) == (least + 8.0) / 2


@given(
    st.sampled_from(KINDS),
    st.sampled_from(JITTERS),
    st.integers(1, 1000),
    st.floats(0, 1, exclude_max=True),
    st.floats(0, 1e9),
    st.floats(0, DAY),
)
def test_never_inside_the_window_that_the_target_asked_for_up_to_the_ceiling(
    kind: str, jitter: str, failures: int, chance: float, asked: float, ceiling: float
) -> None:
    retries = Retries(retry_kind=kind, jitter=jitter, longest_asked=ceiling)
    wait = retries.delay(failures, chance, asked)
    assert wait >= min(asked, ceiling)
    assert wait <= max(retries.longest_delay, min(asked, ceiling))
    assert microseconds(wait) >= wait * 1_000_000


def test_backoff_retries_three_times_after_10_to_20_seconds() -> None:
    backoff = BY_NAME["backoff"]
    assert backoff.max_attempts - 1 == 3
    assert [backoff.bounds(failures) for failures in (1, 2, 3)] == [(10.0, 20.0)] * 3


def test_exponential_decay_is_176_retries_over_a_day() -> None:
    tries = list(plan(BY_NAME["exponential-decay"]))
    assert len(tries) - 1 == 176
    waits = [two.latest - one.latest for one, two in pairwise(tries)]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, *[512.0] * 167]
    assert 0.99 * DAY < tries[-1].latest <= DAY


def test_aws_retries_up_to_185_times_within_a_day() -> None:
    aws = BY_NAME["aws"]
    assert (aws.max_attempts - 1, aws.max_age) == (185, DAY)


def test_every_preset_is_found_by_its_values_and_no_two_are_the_same() -> None:
    for preset in PRESETS:
        values = {name: getattr(preset.retries, name) for name in Retries.__slots__}
        assert preset_of(values | {"longest_asked": 5.0}) == preset.name
        assert preset_of(values | {"first_delay": 3.5}) == ""


def test_the_plan_ends_with_the_age_or_the_attempts() -> None:
    assert [one.number for one in plan(replace(EXACT, max_age=7.0))] == [1, 2, 3, 4]
    assert ending(replace(EXACT, max_age=7.0)) == (4, 4, 7.0, True)
    assert ending(EXACT) == (8, 8, 127.0, False)
    assert ending(replace(EXACT, max_attempts=1)) == (1, 1, 0.0, False)
    # By chance the waits are as short as half of it, so more of them fit.
    assert ending(replace(EXACT, max_age=7.0, jitter="half"))[:2] == (4, 4)
    assert ending(replace(EXACT, retry_kind="constant", max_age=2.0, jitter="half"))[:2] == (3, 5)


def test_in_words_it_says_when_the_first_five_come_and_when_it_gives_up() -> None:
    words = in_words(replace(EXACT, jitter="half"))
    assert words.headline == "8 tries."
    assert words.tries[:3] == [(1, "at once"), (2, "after 500 ms to 1 s"), (3, "after 1.5 s to 3 s")]
    assert len(words.tries) == 5
    assert words.end == "Given up 2 min after the first try, at the latest."
    assert "up to 24 h" in words.asked
    aged = in_words(replace(EXACT, max_age=2.0, longest_asked=0))
    assert (aged.headline, aged.end) == (
        "2 tries.",
        "Given up when the next try would come more than 2 s after the first.",
    )
    assert "does not count" in aged.rest
    assert "not followed" in aged.asked
    assert in_words(replace(EXACT, max_attempts=1)).end == "Given up at once."
    assert list(islice(plan(EXACT), 2))[1].earliest == 1
