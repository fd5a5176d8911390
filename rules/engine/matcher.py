"""All rules of a bus at once: which of them does an event meet?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from rules.engine.event import Event
from rules.engine.index import Index, IndexedRule, met
from rules.engine.leaves import NO_PATHS, Leaves, PathTree
from rules.engine.pattern import PatternError, compile_pattern
from rules.engine.selectivity import Selectivity

Written = str | bytes | dict[str, Any]
OnError = Callable[[int, Event, Exception], None]


def compile(rules: Iterable[tuple[int, Written]], on_error: OnError | None = None) -> Matcher:
    """One matcher for (rule id, pattern) pairs; of two with one id the last counts.

    on_error(rule id, event, error) is told of every rule that raised while matching. Raises PatternError, with the
    rule id, for the first invalid pattern.
    """
    return Matcher((), NO_PATHS, on_error, {}).with_changes(added=rules, removed=())


class _Layer:
    """An index over a part of the rules, and which of them no longer count."""

    __slots__ = ("always", "gone", "index", "rules")

    def __init__(self, rules: Mapping[int, IndexedRule]) -> None:
        self.rules = rules
        self.gone: frozenset[int] = frozenset()
        self.always = [rule.rule_id for rule in rules.values() if not rule.requirements]
        filed = [(rule, rule.requirements) for rule in rules.values() if rule.requirements]
        self.index = Index(filed, Selectivity(requirements for _, requirements in filed)) if filed else None

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
        layer = object.__new__(_Layer)
        layer.rules, layer.gone, layer.always, layer.index = self.rules, gone, self.always, self.index
        return layer if 2 * len(gone) <= len(self.rules) else _Layer(layer.living())

    def find(self, leaves: Leaves, failed: Callable[[IndexedRule, Exception], None]) -> set[int]:
        found = list(self.always)
        if self.index is not None:
            try:
                self.index.find(leaves, found, failed)
            except Exception:
                # Nobody knows whose fault it was: each rule is asked by itself, so that only the guilty one fails.
                found = self._ask_each(leaves, failed)
        return set(found) - self.gone if self.gone else set(found)

    def _ask_each(self, leaves: Leaves, failed: Callable[[IndexedRule, Exception], None]) -> list[int]:
        found = []
        for rule in self.living().values():
            try:
                if met(rule, leaves):
                    found.append(rule.rule_id)
            except Exception as error:
                failed(rule, error)
        return found


class Matcher:
    """The compiled rules. Its rules never change: `with_changes` gives another matcher; any thread may use it.

    failures: rule id → the last error it raised while matching. A matcher made from this one starts with those of
    the rules that did not change.
    """

    def __init__(
        self,
        layers: tuple[_Layer, ...],
        tree: PathTree,
        on_error: OnError | None,
        failures: dict[int, Exception],
    ) -> None:
        self._layers = layers
        self._tree = tree
        self._on_error = on_error
        self.failures = failures

    def __len__(self) -> int:
        return sum(layer.size for layer in self._layers)

    def match(self, event: Event) -> list[int]:
        """Sorted ids of the rules the event meets. Never raises: a rule that does counts as not met, see `failures`."""
        if not self._layers:
            return []
        leaves = Leaves(event, self._tree)

        def failed(rule: IndexedRule, error: Exception) -> None:
            self.failures[rule.rule_id] = error
            if self._on_error is not None:
                with suppress(Exception):
                    self._on_error(rule.rule_id, event, error)

        found: set[int] = set()
        for layer in self._layers:
            found |= layer.find(leaves, failed)
        return sorted(found)

    def with_changes(self, added: Iterable[tuple[int, Written]], removed: Iterable[int]) -> Matcher:
        """This matcher's rules without `removed` (unknown ids are fine), with `added`; an id that exists is replaced.

        One rule costs well under a millisecond, whatever the number of rules; now and then layers are merged, so
        that n rules added one by one cost about log2(n) times what compiling them at once costs.
        Raises PatternError, with the rule id, for the first invalid pattern.
        """
        fresh = {rule_id: _indexed(rule_id, pattern) for rule_id, pattern in added}
        stale = {*removed, *fresh}
        layers = [layer.without(stale) for layer in self._layers]
        if fresh:
            # Layers at least halve in size, so there are never more than log2(rules) of them.
            while layers and layers[-1].size <= 2 * len(fresh):
                fresh = {**layers.pop().living(), **fresh}
            layers.append(_Layer(fresh))
        layers = [layer for layer in layers if layer.size]
        # With one layer built just now, the paths of rules long removed can go too.
        kept = self._tree if len(layers) > 1 or not fresh else NO_PATHS
        paths = {requirement.path for rule in fresh.values() for requirement in rule.requirements}
        tree = kept.with_paths(paths)
        failures = {rule_id: error for rule_id, error in self.failures.items() if rule_id not in stale}
        return Matcher(tuple(layers), tree, self._on_error, failures)


def _indexed(rule_id: int, pattern: Written) -> IndexedRule:
    try:
        compiled = compile_pattern(pattern)
    except PatternError as problem:
        raise PatternError(problem.pointer, problem.line, problem.message, rule_id) from None
    return IndexedRule(
        rule_id, tuple(sorted(compiled.requirements, key=lambda requirement: requirement.path))
    )
