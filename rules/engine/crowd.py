"""Many branches that an event with array elements led to, decided together: what they ask alike is asked once.

Branches on the same paths are told apart by what they ask there. Where that is one value each, the elements' values
are put into a set and the branches look themselves up in it. Else what no leaf meets is left out of their
alternatives, and of those that are then equal one is asked. So the work is the elements' and the branches', hardly
any of it done one by one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import compress, count, repeat
from operator import add, and_, attrgetter, itemgetter, mul
from types import NoneType
from typing import Any, NamedTuple

from rules.engine.allowance import TooMuchWork
from rules.engine.alternative import NUMBER, TEXT, KindAndKey
from rules.engine.branches import Failed, Filed, IndexedBranch, checked
from rules.engine.element_plan import Group, Plan, plan_of
from rules.engine.event import ABSENT
from rules.engine.leaves import Leaves
from rules.engine.requirement import Requirement
from rules.engine.text_probes import LONG_TEXT
from rules.engine.wanted import Wanted

CROWD = 32
"""More branches than this, found together and not to be told apart by an index, share the checks they have in common."""
MOST_ELEMENTS = 8
"""For each branch; of more elements it is faster to ask the branches one by one than to put all into a set."""
MOST_SETS = 16
"""So many sets of elements, for what else the branches ask of them."""

_BRANCH = itemgetter(0)
_KEY = itemgetter(1)
_RULE_ID, _REQUIREMENTS, _PATHS, _RESIDUAL = (
    attrgetter(name) for name in ("rule_id", "requirements", "paths", "residual")
)
_ONLY, _MAY_BE_MISSING = attrgetter("only"), attrgetter("may_be_missing")

_SCALARS = frozenset({int, float, bool, NoneType})
_NOTHING: set[KindAndKey] = set()
_NEVER = object()
"""Is no element's value."""
_DIGITS = bytes.maketrans(b"01", b"\0\1")

Held = tuple[frozenset[KindAndKey], bool]
"""The alternatives of a requirement that at least one leaf meets, and whether it may be missing."""


class Kinds(NamedTuple):
    """What branches ask at one path, apart from what no leaf meets. of: by branch, the place of it in `held`."""

    held: list[Held]
    of: list[int]


Asked = Sequence[Requirement]
"""What each of the branches asks at one path."""


def check_together(
    filed: Sequence[Filed], leaves: Leaves, wanted: Wanted, found: list[int], failed: Failed
) -> None:
    """Appends the rules of those branches that are met, given with what is left to be checked of each."""
    if len(set(map(_PATHS, map(_BRANCH, filed)))) < 2:
        _check_alike(filed, leaves, wanted, found, failed)
        return
    by_paths: dict[tuple[str, ...], list[Filed]] = {}
    for one in filed:
        by_paths.setdefault(one[0].paths, []).append(one)
    for alike in by_paths.values():
        _check_alike(alike, leaves, wanted, found, failed)


def check_some(
    filed: Sequence[Filed], leaves: Leaves, wanted: Wanted, found: list[int], failed: Failed
) -> None:
    """The same, together where they are many and there are array elements."""
    crowd = len(filed) > CROWD
    if crowd and leaves.members:
        check_together(filed, leaves, wanted, found, failed)
    else:
        check_each(filed, leaves, wanted, crowd, found, failed)


def check_plain(
    filed: Sequence[Filed], leaves: Leaves, wanted: Wanted, found: list[int], failed: Failed
) -> None:
    """The same of branches that ask nothing more of the event, and no path that was looked up for them is in array
    elements."""
    if len(filed) > CROWD:
        check_some(filed, leaves, wanted, found, failed)
        return
    for branch, rest in filed:
        try:
            for one in rest:
                value = leaves[one.path]
                kind = type(value)
                if len(value) <= LONG_TEXT if kind is str else kind in _SCALARS:
                    if not (one.ready or one.holds)(value):
                        break
                elif checked(branch, rest, leaves, wanted, False):
                    found.append(branch.rule_id)
                    break
                else:
                    break
            else:
                found.append(branch.rule_id)
        except Exception as error:
            failed(branch.rule_id, error)


def check_each(
    filed: Iterable[Filed], leaves: Leaves, wanted: Wanted, crowd: bool, found: list[int], failed: Failed
) -> None:
    """The same, one by one; crowd: they are many."""
    for branch, rest in filed:
        try:
            if checked(branch, rest, leaves, wanted, crowd):
                found.append(branch.rule_id)
        except Exception as error:
            failed(branch.rule_id, error)


def _check_alike(
    filed: Sequence[Filed], leaves: Leaves, wanted: Wanted, found: list[int], failed: Failed
) -> None:
    """Branches on the same paths."""
    if len(filed) > CROWD:
        branches = list(map(_BRANCH, filed))
        try:
            alike = _Alike(branches, leaves, wanted)
            met = _joined(alike, plan_of(alike.paths, leaves, wanted), leaves)
            signatures = None if met is not None else _signatures(alike)
        except TooMuchWork:
            pass  # perhaps not for each of them
        else:
            if met is not None:
                _note(compress(branches, met), leaves, found, failed)
                return
            if signatures is not None:
                _check_by_signature(filed, signatures, leaves, wanted, found, failed)
                return
    check_each(filed, leaves, wanted, len(filed) > CROWD, found, failed)


class _Alike:
    """What branches on the same paths ask. asked: by path, then by branch."""

    def __init__(self, branches: Sequence[IndexedBranch], leaves: Leaves, wanted: Wanted) -> None:
        """Raises TooMuchWork."""
        self.paths = branches[0].paths
        requirements = list(map(_REQUIREMENTS, branches))
        self.asked: list[Asked] = [list(map(itemgetter(at), requirements)) for at in range(len(self.paths))]
        self._leaves = leaves
        self._wanted = wanted
        self._kinds: dict[int, Kinds] = {}
        for path in self.paths:
            leaves[path]  # with the elements it is in

    def keys(self, at: int) -> Iterable[Any] | None:
        """The one text or number that each branch asks for, None when some ask for something else."""
        only = list(map(_ONLY, self.asked[at]))
        return None if None in only else map(_KEY, only)

    def kinds(self, at: int) -> Kinds:
        """Raises TooMuchWork."""
        found = self._kinds.get(at)
        if found is None:
            path, leaves = self.paths[at], self._leaves
            held = self._wanted.held(path, leaves) if leaves[path] is not ABSENT else _NOTHING
            asked = self.asked[at]
            distinct = list(dict.fromkeys(asked))
            of_each = map(frozenset.__and__, [one.places for one in distinct], repeat(held))
            numbers: defaultdict[Held, int] = defaultdict(count().__next__)
            known = dict(
                zip(
                    distinct,
                    map(numbers.__getitem__, zip(of_each, map(_MAY_BE_MISSING, distinct), strict=True)),
                    strict=True,
                )
            )
            found = self._kinds[at] = Kinds(list(numbers), list(map(known.__getitem__, asked)))
        return found


def _note(met: Iterable[IndexedBranch], leaves: Leaves, found: list[int], failed: Failed) -> None:
    """Branches whose requirements are met; what they ask of the whole event may not be."""
    met = list(met)
    if not any(map(_RESIDUAL, met)):
        found += map(_RULE_ID, met)
        return
    for branch in met:
        try:
            if all(check(leaves.event) for check in branch.residual):
                found.append(branch.rule_id)
        except Exception as error:
            failed(branch.rule_id, error)


def _joined(alike: _Alike, plan: Plan, leaves: Leaves) -> Iterable[bool] | None:
    """Which branches are met, None where an array does not decide for itself, or where it is not worth it."""
    if plan.groups is None or plan.loose or plan.forks:
        return None
    met: Iterable[bool] | None = None
    for at, path in enumerate(alike.paths):
        if at not in plan.members:
            kinds = alike.kinds(at)
            missing = leaves[path] is ABSENT
            holds = [bool(places) or (may_be_missing and missing) for places, may_be_missing in kinds.held]
            met = _both(met, map(holds.__getitem__, kinds.of))
    for group in plan.groups.values():
        in_group = _joined_in(group, alike, plan.orderly)
        if in_group is None:
            return None
        met = _both(met, in_group)
    return met


def _both(one: Iterable[bool] | None, other: Iterable[bool]) -> Iterable[bool]:
    return other if one is None else map(and_, one, other)


def _joined_in(group: Group, alike: _Alike, orderly: bool) -> Iterable[bool] | None:
    """Which branches an element of one array meets; orderly: elements hold no others, see Plan."""
    asked = alike.asked
    if group[0][1].size > MOST_ELEMENTS * len(asked[0]):
        return None
    values: list[list[Any]] = []
    keys: list[Iterable[Any]] = []
    others: list[int] = []
    kinds: list[Kinds] = []
    for at, column, _ in group:
        of_branches = alike.keys(at)
        if of_branches is None:
            kind = alike.kinds(at)
            if len(kind.held) <= MOST_SETS:
                others.append(at)
                kinds.append(kind)
                continue
            of_branches = _keys_held(kind)
        if of_branches is None or column.values is None:
            return None
        keys.append(of_branches)
        values.append(column.values)
    if not others:
        return map(set(_rows(values)).__contains__, _rows(keys))
    numbers = _combined(kinds)
    representatives = dict(zip(numbers, zip(*(asked[at] for at in others), strict=True), strict=True))
    if len(representatives) > MOST_SETS:
        return None
    if not orderly and any(one.may_be_missing for some in representatives.values() for one in some):
        return None
    chosen = {
        number: _meeting(dict(zip(others, some, strict=True)), group)
        for number, some in representatives.items()
    }
    if not values:
        return map({number for number, bits in chosen.items() if bits}.__contains__, numbers)
    there: set[Any] = set()
    for number, bits in chosen.items():
        if bits:
            selected = f"{bits:0{group[0][1].size}b}"[::-1].encode().translate(_DIGITS)
            there.update(_rows([*(compress(column, selected) for column in values), repeat(number)]))
    return map(there.__contains__, _rows([*keys, numbers]))


def _rows(columns: Sequence[Iterable[Any]]) -> Iterable[Any]:
    return columns[0] if len(columns) == 1 else zip(*columns, strict=False)  # one may never end


def _keys_held(kinds: Kinds) -> Iterable[Any] | None:
    """The same of what is left of their alternatives; _NEVER where nothing is."""
    keys = []
    for places, may_be_missing in kinds.held:
        if may_be_missing or len(places) > 1:
            return None
        [(kind, key)] = places or [(TEXT, _NEVER)]
        if kind not in (TEXT, NUMBER):
            return None
        keys.append(key)
    return map(keys.__getitem__, kinds.of)


def _combined(kinds: Sequence[Kinds]) -> list[int]:
    """For each branch a number, the same for those that are of one kind everywhere. No tuples: to have as many more
    of them as there are branches would set off the garbage collector."""
    numbers = kinds[0].of
    for more in kinds[1:]:
        numbers = list(map(add, map(mul, numbers, repeat(len(more.held))), more.of))
    return numbers


def _meeting(some: dict[int, Requirement], group: Group) -> int:
    """The elements that meet some of the requirements of an array, given by their places, as bits."""
    bits = (1 << group[0][1].size) - 1
    for at, column, held in group:
        requirement = some.get(at)
        if requirement is not None:
            meeting = column.masks.get(requirement)
            if meeting is None:
                meeting = column.meeting(requirement, held)
            # Missing it can be only beside an element that was chosen.
            bits &= meeting | column.absent if requirement.may_be_missing and at != group[0][0] else meeting
    return bits


def _signatures(alike: _Alike) -> list[int] | None:
    """By what branches are told apart, None when too few are equal. Raises TooMuchWork."""
    most = len(alike.asked[0]) // 2
    kinds: list[Kinds] = []
    for at in range(len(alike.paths)):
        kinds.append(alike.kinds(at))
        if len(kinds[-1].held) > most:
            return None
    signatures = _combined(kinds)
    return None if len(set(signatures)) > most else signatures


def _check_by_signature(
    filed: Sequence[Filed],
    signatures: list[int],
    leaves: Leaves,
    wanted: Wanted,
    found: list[int],
    failed: Failed,
) -> None:
    met: set[int] = set()
    failures: dict[int, Exception] = {}
    for signature, (branch, rest) in dict(zip(signatures, filed, strict=True)).items():
        try:
            if checked(branch._replace(residual=()), rest, leaves, wanted, True):
                met.add(signature)
        except Exception as error:
            failures[signature] = error
    if failures:
        for signature, (branch, _) in zip(signatures, filed, strict=True):
            if signature in failures:
                failed(branch.rule_id, failures[signature])
    _note(compress(map(_BRANCH, filed), map(met.__contains__, signatures)), leaves, found, failed)
