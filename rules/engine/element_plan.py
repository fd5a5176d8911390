"""How requirements on certain paths are compared in one event: by the bits of the elements that meet them.

The elements of an outermost array, and of the one array that may be inside each of them, are numbered by their
innermost elements: an element that holds others stands for all of them. So a choice of elements that agrees is an
innermost element that all requirements allow. Where an element holds several arrays, it is looked into when its own
bit is set. Where it matters in which order elements are chosen, elements.py compares.
"""

from __future__ import annotations

from functools import partial
from itertools import chain, islice, repeat
from operator import sub
from typing import NamedTuple

from rules.engine.columns import Column, Held
from rules.engine.elements import elements_agree
from rules.engine.leaves import Leaves
from rules.engine.numbering import ASKED_AT_ONCE, OUTSIDE, STEPS_OF_A_NUMBER, Numbers, number_elements
from rules.engine.path_leaves import PathLeaves, Row
from rules.engine.requirement import Requirement
from rules.engine.wanted import Wanted

MOST_WAYS = 32
"""Where leaves at one path are in several outermost arrays, so many ways to take each path from one array are tried."""
FEW_VIEWS = 2
"""To look into so many elements is not counted;"""
STEPS_OF_A_VIEW = 60
"""to look into one more takes so many steps of allowance.py."""
BITS_OF_A_STEP = 4096
"""To compare so many elements counts as a step of allowance.py."""


Asked = tuple[Column, Held | None]
"""A column that a requirement is compared by, and what is held; None where the leaves are so few that each is asked."""


Group = tuple[tuple[int, Column, Held | None], ...]
"""Requirements on the leaves of one array: (place of the requirement, column, what is held)."""


class Fork(NamedTuple):
    """Requirements on leaves in several arrays of one element: their places, and their paths."""

    places: tuple[int, ...]
    paths: tuple[str, ...]


class Plan(NamedTuple):
    """members: the requirements on leaves in elements, in the order of their paths.

    groups: by array, (place of the requirement, column, what is held), None where elements.py has to compare; loose:
    requirements whose leaves are in several arrays or some in none: (place, columns by array); forks: the arrays whose
    columns tell elements that are still to be looked into. orderly: whether it is seen in the columns what is missing;
    flat: whether elements hold no others, so that a loose requirement tells where none of its leaves is; covered: paths
    that are compared in any case; steps: what comparing costs; simple: the only group when it is all there is to
    compare.
    """

    members: tuple[int, ...]
    groups: dict[int, Group] | None
    loose: tuple[tuple[int, dict[int, Asked]], ...]
    forks: dict[int, Fork]
    orderly: bool
    flat: bool
    covered: frozenset[str]
    steps: int
    simple: Group | None


class _Unclear(Exception):
    """There are too many ways to choose arrays: elements.py has to compare."""


class View:
    """The leaves of an event, or of one element as if nothing were around it; with what is found out about them."""

    def __init__(self, leaves: Leaves, above: View | None = None, element: tuple[int, int] = (0, 0)) -> None:
        self.leaves = leaves
        self.depth: int = 0 if above is None else above.depth + 1
        self.numbers: dict[tuple[int, frozenset[str]], Numbers | None] = {}
        self.columns: dict[tuple[str, int, int], Column] = {}
        self.plans: dict[tuple[int, tuple[str, ...]], Plan] = {}
        self._above = above
        self._element = element
        self._at: dict[str, PathLeaves] = {}
        self._inside: dict[tuple[int, int], View] = {}

    def at(self, path: str) -> PathLeaves:
        if self._above is None:
            return self.leaves.at(path)
        found = self._at.get(path)
        if found is None:
            found = self._above.at(path).inside(self._element)
            if len(found) > ASKED_AT_ONCE:
                self.leaves.spend(STEPS_OF_A_NUMBER * len(found))
            self._at[path] = found
        return found

    def inside(self, element: tuple[int, int]) -> View:
        """What is in one of the outermost elements."""
        found = self._inside.get(element)
        if found is None:
            found = self._inside[element] = View(self.leaves, self, element)
        return found


def still_agree(
    requirements: tuple[Requirement, ...],
    paths: tuple[str, ...],
    leaves: Leaves,
    wanted: Wanted,
    plan: Plan | None,
) -> bool:
    """Whether all requirements can be met consistently, when each is known to hold by itself. Raises TooMuchWork.

    paths: of the requirements; many rules share one such tuple; plan: what was found out about it before, then those
    it has `covered` need not be known to hold.
    """
    if plan is None:
        plan = plan_of(paths, leaves, wanted)
    members, groups = plan.members, plan.groups
    if len(members) < 2 and not (members and requirements[members[0]].may_be_missing):
        return True
    if groups is None or (
        not plan.orderly
        and any(requirements[one].may_be_missing for one in members)
        and not (plan.flat and _only_loose_missing(requirements, groups))
    ):
        return elements_agree(requirements, leaves)
    if plan.steps:
        leaves.spend(plan.steps)
    if not (plan.loose or plan.forks):
        # Which element of one array is chosen says nothing about another array.
        for group in groups.values():
            alone = len(group) == 1 and not requirements[group[0][0]].may_be_missing
            if not alone and not together(requirements, group):
                return False
        return True
    try:
        return _agree(requirements, plan, leaves.view, wanted)
    except _Unclear:
        return elements_agree(requirements, leaves)


def plan_of(paths: tuple[str, ...], leaves: Leaves, wanted: Wanted) -> Plan:
    """The plan for paths that were all looked up before. Raises TooMuchWork."""
    plan: Plan | None = leaves.plans.get(id(paths))
    if plan is None:
        if leaves.view is None:
            leaves.view = View(leaves)
        plan = leaves.plans[id(paths)] = _plan(paths, leaves.view, wanted)
    return plan


def _only_loose_missing(requirements: tuple[Requirement, ...], groups: dict[int, Group]) -> bool:
    return not any(requirements[at].may_be_missing for group in groups.values() for at, _, _ in group)


def _agree(requirements: tuple[Requirement, ...], plan: Plan, view: View, wanted: Wanted) -> bool:
    """The same in general, of requirements that may not hold by themselves; only loose ones may be missing."""
    if plan.groups is None:
        raise _Unclear
    chosen: dict[int, int] = {}
    for array, group in plan.groups.items():
        bits = chosen[array] = together(requirements, group)
        if not bits:
            return False
        fork = plan.forks.get(array)
        if fork is not None and not _agree_inside_one(requirements, fork, array, bits, view, wanted):
            return False
    return not plan.loose or _agree_in_some_way(requirements, plan, chosen)


def _agree_inside_one(
    requirements: tuple[Requirement, ...], fork: Fork, array: int, bits: int, view: View, wanted: Wanted
) -> bool:
    """Whether requirements agree in one of the elements given by their bits."""
    some = tuple(requirements[at] for at in fork.places)
    tried = 0
    while bits:
        lowest = bits & -bits
        bits ^= lowest
        tried += 1
        if tried > FEW_VIEWS:
            view.leaves.spend(STEPS_OF_A_VIEW)
        inside = view.inside((array, lowest.bit_length() - 1))
        plan = inside.plans.get((id(wanted), fork.paths))
        if plan is None:
            plan = inside.plans[id(wanted), fork.paths] = _plan(fork.paths, inside, wanted)
        if plan.steps:
            view.leaves.spend(plan.steps)
        if _agree(some, plan, inside, wanted):
            return True
    return False


def together(requirements: tuple[Requirement, ...], group: Group) -> int:
    """The elements that meet all requirements of one array, as bits."""
    only_one = -1
    missing = False
    others: list[tuple[Requirement, Column, Held | None]] = []
    for at, column, held in group:
        requirement = requirements[at]
        only = requirement.only
        if only is not None and column.sole:
            first = column.sole.get(only[1])
            if first is None or (only_one >= 0 and first != only_one):
                return 0
            only_one = first
        else:
            others.append((requirement, column, held))
            missing |= requirement.may_be_missing
    if only_one >= 0 and not missing:
        for requirement, column, held in others:
            digits = column.digits.get(requirement)
            if digits is None:
                if not column.meets(requirement, only_one, held):
                    return 0
            elif digits[~only_one] != "1":
                return 0
        return 1 << only_one
    bits = -1
    for at, column, held in group:
        requirement = requirements[at]
        meeting = column.masks.get(requirement)
        if meeting is None:
            meeting = column.meeting(requirement, held)
        if bits == -1:
            bits = meeting
        else:
            # Missing it can be only beside an element that was chosen.
            bits &= meeting | column.absent if requirement.may_be_missing else meeting
        if not bits:
            break
    return bits


def _agree_in_some_way(requirements: tuple[Requirement, ...], plan: Plan, chosen: dict[int, int]) -> bool:
    """Takes the leaves of each loose requirement from one array after the other, beside the elements chosen so far."""
    ways = [chosen]
    for at, columns in plan.loose:
        requirement = requirements[at]
        if OUTSIDE in columns and _meeting(requirement, columns[OUTSIDE]):
            continue  # met whatever is chosen
        found = [(array, _meeting(requirement, one)) for array, one in columns.items() if array != OUTSIDE]
        without = _without(at, columns, plan, ways) if requirement.may_be_missing else []
        ways = without + [
            {**before, array: both}
            for before in ways
            for array, bits in found
            if (both := bits & before.get(array, -1))
        ]
        if len(ways) > MOST_WAYS:
            raise _Unclear
        if not ways:
            return False
    return True


def _without(
    at: int, columns: dict[int, Asked], plan: Plan, ways: list[dict[int, int]]
) -> list[dict[int, int]]:
    """The ways in which a requirement has no leaf beside the elements chosen for the paths before it."""
    if OUTSIDE in columns:
        return []
    for array in columns:
        group = (plan.groups or {}).get(array)
        if group is None or group[0][0] > at:
            raise _Unclear  # whether an element of it is chosen depends on other loose requirements
    found = []
    for before in ways:
        beside = {array: before[array] & column.absent for array, (column, _) in columns.items()}
        if all(beside.values()):
            found.append({**before, **beside})
    return found


def _meeting(requirement: Requirement, asked: Asked) -> int:
    column, held = asked
    known = column.masks.get(requirement)
    return column.meeting(requirement, held) if known is None else known


def _plan(paths: tuple[str, ...], view: View, wanted: Wanted) -> Plan:
    leaves = view.leaves
    members = tuple(at for at, path in enumerate(paths) if view.depth or path in leaves.members)
    by_array: dict[int, set[str]] = {}
    for at in members:
        for array in view.at(paths[at]).outermost:
            by_array.setdefault(array, set()).add(paths[at])
    numbered: dict[int, Numbers] = {}
    forks: set[int] = set()
    for array, of_it in by_array.items():
        place = array, frozenset(of_it)
        if place not in view.numbers:
            view.numbers[place] = number_elements(
                array, [view.at(path) for path in of_it], leaves, view.depth
            )
        numbers = view.numbers[place]
        if numbers is None:
            forks.add(array)
            numbers = Numbers(None, leaves.length(array))
        numbered[array] = numbers
    groups: dict[int, list[tuple[int, Column, Held | None]]] = {}
    loose: list[tuple[int, dict[int, Asked]]] = []
    for at in members:
        path = paths[at]
        here = view.at(path)
        held: Held | None = (
            Held(partial(wanted.held, path, leaves)) if leaves.count(path) > ASKED_AT_ONCE else None
        )
        columns = {
            array: (_column(path, array, here, numbered[array], view), held) for array in here.outermost
        }
        if len(columns) == 1:
            [array] = columns
            groups.setdefault(array, []).append((at, *columns[array]))
        else:
            loose.append((at, columns))
    if loose and forks:
        return Plan(members, None, (), {}, False, False, frozenset(), 0, None)
    grouped = {array: tuple(group) for array, group in groups.items()}
    flat = not forks and all(numbers.spans is None for numbers in numbered.values())
    orderly = flat and not loose
    return Plan(
        members,
        grouped,
        tuple(loose),
        {
            array: Fork(tuple(at for at, _, _ in group), tuple(paths[at] for at, _, _ in group))
            for array, group in grouped.items()
            if array in forks
        },
        orderly,
        flat,
        frozenset(paths[at] for group in grouped.values() if len(group) > 1 for at, _, _ in group),
        sum(numbers.size for numbers in numbered.values()) * len(members) // BITS_OF_A_STEP,
        next(iter(grouped.values()))
        if orderly and len(grouped) == 1 and len(paths) == len(members) > 1
        else None,
    )


def _column(path: str, array: int, here: PathLeaves, numbers: Numbers, view: View) -> Column:
    spans, size, starts = numbers
    place = path, array, 0 if spans is None else id(numbers)
    column = view.columns.get(place)
    if column is None:
        row = here.row_of(array)
        if row is not None and (starts is not None or (spans is None and row.inner is None)):
            column = view.columns[place] = _column_of_row(row, numbers, view.leaves)
            return column
        afters: list[int] | None = None
        if spans is None:
            found, firsts = here.by_element(array)
        else:
            part = here.by_array[array]
            found = [leaf for leaf, _ in part]
            firsts = [spans[membership[-1]][0] for _, membership in part]
            afters = [spans[membership[-1]][1] for _, membership in part]
            if sum(afters) - sum(firsts) == len(part):
                afters = None
        column = view.columns[place] = Column(found, firsts, afters, size, view.leaves)
    return column


def _column_of_row(row: Row, numbers: Numbers, leaves: Leaves) -> Column:
    starts, firsts, afters, values = numbers.starts, row.firsts, None, row.values
    if starts is not None and row.inner is None:
        afters = [starts[at + 1] for at in firsts]
        firsts = [starts[at] for at in firsts]
        counts = map(sub, islice(starts, 1, None), starts)
        values = list(chain.from_iterable(map(repeat, values, counts)))
    return Column(row.leaves, firsts, afters, numbers.size, leaves, values)
