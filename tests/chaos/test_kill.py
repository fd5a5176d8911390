"""Kill -9 of worker, web and parent under load: nothing acknowledged is lost, overtaken, or repeated without a reason.

A few rounds with every run of the tests; `make chaos` does fifty.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from tests.chaos.trial import trial
from tests.processes import Town

RATE = 60.0  # events per second


def kill_in_turn(town: Town, folder: Path, other: bool) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    with trial(town, folder, seed, RATE, other) as run:
        run.start()
        victims = ["worker", "web", "parent", "other worker" if other else "worker"]
        for victim in run.dice.sample(victims, len(victims)):
            time.sleep(run.dice.uniform(0.5, 3.0))  # the random moment
            kill = run.kill(victim)
            print(f"{kill.victim}: {kill.in_flight} in flight, {len(kill.acknowledged)} acknowledged")
        findings = run.end()
    print(findings.line())
    assert findings.problems() == []
    assert findings.repeats <= findings.unknown
    assert findings.kills == len(victims)


def test_kills_of_the_embedded_town_lose_and_overtake_nothing(town: Town, tmp_path: Path) -> None:
    kill_in_turn(town, tmp_path, other=False)


@pytest.mark.service("postgresql", "redis")
def test_kills_of_a_town_with_two_workers_on_postgresql_and_redis_lose_and_overtake_nothing(
    scaled_town: Town, tmp_path: Path
) -> None:
    kill_in_turn(scaled_town, tmp_path, other=True)
