"""What a compiled pattern consists of: requirements on paths, in branches of which one must hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rules.engine.alternative import (
    EXACT_KINDS,
    NOT_THERE,
    NUMBER,
    TEXT,
    Alternative,
    KindAndKey,
    Predicate,
    predicate,
)
from rules.engine.event import Event

Residual = Callable[[Event], bool]
"""A check on the event as a whole that the index cannot do; runs after the requirements beside it hold."""


class Requirement:
    """What a pattern asks of one path: that one of the alternatives holds for one of its leaves."""

    __slots__ = ("_is_exact", "_places", "alternatives", "may_be_missing", "once", "only", "path", "ready")

    def __init__(self, path: str, alternatives: tuple[Alternative, ...]) -> None:
        self.path = path
        self.alternatives = alternatives
        self.may_be_missing = any(one.kind == NOT_THERE for one in alternatives)
        """One alternative is {"exists": false}."""
        self.only: KindAndKey | None = None
        """The place of the only alternative when that is a text or a number."""
        if len(alternatives) == 1 and alternatives[0].kind in (TEXT, NUMBER):
            self.only = alternatives[0].place
        self.ready: Predicate | None = None
        """What `holds` gives, once that was asked."""
        self.once = len(alternatives) == 1 or self._are_apart()
        """One leaf meets at most one alternative."""
        self._places: frozenset[KindAndKey] | None = None
        self._is_exact: bool | None = None

    def __repr__(self) -> str:
        return f"Requirement({self.path!r}, {self.alternatives!r})"

    def _are_apart(self) -> bool:
        places = {one.place for one in self.alternatives}
        return len(places) == len(self.alternatives) and all(kind in EXACT_KINDS for kind, _ in places)

    @property
    def holds(self) -> Predicate:
        """Whether one leaf satisfies one of the alternatives."""
        if self.ready is None:
            self.ready = _any_of(self.alternatives)
        return self.ready

    @property
    def places(self) -> frozenset[KindAndKey]:
        """(kind, key) of the alternatives."""
        if self._places is None:
            self._places = frozenset(one.place for one in self.alternatives)
        return self._places

    @property
    def exact(self) -> frozenset[KindAndKey] | None:
        """The places when equality decides all of the alternatives."""
        if self._is_exact is None:
            self._is_exact = all(one.kind in EXACT_KINDS for one in self.alternatives)
        return self.places if self._is_exact else None


def _any_of(alternatives: tuple[Alternative, ...]) -> Predicate:
    if len(alternatives) == 1:
        return predicate(*alternatives[0].place)
    if all(one.kind == TEXT for one in alternatives):
        texts = frozenset(one.key for one in alternatives)
        return lambda leaf: type(leaf) is str and leaf in texts
    predicates = tuple(predicate(*one.place) for one in alternatives)
    if len(predicates) == 2:
        first, second = predicates
        return lambda leaf: first(leaf) or second(leaf)
    return lambda leaf: any(holds(leaf) for holds in predicates)


class Written(NamedTuple):
    """A requirement where it stands in its pattern (JSON pointer)."""

    requirement: Requirement
    pointer: str


class Branch(NamedTuple):
    """One way to meet a pattern: all requirements hold. They stand as written, with no path twice.

    choices: JSON pointers of the `$or` entries taken on the way here, empty without `$or`.
    """

    written: tuple[Written, ...]
    choices: tuple[str, ...]

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        return tuple(one.requirement for one in self.written)


class Pattern(NamedTuple):
    """A compiled pattern: one of the branches must hold. Without `$or` there is one."""

    branches: tuple[Branch, ...]
