"""What is wrong in a pattern, and where."""

from __future__ import annotations

from rules.engine.located_json import Place


class PatternError(ValueError):
    """One thing wrong in a pattern.

    pointer: JSON pointer (RFC 6901) of the place; line, column: where that is, from 1, None when the pattern was no text;
    message: what is wrong and what would be right; rule_id: set by `compile`.
    """

    def __init__(
        self,
        pointer: str,
        line: int | None,
        message: str,
        rule_id: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(pointer, line, message, rule_id, column)
        self.pointer = pointer
        self.line = line
        self.message = message
        self.rule_id = rule_id
        self.column = column

    def at(self, place: Place | None) -> PatternError:
        """The same mistake, with its place in the text."""
        line, column = place or (None, None)
        return PatternError(self.pointer, line, self.message, self.rule_id, column)

    def __str__(self) -> str:
        rule = "" if self.rule_id is None else f"rule {self.rule_id}, "
        line = "" if self.line is None else f", line {self.line}"
        return f"{rule}{self.pointer or 'the pattern'}{line}: {self.message}"
