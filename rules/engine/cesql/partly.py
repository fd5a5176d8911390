"""What an expression could give when only some attributes of an event are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rules.engine.cesql.compiler import REQUIRED, Failed, compile_tree
from rules.engine.cesql.functions import FunctionTable
from rules.engine.cesql.syntax import Attribute, Chain, Exists, Node, Not, walk
from rules.engine.cesql.values import CastFailed, to_boolean

FAILS: Final = None
Outcomes = frozenset[bool | None]
"""What may come out: true, false, or FAILS for an error, which ends the evaluation."""
ANYTHING: Outcomes = frozenset((True, False, FAILS))


def could_hold(root: Node, functions: FunctionTable, known: Mapping[str, Any]) -> Outcomes:
    """Whether a filter of this expression takes an event that has the `known` attributes, and others unknown.

    Never too few: each operand of AND, OR and XOR is looked at by itself, so one that asks for an unknown attribute
    may be anything.
    """
    if _is_known(root, known):
        try:
            return frozenset({compile_tree(root, functions)(known) is True})
        except Failed:
            return frozenset({False})
    if isinstance(root, Attribute):
        return frozenset((True, False))
    return frozenset(one is True for one in _Partly(functions, known).of(root))


def _is_known(node: Node, known: Mapping[str, Any]) -> bool:
    for inner in walk(node):
        if isinstance(inner, Attribute) and inner.name not in known:
            return False
        if isinstance(inner, Exists) and inner.name not in known and inner.name not in REQUIRED:
            return False
    return True


class _Partly:
    def __init__(self, functions: FunctionTable, known: Mapping[str, Any]) -> None:
        self._functions = functions
        self._known = known

    def of(self, node: Node) -> Outcomes:
        """What a node could be, cast to boolean."""
        if _is_known(node, self._known):
            try:
                return frozenset({to_boolean(compile_tree(node, self._functions)(self._known))})
            except (Failed, CastFailed):
                return frozenset({FAILS})
        if isinstance(node, Not):
            return frozenset(FAILS if one is FAILS else not one for one in self.of(node.operand))
        if isinstance(node, Chain) and node.is_logic:
            return self._logic(node)
        return ANYTHING

    def _logic(self, node: Chain) -> Outcomes:
        """From left to right, as the evaluation does it: what AND and OR need not know cannot fail either."""
        so_far = self.of(node.first)
        for operator, operand in node.rest:
            found: set[bool | None] = set()
            for one in so_far:
                if one is FAILS:
                    found.add(FAILS)
                elif operator == "XOR":
                    found.update(FAILS if other is FAILS else one is not other for other in self.of(operand))
                elif one is (operator == "AND"):
                    found.update(self.of(operand))
                else:
                    found.add(one)
            so_far = frozenset(found)
        return so_far
