"""Faults beside kills, a few with every run of the tests: targets that misbehave, processes that stand still.

`make chaos` has all of them. Nothing is asserted on how long anything takes.
"""

from __future__ import annotations

import random
from pathlib import Path

from tests.chaos import misbehaving
from tests.chaos.faults import FAULTS
from tests.chaos.trial import trial
from tests.chaos.verify import Findings
from tests.processes import Town

RATE = 60.0  # events per second


def undergone(town: Town, folder: Path, *names: str, other: bool = False) -> Findings:
    """What was found after those faults, in random order."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    with trial(town, folder, seed, RATE, other) as run:
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
    """Three ways by chance; `gone` beside them, which only a person ends."""
    ways = random.sample([way for way in misbehaving.WAYS if way != "gone"], 3)
    findings = undergone(town, tmp_path, "target-gone", *(f"target-{way}" for way in ways))
    assert findings.repeats == 0
    assert findings.unknown == 0
