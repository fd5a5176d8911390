"""What can be wrong with an expression: in its text (CesqlError), or with one event (EvaluationError, CESQL §3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CesqlError(ValueError):
    """The text is no expression, or none that a filter can use.

    message: what is wrong and what would be right; line, column: the place, both from 1; start: its offset in the
    text, in characters.
    """

    def __init__(self, message: str, line: int, column: int, start: int) -> None:
        super().__init__(message, line, column, start)
        self.message = message
        self.line = line
        self.column = column
        self.start = start

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


def error_at(text: str, start: int, message: str) -> CesqlError:
    """A CesqlError at an offset of `text`."""
    line, column = place(text, start)
    return CesqlError(message, line, column, start)


def place(text: str, start: int) -> tuple[int, int]:
    """(line, column) of an offset, both from 1."""
    return text.count("\n", 0, start) + 1, start - (text.rfind("\n", 0, start) + 1) + 1


class ErrorKind(StrEnum):
    """The kinds of errors while evaluating, named as in the conformance kit; parse errors are a CesqlError."""

    MATH = "math"
    CAST = "cast"
    MISSING_ATTRIBUTE = "missingAttribute"
    MISSING_FUNCTION = "missingFunction"
    FUNCTION_EVALUATION = "functionEvaluation"


@dataclass(frozen=True, slots=True)
class EvaluationError:
    """Why an expression has no proper value for an event.

    message: a sentence without a full stop; start, end: offsets of the sub-expression that failed.
    """

    kind: ErrorKind
    message: str
    start: int
    end: int
