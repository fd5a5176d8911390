"""Wildcards: `*` stands for any text, also none; `\\*` and `\\\\` are the characters themselves (as in AWS)."""

from __future__ import annotations

MAX_STARS = 12

Parts = tuple[str, ...]
"""The literal texts around the stars: "a*b" is ("a", "b"); one part is a text without stars."""


def parts_of(text: str) -> Parts:
    """The parts of a wildcard. Raises ValueError, saying what is wrong, also for more than MAX_STARS stars."""
    parts: list[str] = []
    literal: list[str] = []
    escaped = False
    previous = ""
    for at, character in enumerate(text):
        if escaped:
            if character not in "*\\":
                raise ValueError(
                    f"the backslash at character {at} stands before {character!r}: "
                    r"only `\*` (a star) and `\\` (a backslash) are understood"
                )
            literal.append(character)
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == "*":
            if previous == "*" and not literal:
                raise ValueError(f"two stars stand together at character {at}: one means the same")
            parts.append("".join(literal))
            literal = []
        else:
            literal.append(character)
        previous = character
    if escaped:
        raise ValueError(r"a backslash stands at the end: write `\\` for a backslash")
    parts.append("".join(literal))
    if len(parts) - 1 > MAX_STARS:
        raise ValueError(f"{len(parts) - 1:,} stars: at most {MAX_STARS} are understood")
    return tuple(parts)


def fits(parts: Parts, text: str) -> bool:
    """Whether the whole text fits; each part is sought once, so there is no backtracking."""
    first, last = parts[0], parts[-1]
    if len(parts) == 1:
        return text == first
    at, end = len(first), len(text) - len(last)
    if at > end or not text.startswith(first) or not text.endswith(last):
        return False
    for part in parts[1:-1]:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
