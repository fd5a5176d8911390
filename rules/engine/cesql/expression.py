"""An expression, compiled once, to be evaluated for many events."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rules.engine.cesql.compiler import Failed, compile_tree
from rules.engine.cesql.conditions import Atom, Branches, branches_of
from rules.engine.cesql.errors import EvaluationError
from rules.engine.cesql.explanation import SqlExplanation, explain_tree
from rules.engine.cesql.filter_check import check_filter
from rules.engine.cesql.functions import BUILT_IN, FunctionTable
from rules.engine.cesql.parser import parse_tree
from rules.engine.cesql.partly import Outcomes, Partly
from rules.engine.cesql.sentences import describe
from rules.engine.cesql.syntax import reading, return_type
from rules.engine.cesql.values import ZERO, Type, Value
from rules.engine.event import Event


def parse(text: str, functions: FunctionTable = BUILT_IN) -> Expression:
    """The compiled expression. Raises CesqlError with the place of the first thing wrong.

    Any valid expression is read (CESQL 1.0 §2): one that gives a number, or calls a function that `functions` does
    not have, which is an error of each evaluation (§3.5).
    """
    return Expression(text, functions)


def parse_filter(text: str, functions: FunctionTable = BUILT_IN) -> Expression:
    """Like `parse`, for a filter. Raises CesqlError also for what could never take an event: an unknown function, a
    value that is neither true nor false, `NOT type = 'x'`, which compares `NOT type`."""
    expression = Expression(text, functions)
    check_filter(expression.text, expression.tree, functions)
    return expression


class Expression:
    """A valid expression. Immutable; any thread may use it.

    text: as written; tree: as understood; functions: those it may call.
    """

    def __init__(self, text: str, functions: FunctionTable = BUILT_IN) -> None:
        """Raises CesqlError."""
        self.text = text
        self.tree = parse_tree(text)
        self.functions = functions
        self._run = compile_tree(self.tree, functions)
        self._partly: Partly | None = None

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def evaluate(self, attributes: Mapping[str, Any]) -> tuple[Value, EvaluationError | None]:
        """(value, error): fail fast (CESQL §4.1). Never raises.

        attributes: strings, integers and booleans by their CloudEvents names. With an error, the value is what the
        failing operation gives, if it is the whole expression, else the zero value of the expression's type.
        """
        try:
            return self._run(attributes), None
        except Failed as failed:
            error = EvaluationError(
                failed.kind, describe(failed, self.text), failed.node.start, failed.node.end
            )
            if failed.node is self.tree:
                return failed.value, error
            return ZERO[return_type(self.tree, self.functions) or Type.BOOLEAN], error

    def holds(self, event: Event) -> bool:
        """Whether a filter of this expression takes the event: it gives the boolean true, without an error."""
        try:
            return self._run(event.attributes) is True
        except Failed:
            return False

    def branches(self) -> list[list[Atom]]:
        """Necessary conditions: of every event that `holds`, all atoms of some branch hold.

        An empty branch says nothing; no branches at all, that no event is taken. At most conditions.MAX_BRANCHES
        of at most conditions.MAX_ATOMS, and at most one atom on an attribute in each.
        """
        return [list(branch.values()) for branch in self.conditions()]

    def conditions(self) -> Branches:
        """The branches, their atoms by attribute; to be combined with those of other filters."""
        return branches_of(self.tree, self.functions)

    def could_hold(self, known: Mapping[str, Any]) -> Outcomes:
        """What `holds` could say of an event that has the `known` attributes: true, false, or either. Never too few."""
        partly = self._partly
        if partly is None or partly.names != known.keys():
            partly = self._partly = Partly(self.tree, self.functions, frozenset(known))
        return partly.could_hold(known)

    def explain(self, event: Event) -> SqlExplanation:
        """Why the event is taken or not. Never raises."""
        return explain_tree(self.tree, self.text, self.functions, event.attributes)

    @property
    def reading(self) -> str:
        """The expression with all parentheses, as it is understood: `a OR b AND c` is `((a OR b) AND c)`."""
        return reading(self.tree, self.text)
