"""How rarely a requirement is met, estimated from the rules alone: the index files each rule where events are rare."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from rules.engine import alternative as kinds
from rules.engine.alternative import Alternative
from rules.engine.requirement import Requirement

# Share of events that meet one alternative of the kind, when no other rule asks about its path.
_ALONE = {
    kinds.TEXT: 0.3,
    kinds.ADDRESS: 0.2,
    kinds.NUMBER: 0.3,
    kinds.CONSTANT: 0.4,
    kinds.CASELESS: 0.3,
    kinds.PREFIX: 0.4,
    kinds.SUFFIX: 0.4,
    kinds.CASELESS_PREFIX: 0.4,
    kinds.CASELESS_SUFFIX: 0.4,
    kinds.CONTAINS: 0.4,
    kinds.CASELESS_CONTAINS: 0.4,
    kinds.WILDCARD: 0.4,
    kinds.NETWORK: 0.3,
    kinds.RANGE: 0.5,
    kinds.ALL: 0.4,
    kinds.BUT: 0.9,
    kinds.EXISTS: 0.9,
    kinds.NOT_THERE: 2.0,
}
_SPREAD = frozenset(_ALONE) - {kinds.CONSTANT, kinds.RANGE, kinds.BUT, kinds.EXISTS, kinds.NOT_THERE}


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
