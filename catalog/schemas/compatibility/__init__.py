"""Whether a new version of a schema may replace the ones before it: proved, refuted by an example event, or undecided.

Pure and bounded in time. `check` compares a pair, `check_history` a new schema with its history.
"""

from catalog.schemas.compatibility.checking import BUDGET_SECONDS, check, check_history
from catalog.schemas.compatibility.fitting import likely_values
from catalog.schemas.compatibility.verdicts import (
    Break,
    Direction,
    Mode,
    Outcome,
    Policy,
    Undecided,
    Verdict,
    accepted,
)

__all__ = [
    "BUDGET_SECONDS",
    "Break",
    "Direction",
    "Mode",
    "Outcome",
    "Policy",
    "Undecided",
    "Verdict",
    "accepted",
    "check",
    "check_history",
    "likely_values",
]
