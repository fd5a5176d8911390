"""All rules of a bus at once: which of them does an event meet?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from rules.engine.allowance import TooMuchWork
from rules.engine.branches import Failed, IndexedBranch, IndexedRule, met
from rules.engine.event import Event
from rules.engine.filter import WrittenRule, compile_filter, requirements_of
from rules.engine.index import Index
from rules.engine.leaves import Leaves
from rules.engine.pattern_error import PatternError
from rules.engine.pattern_reader import Known
from rules.engine.requirement import Requirement, Residual
from rules.engine.selectivity import Selectivity
from rules.engine.wanted import Wanted

OnError = Callable[[int, Event, Exception], None]


def compile(rules: Iterable[tuple[int, WrittenRule]], on_error: OnError | None = None) -> Matcher:
    """One matcher for (rule id, pattern or Filter) pairs; of two with one id the last counts.

    on_error(rule id, event, error) is told of every rule that raised while matching. Raises PatternError, with the
    rule id, for the first invalid pattern.
    """
    return Matcher((), on_error, {}).with_changes(added=rules, removed=())


def matcher_of(rules: Mapping[int, IndexedRule]) -> Matcher:
    """One matcher for rules that are compiled already, by their ids."""
    return Matcher((_Layer(rules),) if rules else (), None, {})


class _Layer:
    """An index over a part of the rules, and which of them no longer count."""

    __slots__ = ("_again", "_always", "_unfiled", "_wanted", "gone", "index", "rules")

    def __init__(self, rules: Mapping[int, IndexedRule]) -> None:
        self.rules = rules
        self.gone: frozenset[int] = frozenset()
        branches = [branch for rule in rules.values() for branch in rule]
        self._always = [one.rule_id for one in branches if not one.requirements and not one.residual]
        self._again = any(not one.once and not one.requirements for one in branches)
        self._unfiled = [one for one in branches if not one.requirements and one.residual]
        filed = [(branch, branch.requirements) for branch in branches if branch.requirements]
        self.index = Index(filed, Selectivity(requirements for _, requirements in filed)) if filed else None
        self._wanted = Wanted([one for branch in branches for one in branch.requirements])

    @property
    def size(self) -> int:
        return len(self.rules) - len(self.gone)

    def living(self) -> dict[int, IndexedRule]:
        return {rule_id: rule for rule_id, rule in self.rules.items() if rule_id not in self.gone}

    def without(self, rule_ids: Iterable[int]) -> _Layer:
        """The same index with some rules gone; built anew when more than half are."""
        gone = self.gone.union(rule_id for rule_id in rule_ids if rule_id in self.rules)
        if len(gone) == len(self.gone):
            return self
        if 2 * len(gone) > len(self.rules):
            return _Layer({rule_id: rule for rule_id, rule in self.rules.items() if rule_id not in gone})
        layer = object.__new__(_Layer)
        layer.rules, layer.gone, layer.index = self.rules, gone, self.index
        layer._always, layer._unfiled, layer._wanted = self._always, self._unfiled, self._wanted
        layer._again = self._again
        return layer

    def find(self, leaves: Leaves, failed: Failed) -> list[int]:
        """Ids of the rules met, some perhaps more than once."""
        found = list(self._always)
        leaves.again |= self._again
        for branch in self._unfiled:
            _ask(branch, leaves, found, failed)
        if self.index is not None:
            try:
                self.index.find(leaves, self._wanted, found, failed)
            except Exception:
                # Nobody knows whose fault it was: each rule is asked by itself, so that only the guilty one fails.
                found = self._ask_each(leaves, failed)
        return [rule_id for rule_id in found if rule_id not in self.gone] if self.gone else found

    def _ask_each(self, leaves: Leaves, failed: Failed) -> list[int]:
        found: list[int] = []
        leaves.again = True
        for rule in self.living().values():
            for branch in rule:
                _ask(branch, leaves, found, failed)
        return found


def _ask(branch: IndexedBranch, leaves: Leaves, found: list[int], failed: Failed) -> None:
    try:
        if met(branch, leaves):
            found.append(branch.rule_id)
    except Exception as error:
        failed(branch.rule_id, error)


class Matcher:
    """The compiled rules. Its rules never change: `with_changes` gives another matcher; any thread may use it.

    failures: rule id → the last error it raised while matching. A matcher made from this one starts with those of
    the rules that did not change.
    """

    def __init__(
        self,
        layers: tuple[_Layer, ...],
        on_error: OnError | None,
        failures: dict[int, Exception],
    ) -> None:
        self._layers = layers
        self._on_error = on_error
        self.failures = failures

    def __len__(self) -> int:
        return sum(layer.size for layer in self._layers)

    def match(self, event: Event) -> list[int]:
        """Sorted ids of the rules the event meets. Never raises: a rule that does counts as not met, see `failures`."""
        if not self._layers:
            return []
        leaves = Leaves(event)
        errors: list[tuple[int, Exception]] = []

        def failed(rule_id: int, error: Exception) -> None:
            if type(error) is TooMuchWork:
                error.__traceback__ = None  # says nothing, and would keep the frames of thousands of rules
            errors.append((rule_id, error))

        found = self._layers[0].find(leaves, failed)
        for layer in self._layers[1:]:
            found += layer.find(leaves, failed)
        if errors or leaves.again:
            once = set(found)
            for rule_id, error in errors:
                if rule_id not in once:  # else another way to meet the rule was found
                    self._report(rule_id, event, error)
            return sorted(once)
        found.sort()  # it consists of a few stretches that are in order
        return found

    def _report(self, rule_id: int, event: Event, error: Exception) -> None:
        self.failures[rule_id] = error
        if self._on_error is not None:
            with suppress(Exception):
                self._on_error(rule_id, event, error)

    def with_changes(self, added: Iterable[tuple[int, WrittenRule]], removed: Iterable[int]) -> Matcher:
        """This matcher's rules without `removed` (unknown ids are fine), with `added`; an id that exists is replaced.

        One rule costs well under a millisecond, whatever the number of rules; now and then layers are merged, so
        that n rules added one by one cost about log2(n) times what compiling them at once costs.
        Raises PatternError, with the rule id, for the first invalid pattern.
        """
        known = Known()
        fresh = {rule_id: _indexed(rule_id, written, known) for rule_id, written in added}
        stale = {*removed, *fresh}
        layers = [layer.without(stale) for layer in self._layers]
        if fresh:
            # Layers at least halve in size, so there are never more than log2(rules) of them.
            while layers and layers[-1].size <= 2 * len(fresh):
                fresh = {**layers.pop().living(), **fresh}
            layers.append(_Layer(fresh))
        layers = [layer for layer in layers if layer.size]
        failures = {rule_id: error for rule_id, error in self.failures.items() if rule_id not in stale}
        return Matcher(tuple(layers), self._on_error, failures)


def _indexed(rule_id: int, written: WrittenRule, known: Known) -> IndexedRule:
    try:
        compiled = compile_filter(written, known)
    except PatternError as problem:
        raise PatternError(problem.pointer, problem.line, problem.message, rule_id, problem.column) from None
    residual = tuple(part.check for part in compiled.parts)
    extra = requirements_of(compiled, known)
    only = len(compiled.branches) == len(extra) == 1
    return tuple(
        _branch(rule_id, [*one.requirements, *more], residual, only, known)
        for one in compiled.branches
        for more in extra
    )


def _branch(
    rule_id: int, requirements: list[Requirement], residual: tuple[Residual, ...], only: bool, known: Known
) -> IndexedBranch:
    """only: the rule has no other branch."""
    in_order = tuple(sorted(requirements, key=lambda requirement: requirement.path))
    paths = tuple(requirement.path for requirement in in_order)
    once = only and all(requirement.once for requirement in in_order)
    return IndexedBranch(rule_id, in_order, known.paths.setdefault(paths, paths), residual, once)
