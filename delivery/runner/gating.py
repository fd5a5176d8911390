"""The gates in the database: one row per target that had trouble or has a rate, shared by all shifts that serve it.

A probe is claimed under a number, as a lease has a fence: it ends with the report of that number, or when its shift
lives no longer. The rate's schedule is drawn from by an update, so that what all shifts drew never exceeds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace

from django.db import connection, transaction

from delivery.doorbell import Doorbell
from delivery.runner.breaker import Breaker
from delivery.runner.gate import Gate, Report, reported
from delivery.runner.lease import LEASE
from delivery.runner.rate import Drawn, draw
from delivery.runner.sharing import Sharing

COLUMNS = (
    "failures", "first", "several", "opened_at", "wait", "probe_at", "probe", "closed_at", "reason", "stands", "rested",
    "slow",
)  # fmt: skip
# Whether a probe is under way: its shift lives.
PROBING = "EXISTS (SELECT 1 FROM runner_shift h WHERE h.id = g.prober AND h.seen_at > %s)"
READ = f"SELECT g.target, {', '.join(f'g.{name}' for name in COLUMNS)}, {PROBING} FROM runner_gate g"
REASON = 500


class Gating(Sharing):
    """What shifts share of the targets' breakers and rates."""

    def gates(self, targets: Iterable[int]) -> dict[int, Gate]:
        """The gate of each target; one that never had trouble has a new one."""
        wanted = sorted(targets)
        found: dict[int, Gate] = {}
        for at in range(0, len(wanted), 500):
            part = wanted[at : at + 500]
            found |= self._read(f"WHERE g.target IN ({', '.join(['%s'] * len(part))})", part)
        return {target: found.get(target, Gate()) for target in wanted}

    def report(self, reports: Sequence[Report]) -> dict[int, Gate]:
        """Records what a round saw, and returns the gates that changed or that something was told about."""
        troubled = [report for report in reports if report.tells]
        # A success ends what other shifts counted, and most of the time nobody counted anything.
        fine = [report.target for report in reports if not report.tells]
        counted = (
            self._read(
                f"WHERE (g.failures > 0 OR g.opened_at IS NOT NULL OR g.slow > 0) AND g.target IN ({', '.join(['%s'] * len(fine))})",
                fine,
            )
            if fine
            else {}
        )
        troubled += [report for report in reports if not report.tells and report.target in counted]
        if not troubled:
            return {}
        gates: dict[int, Gate] = {}
        with self.database.transaction():
            now = self.database.now()
            # In one order, or two shifts wait for each other in a circle.
            for report in sorted(troubled):
                self._lock_places(report.target)
                gate = self._locked(report.target)
                gates[report.target] = after = reported(gate, report, now)
                self._write(report.target, after)
                if gate.breaker.open and not after.breaker.open:
                    self._closed(
                        report.target, report.most if report.closes else min(report.most, 1 + report.taken)
                    )
                elif gate.slow and report.taken:
                    self._grown(report.target, min(report.taken, report.most - gate.slow))
        return gates

    def claim_probe(self, target: int) -> tuple[Gate, int | None]:
        """Asks for the probe: the gate now, and the probe's number when it is this shift's to send."""
        with self.database.transaction():
            gate = self._locked(target)
            if not gate.breaker.may_probe(self.database.now()):
                return gate, None
            claimed = replace(gate, breaker=gate.breaker.probed())
            self._write(target, claimed)
            self.database.run("UPDATE runner_gate SET prober = %s WHERE target = %s", [self.owner, target])
        return claimed, claimed.breaker.probe

    def draw(self, target: int, rate: float, wanted: int) -> tuple[Drawn, int]:
        """Up to `wanted` events of the target's rate, and the time it was drawn at."""
        with self.database.transaction():
            schedule = self._schedule(target)
            now = self.database.now()
            drawn = draw(schedule, now, rate, wanted)
            if drawn.events:
                self.database.run(
                    "UPDATE runner_gate SET schedule = %s WHERE target = %s", [drawn.next, target]
                )
        return drawn, now

    def _read(self, where: str, values: Sequence[int]) -> dict[int, Gate]:
        alive = self.database.now() - LEASE
        return {row[0]: _gate(row[1:]) for row in self.database.rows(f"{READ} {where}", [alive, *values])}

    def _locked(self, target: int) -> Gate:
        self._make(target)
        return self._read(f"WHERE g.target = %s{self._lock}", [target])[target]

    def _schedule(self, target: int) -> int:
        self._make(target)
        found = self.database.rows(
            f"SELECT g.schedule FROM runner_gate g WHERE g.target = %s{self._lock}", [target]
        )
        return int(found[0][0])

    def _make(self, target: int) -> None:
        self.database.run(
            "INSERT INTO runner_gate (target) VALUES (%s) ON CONFLICT (target) DO NOTHING", [target]
        )

    @property
    def _lock(self) -> str:
        return "" if self.database.vendor == "sqlite" else " FOR UPDATE OF g"

    def _write(self, target: int, gate: Gate) -> None:
        breaker = gate.breaker
        ended = "" if breaker.probing else ", prober = NULL"
        self.database.run(
            f"UPDATE runner_gate SET {', '.join(f'{name} = %s' for name in COLUMNS)}{ended} WHERE target = %s",
            [
                breaker.failures, breaker.first, int(breaker.several), breaker.opened_at, breaker.wait, breaker.probe_at,
                breaker.probe, breaker.closed_at, breaker.reason[:REASON], gate.stands, gate.rested, gate.slow, target,
            ],
        )  # fmt: skip


def _gate(row: Sequence[object]) -> Gate:
    (
        failures,
        first,
        several,
        opened_at,
        wait,
        probe_at,
        probe,
        closed_at,
        reason,
        stands,
        rested,
        slow,
        probing,
    ) = row
    breaker = Breaker(
        failures, first, bool(several), opened_at, wait, probe_at, probe, bool(probing), closed_at, reason  # type: ignore[arg-type]
    )  # fmt: skip
    return Gate(breaker, stands, rested, slow)  # type: ignore[arg-type]


def probe_now(target: int) -> bool:
    """Lets the next probe of an open breaker come at once, as a person asks; whether it was open."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE runner_gate SET probe_at = 0 WHERE target = %s AND opened_at IS NOT NULL", [target]
        )
        found = bool(cursor.rowcount)
        if found and connection.vendor == "postgresql":
            cursor.execute("SELECT pg_notify('signalbox', '')")
    if found:
        with closing(Doorbell()) as doorbell:
            doorbell.ring()
    return found
