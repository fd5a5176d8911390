"""The branches that an index files, and whether an event meets one that the index has led to."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rules.engine.element_plan import still_agree, together
from rules.engine.elements import elements_agree
from rules.engine.event import ABSENT
from rules.engine.leaves import Leaves
from rules.engine.requirement import Requirement, Residual
from rules.engine.text_probes import LONG_TEXT
from rules.engine.wanted import Wanted

LONG_LIST = 16
"""More leaves than this at one path are asked once for all rules."""


class IndexedBranch(NamedTuple):
    """One way to meet a rule: the requirements, in the order of their paths, and what is asked of the whole event.

    once: an event without lists finds the rule here at most once, and nowhere else."""

    rule_id: int
    requirements: tuple[Requirement, ...]
    paths: tuple[str, ...]
    residual: tuple[Residual, ...]
    once: bool


IndexedRule = tuple[IndexedBranch, ...]
"""A rule is met when one of its branches is."""

Filed = tuple[IndexedBranch, tuple[Requirement, ...]]
"""A branch, and its requirements that are still to be met."""


class ByText(NamedTuple):
    """Branches of which one requirement is left, all at one path and for texts; texts: which rules, by the text."""

    path: str
    texts: dict[str, tuple[int, ...]]
    filed: tuple[Filed, ...]


Failed = Callable[[int, Exception], None]
"""Is told of the id of a rule that raised."""


def is_sure(branch: IndexedBranch) -> bool:
    """Whether a branch is met when all its requirements are, whatever elements their leaves are in: only leaves in data
    are in any, and one by itself agrees."""
    return sum(path.startswith("data") for path in branch.paths) < 2 and not any(
        one.may_be_missing for one in branch.requirements
    )


_NONE: frozenset[str] = frozenset()


def checked(
    branch: IndexedBranch, rest: tuple[Requirement, ...], leaves: Leaves, wanted: Wanted, crowd: bool
) -> bool:
    """Whether a branch found by one requirement meets the others too; `crowd`: it is one of many found together."""
    members = leaves.members
    plan = leaves.plans.get(id(branch.paths)) if members else None
    if plan is not None and plan.simple is not None:
        leaves.left -= plan.steps
        return together(branch.requirements, plan.simple) != 0 and (
            not branch.residual or all(check(leaves.event) for check in branch.residual)
        )
    covered = plan.covered if plan is not None else _NONE
    for requirement in rest:
        path = requirement.path
        if path in covered:
            continue  # it is compared below
        value = leaves[path]
        if value is ABSENT:
            if not requirement.may_be_missing:
                return False
        elif requirement.may_be_missing and path in members:
            continue
        elif type(value) is list:
            if len(value) > LONG_LIST or crowd:
                if requirement.places.isdisjoint(wanted.held(path, leaves)):
                    return False
            elif not any(map(requirement.ready or requirement.holds, value)):
                return False
        elif crowd or (type(value) is str and len(value) > LONG_TEXT):
            if requirement.places.isdisjoint(wanted.held(path, leaves)):
                return False
        elif not (requirement.ready or requirement.holds)(value):
            return False
    if (
        members
        and not members.isdisjoint(branch.paths)
        and not still_agree(branch.requirements, branch.paths, leaves, wanted, plan)
    ):
        return False
    return not branch.residual or all(check(leaves.event) for check in branch.residual)


def met(branch: IndexedBranch, leaves: Leaves) -> bool:
    """Whether one branch is met, without any index."""
    return elements_agree(branch.requirements, leaves) and all(
        check(leaves.event) for check in branch.residual
    )
