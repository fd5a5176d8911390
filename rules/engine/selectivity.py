"""How rarely a requirement is met, estimated from the rules alone: the index files each rule where events are rare."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from rules.engine.alternative import (
    ADDRESS,
    CONSTANT,
    EXISTS,
    NOT_THERE,
    NUMBER,
    PREFIX,
    SUFFIX,
    TEXT,
    Alternative,
)
from rules.engine.pattern import Requirement

# Share of events that meet one alternative of the kind, when no other rule asks about its path.
_ALONE = {
    TEXT: 0.3,
    ADDRESS: 0.2,
    NUMBER: 0.3,
    CONSTANT: 0.4,
    PREFIX: 0.4,
    SUFFIX: 0.4,
    EXISTS: 0.9,
    NOT_THERE: 2.0,
}
_SPREAD = {TEXT, ADDRESS, NUMBER, PREFIX, SUFFIX}


class Selectivity:
    """Estimates for one set of rules: the more different values rules want at a path, the rarer each of them is."""

    def __init__(self, rules: Iterable[Iterable[Requirement]]) -> None:
        wanted: dict[tuple[str, str], set[Hashable]] = {}
        for requirements in rules:
            for requirement in requirements:
                for alternative in requirement.alternatives:
                    wanted.setdefault((requirement.path, alternative.kind), set()).add(alternative.key)
        self._distinct = {place: len(keys) for place, keys in wanted.items()}

    def of_alternative(self, path: str, alternative: Alternative) -> float:
        kind = alternative.kind
        alone = _ALONE[kind]
        if kind not in _SPREAD or alternative.key == "":
            return alone if kind not in _SPREAD else 1.0
        return alone / self._distinct[path, kind]

    def of(self, requirement: Requirement) -> float:
        """The estimated share of events that meet the requirement; above 1 where the index cannot help."""
        return sum(self.of_alternative(requirement.path, one) for one in requirement.alternatives)
