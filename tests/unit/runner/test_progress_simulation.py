"""The state machine of one target under everything that can happen, with rows in memory."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.runner.policy import Policy
from rules.retries import Retries
from tests.unit.runner.memory_store import MemoryStore
from tests.unit.runner.simulation import Simulation

POLICIES = [
    Policy(order=order, after_dead_letter=after, retries=Retries(max_attempts=3))
    for order in ("key", "none", "all")
    for after in ("block", "continue")
]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: f"{policy.order}-{policy.after_dead_letter}")
def test_nothing_is_lost_doubled_overtaken_or_stuck(policy: Policy) -> None:
    @settings(max_examples=300, deadline=None)
    @given(st.integers(0, 2**32), st.integers(20, 250))
    def run(seed: int, steps: int) -> None:
        Simulation(random.Random(seed), policy, MemoryStore()).run(steps)

    run()


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: f"{policy.order}-{policy.after_dead_letter}")
def test_a_change_of_order_drains_what_was_parked_and_breaks_no_order(policy: Policy) -> None:
    @settings(max_examples=300, deadline=None)
    @given(st.integers(0, 2**32), st.integers(20, 250))
    def run(seed: int, steps: int) -> None:
        Simulation(random.Random(seed), policy, MemoryStore(), changes=True).run(steps)

    run()
