"""Patterns of LIKE: % is any run of characters, _ is one, a backslash before either takes its meaning (CESQL §3.4.3).

Matching takes time proportional to the length of the text, whatever the pattern: each part between two % is taken
where it first fits, and a part with _ inside is searched for bit by bit in one pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

ANY = None
"""Stands for _ among the characters of a part."""


@dataclass(frozen=True, slots=True)
class _Part:
    """What stands between two %: a fixed number of characters, some of them free.

    literals: (offset in the part, characters) of its runs without _; masks: character → bits of the places in the
    part where it may stand, `free` for all other characters.
    """

    length: int
    literals: tuple[tuple[int, str], ...]
    masks: dict[str, int]
    free: int

    def stands_at(self, text: str, at: int) -> bool:
        return all(text.startswith(run, at + offset) for offset, run in self.literals)

    def find(self, text: str, start: int, end: int) -> int:
        """Where the part first stands in text[start:end], -1 when it does not."""
        if not self.literals:
            return start if start + self.length <= end else -1
        if len(self.literals[0][1]) == self.length:
            return text.find(self.literals[0][1], start, end)
        # Shift-And: bit i of `standing` says that the first i + 1 characters of the part end here.
        masks, free, found = self.masks, self.free, 1 << (self.length - 1)
        standing = 0
        for at in range(start, end):
            standing = (standing << 1 | 1) & masks.get(text[at], free)
            if standing & found:
                return at + 1 - self.length
        return -1


def _part(characters: list[str | None]) -> _Part:
    literals: list[tuple[int, str]] = []
    free = sum(1 << at for at, character in enumerate(characters) if character is ANY)
    masks: dict[str, int] = {}
    for at, character in enumerate(characters):
        if character is None:
            continue
        masks[character] = masks.get(character, free) | 1 << at
        if literals and literals[-1][0] + len(literals[-1][1]) == at:
            literals[-1] = (literals[-1][0], literals[-1][1] + character)
        else:
            literals.append((at, character))
    return _Part(len(characters), tuple(literals), masks, free)


@dataclass(frozen=True)
class LikePattern:
    """A pattern as written, quotes and their escapes already taken away."""

    text: str

    @cached_property
    def _characters(self) -> list[list[str | None]]:
        """The characters of each part."""
        parts: list[list[str | None]] = [[]]
        at = 0
        while at < len(self.text):
            character = self.text[at]
            if character == "\\" and self.text[at + 1 : at + 2] in ("%", "_"):
                at += 1
                parts[-1].append(self.text[at])
            elif character == "%":
                parts.append([])
            else:
                parts[-1].append(ANY if character == "_" else character)
            at += 1
        return parts

    @cached_property
    def exact(self) -> str | None:
        """The only text the pattern takes, None when there are % or _."""
        if len(self._characters) > 1 or ANY in self._characters[0]:
            return None
        return "".join(character for character in self._characters[0] if character is not None)

    @cached_property
    def prefix(self) -> str:
        """What every text the pattern takes begins with."""
        return _run(self._characters[0])

    @cached_property
    def suffix(self) -> str:
        """What every text the pattern takes ends with."""
        return _run(self._characters[-1][::-1])[::-1]

    @cached_property
    def longest_literal(self) -> str:
        """The longest run of characters that every text the pattern takes contains."""
        runs = [run for part in self._characters for _, run in _part(part).literals]
        return max(runs, key=len, default="")

    @cached_property
    def simple_form(self) -> str | None:
        """The operator of a plain pattern that says the same: exact, prefix, suffix, contains; None for others."""
        parts = ["".join(one or "_" for one in part) for part in self._characters]
        if any(ANY in part for part in self._characters):
            return None
        if len(parts) == 1:
            return "exact"
        filled = [bool(part) for part in parts]
        if filled[0] and not any(filled[1:]):
            return "prefix"
        if filled[-1] and not any(filled[:-1]):
            return "suffix"
        if not filled[0] and not filled[-1] and filled.count(True) == 1:
            return "contains"
        return None

    @cached_property
    def may_take_an_integer(self) -> bool:
        """False when no integer in base 10 is taken; true when one may be."""
        first = True  # no character stands before this place for sure
        for part in self._characters:
            for character in part:
                if character is not None and not (character in "0123456789" or (character == "-" and first)):
                    return False
                first = False
        return True

    def matcher(self) -> Callable[[str], bool]:
        """Whether a text is taken as a whole; line breaks are characters like any other."""
        form = self.simple_form
        if form == "exact":
            return (self.exact or "").__eq__
        if form == "prefix":
            prefix = self.prefix
            return lambda text: text.startswith(prefix)
        if form == "suffix":
            suffix = self.suffix
            return lambda text: text.endswith(suffix)
        if form == "contains":
            contained = self.longest_literal
            return lambda text: contained in text
        return _matcher([_part(characters) for characters in self._characters])


def _run(characters: list[str | None]) -> str:
    run = ""
    for character in characters:
        if character is None:
            break
        run += character
    return run


def _matcher(parts: list[_Part]) -> Callable[[str], bool]:
    first, last = parts[0], parts[-1]
    least = sum(part.length for part in parts)
    if len(parts) == 1:
        return lambda text: len(text) == least and first.stands_at(text, 0)
    between = [part for part in parts[1:-1] if part.length]

    def matches(text: str) -> bool:
        if len(text) < least or not first.stands_at(text, 0):
            return False
        end = len(text) - last.length
        if not last.stands_at(text, end):
            return False
        at = first.length
        for part in between:
            at = part.find(text, at, end)
            if at < 0:
                return False
            at += part.length
        return True

    return matches
