"""The branches that an index finds together, sorted by what is still to be asked of them.

Most need nothing more: their rules are added at once. Most of the others are told apart by one text, which is looked
up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import chain
from typing import Protocol

from rules.engine.allowance import TooMuchWork
from rules.engine.alternative import TEXT
from rules.engine.branches import ByText, Failed, Filed, is_sure
from rules.engine.leaves import Leaves
from rules.engine.requirement import Requirement
from rules.engine.sieve import Sieve, is_sifted
from rules.engine.wanted import Wanted

FEWEST_SIFTED = 4
"""Of so many branches that ask for values a table is made of what each value leaves of them."""
FEWEST_TEXTS = 3
"""Of so many branches that ask for a text at one path the texts are put into a dictionary."""
MOST_BRANCHES = 256
"""Of a group that is put together with others."""
MOST_VALUES = 2048
"""Values of a path that are remembered; of more all are forgotten."""
LONGEST_VALUE = 128
"""Characters of a value that is remembered."""


class Below(Protocol):
    """The index of branches that are many at one place."""

    def find(self, leaves: Leaves, wanted: Wanted, found: list[int], failed: Failed) -> None:
        """Appends the ids of the rules met, some perhaps more than once."""

    def rule_ids(self) -> Iterable[int]:
        """Ids of the rules that have a branch in it."""


class Group:
    """decided: rules that nothing more is asked of; by_text: branches that are left to ask for one text, and that array
    elements cannot be in the way of; to_check: all others; sieve: of these many that it tells apart; unsifted: the rest
    of these; met: decided, and those that are met unless array elements are in the way; plain: branches that are left
    to ask something of leaves; others: those that ask more of the event, or cannot be sure of what led to them; paths:
    of the unsifted that array elements may be in the way of; below: the index of the rest; again: rules of it, but for
    the sieve's and below, may be found more than once."""

    __slots__ = (
        *(
            "again",
            "below",
            "by_text",
            "decided",
            "met",
            "others",
            "paths",
            "plain",
            "sieve",
            "to_check",
            "unsifted",
        ),
    )

    def __init__(
        self,
        filed: Iterable[Filed],
        decides: bool,
        by_text: tuple[ByText, ...] = (),
        below: Below | None = None,
        decided: Iterable[int] = (),
        again: bool = False,
    ) -> None:
        """decides: the branches filed are met but for what is left of each; decided: more that are, again: some of these
        perhaps not here only."""
        self.by_text = by_text
        self.below = below
        alone = list(decided)
        self.again = again or any(not branch.once for one in by_text for branch, _ in one.filed)
        settled: list[Filed] = []
        plain: list[Filed] = []
        others: list[Filed] = []
        for entry in filed:
            branch, rest = entry
            if not decides or branch.residual:
                others.append(entry)
            elif rest:
                plain.append(entry)
            elif len(branch.requirements) == 1:
                alone.append(branch.rule_id)
                self.again |= not branch.once
            else:
                settled.append(entry)
        sifted = [entry for entry in plain if is_sifted(entry)] if len(plain) >= FEWEST_SIFTED else []
        self.sieve = Sieve(sifted) if len(sifted) >= FEWEST_SIFTED else None
        if self.sieve is not None:
            taken = set(map(id, sifted))
            plain = [entry for entry in plain if id(entry) not in taken]
        self.decided = tuple(alone)
        self.met = (*alone, *(branch.rule_id for branch, _ in settled)) if settled else self.decided
        self.plain, self.others = tuple(plain), tuple(others)
        self.unsifted = (*settled, *plain, *others)
        self.again |= any(not branch.once for branch, _ in self.unsifted)
        self.to_check = self.unsifted if self.sieve is None else (*self.unsifted, *self.sieve.filed)
        different = {branch.paths for branch, _ in self.unsifted if not is_sure(branch)}
        self.paths: Collection[str] = ()
        if different:
            self.paths = next(iter(different)) if len(different) == 1 else frozenset().union(*different)

    @property
    def size(self) -> int:
        """How many branches there are, but for those that are decided or below."""
        return len(self.to_check) + sum(len(one.filed) for one in self.by_text)


def by_text(filed: Iterable[Filed]) -> tuple[tuple[ByText, ...], list[Filed]]:
    """Of branches that are met but for what is left of each: those that are told apart by a text, and the others."""
    by_path: dict[str, list[Filed]] = {}
    left: list[Filed] = []
    for entry in filed:
        branch, rest = entry
        if len(rest) == 1 and not branch.residual and _asks_for_text(rest[0]) and is_sure(branch):
            by_path.setdefault(rest[0].path, []).append(entry)
        else:
            left.append(entry)
    found: list[ByText] = []
    for path, alike in by_path.items():
        if len(alike) < FEWEST_TEXTS:
            left += alike
            continue
        texts: dict[str, list[int]] = {}
        for branch, (only,) in alike:
            for one in only.alternatives:
                texts.setdefault(one.key, []).append(branch.rule_id)  # type: ignore[arg-type]
        found.append(ByText(path, {text: tuple(rule_ids) for text, rule_ids in texts.items()}, tuple(alike)))
    return tuple(found), left


def find_by_text(by_text: Iterable[ByText], leaves: Leaves, found: list[int], failed: Failed) -> None:
    """Appends the rules of those branches that are met."""
    for path, texts, filed in by_text:
        try:
            value = leaves[path]
        except TooMuchWork as error:
            for branch, _ in filed:
                failed(branch.rule_id, error)
            continue
        if type(value) is str:
            rule_ids = texts.get(value)
            if rule_ids is not None:
                found += rule_ids
        elif type(value) is list:
            leaves.again = True
            for text in texts.keys() & leaves.many(path).equal(TEXT):
                found += texts[text]


def _asks_for_text(requirement: Requirement) -> bool:
    return all(one.kind == TEXT for one in requirement.alternatives)


class Repeated:
    """What the values of a path lead to, once they were seen twice: the groups of all places found for one, put
    together so that there are few. Any thread may use it.

    groups: by value.
    """

    __slots__ = ("_seen", "groups")

    def __init__(self) -> None:
        self.groups: dict[str, list[Group]] = {}
        self._seen: set[str] = set()

    def note(self, value: str, found: list[Group]) -> None:
        """found: what an index finds for a value."""
        if len(value) > LONGEST_VALUE:
            return
        if value not in self._seen:
            if len(self._seen) >= MOST_VALUES:
                self._seen.clear()
            self._seen.add(value)
            return
        if len(self.groups) >= MOST_VALUES:
            self.groups.clear()
        self.groups[value] = _together(found)


def _together(groups: list[Group]) -> list[Group]:
    """The same branches in fewer groups: one for those that array elements cannot be in the way of, and one for all on
    the same paths."""
    small = [group for group in groups if group.size <= MOST_BRANCHES]
    if len(small) < 2:
        return groups
    by_paths: dict[tuple[str, ...], list[Filed]] = {}
    for group in small:
        for entry in chain(group.to_check, *(one.filed for one in group.by_text)):
            alone = is_sure(entry[0]) or is_sifted(entry)
            by_paths.setdefault(() if alone else entry[0].paths, []).append(entry)
    together = [Group(filed, True) for paths, filed in by_paths.items() if paths]
    texts, sure = by_text(by_paths.get((), ()))
    decided = [rule_id for group in small for rule_id in group.decided]
    again = any(group.again for group in small)
    together.append(Group(sure, True, texts, None, decided, again))
    together += [Group((), True, (), group.below) for group in small if group.below is not None]
    return together + [group for group in groups if group not in small]
