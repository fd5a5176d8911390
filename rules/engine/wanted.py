"""All alternatives that a set of rules wants at a path, asked at once: for long lists, long texts and crowded places,
where asking rule by rule would cost rules times leaves."""

from __future__ import annotations

from collections.abc import Iterable

from rules.engine.alternative import KindAndKey
from rules.engine.leaves import Leaves
from rules.engine.probes import Probes
from rules.engine.requirement import Requirement

Held = set[KindAndKey]
"""The (kind, key) of the alternatives that at least one leaf meets."""


class Wanted:
    """Made for a path when it is first asked for, from the requirements given; the answer is kept with the event."""

    __slots__ = ("_probes", "_requirements")

    def __init__(self, requirements: Iterable[Requirement]) -> None:
        self._requirements = requirements
        self._probes: dict[str, tuple[Probes[KindAndKey], list[KindAndKey]]] = {}

    def held(self, path: str, leaves: Leaves) -> Held:
        """Which of the alternatives wanted at the path its leaves meet. Raises TooMuchWork."""
        held = leaves.held.get((id(self), path))
        if held is None:
            held = leaves.held[id(self), path] = self._ask(path, leaves)
        return held

    def _ask(self, path: str, leaves: Leaves) -> Held:
        probes, places = self._at(path)
        many = leaves.many(path)
        limit = 1000 + 4 * len(places)
        found: list[KindAndKey] = []
        for leaf in many.leaves():
            probes.find_but_exceptions(leaf, found, leaves)
            if len(found) > limit:
                # Most leaves meet most alternatives: now it is cheaper to ask for each alternative whether one does.
                return {place for place in places if many.meet(place)}
        if probes.exceptions is not None:
            probes.exceptions.find_for_any(many.leaves(), found, leaves)
        return set(found)

    def _at(self, path: str) -> tuple[Probes[KindAndKey], list[KindAndKey]]:
        made = self._probes.get(path)
        if made is None:
            wanted = {
                alternative.place: alternative.place
                for requirement in self._requirements
                if requirement.path == path
                for alternative in requirement.alternatives
            }
            made = self._probes[path] = (Probes(wanted), list(wanted))
        return made
