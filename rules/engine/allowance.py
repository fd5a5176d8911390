"""What one event may cost: hostile events and rules must not hold up the log."""

from __future__ import annotations

STEPS = 400_000
"""Steps for one event beside the index's look-ups; a step is one comparison, about 100 ns."""
STEPS_OF_A_RULE = 200
"""Steps that every rule may take, whatever the others took."""


class TooMuchWork(RuntimeError):
    """The rule was not decided: with this event it would cost more than one event may."""


class Allowance:
    """The steps left for one event. One rule gets at most a quarter of them, so that it cannot starve the others."""

    left: int = STEPS

    def of_a_rule(self) -> int:
        return max(STEPS_OF_A_RULE, self.left // 4)

    def spend(self, steps: int) -> None:
        """Takes steps; raises TooMuchWork when they are not left."""
        self.left -= steps
        if self.left < 0:
            self.left = 0
            raise TooMuchWork("this event and the rules together cost more than one event may")
