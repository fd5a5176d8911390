"""What a check is asked and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Direction(StrEnum):
    """BACKWARD: the new schema reads what the old one allowed. FORWARD: the old schema reads what the new one allows."""

    BACKWARD = "backward"
    FORWARD = "forward"


class Mode(StrEnum):
    """What a new version promises to the events and the listeners of earlier versions."""

    NONE = "none"
    BACKWARD = "backward"
    BACKWARD_TRANSITIVE = "backward_transitive"
    FORWARD = "forward"
    FORWARD_TRANSITIVE = "forward_transitive"
    FULL = "full"
    FULL_TRANSITIVE = "full_transitive"

    @property
    def transitive(self) -> bool:
        """Whether every earlier version counts, not only the last."""
        return self.value.endswith("_transitive")

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions it asks for; none for NONE."""
        name = self.value.removesuffix("_transitive")
        if name == "full":
            return (Direction.BACKWARD, Direction.FORWARD)
        return () if name == "none" else (Direction(name),)


class Policy(StrEnum):
    """EVOLUTION: producers send only what they declare, consumers ignore what they do not know. STRICT: as written."""

    EVOLUTION = "evolution"
    STRICT = "strict"


class Outcome(StrEnum):
    """COMPATIBLE is proved, INCOMPATIBLE has an example that shows it, UNDECIDED is neither."""

    COMPATIBLE = "compatible"
    INCOMPATIBLE = "incompatible"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Break:
    """One place at which a reader refuses what a writer may send.

    `path` is the place in the event (`data.total.amount`), `pointer` the JSON pointer (RFC 6901) into the reader's
    schema: the new one for BACKWARD, the old one for FORWARD. `counterexample` is a value of `data` that the writer's
    schema accepts and the reader's rejects; it may be null, so `has_counterexample` tells whether there is one.
    `caution`: values were added or a range loosened, which an owner may accept. `against` is the number of the earlier
    version, None for a single pair. `reason` is what the reader says about the counterexample.
    """

    direction: Direction
    path: str
    message: str
    caution: bool
    counterexample: Any | None
    has_counterexample: bool
    against: int | None = None
    reason: str = ""
    pointer: str = ""


@dataclass(frozen=True)
class Undecided:
    """A place about which nothing was proved in either way, and why."""

    direction: Direction
    path: str
    why: str
    against: int | None = None


@dataclass(frozen=True)
class Verdict:
    """The answer of a check. `hints` are remarks for the author, such as a field that looks renamed."""

    outcome: Outcome
    breaks: tuple[Break, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    hints: tuple[str, ...] = ()


def accepted(verdict: Verdict, accept_cautions: bool) -> bool:
    """Whether a version with this verdict may be registered without an override.

    With `accept_cautions` breaks that are only cautions count as accepted; what is undecided never does.
    """
    if verdict.outcome is Outcome.COMPATIBLE:
        return True
    return (
        accept_cautions
        and verdict.outcome is Outcome.INCOMPATIBLE
        and not verdict.undecided
        and all(one.caution for one in verdict.breaks)
    )
