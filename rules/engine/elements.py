"""Array consistency: requirements may not be met from different elements of the same array.

{"items": {"sku": ["a"], "quantity": [2]}} means one item with both. The requirements are taken in the order of
their paths; of what was chosen so far, only the elements that later paths can still be inside of are kept. So the
work grows with the number of leaves, not with the product of sibling arrays.
"""

from __future__ import annotations

from collections.abc import Sequence

from rules.engine.allowance import TooMuchWork
from rules.engine.leaves import Leaves
from rules.engine.path_leaves import Choice, Entry, Membership
from rules.engine.requirement import Requirement

STEPS_OF_A_PREDICATE = 8
"""To ask whether one leaf meets a requirement takes so many steps of allowance.py."""
STEPS_OF_A_CHOICE = 20
"""To choose an element beside others takes so many steps of allowance.py."""

_NOTHING_CHOSEN: Choice = frozenset()


def elements_agree(requirements: Sequence[Requirement], leaves: Leaves) -> bool:
    """Whether all requirements, given in the order of their paths, can be met consistently. Raises TooMuchWork."""
    if requirements and not any(one.may_be_missing for one in requirements):
        # Then the order changes nothing but the work: the fewest leaves first, the others stay together.
        rarest = min(requirements, key=lambda one: _fewest(one, leaves))
        requirements = [rarest, *(one for one in requirements if one is not rarest)]
    return first_disagreement(requirements, leaves) is None


def first_disagreement(requirements: Sequence[Requirement], leaves: Leaves) -> Requirement | None:
    """The first requirement, in the order given, that no choice of elements meets together with those before it.

    {"exists": false} is about the elements chosen for the paths before it. Raises TooMuchWork.
    """
    paths = tuple(requirement.path for requirement in requirements)
    granted = steps = leaves.of_a_rule()
    choices = {_NOTHING_CHOSEN}
    for requirement, keep in zip(requirements, leaves.arrays_after(paths), strict=True):
        here = leaves.at(requirement.path)
        after: set[Choice] = set()
        for choice in choices:
            by_value = not choice and requirement.exact is not None
            candidates: Sequence[Entry] = () if by_value else here.candidates(choice)
            count = _fewest(requirement, leaves) if by_value else len(candidates)
            steps -= STEPS_OF_A_CHOICE + (STEPS_OF_A_CHOICE if choice else STEPS_OF_A_PREDICATE) * count
            if steps < 0:
                leaves.left = max(0, leaves.left - granted)
                raise TooMuchWork(f"too many ways to combine the array elements at {requirement.path}")
            if by_value:
                candidates = _equal(requirement, leaves)
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


def _equal(requirement: Requirement, leaves: Leaves) -> Sequence[Entry]:
    by_value = leaves.at(requirement.path).by_value
    places = requirement.exact or ()
    if len(places) == 1:
        [place] = places
        return by_value.get(place, ())
    return [entry for place in places for entry in by_value.get(place, ())]


def _fewest(requirement: Requirement, leaves: Leaves) -> int:
    """How many leaves may meet a requirement, at most."""
    if requirement.exact is None:
        return leaves.count(requirement.path)
    by_value = leaves.at(requirement.path).by_value
    return sum(len(by_value.get(place, ())) for place in requirement.exact)


def _compatible(choice: Choice, membership: Membership) -> bool:
    if not choice or not membership:
        return True
    chosen = dict(choice)
    return all(chosen.get(array, index) == index for array, index in membership)


def _kept(choice: Choice, membership: Membership, keep: frozenset[int]) -> Choice:
    if not keep:
        return _NOTHING_CHOSEN
    return frozenset(element for element in (*choice, *membership) if element[0] in keep)
