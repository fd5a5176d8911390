"""Open breakers of targets, as the shifts that serve them keep them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from delivery.tracking.read import marks, rows


class OpenBreaker(NamedTuple):
    """Since when nothing but probes is sent, when the next one comes (microseconds since 1970), and why."""

    since: int
    probe_at: int
    reason: str
    probing: bool


OPEN = (
    "SELECT g.target, g.opened_at, g.probe_at, g.reason, g.prober FROM runner_gate g "
    "JOIN rules_target t ON t.id = g.target WHERE g.opened_at IS NOT NULL AND t.breaker"
)


def of_targets(targets: Sequence[int]) -> dict[int, OpenBreaker]:
    """The breakers of `targets` that are open."""
    return _read(f"{OPEN} AND g.target IN ({marks(targets)})", targets) if targets else {}


def every() -> dict[int, OpenBreaker]:
    """All breakers that are open."""
    return _read(OPEN, ())


def _read(sql: str, values: Sequence[int]) -> dict[int, OpenBreaker]:
    return {
        int(target): OpenBreaker(since, probe_at, reason, prober is not None)
        for target, since, probe_at, reason, prober in rows(sql, values)
    }
