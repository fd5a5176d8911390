"""Which of many prefixes, suffixes and substrings does a text have? The cost hardly depends on how many there are."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

import ahocorasick  # type: ignore[import-not-found]

from rules.engine.allowance import Allowance
from rules.engine.wildcard import Parts, fits

T = TypeVar("T")
TextProbe = Callable[[str, list[T], Allowance], None]
"""Appends to the list what is filed under parts of the text. Raises TooMuchWork."""

CHUNK = 64
"""Prefixes are told apart so many characters at a time: a text of n costs at most n steps, however they nest."""
FEW_LENGTHS = 3
"""Up to so many different lengths a look-up for each is faster than a search in the sorted prefixes."""
NEEDLE = 32
"""Longer literals are found by a part of this length and then checked."""
FEW_NEEDLES = 4
"""Up to so many substrings are sought one by one."""
LONG_TEXT = 1024
"""Searching longer texts counts as steps, one for LONG_STEP characters."""
LONG_STEP = 128
FIND_STEP = 16
"""Searching for one of many strings, one that may repeat itself as the text does: so many characters are a step."""
SEARCH_STEP = 8
"""Searching for many substrings at once: so many characters are a step, and each one found again."""
BLOCK = 1024
"""A text is searched for many substrings in blocks; one that is there twice is searched once."""


class Prefixes(Generic[T]):
    """Things by prefix. find(text, found) appends those whose prefix the text has."""

    __slots__ = ("_by_length", "_deeper", "_parents", "_sorted", "_things")

    def __init__(self, things: Mapping[str, T]) -> None:
        self._things = {prefix: thing for prefix, thing in things.items() if len(prefix) <= CHUNK}
        lengths = sorted({len(prefix) for prefix in self._things})
        self._by_length = lengths if len(lengths) <= FEW_LENGTHS else None
        self._sorted: list[str] = []
        self._parents: dict[str, str | None] = {}
        if self._by_length is None:
            self._sort()
        longer: dict[str, dict[str, T]] = {}
        for prefix, thing in things.items():
            if len(prefix) > CHUNK:
                longer.setdefault(prefix[:CHUNK], {})[prefix[CHUNK:]] = thing
        self._deeper = {chunk: Prefixes(inner) for chunk, inner in longer.items()}

    def _sort(self) -> None:
        """Sorted, the prefixes of a text stand before it, and each one's parent is its longest own prefix."""
        self._sorted = sorted(self._things)
        above: list[str] = []
        for prefix in self._sorted:
            while above and not prefix.startswith(above[-1]):
                above.pop()
            self._parents[prefix] = above[-1] if above else None
            above.append(prefix)

    def find(self, text: str, found: list[T], allowance: Allowance) -> None:
        level: Prefixes[T] | None = self
        while level is not None:
            things = level._things
            if level._by_length is not None:
                size = len(text)
                for length in level._by_length:
                    if length > size:
                        break
                    thing = things.get(text[:length])
                    if thing is not None:
                        found.append(thing)
            else:
                at = bisect_right(level._sorted, text)
                prefix = level._sorted[at - 1] if at else None
                while prefix is not None:
                    if text.startswith(prefix):
                        found.append(things[prefix])
                    prefix = level._parents[prefix]
            if not level._deeper:
                return
            level, text = level._deeper.get(text[:CHUNK]), text[CHUNK:]


def prefix_probe(things: Mapping[str, T]) -> TextProbe[T]:
    """Finds the things whose prefix the text has."""
    return Prefixes(things).find


def suffix_probe(things: Mapping[str, T]) -> TextProbe[T]:
    """Finds the things whose suffix the text has."""
    find = Prefixes({suffix[::-1]: thing for suffix, thing in things.items()}).find
    return lambda text, found, allowance: find(text[::-1], found, allowance)


def substring_probe(contained: Mapping[str, T], wildcards: Mapping[Parts, T]) -> TextProbe[T]:
    """Finds the things whose string the text contains, or whose wildcard it fits."""
    return Substrings(contained, wildcards).find


_Search = Callable[[str], Iterable[tuple[int, T]]]
"""Finds things in a text by strings in it, as (where the string ends, thing)."""


class _Check(NamedTuple, Generic[T]):
    """What is left to ask of a text that has the needle.

    literals: what else the text must hold, nothing when having the needle is all that was asked; parts: the wildcard
    that it must fit, None when it is not about one.
    """

    literals: tuple[str, ...]
    parts: Parts | None
    thing: T


_Group = list[_Check[T]]
"""What is filed under one needle."""


class Substrings(Generic[T]):
    """Things by strings that a text contains and wildcards that it fits, each under its rarest literal, the needle."""

    def __init__(self, contained: Mapping[str, T], wildcards: Mapping[Parts, T]) -> None:
        checks: list[tuple[Iterable[str], _Check[T]]] = []
        for text, thing in contained.items():
            checks.append(([text], _Check((text,) if len(text) > NEEDLE else (), None, thing)))
        for parts, thing in wildcards.items():
            literals = tuple(filter(None, parts))
            checks.append((literals, _Check(literals, parts, thing)))
        needles = [[one for literal in literals for one in _needles(literal)] for literals, _ in checks]
        often = Counter(needle for each in needles for needle in set(each))
        self._groups: dict[str, _Group[T]] = {}
        self._always: list[T] = []
        for each, (_, check) in zip(needles, checks, strict=True):
            if each:
                best = min(each, key=lambda needle: (often[needle], -len(needle)))
                self._groups.setdefault(best, []).append(check)
            else:
                self._always.append(check.thing)
        self._search = _search_for(self._groups) if len(self._groups) > FEW_NEEDLES else None
        self._ends = {(one.parts[0], one.parts[-1]) for _, one in checks if one.parts is not None}
        self._only_wildcards = not contained
        self._literals = {literal for _, one in checks for literal in one.literals}
        used = set().union(*(literal for literals, _ in checks for literal in literals))
        self._between = next(chr(code) for code in range(0xE000, 0x110000) if chr(code) not in used)
        """A character in none of the literals."""

    def find(self, text: str, found: list[T], allowance: Allowance) -> None:
        """Appends the things of one text. Raises TooMuchWork."""
        found += self._always
        if len(text) > LONG_TEXT:
            sought = _Sought(text, self, allowance)
            for group in self._met(text, allowance):
                found += [one.thing for one in group if sought.meets(one)]
            return
        if self._search is None:
            groups: Iterable[_Group[T]] = [group for needle, group in self._groups.items() if needle in text]
        else:
            groups = {id(group): group for _, group in self._search(text)}.values()
        for group in groups:
            for literals, parts, thing in group:
                if fits(parts, text) if parts is not None else not literals or literals[0] in text:
                    found.append(thing)

    def of_any(self, texts: list[str], allowance: Allowance) -> list[T]:
        """The things of at least one of the texts, which are sorted. Raises TooMuchWork."""
        found = list(self._always)
        backwards = sorted([text[::-1] for text in texts]) if any(end for _, end in self._ends) else []
        ends = {
            (first, last)
            for first, last in self._ends
            if (not first or _some_begins(texts, first)) and (not last or _some_begins(backwards, last[::-1]))
        }
        if self._only_wildcards and not ends:
            return found
        together = self._between.join(texts)
        sought = _Sought(together, self, allowance)
        for group in self._met(together, allowance):
            for one in group:
                if one.parts is None:
                    holds = sought.all(one.literals)
                elif (one.parts[0], one.parts[-1]) not in ends or not sought.all(one.literals):
                    continue
                else:
                    holds = _some_fits(one.parts, texts, len(together), allowance)
                if holds:
                    found.append(one.thing)
        return found

    def _met(self, text: str, allowance: Allowance) -> Iterable[_Group[T]]:
        """The groups whose needle a text has."""
        if self._search is None:
            allowance.spend(len(self._groups) * len(text) // LONG_STEP)
            return [group for needle, group in self._groups.items() if needle in text]
        return _found(self._search, text, allowance)

    @cached_property
    def _any_literal(self) -> _Search[str]:
        """Finds the begins and ends of all literals."""
        parts = {part for one in self._literals for part in (one[:NEEDLE], one[-NEEDLE:])}
        return _search_for({part: part for part in parts})

    def literals_in(self, text: str, allowance: Allowance) -> set[str]:
        """The begins and ends of literals, of NEEDLE characters, that a text has. Raises TooMuchWork."""
        return set(_found(self._any_literal, text, allowance))


def _search_for(things: Mapping[str, T]) -> _Search[T]:
    automaton = ahocorasick.Automaton()
    for text, thing in things.items():
        automaton.add_word(text, thing)
    automaton.make_automaton()
    return automaton.iter  # type: ignore[no-any-return]


def _found(search: _Search[T], text: str, allowance: Allowance) -> Iterable[T]:
    """What is found in a text, each once."""
    # A text long enough to be slow says the same again and again, or it may be left undecided.
    blocks = {text[at : at + BLOCK + NEEDLE - 1] for at in range(0, len(text), BLOCK)}
    if len(text) > LONG_TEXT:
        allowance.spend(BLOCK * len(blocks) // SEARCH_STEP)
    found: dict[int, T] = {}
    for block in blocks:
        count = 0
        for _, thing in search(block):
            found[id(thing)] = thing
            count += 1
        if count > BLOCK // 8:
            allowance.spend(count)
    return found.values()


class _Sought:
    """One long text, and where the literals looked for begin in it."""

    def __init__(self, text: str, substrings: Substrings[Any], allowance: Allowance) -> None:
        self._text = text
        self._substrings = substrings
        self._allowance = allowance
        self._first: dict[str, int] = {}

    def _find(self, literal: str) -> int:
        first = self._first.get(literal)
        if first is None:
            first = -1
            if self._may_have(literal):
                first = self._text.find(literal)
                self._allowance.spend((first if first >= 0 else len(self._text)) // FIND_STEP)
            self._first[literal] = first
        return first

    def _may_have(self, literal: str) -> bool:
        if not self._characters.issuperset(literal):
            return False
        if len(self._first) < FEW_NEEDLES:
            return True
        return literal[:NEEDLE] in self._parts and literal[-NEEDLE:] in self._parts

    @cached_property
    def _parts(self) -> set[str]:
        return self._substrings.literals_in(self._text, self._allowance)

    @cached_property
    def _characters(self) -> frozenset[str]:
        return frozenset(self._text)

    def all(self, literals: Iterable[str]) -> bool:
        """Whether the text has all of them, wherever."""
        return all(self._find(literal) >= 0 for literal in literals)

    def meets(self, check: _Check[T]) -> bool:
        literals, parts, _ = check
        if parts is None:
            return self.all(literals)
        first, last = parts[0], parts[-1]
        text = self._text
        at, end = len(first), len(text) - len(last)
        if at > end or not text.startswith(first) or not text.endswith(last):
            return False
        middle = parts[1:-1]
        if not self.all(middle):
            return False
        for part in middle:
            found = self._first[part]
            if found < at:
                found = text.find(part, at, end)
                self._allowance.spend(((found if found >= 0 else end) - at) // FIND_STEP)
            if found < 0 or found + len(part) > end:
                return False
            at = found + len(part)
        return True


def _some_begins(texts: list[str], prefix: str) -> bool:
    at = bisect_left(texts, prefix)
    return at < len(texts) and texts[at].startswith(prefix)


def _some_fits(parts: Parts, texts: list[str], characters: int, allowance: Allowance) -> bool:
    if parts[0]:
        first = bisect_left(texts, parts[0])
        size = len(parts[0])
        texts = texts[first : bisect_right(texts, parts[0], first, key=lambda text: text[:size])]
        characters = sum(map(len, texts))
    allowance.spend(2 * len(texts) + characters // LONG_STEP)
    return any(fits(parts, text) for text in texts)


def _needles(literal: str) -> list[str]:
    if not literal:
        return []
    last = max(0, len(literal) - NEEDLE)
    begins = range(last + 1) if last < 2 * NEEDLE else (*range(NEEDLE), *range(last - NEEDLE + 1, last + 1))
    return [literal[at : at + NEEDLE] for at in begins]
