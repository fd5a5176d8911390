"""How much one check may cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catalog.schemas.limits import nodes

NODES = 30_000
DEEPEST = 60  # levels of a schema
LARGEST = 6_000  # parts of a schema: objects, arrays and values


class Exhausted(Exception):
    """The budget is used up; what is not decided by now stays undecided."""


class Budget:
    """Seconds by `clock` and a number of schema nodes. `step` raises Exhausted when either is used up."""

    def __init__(self, seconds: float, clock: Callable[[], float], nodes: int = NODES) -> None:
        self._clock = clock
        self._end = clock() + seconds
        self._nodes = nodes

    def step(self, nodes: int = 1) -> None:
        """Counts `nodes` and looks at the clock."""
        self._nodes -= nodes
        if self._nodes < 0 or self._clock() >= self._end:
            raise Exhausted

    def remaining(self) -> float:
        """Seconds that are left; 0 when there are none."""
        return max(0.0, self._end - self._clock())

    def share(self, fraction: float) -> Budget:
        """A part of what remains, for one way of searching that may use up only that."""
        return Budget(self.remaining() * fraction, self._clock, max(self._nodes, 0))


def size(schema: Any) -> int:
    """How many objects, arrays and values a schema has; stops counting above LARGEST."""
    return nodes(schema, LARGEST)
