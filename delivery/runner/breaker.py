"""The breaker of one target: a pure state machine. Times are microseconds since 1970, waits microseconds.

Closed, it counts failures in a row over all shifts. It opens after so many of them that concern at least two events:
one event that fails again and again says nothing about the target, and waits longer and longer by its own policy. A
rate of failures in a window would also open for a target that refuses some events and takes the others, and those must
not wait. Open, nothing is sent but one probe at a time; its wait doubles up to a ceiling. One success closes it, and
the target begins again with one delivery at a time (delivery/runner/sharing.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Settings:
    """After how many failures it opens; the first wait for a probe, and the longest."""

    failures: int = 10
    probe: int = 1_000_000
    longest_probe: int = 60_000_000


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a shift saw since it last told: `failures` in a row, of `first` alone or of `several` events.

    `after_success`: something was taken before them, so they begin a row of their own. `asked_until`: when the last one
    that asked for time (Retry-After) wants to be tried again.
    """

    failures: int
    first: int
    several: bool
    reason: str
    asked_until: int = 0
    after_success: bool = False

    def and_then(self, seq: int, reason: str, asked_until: int) -> Trouble:
        """One failure more."""
        return replace(
            self,
            failures=self.failures + 1,
            several=self.several or seq != self.first,
            reason=reason,
            asked_until=max(self.asked_until, asked_until),
        )


@dataclass(frozen=True, slots=True)
class Breaker:
    """`opened_at` is None while it is closed. `probe` numbers the claims to probe; `probing`: one is under way.

    `wait`: the time between the last two probes. `closed_at`: when it closed last.
    """

    failures: int = 0
    first: int = 0
    several: bool = False
    opened_at: int | None = None
    wait: int = 0
    probe_at: int = 0
    probe: int = 0
    probing: bool = False
    closed_at: int = 0
    reason: str = ""

    @property
    def open(self) -> bool:
        return self.opened_at is not None

    def failed(self, trouble: Trouble, settings: Settings, now: int) -> Breaker:
        """Failures of sends that are no probes. Those that were under way when it opened change nothing."""
        if self.open:
            return self
        begins = trouble.after_success or self.failures == 0
        failures = trouble.failures + (0 if begins else self.failures)
        first = trouble.first if begins else self.first
        several = trouble.several or (not begins and (self.several or first != trouble.first))
        counted = replace(self, failures=failures, first=first, several=several, reason=trouble.reason)
        if failures < settings.failures or not several:
            return counted
        # One that opens again soon goes on where it was: the target flaps.
        soon = self.wait > 0 and now - self.closed_at < settings.longest_probe
        wait = min(self.wait * 2, settings.longest_probe) if soon else settings.probe
        return replace(
            counted, opened_at=now, wait=wait, probe_at=max(now + wait, trouble.asked_until), probing=False
        )

    def succeeded(self, now: int) -> Breaker:
        """The target took something, or answered that it will not take this one: it is there."""
        if self.open:
            return replace(
                self, failures=0, several=False, opened_at=None, probing=False, closed_at=now, reason=""
            )
        return replace(self, failures=0, several=False, reason="") if self.failures else self

    def may_probe(self, now: int) -> bool:
        """Whether the next probe's time has come and none is under way."""
        return self.open and not self.probing and self.probe_at <= now

    def probed(self) -> Breaker:
        """A probe is claimed, under the next number."""
        return replace(self, probing=True, probe=self.probe + 1)

    def probe_failed(self, number: int, trouble: Trouble, settings: Settings, now: int) -> Breaker:
        """The probe of that number failed: the next one waits twice as long. One that is not under way any more is none."""
        if not (self.open and self.probing and number == self.probe):
            return self
        wait = min(self.wait * 2, settings.longest_probe)
        return replace(
            self,
            probing=False,
            wait=wait,
            probe_at=max(now + wait, trouble.asked_until),
            reason=trouble.reason,
        )

    def not_probed(self, number: int) -> Breaker:
        """The probe of that number was never sent: another may begin at once."""
        return replace(self, probing=False) if self.probing and number == self.probe else self
