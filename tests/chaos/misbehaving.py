"""Faults of a target: it hangs, drips, resets, lies, redirects, flaps, refuses, throttles, is gone, beside healthy ones."""

from __future__ import annotations

from delivery.tracking.words import Outcome
from tests.chaos.sink import FICKLE
from tests.chaos.trial import ARRIVES_WITHIN, Trial
from tests.processes import eventually

WAYS = ("hang", "drip", "reset", "lie", "short", "redirect", "flap", "throttle", "refuse", "gone")
# So many events go the whole way at the healthy targets while the other one misbehaves.
BESIDE = 100
# Then everything that it did not take must have been tried so often in all.
TRIED = 5
RUN_AGAIN = """
from rules.revisions import set_state
set_state(Target.objects.get(pk=%d), "running")
"""


def happen(run: Trial, way: str) -> None:
    """The fickle target behaves like this until `BESIDE` new events went the whole way at all others."""
    fickle = run.targets[FICKLE]
    last = _last_attempt(run, fickle)
    run.sink.behave(way)
    try:
        run.wait_for_others({FICKLE}, BESIDE)
        if way == "gone":
            eventually(
                lambda: run.state_of(FICKLE) == "disabled",
                "410 disables the target",
                ARRIVES_WITHIN,
            )
        elif way not in ("flap", "short"):
            eventually(
                lambda: _last_attempt(run, fickle) >= last + TRIED,
                f"a target that does {way} is tried",
                ARRIVES_WITHIN,
            )
    finally:
        run.sink.behave("well")
    if way == "gone":
        run.town.manage("shell", "-v0", "-c", RUN_AGAIN % fickle)


def _last_attempt(run: Trial, target: int) -> int:
    """How many attempts at `target` failed so far."""
    outcomes = (Outcome.RETRY, Outcome.GONE)
    asked = "SELECT COUNT(*) FROM attempt WHERE target = %d AND outcome IN (%d, %d)"
    return int(run.database.rows(asked % (target, *outcomes))[0][0])
