"""All alternatives that a set of rules wants at a path, asked at once: for long lists, long texts and crowded places,
where asking rule by rule would cost rules times leaves."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from rules.engine.alternative import EXACT_KINDS, KindAndKey
from rules.engine.leaves import Leaves
from rules.engine.many_leaves import COUNTABLE, ManyLeaves
from rules.engine.probes import Probes
from rules.engine.requirement import Requirement

Held = set[KindAndKey]
"""The (kind, key) of the alternatives that at least one leaf meets."""


class Wanted:
    """Made for a path when it is first asked for, from the requirements given; the answer is kept with the event."""

    __slots__ = ("_at", "_requirements")

    def __init__(self, requirements: Iterable[Requirement]) -> None:
        self._requirements = requirements
        self._at: dict[str, _WantedAt] = {}

    def held(self, path: str, leaves: Leaves) -> Held:
        """Which of the alternatives wanted at the path its leaves meet. Raises TooMuchWork."""
        held = leaves.held.get((id(self), path))
        if held is None:
            at = self._at.get(path)
            if at is None:
                at = self._at[path] = _WantedAt(one for one in self._requirements if one.path == path)
            held = leaves.held[id(self), path] = at.ask(leaves.many(path), leaves)
        return held


class _WantedAt:
    """What is wanted at one path."""

    def __init__(self, requirements: Iterable[Requirement]) -> None:
        places = {one.place for requirement in requirements for one in requirement.alternatives}
        self._exact = {place for place in places if place[0] in EXACT_KINDS}
        self._others = list(places - self._exact)
        self._searchable = all(place[0] in COUNTABLE for place in self._others)

    @cached_property
    def _probes(self) -> Probes[KindAndKey]:
        return Probes({place: place for place in self._others})

    def ask(self, many: ManyLeaves, leaves: Leaves) -> Held:
        held = self._exact & many.exact
        if self._others:
            if self._searchable and len(many.exact) > len(self._others):
                held |= many.meeting(self._others)
            else:
                self._probe(many, held, leaves)
        return held

    def _probe(self, many: ManyLeaves, held: Held, leaves: Leaves) -> None:
        limit = 1000 + 4 * len(self._others)
        found: list[KindAndKey] = []
        for _, leaf in many.exact:
            self._probes.find_but_exceptions(leaf, found, leaves)
            if len(found) > limit:
                # Most leaves meet most alternatives: now it is cheaper to ask for each alternative whether one does.
                held |= many.meeting(self._others)
                return
        held.update(found)
        if self._probes.exceptions is not None:
            excepted: list[KindAndKey] = []
            self._probes.exceptions.find_for_any((leaf for _, leaf in many.exact), excepted, leaves)
            held.update(excepted)
