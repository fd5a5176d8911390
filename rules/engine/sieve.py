"""Many branches that are left to ask for values, decided at once: what an event has at a path says, with the bits of an
integer, which of them it does not rule out.

So each path costs one look-up, however many branches ask for it. What a value says is worked out by the requirements
themselves, once for all values that they cannot tell apart.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from typing import Any, NamedTuple, TypeVar

from rules.engine import alternative as kinds
from rules.engine.allowance import TooMuchWork
from rules.engine.branches import LONG_LIST, Failed, Filed, is_sure
from rules.engine.crowd import check_some
from rules.engine.event import ABSENT
from rules.engine.leaves import Leaves, parent_and_key
from rules.engine.ranges import Number
from rules.engine.requirement import Requirement
from rules.engine.wanted import Wanted

T = TypeVar("T")

MOST_PLACES = 32
"""A requirement with more alternatives, what they exclude among them, is not worth a table of their values."""
ASKED_BEFORE = 2
"""The tables are made when a sieve is asked so often; before, the branches are asked one by one."""

_DIGITS = bytes.maketrans(b"01", b"\0\1")
_BY_VALUE = kinds.EXACT_KINDS | {kinds.RANGE, kinds.EXISTS, kinds.NOT_THERE}


def is_sifted(filed: Filed) -> bool:
    """Whether a sieve can decide a branch that is sure to be met but for what is left of it: equality and order decide
    all of the alternatives."""
    branch, rest = filed
    return bool(rest) and not branch.residual and all(map(_is_by_value, rest))


def _is_by_value(requirement: Requirement) -> bool:
    if len(requirement.alternatives) > MOST_PLACES:
        return False
    places = list(_places(requirement))
    return len(places) <= MOST_PLACES and all(kind in _BY_VALUE for kind, _ in places)


def _places(requirement: Requirement) -> Iterator[tuple[str, Any]]:
    """Of the alternatives, with what anything-but excludes instead of itself."""
    for one in requirement.alternatives:
        if one.kind == kinds.BUT:
            yield from one.key  # type: ignore[misc]
        else:
            yield one.place


class Sieve:
    """filed: the branches, all of which `is_sifted`. Its tables are made once it was asked ASKED_BEFORE times."""

    __slots__ = ("_again", "_asked", "_columns", "_every", "_in_elements", "_rule_ids", "filed")

    def __init__(self, filed: Sequence[Filed]) -> None:
        self.filed = tuple(filed)
        self._asked = 0
        self._columns: list[_Column] = []

    def _make(self) -> list[_Column]:
        asked: dict[str, dict[Requirement, int]] = {}
        in_elements: dict[str, int] = {}
        self._again = _union(1 << at for at, (branch, _) in enumerate(self.filed) if not branch.once)
        """Branches whose rules may be found more than once."""
        for at, (branch, rest) in enumerate(self.filed):
            for one in rest:
                here = asked.setdefault(one.path, {})
                here[one] = here.get(one, 0) | 1 << at
            if not is_sure(branch):
                for path in branch.paths:
                    in_elements[path] = in_elements.get(path, 0) | 1 << at
        self._in_elements = in_elements
        """By path the branches that array elements there may be in the way of."""
        self._every = (1 << len(self.filed)) - 1
        self._rule_ids = tuple(branch.rule_id for branch, _ in self.filed)
        return [_column(path, here, self._every) for path, here in asked.items()]

    def find(self, leaves: Leaves, wanted: Wanted, found: list[int], failed: Failed) -> None:
        """Appends the rules of those branches that are met. A branch that raises is told to `failed`."""
        if not self._columns:
            if self._asked < ASKED_BEFORE:
                self._asked += 1
                leaves.again = True
                check_some(self.filed, leaves, wanted, found, failed)
                return
            self._columns = self._make()
        bits = self._every
        unsure = 0
        members = leaves.members
        if members and not members.isdisjoint(self._in_elements):
            for path in members & self._in_elements.keys():
                unsure |= self._in_elements[path]
        objects = leaves.objects
        for column in self._columns:
            path, parent, key, asked, texts, other_text, absent, of_other, _ = column
            if not bits & asked:
                continue
            try:
                above = objects.get(parent)
                value = above.get(key, ABSENT) if type(above) is dict else leaves[path]
                kind = type(value)
                if kind is str:
                    bits &= texts.get(value, other_text)
                elif value is ABSENT:
                    bits &= absent
                elif kind is list or kind is dict:
                    value = leaves[path]
                    if value is ABSENT:
                        bits &= absent
                    else:
                        bits &= column.of_any(value, leaves, wanted)
                        unsure |= asked
                else:
                    bits &= of_other(value)
            except TooMuchWork:
                unsure |= asked  # perhaps not for each of them
        if bits & self._again:
            leaves.again = True
        if unsure and bits & unsure:
            check_some(list(_chosen(self.filed, bits & unsure)), leaves, wanted, found, failed)
            bits &= ~unsure
        if bits:
            found += _chosen(self._rule_ids, bits)


class _Column(NamedTuple):
    """What is asked at one path.

    parent, key: of the path; asked: the branches that ask something here; texts, other_text, absent, of_other: the
    branches that a text, any other text, no leaf, and another leaf leaves.
    """

    path: str
    parent: str
    key: str
    asked: int
    texts: dict[str, int]
    other_text: int
    absent: int
    of_other: _Others
    requirements: dict[Requirement, int]

    def of_any(self, some: list[Any], leaves: Leaves, wanted: Wanted) -> int:
        """The branches that at least one of several leaves leaves, or that are met where they are missing in an
        element. Raises TooMuchWork."""
        if len(some) > LONG_LIST:
            held = wanted.held(self.path, leaves)
            return self.absent | _union(
                bits for one, bits in self.requirements.items() if not one.places.isdisjoint(held)
            )
        return self.absent | _union(
            self.texts.get(leaf, self.other_text) if type(leaf) is str else self.of_other(leaf)
            for leaf in some
        )


class _Others:
    """The branches that a number, true, false or null leaves."""

    __slots__ = ("_constants", "_ends", "_free", "_numbers", "_requirements")

    def __init__(self, requirements: dict[Requirement, int], free: int, ends: list[Number]) -> None:
        self._requirements = requirements
        self._free = free
        self._ends = ends
        self._numbers: list[int | None] = [None] * (2 * len(ends) + 1)
        """By slot: 2i+1 is the i-th end itself, 2i the gap before it. None where no number was yet."""
        self._constants = {constant: self._of(constant) for constant in (True, False, None)}

    def __call__(self, leaf: Any) -> int:
        if leaf is True or leaf is False or leaf is None:
            return self._constants[leaf]
        ends = self._ends
        at = bisect_left(ends, leaf)
        slot = 2 * at + (at < len(ends) and ends[at] == leaf)
        bits = self._numbers[slot]
        if bits is None:
            bits = self._numbers[slot] = self._of(leaf)
        return bits

    def _of(self, leaf: Any) -> int:
        return self._free | _union(bits for one, bits in self._requirements.items() if one.holds(leaf))


def _column(path: str, requirements: dict[Requirement, int], every: int) -> _Column:
    """requirements: with the branches that ask it."""
    texts: dict[str, int] = {}
    ends: set[Number] = set()
    mentioned: list[tuple[Requirement, list[str]]] = []
    for one in requirements:
        here: list[str] = []
        for kind, key in _places(one):
            if kind == kinds.TEXT:
                here.append(key)
            elif kind == kinds.NUMBER:
                ends.add(key)
            elif kind == kinds.RANGE:
                ends.update((key.low, key.high), key.holes)
        mentioned.append((one, here))
    asked = _union(requirements.values())
    free = every & ~asked
    unheard = " " * (1 + max((len(text) for _, here in mentioned for text in here), default=0))
    other_text = free | _union(bits for one, bits in requirements.items() if one.holds(unheard))
    texts = {text: other_text for _, here in mentioned for text in here}
    for one, here in mentioned:
        for text in here:
            bits = requirements[one]
            texts[text] = texts[text] | bits if one.holds(text) else texts[text] & ~bits
    absent = free | _union(bits for one, bits in requirements.items() if one.may_be_missing)
    others = _Others(requirements, free, sorted(ends))
    return _Column(path, *parent_and_key(path), asked, texts, other_text, absent, others, requirements)


def _union(bits: Iterable[int]) -> int:
    every = 0
    for one in bits:
        every |= one
    return every


def _chosen(some: Sequence[T], bits: int) -> Iterator[T]:
    """Those whose bits are set."""
    return compress(some, f"{bits:b}"[::-1].encode().translate(_DIGITS))
