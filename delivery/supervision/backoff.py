"""How long to wait before a child that died is started again."""

from __future__ import annotations

from dataclasses import dataclass

FIRST = 0.2
LONGEST = 5.0
ALIVE_LONG_ENOUGH = 30.0


@dataclass
class BackOff:
    """Doubling pauses, in seconds: 0.2, 0.4 … 5. A life of 30 s makes the next pause short again."""

    pause: float = FIRST

    def after(self, lived: float) -> float:
        """The pause before the next start, given the seconds that the child had lived."""
        if lived >= ALIVE_LONG_ENOUGH:
            self.pause = FIRST
        now = self.pause
        self.pause = min(self.pause * 2, LONGEST)
        return now
