"""Which of many prefixes, suffixes and substrings does a text have? The cost hardly depends on how many there are."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

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
    groups, always = _grouped(contained, wildcards)
    if len(groups) <= FEW_NEEDLES:
        few = list(groups.items())

        def probe(text: str, found: list[T], allowance: Allowance) -> None:
            if len(text) > LONG_TEXT:
                allowance.spend((len(few) + len(always)) * len(text) // LONG_STEP)
            for check, thing in always:
                if check(text):
                    found.append(thing)
            for needle, group in few:
                if needle in text:
                    _check(group, text, found, allowance)

        return probe
    automaton = ahocorasick.Automaton()
    for needle, group in groups.items():
        automaton.add_word(needle, group)
    automaton.make_automaton()
    search = automaton.iter

    def search_all(text: str, found: list[T], allowance: Allowance) -> None:
        met: dict[int, _Group[T]] = {}
        if len(text) <= LONG_TEXT:
            for _, group in search(text):
                met[id(group)] = group
        else:
            allowance.spend(len(always) * len(text) // LONG_STEP)
            for count, (_, group) in enumerate(search(text)):
                met[id(group)] = group
                if not count % LONG_TEXT:
                    allowance.spend(LONG_TEXT)
        for check, thing in always:
            if check(text):
                found.append(thing)
        for group in met.values():
            _check(group, text, found, allowance)

    return search_all


TextCheck = Callable[[str], bool]
_Group = list[tuple[TextCheck | None, T]]
"""What is filed under one needle; None: having the needle is all that was asked."""


def _check(group: _Group[T], text: str, found: list[T], allowance: Allowance) -> None:
    if len(text) > LONG_TEXT:
        checks = sum(check is not None for check, _ in group)
        allowance.spend(checks * len(text) // LONG_STEP)
    for check, thing in group:
        if check is None or check(text):
            found.append(thing)


def _grouped(
    contained: Mapping[str, T], wildcards: Mapping[Parts, T]
) -> tuple[dict[str, _Group[T]], list[tuple[TextCheck, T]]]:
    """(groups by needle, the rest that has no needle)."""
    wanted: list[tuple[Iterable[str], TextCheck | None, T]] = []
    for text, thing in contained.items():
        wanted.append(([text], None if len(text) <= NEEDLE else _contains(text), thing))
    for parts, thing in wildcards.items():
        wanted.append(([part for part in parts if part], _fits(parts), thing))
    needles = [[needle for literal in literals for needle in _needles(literal)] for literals, _, _ in wanted]
    often = Counter(needle for each in needles for needle in set(each))
    groups: dict[str, _Group[T]] = {}
    always: list[tuple[TextCheck, T]] = []
    for each, (_, check, thing) in zip(needles, wanted, strict=True):
        if each:
            best = min(each, key=lambda needle: (often[needle], -len(needle)))
            groups.setdefault(best, []).append((check, thing))
        else:
            always.append((check or _anything, thing))
    return groups, always


def _needles(literal: str) -> list[str]:
    if not literal:
        return []
    return [literal[at : at + NEEDLE] for at in range(max(1, min(len(literal) - NEEDLE + 1, 2 * NEEDLE)))]


def _contains(text: str) -> TextCheck:
    return lambda value: text in value


def _fits(parts: Parts) -> TextCheck:
    return lambda value: fits(parts, value)


def _anything(text: str) -> bool:
    return True
