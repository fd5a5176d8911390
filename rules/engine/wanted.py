"""All alternatives that a set of rules wants at a path, asked at once: for long lists, long texts and crowded places,
where asking rule by rule would cost rules times leaves."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import cached_property

from rules.engine import alternative as kinds
from rules.engine.allowance import TooMuchWork
from rules.engine.alternative import EXACT_KINDS, KindAndKey
from rules.engine.leaves import Leaves
from rules.engine.many_leaves import SEARCHABLE, ManyLeaves
from rules.engine.probes import Probes
from rules.engine.requirement import Requirement
from rules.engine.text_probes import Substrings

Held = set[KindAndKey]
"""The (kind, key) of the alternatives that at least one leaf meets."""

_SUBSTRINGS = frozenset({kinds.CONTAINS, kinds.WILDCARD})


class Wanted:
    """Made for a path when it is first asked for, from the requirements given; the answer is kept with the event."""

    __slots__ = ("_at", "_requirements")

    def __init__(self, requirements: Iterable[Requirement]) -> None:
        self._requirements = requirements
        self._at: dict[str, _WantedAt] = {}

    def held(self, path: str, leaves: Leaves) -> Held:
        """Which of the alternatives wanted at the path its leaves meet. Raises TooMuchWork, then always the same."""
        held = leaves.held.get((id(self), path))
        if held is None:
            at = self._at.get(path)
            if at is None:
                at = self._at[path] = _WantedAt(one for one in self._requirements if one.path == path)
            try:
                held = at.ask(leaves.many(path), leaves)
            except TooMuchWork as error:
                held = error
            leaves.held[id(self), path] = held
        if isinstance(held, TooMuchWork):
            raise held
        return held


class _WantedAt:
    """What is wanted at one path."""

    def __init__(self, requirements: Iterable[Requirement]) -> None:
        by_kind: dict[str, dict[Hashable, KindAndKey]] = {}
        for requirement in requirements:
            for one in requirement.alternatives:
                by_kind.setdefault(one.kind, {}).setdefault(one.key, one.place)
        self._exact = {kind: by_kind[kind] for kind in EXACT_KINDS if kind in by_kind}
        rest = [place for kind in by_kind.keys() - EXACT_KINDS for place in by_kind[kind].values()]
        self._searched = [place for place in rest if place[0] in SEARCHABLE]
        self._sought = [place for place in rest if place[0] in _SUBSTRINGS]
        self._others = [place for place in rest if place[0] not in SEARCHABLE | _SUBSTRINGS]

    @cached_property
    def _searched_probes(self) -> Probes[KindAndKey]:
        return Probes({place: place for place in self._searched})

    @cached_property
    def _other_probes(self) -> Probes[KindAndKey]:
        return Probes({place: place for place in self._others})

    @cached_property
    def _substrings(self) -> Substrings[KindAndKey]:
        return Substrings(
            {key: (kind, key) for kind, key in self._sought if kind == kinds.CONTAINS},  # type: ignore[misc]
            {key: (kind, key) for kind, key in self._sought if kind == kinds.WILDCARD},  # type: ignore[misc]
        )

    def ask(self, many: ManyLeaves, leaves: Leaves) -> Held:
        held: Held = set()
        for kind, wanted in self._exact.items():
            held.update(map(wanted.__getitem__, wanted.keys() & many.equal(kind)))
        if self._searched:
            if 2 * len(many) > len(self._searched):
                held |= many.meeting(self._searched)
            else:
                self._probe(self._searched_probes, self._searched, many, held, leaves)
        if self._sought and many.texts:
            held.update(self._substrings.of_any(many.sorted_texts, leaves))
        if self._others:
            self._probe(self._other_probes, self._others, many, held, leaves)
        return held

    def _probe(
        self,
        probes: Probes[KindAndKey],
        places: list[KindAndKey],
        many: ManyLeaves,
        held: Held,
        leaves: Leaves,
    ) -> None:
        if probes.of_text is not None or probes.of_other is not None:
            limit = 1000 + 4 * len(places)
            found: list[KindAndKey] = []
            for leaf in many:
                probes.find_but_exceptions(leaf, found, leaves)
                if len(found) > limit:
                    # Most leaves meet most alternatives: now it is cheaper to ask for each whether one does.
                    held |= many.meeting(places)
                    return
            held.update(found)
        if probes.exceptions is not None:
            excepted: list[KindAndKey] = []
            probes.exceptions.find_for_any(many, excepted, leaves)
            held.update(excepted)
