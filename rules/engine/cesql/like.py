"""Patterns of LIKE: % is any run of characters, _ is one, a backslash before either takes its meaning (CESQL §3.4.3).

Matching takes time proportional to the length of the text, whatever the pattern: each part between two % is taken
where it first fits, and a part with _ inside is searched for bit by bit in one pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

ANY = None
"""Stands for _ among the characters of a part."""

_Characters = list[str | None]
_TOKENS = re.compile(r"\\[%_]|.", re.DOTALL)


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


def _part(characters: _Characters) -> _Part:
    literals: list[tuple[int, str]] = []
    at = 0
    for run in _runs_and_gaps(characters):
        if run[0] is not ANY:
            literals.append((at, "".join(filter(None, run))))
        at += len(run)
    if len(literals) == 1 and len(literals[0][1]) == len(characters):
        return _Part(len(characters), tuple(literals), {}, 0)  # found without masks
    free = sum(1 << at for at, character in enumerate(characters) if character is ANY)
    masks: dict[str, int] = {}
    for at, character in enumerate(characters):
        if character is not None:
            masks[character] = masks.get(character, free) | 1 << at
    return _Part(len(characters), tuple(literals), masks, free)


class LikePattern:
    """A pattern as written, quotes and their escapes already taken away.

    exact: the only text it takes, None when there are % or _; prefix, suffix: what every text it takes begins and
    ends with; longest_literal: the longest run of characters that every such text contains; simple_form: exact,
    prefix, suffix or contains when one of these alone says the same, else None.
    """

    __slots__ = ("_parts", "exact", "longest_literal", "prefix", "simple_form", "suffix", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._parts = parts = _split(text)
        runs = [run for part in parts for run in _runs(part)]
        self.longest_literal = max(runs, key=len, default="")
        self.prefix = runs[0] if parts[0] and parts[0][0] is not ANY else ""
        self.suffix = runs[-1] if parts[-1] and parts[-1][-1] is not ANY else ""
        self.simple_form = _simple_form(parts)
        self.exact = self.longest_literal if self.simple_form == "exact" else None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LikePattern) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"LikePattern({self.text!r})"

    @property
    def may_take_an_integer(self) -> bool:
        """False when no integer in base 10 is taken; true when one may be."""
        first = True  # no character stands before this place for sure
        for part in self._parts:
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
        return _matcher([_part(characters) for characters in self._parts])


def _split(text: str) -> list[_Characters]:
    """The characters of each part."""
    parts: list[_Characters] = [[]]
    for token in _TOKENS.findall(text):
        if token == "%":
            parts.append([])
        else:
            parts[-1].append(ANY if token == "_" else token[-1])
    return parts


def _runs(characters: _Characters) -> list[str]:
    """The runs of characters between ANY."""
    return ["".join(filter(None, run)) for run in _runs_and_gaps(characters) if run[0] is not ANY]


def _runs_and_gaps(characters: _Characters) -> list[_Characters]:
    return [list(run) for _, run in groupby(characters, lambda one: one is ANY)]


def _simple_form(parts: list[_Characters]) -> str | None:
    if any(ANY in part for part in parts):
        return None
    filled = [at for at, part in enumerate(parts) if part]
    last = len(parts) - 1
    if last == 0:
        return "exact"
    if filled == [0]:
        return "prefix"
    if filled == [last]:
        return "suffix"
    return "contains" if len(filled) == 1 else None


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
