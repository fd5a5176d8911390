"""Array consistency: requirements may not be met from different elements of the same array.

{"items": {"sku": ["a"], "quantity": [2]}} means one item with both. The requirements are taken in the order of
their paths; of what was chosen so far, only the elements that later paths can still be inside of are kept. So the
work grows with the number of leaves, not with the product of sibling arrays.
"""

from __future__ import annotations

from collections.abc import Sequence

from rules.engine.allowance import TooMuchWork
from rules.engine.leaves import Choice, Entry, Leaves, Membership
from rules.engine.requirement import Requirement

_NOTHING_CHOSEN: Choice = frozenset()


def elements_agree(requirements: Sequence[Requirement], leaves: Leaves) -> bool:
    """Whether all requirements, given in the order of their paths, can be met consistently.

    Raises TooMuchWork where the work would grow faster than the number of leaves.
    """
    if requirements and not any(one.may_be_missing for one in requirements):
        # Then the order changes nothing but the work: the fewest leaves first, the others stay together.
        rarest = min(requirements, key=lambda one: _fewest(one, leaves))
        requirements = [rarest, *(one for one in requirements if one is not rarest)]
    return first_disagreement(requirements, leaves) is None


def first_disagreement(requirements: Sequence[Requirement], leaves: Leaves) -> Requirement | None:
    """The first requirement, in the order given, that no choice of elements meets together with those before it.

    {"exists": false} is about the elements chosen for the paths before it. Raises TooMuchWork.
    """
    found = [leaves.at(requirement.path) for requirement in requirements]
    later: list[frozenset[int]] = []
    arrays: frozenset[int] = frozenset()
    for here in reversed(found):
        later.append(arrays)
        arrays |= here.arrays
    granted = steps = leaves.of_a_rule()
    choices = {_NOTHING_CHOSEN}
    for requirement, here, keep in zip(requirements, found, reversed(later), strict=True):
        after: set[Choice] = set()
        for choice in choices:
            if choice or requirement.exact is None:
                candidates = here.candidates(choice)
            else:
                candidates = _equal(requirement, leaves)
            steps -= 1 + len(candidates)
            if steps < 0:
                leaves.left = max(0, leaves.left - granted)
                raise TooMuchWork(f"too many ways to combine the array elements at {requirement.path}")
            compatible = [entry for entry in candidates if _compatible(choice, entry[1])]
            if requirement.may_be_missing and not compatible:
                after.add(_kept(choice, (), keep))
            for leaf, membership in compatible:
                if requirement.holds(leaf):
                    after.add(_kept(choice, membership, keep))
        if not after:
            break
        choices = after
    else:
        requirement = None
    leaves.left = max(0, leaves.left - (granted - steps))
    return requirement


def _equal(requirement: Requirement, leaves: Leaves) -> list[Entry]:
    by_value = leaves.at(requirement.path).by_value()
    return [entry for place in requirement.exact or () for entry in by_value.get(place, ())]


def _fewest(requirement: Requirement, leaves: Leaves) -> int:
    """How many leaves may meet a requirement, at most."""
    if requirement.exact is None:
        return len(leaves.at(requirement.path).entries)
    return len(_equal(requirement, leaves))


def _compatible(choice: Choice, membership: Membership) -> bool:
    if not choice or not membership:
        return True
    chosen = dict(choice)
    return all(chosen.get(array, index) == index for array, index in membership)


def _kept(choice: Choice, membership: Membership, keep: frozenset[int]) -> Choice:
    if not keep:
        return _NOTHING_CHOSEN
    return frozenset(element for element in (*choice, *membership) if element[0] in keep)
