"""What a transform says when it is not understood, or cannot make an output of an event."""

from __future__ import annotations


class TransformError(ValueError):
    """A transform that is not understood, or an output that cannot be made. line and column count from 1; None
    outside a text. pointer: the JSON pointer of the member at fault, empty for the whole."""

    def __init__(
        self, message: str, line: int | None = None, column: int | None = None, pointer: str = ""
    ) -> None:
        super().__init__(message, line, column, pointer)
        self.pointer = pointer
        self.message = message
        self.line = line
        self.column = column

    def __str__(self) -> str:
        return (
            self.message if self.line is None else f"line {self.line}, column {self.column}: {self.message}"
        )


class TooManySteps(TransformError):
    """What was to be done for one event is more than one event is granted."""
