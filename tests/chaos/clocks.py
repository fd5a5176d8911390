"""The clock of one worker jumps: an hour ahead, then an hour back, while it works (libfaketime).

Its monotonic clock goes on as it was, as on a machine whose time is set. Where Debian's `faketime` is not installed the
fault is left out.
"""

from __future__ import annotations

import time
from pathlib import Path

from tests.chaos.trial import FAKETIME, Trial

JUMPS = ("+3600", "-3600")
MEANWHILE = 100  # events


def jump(run: Trial) -> None:
    """The second worker's clock; all events go the whole way meanwhile, and no time of theirs is taken from it."""
    says = run.town.var / "clock"
    kept = dict(run.town.environment)
    run.town.stop("worker")
    _set(says, "+0")
    run.town.environment.update(
        LD_PRELOAD=str(FAKETIME),
        FAKETIME_TIMESTAMP_FILE=str(says),
        FAKETIME_CACHE_DURATION="1",
        DONT_FAKE_MONOTONIC="1",
    )
    try:
        run.town.start("worker")
        pid = run.town.processes["worker"].pid
        for offset in JUMPS:
            _set(says, offset)
            time.sleep(1.5)  # It looks each second.
            run.wait_for_others(frozenset(), MEANWHILE)
        assert run.town.processes["worker"].pid == pid
        run.town.stop("worker")
    finally:
        run.town.environment.clear()
        run.town.environment.update(kept)
    run.town.start("worker", ready=False)
    far = 60 * 1_000_000
    now = time.time_ns() // 1000
    wrong = run.database.rows(
        f"SELECT COUNT(*) FROM attempt WHERE at > {now + far} OR at < {now - 1800 * 1_000_000} OR took < 0"
    )[0][0]
    assert wrong == 0, f"{wrong} attempts have a time of the clock that jumped"


def _set(says: Path, offset: str) -> None:
    says.write_text(f"{offset}\n")
