"""What an expression could give when only some attributes of an event are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from rules.engine.cesql.compiler import REQUIRED, Compiler, Failed
from rules.engine.cesql.functions import FunctionTable
from rules.engine.cesql.syntax import Attribute, Chain, Exists, Node, Not, walk
from rules.engine.cesql.values import CastFailed, to_boolean

FAILS: Final = None
Outcomes = frozenset[bool | None]
"""What may come out: true, false, or FAILS for an error, which ends the evaluation."""
ANYTHING: Outcomes = frozenset((True, False, FAILS))
EITHER: Outcomes = frozenset((True, False))


Read = Callable[[Mapping[str, Any]], Outcomes]


def _unknown(known: Mapping[str, Any]) -> Outcomes:
    return ANYTHING


class Partly:
    """An expression of which only the attributes in `names` are known, compiled once. Any thread may use it."""

    def __init__(self, root: Node, functions: FunctionTable, names: frozenset[str]) -> None:
        self.names = names
        self._compiler = Compiler(functions)
        self._filter = self._root(root)

    def could_hold(self, known: Mapping[str, Any]) -> Outcomes:
        """Whether the expression as a filter takes an event with these attributes: true, false, or either.

        Never too few: each operand of AND, OR and XOR is looked at by itself, so one that asks for an unknown
        attribute may be anything.
        """
        return self._filter(known)

    def _root(self, root: Node) -> Read:
        if self._is_known(root):
            run = self._compiler.run_of(root)

            def holds(known: Mapping[str, Any]) -> Outcomes:
                try:
                    return frozenset({run(known) is True})
                except Failed:
                    return frozenset({False})

            return holds
        if isinstance(root, Attribute):  # here nothing is cast
            return lambda known: EITHER
        read = self._of(root)
        return lambda known: frozenset(one is True for one in read(known))

    def _is_known(self, node: Node) -> bool:
        return all(
            inner.name in self.names or (isinstance(inner, Exists) and inner.name in REQUIRED)
            for inner in walk(node)
            if isinstance(inner, Attribute | Exists)
        )

    def _of(self, node: Node) -> Read:
        """What a node could be, cast to boolean."""
        if self._is_known(node):
            run = self._compiler.run_of(node)

            def value(known: Mapping[str, Any]) -> Outcomes:
                try:
                    return frozenset({to_boolean(run(known))})
                except (Failed, CastFailed):
                    return frozenset({FAILS})

            return value
        if isinstance(node, Not):
            inner = self._of(node.operand)
            return lambda known: frozenset(FAILS if one is FAILS else not one for one in inner(known))
        if isinstance(node, Chain) and node.is_logic:
            return self._logic(node)
        return _unknown

    def _logic(self, node: Chain) -> Read:
        """From left to right, as the evaluation does it: what AND and OR need not know cannot fail either."""
        first = self._of(node.first)
        rest = [(operator, self._of(operand)) for operator, operand in node.rest]

        def logic(known: Mapping[str, Any]) -> Outcomes:
            so_far = first(known)
            for operator, read in rest:
                found: set[bool | None] = set()
                for one in so_far:
                    if one is FAILS:
                        found.add(FAILS)
                    elif operator == "XOR":
                        found.update(FAILS if other is FAILS else one is not other for other in read(known))
                    elif one is (operator == "AND"):
                        found.update(read(known))
                    else:
                        found.add(one)
                so_far = frozenset(found)
            return so_far

        return logic
