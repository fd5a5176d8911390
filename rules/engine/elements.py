"""Array consistency: requirements may not be met from different elements of the same array.

{"items": {"sku": ["a"], "quantity": [2]}} means one item with both. The requirements are taken in the order of
their paths; of what was chosen so far, only the elements that later paths can still be inside of are kept. So the
work grows with the number of leaves, not with the product of sibling arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from rules.engine.allowance import TooMuchWork
from rules.engine.leaves import Choice, Entry, Leaves, Membership, PathLeaves
from rules.engine.requirement import Requirement

Rows = dict[int, list[Any]]
"""Leaves by the index of the array element they are in."""

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


class Plan(NamedTuple):
    """How requirements on certain paths have to be compared in one event: which of them are inside elements, and
    what is there when all are in elements of one array; None where that is not so."""

    inside: tuple[int, ...]
    tables: tuple[tuple[PathLeaves, Rows], ...] | None


def still_agree(requirements: tuple[Requirement, ...], paths: tuple[str, ...], leaves: Leaves) -> bool:
    """The same, when each is known to hold by itself: then only those inside array elements matter.

    paths: of the requirements; many rules share one such tuple, and what is found out about it.
    """
    plan = leaves.plans.get(id(paths))
    if plan is None:
        plan = leaves.plans[id(paths)] = _plan(paths, leaves)
    inside = plan.inside
    if len(inside) < 2 and not (inside and requirements[inside[0]].may_be_missing):
        return True
    if plan.tables is None:
        return elements_agree(requirements, leaves)
    return _one_element_meets([requirements[at] for at in inside], plan.tables, leaves)


def _plan(paths: tuple[str, ...], leaves: Leaves) -> Plan:
    inside = tuple(at for at, path in enumerate(paths) if path in leaves.members)
    tables: list[tuple[PathLeaves, Rows]] = []
    arrays = set()
    for at in inside:
        here = leaves.at(paths[at])
        if here.rows is None:
            return Plan(inside, None)
        array, rows = here.rows
        arrays.add(array)
        tables.append((here, rows))
    return Plan(inside, tuple(tables) if len(arrays) == 1 else None)


def _one_element_meets(
    inside: list[Requirement], tables: tuple[tuple[PathLeaves, Rows], ...], leaves: Leaves
) -> bool:
    """The common case: all leaves are in elements of one array, so one element has to meet all of them.

    inside: in the order of their paths; tables: what is there.
    """
    first, fewest = 0, -1
    for at, requirement in enumerate(inside):
        if requirement.may_be_missing:
            # Whether it is missing is about the elements chosen for the paths before it.
            first, fewest = 0, _most(inside[0], tables[0][0])
            break
        count = _most(requirement, tables[at][0])
        if fewest < 0 or count < fewest:
            first, fewest = at, count
    granted = leaves.of_a_rule()
    steps = granted - fewest * STEPS_OF_A_PREDICATE
    if steps < 0:
        raise TooMuchWork(f"too many elements may meet the conditions on {inside[first].path}")
    chosen = _meeting(inside[first], tables[first][0])
    for at, requirement in enumerate(inside):
        if at != first:
            steps -= STEPS_OF_A_PREDICATE * len(chosen)
            if steps < 0:
                leaves.left = max(0, leaves.left - granted)
                raise TooMuchWork(f"too many elements may meet the conditions on {requirement.path}")
            holds = requirement.ready or requirement.holds
            missing = requirement.may_be_missing
            rows = tables[at][1]
            chosen = [
                index for index in chosen if (any(map(holds, rows[index])) if index in rows else missing)
            ]
            if not chosen:
                break
    leaves.left -= granted - steps
    return bool(chosen)


def _most(requirement: Requirement, here: PathLeaves) -> int:
    """How many leaves may meet a requirement, at most; of those that are equal one counts where each must be asked."""
    exact = requirement.exact
    if exact is None:
        return len(here.by_value)
    count = 0
    for place in exact:
        equal = here.by_value.get(place)
        if equal is not None:
            count += len(equal)
    return count


def _meeting(requirement: Requirement, here: PathLeaves) -> list[int]:
    """The elements in which the requirement is met, each once."""
    if requirement.exact is not None:
        found = [
            membership[0][1] for place in requirement.exact for _, membership in here.by_value.get(place, ())
        ]
    else:
        holds = requirement.holds
        found = [
            membership[0][1] for same in here.by_value.values() if holds(same[0][0]) for _, membership in same
        ]
    return found if len(found) < 2 else list(dict.fromkeys(found))


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
            steps -= STEPS_OF_A_CHOICE * (1 + (_fewest(requirement, leaves) if by_value else len(candidates)))
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
        return len(leaves.at(requirement.path).entries)
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
