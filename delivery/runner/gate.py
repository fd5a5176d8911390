"""What all shifts share of one target's breaker, with the target's running clock. Pure; times in microseconds.

The running clock is the time without the target's rest: while it is paused, stopped or disabled, and while its breaker
is open. Events grow older for their policy by this clock only.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from delivery.runner.breaker import Breaker, Settings, Trouble


@dataclass(frozen=True, slots=True)
class Gate:
    """`stands`: what the running clock says while the breaker is open. `rested`: how long it was open, in all.

    `slow`: how many sends all shifts together may have under way, since it closed; 0 once that is the target's own limit.
    """

    breaker: Breaker = field(default_factory=Breaker)
    stands: int = 0
    rested: int = 0
    slow: int = 0

    def running(self, now: int, target_rested: int) -> int:
        """The running clock at `now`; `target_rested`: how long the target did not run, in all."""
        return self.stands if self.breaker.open else now - target_rested - self.rested

    def then(self, breaker: Breaker, now: int, target_rested: int) -> Gate:
        """The gate with `breaker` from `now` on: the running clock stops when it opens and goes on when it closes."""
        if breaker.open == self.breaker.open:
            return Gate(breaker, self.stands, self.rested, self.slow)
        if breaker.open:
            return Gate(breaker, self.running(now, target_rested), self.rested)
        return Gate(breaker, 0, now - target_rested - self.stands, 1)


class Report(NamedTuple):
    """What a shift saw of a target since it last told: successes, then failures, and how its probe ended.

    `probe`: the number of a probe that ended; then `failed` says with what trouble, None when it was taken or answered.
    `unsent`: the number of a probe that was claimed and never sent. `closes`: the breaker was switched off. `taken`: what
    it took since it began to start slowly or was told of, `most`: when that is over.
    """

    target: int
    settings: Settings
    rested: int
    alive: bool = False
    trouble: Trouble | None = None
    probe: int | None = None
    failed: Trouble | None = None
    unsent: int | None = None
    closes: bool = False
    taken: int = 0
    most: int = 0

    @property
    def tells(self) -> bool:
        """Whether it says more than that all is well."""
        return self.closes or any(one is not None for one in (self.trouble, self.probe, self.unsent))


def reported(gate: Gate, report: Report, now: int) -> Gate:
    """The gate after a report."""
    breaker = gate.breaker
    if report.alive:
        breaker = breaker.succeeded(now)
        gate = gate.then(breaker, now, report.rested)
        slow = gate.slow + report.taken if gate.slow and not report.closes else 0
        gate = replace(gate, slow=slow if slow < report.most else 0)
    if report.unsent is not None:
        breaker = breaker.not_probed(report.unsent)
    if report.probe is not None and report.failed is not None:
        breaker = breaker.probe_failed(report.probe, report.failed, report.settings, now)
    if report.trouble is not None:
        breaker = breaker.failed(report.trouble, report.settings, now)
    return gate.then(breaker, now, report.rested)
