"""Faults beside kills, a few with every run of the tests, by chance; `make chaos` has all of them.

Nothing is asserted on how long anything takes.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.chaos import misbehaving
from tests.chaos.faults import FAULTS
from tests.chaos.servers import Servers, scaled_town
from tests.chaos.trial import trial
from tests.chaos.verify import Findings
from tests.processes import Town

RATE = 60.0  # events per second
EMBEDDED = ("stop-worker", "stop-web", "stop-who-writes", "sqlite-locked", "poison", "migrated", "kill-all")
SCALED = (
    "redis-flushed",
    "redis-away",
    "redis-stopped",
    "foreign-messages",
    "postgresql-restarted",
    "postgresql-terminated",
    "stop-other-worker",
    "kill-all",
)


def undergone(
    town: Town, folder: Path, names: list[str], other: bool = False, servers: Servers | None = None
) -> Findings:
    """What was found after those faults, in random order."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    with trial(town, folder, seed, RATE, other, servers) as run:
        run.start()
        for name in run.dice.sample(names, len(names)):
            print(name)
            run.undergo(FAULTS[name])
        findings = run.end()
    print(findings.line())
    assert findings.problems() == []
    return findings


def test_targets_that_misbehave_harm_no_other_and_take_everything_once_they_are_well(
    town: Town, tmp_path: Path
) -> None:
    """Two ways by chance, and `gone` beside them, which only a person ends."""
    ways = random.sample([way for way in misbehaving.WAYS if way != "gone"], 2)
    findings = undergone(town, tmp_path, ["target-gone", *(f"target-{way}" for way in ways)])
    assert findings.repeats == 0
    assert findings.unknown == 0


def test_an_embedded_town_undergoes_two_faults_by_chance(town: Town, tmp_path: Path) -> None:
    undergone(town, tmp_path, random.sample(EMBEDDED, 2))


@pytest.mark.service("redis-server", "initdb")
def test_a_scaled_out_town_undergoes_a_fault_by_chance(tmp_path: Path) -> None:
    """On a PostgreSQL and a Redis of its own, which may be broken."""
    with scaled_town(tmp_path) as (town, servers):
        undergone(town, tmp_path, random.sample(SCALED, 1), other=True, servers=servers)
