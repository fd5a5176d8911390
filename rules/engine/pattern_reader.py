"""Walks a decoded pattern: requirements in branches, and everything wrong."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from rules.engine.alternative import Alternative, show, type_name, type_names
from rules.engine.located_json import pointer_step
from rules.engine.operators import OPERATORS, NotUnderstood, check_text, parse_alternative
from rules.engine.pattern_error import PatternError
from rules.engine.requirement import Branch, Requirement, Written

MAX_DEPTH = 32
MAX_LEAVES = 10_000
MAX_PATH = 1024
MAX_BRANCHES = 1000
"""Ways to meet one pattern: two `$or` of three entries each make nine."""
MAX_CONDITIONS = 20_000
"""Conditions of all branches of a pattern together."""

TOO_DEEP = f"nested too deep: at most {MAX_DEPTH} levels are understood"

# The AWS envelope, so that patterns written for it can be pasted; other AWS fields are extensions of the same name.
_ENVELOPE = {"detail": "data", "detail-type": "type"}


class Known:
    """Alternatives, requirements and lists of paths seen before, so that many rules share what is equal. Not for `explain`: equal ones
    may have been written differently."""

    def __init__(self) -> None:
        self.alternatives: dict[Hashable, Alternative] = {}
        self.requirements: dict[Hashable, Requirement] = {}
        self.paths: dict[tuple[str, ...], tuple[str, ...]] = {}


class _Draft:
    """A branch as far as it is read."""

    __slots__ = ("choices", "written")

    def __init__(self, written: dict[str, Written], choices: tuple[str, ...]) -> None:
        self.written = written
        self.choices = choices


class PatternReader:
    """branches and problems of one pattern; the branches mean something only when there are no problems."""

    def __init__(self, known: Known) -> None:
        self.problems: list[PatternError] = []
        self._drafts: list[_Draft] = [_Draft({}, ())]
        self._known = known
        self._leaves = 0
        self._conditions = 0

    def read(self, written: Any) -> None:
        if not isinstance(written, dict):
            self._refuse("", f'a pattern is a JSON object, as in {{"type": ["a"]}}, not {type_name(written)}')
            return
        self._read_object(written, None, "", self._drafts, 0)

    @property
    def branches(self) -> tuple[Branch, ...]:
        return tuple(Branch(tuple(draft.written.values()), draft.choices) for draft in self._drafts)

    def _refuse(self, pointer: str, message: str) -> None:
        self.problems.append(PatternError(pointer, None, message))

    def _read_object(
        self, members: dict[Any, Any], path: str | None, pointer: str, drafts: list[_Draft], ors: int
    ) -> None:
        for name, value in members.items():
            if not isinstance(name, str):
                self._refuse(pointer, f"names are strings, not {type_name(name)}")
                continue
            here = pointer + pointer_step(name)
            if name == "$or" and _is_or(value):
                self._read_or(value, path, here, drafts, ors + 1)
                continue
            inner = self._path(path, name, here)
            if inner is None:
                continue
            if isinstance(value, dict) and value:
                self._read_object(value, inner, here, drafts, ors)
            elif isinstance(value, list) and value:
                self._read_field(inner, value, here, drafts)
            elif isinstance(value, dict):
                ask = f'{{"{name}": [{{"exists": true}}]}}'
                self._refuse(
                    here, f"an empty object asks for nothing: remove it, or ask for a field, as in {ask}"
                )
            elif isinstance(value, list):
                self._refuse(here, 'an empty list can never match: name what is wanted, as in ["a", "b"]')
            else:
                shown = show(value) if type(value) in type_names else "…"
                self._refuse(here, f"alternatives are written in a list: [{shown}]")

    def _read_or(
        self, entries: list[Any], path: str | None, pointer: str, drafts: list[_Draft], ors: int
    ) -> None:
        if len(entries) < 2:
            self._refuse(
                pointer, "`$or` lists at least two patterns: this one has one, write it without `$or`"
            )
        if ors > MAX_DEPTH:
            self._refuse(pointer, TOO_DEEP)
            return
        if len(drafts) * len(entries) > MAX_BRANCHES:
            self._refuse(
                pointer,
                f"this `$or` makes {len(drafts) * len(entries):,} combinations with those before it: "
                f"at most {MAX_BRANCHES:,} are understood; make several rules of it",
            )
            return
        if not self._count(sum(len(draft.written) for draft in drafts) * (len(entries) - 1), pointer):
            return
        grown: list[_Draft] = []
        for index, entry in enumerate(entries):
            here = f"{pointer}/{index}"
            if not isinstance(entry, dict):
                self._refuse(here, f"`$or` lists patterns, which are objects, not {type_name(entry)}")
            elif not entry:
                self._refuse(
                    here, "an empty pattern takes everything, and with it the whole `$or`: remove it"
                )
            else:
                for name in OPERATORS.keys() & entry.keys():
                    message = f"`{name}` is an operator, so it cannot name a field directly in `$or`"
                    self._refuse(here + pointer_step(name), message)
                branches = [_Draft(dict(draft.written), (*draft.choices, here)) for draft in drafts]
                self._read_object(entry, path, here, branches, ors)
                grown += branches
        drafts[:] = grown

    def _count(self, conditions: int, pointer: str) -> bool:
        """Whether so many conditions more are understood; says so once when not."""
        before = self._conditions
        self._conditions += conditions
        if self._conditions > MAX_CONDITIONS and before <= MAX_CONDITIONS:
            self._refuse(
                pointer,
                f"with all combinations of `$or` these are more than {MAX_CONDITIONS:,} conditions: "
                "at most that many are understood; make several rules of it",
            )
        return self._conditions <= MAX_CONDITIONS

    def _path(self, path: str | None, name: str, pointer: str) -> str | None:
        """The full path of a member, or None when it was refused; bounded, so that recursion is."""
        try:
            check_text(name)
        except NotUnderstood as error:
            self._refuse(pointer, error.message)
            return None
        if path is None:
            first, dot, rest = name.partition(".")
            full = _ENVELOPE.get(first, first) + dot + rest
        else:
            full = f"{path}.{name}"
        if len(full) > MAX_PATH:
            self._refuse(
                pointer, f"the path has {len(full):,} characters: at most {MAX_PATH:,} are understood"
            )
        elif full.count(".") >= MAX_DEPTH:
            self._refuse(pointer, TOO_DEEP)
        else:
            return full
        return None

    def _read_field(self, path: str, written: list[Any], pointer: str, drafts: list[_Draft]) -> None:
        before = self._leaves
        self._leaves += len(written)
        if self._leaves > MAX_LEAVES:
            if before <= MAX_LEAVES:
                self._refuse(
                    pointer, f"more than {MAX_LEAVES:,} alternatives: at most that many are understood"
                )
            return
        if not self._count(len(drafts), pointer):
            return
        alternatives = tuple(dict.fromkeys(self._alternatives(written, pointer)))
        here = Written(self._requirement(path, alternatives), pointer)
        for draft in drafts:
            first = draft.written.setdefault(path, here)
            if first is not here:
                self._refuse(
                    pointer,
                    f"`{path}` is asked for at {first.pointer} already: put all its alternatives into one list",
                )
                return

    def _requirement(self, path: str, alternatives: tuple[Alternative, ...]) -> Requirement:
        place = (path, alternatives)
        requirement = self._known.requirements.get(place)
        if requirement is None:
            requirement = self._known.requirements[place] = Requirement(path, alternatives)
        return requirement

    def _alternatives(self, written: list[Any], pointer: str) -> Iterator[Alternative]:
        known = self._known.alternatives
        for index, entry in enumerate(written):
            # The type belongs to it: in Python 1 == True == 1.0.
            place = (type(entry), entry) if type(entry) in _SCALARS else None
            found = known.get(place)
            if found is None:
                try:
                    found = parse_alternative(entry)
                except NotUnderstood as error:
                    self._refuse(f"{pointer}/{index}{error.step}", error.message)
                    continue
                if place is not None:
                    known[place] = found
            yield found


_SCALARS = frozenset({str, int, float, bool, type(None)})


def _is_or(value: Any) -> bool:
    """Whether the value of a member called `$or` makes it the operator; else it is a field of that name (as in AWS)."""
    if not isinstance(value, list):
        return False
    objects = [entry for entry in value if isinstance(entry, dict)]
    return any(not entry or not entry.keys() <= OPERATORS.keys() for entry in objects)
