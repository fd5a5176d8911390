"""What keeps one target's sends back in one shift: the breaker as far as it is known here, its part of the places, and the rate.

Pure: the time is a parameter, microseconds by the database's clock. What it learns goes to the database as a `Report`, and what the
database says of all shifts comes back as a `Gate`.
"""

from __future__ import annotations

from delivery.runner.breaker import Settings, Trouble
from delivery.runner.gate import Gate, Report
from delivery.runner.policy import Policy
from delivery.runner.rate import AHEAD, BURST, Pace


class Throttle:
    """`calm`: nothing is held back and no failure is on record, so nobody need ask. `limit`: sends under way at most."""

    def __init__(self, target: int, policy: Policy, rested: int, most: int) -> None:
        """`rested`: microseconds that the target did not run, in all; `most`: sends under way at most, over all shifts."""
        self.target = target
        self.gate = Gate()
        self.probe: int | None = None  # the number of the probe this shift may send, or has under way
        self.probe_sent = False
        self.pace = Pace() if policy.rate is not None else None
        self.rate = policy.rate
        self._settings = policy.breaker
        self._rested = rested
        self.most = self.share = most
        self._taken = 0
        self.unknown = False  # whether it is to be told its part
        self._trouble: Trouble | None = None
        self._answered = False
        self._ended: tuple[int, Trouble | None] | None = None
        self._unsent: int | None = None
        self._closes = False
        self.calm = True

    @property
    def limit(self) -> int:
        """How many sends may be under way."""
        if self.gate.breaker.open:
            return int(self.probe is not None)
        return self.share

    @property
    def slows(self) -> bool:
        """Whether the target starts slowly after an outage."""
        return self.gate.slow > 0 and self._settings is not None

    @property
    def may_slow(self) -> bool:
        """Whether it has a breaker."""
        return self._settings is not None

    def allot(self, share: int) -> None:
        """This shift's part of what may be under way."""
        self.share, self.unknown = share, False

    @property
    def open(self) -> bool:
        """Whether nothing but a probe is sent."""
        return self.gate.breaker.open

    def running(self, now: int) -> int:
        """The target's running clock."""
        return self.gate.running(now, self._rested)

    def allows(self, under_way: int) -> bool:
        """Whether one more send may start."""
        if self.gate.breaker.open:
            return self.probe is not None and not self.probe_sent
        return under_way < self.limit

    def places(self, taken: int) -> int:
        """How many more sends may start; `taken`: places that are."""
        if self.gate.breaker.open:
            return int(self.allows(0))
        return self.limit - taken

    def starts(self) -> bool:
        """A send starts now; whether it is the probe."""
        if self.probe is None or self.probe_sent or not self.gate.breaker.open:
            return False
        self.probe_sent = True
        return True

    # ── how sends ended ──

    def succeeded(self, now: int) -> None:
        """The target took an event. Need not be told while all is calm."""
        self._alive(now)
        if self.slows:
            self._taken += 1
        self._settle()

    def answered(self, now: int) -> None:
        """The target will not take an event, but it is there."""
        self._answered = True
        if not self.calm:
            self._alive(now)
            self._settle()

    def failed(
        self, seq: int, reason: str, asked_until: int, now: int, probe: bool, after_success: bool
    ) -> bool:
        """The target is not there, or asks for time; whether this counts for the event's policy.

        `after_success`: it took something since the last report.
        """
        if self._settings is None:
            return True
        trouble = Trouble(1, seq, False, reason, asked_until)
        if probe and self.probe is not None:
            breaker = self.gate.breaker.probed() if not self.gate.breaker.probing else self.gate.breaker
            self._ended = (self.probe, trouble)
            self.gate = self.gate.then(
                breaker.probe_failed(breaker.probe, trouble, self._settings, now), now, self._rested
            )
            self._forget_probe()
            return False
        if self._trouble is None:
            after = after_success or self._answered
            self._trouble = Trouble(1, seq, False, reason, asked_until, after)
        else:
            self._trouble = self._trouble.and_then(seq, reason, asked_until)
        self.gate = self.gate.then(self.gate.breaker.failed(trouble, self._settings, now), now, self._rested)
        self._settle()
        return True

    def unsent(self, probe: bool) -> None:
        """What was to be sent could not be made: that says nothing of the target, and another may be the probe."""
        if probe:
            self.probe_sent = False

    def _alive(self, now: int) -> None:
        if self.probe is not None and self.probe_sent:
            self._ended = (self.probe, None)
            self._forget_probe()
        self._trouble = None
        before = self.gate.breaker.open
        self.gate = self.gate.then(self.gate.breaker.succeeded(now), now, self._rested)
        if before:
            self.share, self._taken = 1, 0

    def _forget_probe(self) -> None:
        self.probe, self.probe_sent = None, False

    def _settle(self) -> None:
        breaker = self.gate.breaker
        self.calm = not (breaker.open or breaker.failures or self.slows or self._trouble)

    # ── to and from the database ──

    def report(self, alive: bool, shared: bool) -> Report | None:
        """What is to be told now; None when there is nothing. `alive`: something was taken since the last report.

        `shared`: another shift may serve this target too, and count failures that a success here ends.
        """
        if self._settings is None:
            closes, self._closes = self._closes, False
            if not closes:
                return None
            return Report(self.target, Settings(), self._rested, True, closes=True, most=self.most)
        number, failed = self._ended if self._ended is not None else (None, None)
        report = Report(
            self.target, self._settings, self._rested, alive or self._answered, self._trouble, number, failed, self._unsent,
            taken=self._taken, most=self.most,
        )  # fmt: skip
        self._trouble, self._ended, self._unsent, self._answered = None, None, None, False
        self._taken = 0
        return report if report.tells or (report.alive and (shared or not self.calm)) else None

    def learn(self, gate: Gate, now: int) -> None:
        """What all shifts know by now, and on top of it what this one has not told yet."""
        if self._settings is None:
            return
        before, slow = self.gate.breaker.open, self.gate.slow
        if self._ended is not None and self._ended[1] is None:
            gate = gate.then(gate.breaker.succeeded(now), now, self._rested)
        if self._trouble is not None:
            gate = gate.then(gate.breaker.failed(self._trouble, self._settings, now), now, self._rested)
        self.gate = gate
        if before and not gate.breaker.open:
            self._forget_probe()  # Another closed it; what is under way ends as any other.
        if (before and not gate.breaker.open) or (gate.slow and not slow):
            self.share, self._taken, self.unknown = 0, 0, True
        if not self.slows:
            self._taken = 0
        self._settle()

    def begin(self, gate: Gate, now: int) -> None:
        """What is known when this shift takes the target."""
        if self._settings is None:
            # Switched off while it was open: it closes, and the running clock goes on.
            self._closes = gate.breaker.open
            self.gate = gate.then(gate.breaker.succeeded(now), now, self._rested)
            return
        self.gate = gate
        self._settle()

    def wants_probe(self, now: int) -> bool:
        """Whether it is time to ask for the probe."""
        return self.probe is None and self.gate.breaker.may_probe(now)

    def may_probe(self, number: int) -> None:
        """The probe is this shift's to send."""
        self.probe, self.probe_sent = number, False

    def give_back(self) -> None:
        """There is nothing to send: a probe that was not sent is another's."""
        if self.probe is not None and not self.probe_sent:
            self._unsent, self.probe = self.probe, None

    def wakes_at(self) -> int | None:
        """When to ask the database for the probe or for more of the rate, provided that there is something to send."""
        breaker = self.gate.breaker
        if breaker.open:
            return None if breaker.probing or self.probe is not None else breaker.probe_at
        if self.pace is not None and self.pace.next_at is None:
            return int(self.pace.ask_at)
        return None

    def to_draw(self, waiting: int, now: int) -> int:
        """For how many events the rate is to be asked for, `waiting` being ready to go."""
        pace = self.pace
        if pace is None or self.rate is None or pace.next_at is not None or now < pace.ask_at or self.open:
            return 0
        return min(waiting, int(self.rate * (BURST + AHEAD) / 1_000_000) + 1)
