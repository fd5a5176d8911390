"""Which array elements meet a requirement, as the bits of one integer.

Whether one element meets several requirements is then an `and` of a few integers, for thousands of elements at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from rules.engine import alternative as kinds
from rules.engine.allowance import Allowance
from rules.engine.alternative import EXACT_KINDS, KindAndKey, predicate
from rules.engine.event import ABSENT
from rules.engine.requirement import Requirement

FEW = 16
"""So few rows are put into an integer one by one; to look through so few leaves is not counted."""
FEW_QUESTIONS = 3
"""To answer so many it is faster to look at each leaf than to sort them by their value."""
_PLAIN = frozenset({str, int, float})
_ONE = ord("1")
STEPS_OF_A_LEAF = 3
"""To ask whether a leaf of a column meets an alternative takes so many steps of allowance.py."""


class Held:
    """The alternatives that any leaf at a path meets."""

    def __init__(self, ask: Callable[[], set[KindAndKey]]) -> None:
        """ask: raises TooMuchWork."""
        self._ask = ask

    @cached_property
    def places(self) -> set[KindAndKey]:
        return self._ask()


class Column:
    """The leaves at one path that are inside of one outermost array, by the elements they are in.

    The bits of an answer are one for each innermost element, set where a leaf in that element, or in one that holds
    it, meets what is asked. masks: answers given before, not all; digits: some of
    these, the first element last.
    """

    def __init__(
        self,
        leaves: Sequence[Any],
        firsts: Sequence[int],
        afters: Sequence[int] | None,
        size: int,
        allowance: Allowance,
        aligned: list[Any] | None = None,
    ) -> None:
        """aligned: the leaf of each innermost element, ABSENT where there is none; None: not known; firsts, afters: by leaf, the innermost elements that its element is or holds, as (first, last + 1); None:
        each is one; size: how many innermost elements there are."""
        self._leaves = leaves
        self._firsts = firsts
        self._afters = afters
        self.size = size
        self._allowance = allowance
        self._aligned = aligned
        self.masks: dict[Requirement, int] = {}
        self.digits: dict[Requirement, str] = {}
        self._known: dict[KindAndKey, int] = {}
        self._questions = 0

    @cached_property
    def sole(self) -> dict[Any, int]:
        """Where the leaves are when none is there twice, and in one innermost element each; else empty."""
        if self._afters is not None or not _PLAIN.issuperset(map(type, self._leaves)):
            return {}
        found = dict(zip(self._leaves, self._firsts, strict=True))
        return found if len(found) == len(self._leaves) else {}

    @cached_property
    def _rows(self) -> tuple[dict[Any, list[int]], dict[Any, list[int]]]:
        """Where each leaf is, (texts and numbers, constants): in Python 1 == True."""
        plain: dict[Any, list[int]] = {}
        constants: dict[Any, list[int]] = {}
        for row, leaf in enumerate(self._leaves):
            found = constants if leaf is True or leaf is False or leaf is None else plain
            if leaf in found:
                found[leaf].append(row)
            else:
                found[leaf] = [row]
        return plain, constants

    @cached_property
    def values(self) -> list[Any] | None:
        """The leaf of each innermost element, ABSENT where there is none, or true, false or null (in Python 1 ==
        True); None when an element has several."""
        plain = _PLAIN.issuperset(map(type, self._leaves))
        leaves = self._leaves
        if self._aligned is not None and plain:
            return self._aligned
        if not plain:
            leaves = [leaf if type(leaf) in _PLAIN else ABSENT for leaf in leaves]
        if self._afters is None:
            if len(set(self._firsts)) < len(leaves):
                return None
            if len(leaves) == self.size and self._firsts[0] == 0 and self._firsts[-1] == self.size - 1:
                return list(leaves)  # in order, see leaves.py
            found = dict(zip(self._firsts, leaves, strict=True))
            return [found.get(element, ABSENT) for element in range(self.size)]
        values: list[Any] = []
        for first, after, leaf in zip(self._firsts, self._afters, leaves, strict=True):
            if first < len(values):
                return None
            values += [ABSENT] * (first - len(values))
            values += [leaf] * (after - first)
        return values + [ABSENT] * (self.size - len(values))

    @cached_property
    def absent(self) -> int:
        """The elements without any leaf."""
        return ((1 << self.size) - 1) ^ self._bits(range(len(self._leaves)))

    def meeting(self, requirement: Requirement, held: Held | None) -> int:
        """The elements that meet a requirement; held: None when it is not known.

        Raises TooMuchWork.
        """
        only = requirement.only
        if only is not None:
            if self.sole:
                first = self.sole.get(only[1])
                return 0 if first is None else 1 << first
            known = self._equal(*only)
        else:
            known = 0
            places = requirement.places
            for place in places if held is None else places & held.places:
                more = self._known.get(place)
                if more is None:
                    more = self._equal(*place) if place[0] in EXACT_KINDS else self._asked(place)
                known = known | more if known else more  # of thousands that are equal one is kept
            if len(places) <= FEW and held is not None:
                return known  # to find it again is as fast
        self.masks[requirement] = known
        return known

    def meets(self, requirement: Requirement, element: int, held: Held | None) -> bool:
        """Whether an innermost element meets a requirement. Raises TooMuchWork."""
        bits = self.masks.get(requirement)
        if bits is None:
            bits = self.meeting(requirement, held)
        else:
            # Asked again: to pick one of many digits is faster than to shift them.
            self.digits[requirement] = f"{bits:0{self.size}b}"
        return bool(bits >> element & 1)

    def _equal(self, kind: str, key: Any) -> int:
        if self._questions < FEW_QUESTIONS:
            known = self._known.get((kind, key))
            if known is None:
                self._questions += 1
                holds = predicate(kind, key)
                known = self._known[kind, key] = self._bits(
                    [row for row, leaf in enumerate(self._leaves) if leaf == key and holds(leaf)]
                )
            return known
        rows = self._rows[kind == kinds.CONSTANT].get(key)
        if rows is None:
            return 0
        if len(rows) == 1:
            return self._bit(rows[0])
        known = self._known.get((kind, key))
        if known is None:
            known = self._known[kind, key] = self._bits(rows)
        return known

    def _asked(self, place: KindAndKey) -> int:
        if len(self._leaves) > FEW:
            self._allowance.spend(STEPS_OF_A_LEAF * len(self._leaves))
        holds = predicate(*place)
        if self._questions < FEW_QUESTIONS:
            self._questions += 1
            rows = [row for row, leaf in enumerate(self._leaves) if holds(leaf)]
        else:
            rows = [row for rows in self._rows for leaf, at in rows.items() if holds(leaf) for row in at]
        known = self._known[place] = self._bits(rows)
        return known

    def _bit(self, row: int) -> int:
        first = self._firsts[row]
        return 1 << first if self._afters is None else (1 << self._afters[row]) - (1 << first)

    def _bits(self, rows: Sequence[int]) -> int:
        if len(rows) <= FEW:
            bits = 0
            for row in rows:
                bits |= self._bit(row)
            return bits
        size = self.size
        digits = bytearray(b"0") * size  # the first element is the last digit
        if self._afters is None:
            for row in rows:
                digits[~self._firsts[row]] = _ONE
        else:
            for row in rows:
                first, after = self._firsts[row], self._afters[row]
                digits[size - after : size - first] = b"1" * (after - first)
        return int(digits, 2)
