"""What is a valid expression and yet can never take an event: told when a filter is written, not found out later."""

from __future__ import annotations

import difflib

from rules.engine.cesql.errors import error_at
from rules.engine.cesql.functions import FunctionTable
from rules.engine.cesql.syntax import (
    Attribute,
    Call,
    Comparison,
    In,
    Like,
    Literal,
    Node,
    Not,
    return_type,
    walk,
)
from rules.engine.cesql.values import Type


def check_filter(text: str, root: Node, functions: FunctionTable) -> None:
    """Raises CesqlError for the first such thing."""
    for node in walk(root):
        if isinstance(node, Call):
            _check_call(text, node, functions)
        elif isinstance(node, Comparison | Like | In):
            _check_negation(text, node)
    kind = return_type(root, functions)
    if kind is Type.INTEGER:
        message = "the expression gives a number, a filter gives true or false: compare it, as in LENGTH(subject) > 5"
        raise error_at(text, root.start, message)
    if kind is Type.STRING:
        message = (
            "the expression gives a string, a filter gives true or false: compare it, as in LOWER(type) = 'a'"
        )
        raise error_at(text, root.start, message)


def _check_call(text: str, node: Call, functions: FunctionTable) -> None:
    count = len(node.arguments)
    if functions.find(node.name, count) is not None:
        return
    counts = functions.counts(node.name)
    if counts:
        message = f"{node.name} takes {' or '.join(counts)} arguments, not {count}"
    else:
        close = difflib.get_close_matches(node.name[:40], functions.names, 1)
        instead = f"did you mean {close[0]}?" if close else "there are " + ", ".join(functions.names)
        message = f"there is no function {node.name}: {instead}"
    raise error_at(text, node.start, message)


def _check_negation(text: str, node: Comparison | Like | In) -> None:
    """`NOT type = 'x'` is `(NOT type) = 'x'` (CESQL §3.6): true or false, compared with a text that is neither."""
    negated = node.left if isinstance(node, Comparison) else node.operand
    if not isinstance(negated, Not) or not isinstance(negated.operand, Attribute):
        return
    if text[node.start : node.start + 1] == "(":
        return  # somebody meant it
    match node:
        case Comparison(operator="=" | "!=", right=Literal(value=str() as wanted)):
            others = [wanted]
        case In(items=items) if all(
            isinstance(item, Literal) and isinstance(item.value, str) for item in items
        ):
            others = [
                item.value for item in items if isinstance(item, Literal) and isinstance(item.value, str)
            ]
        case Like():
            others = [node.pattern.text]
        case _:
            return
    if not any(other in ("true", "false") for other in others):
        inside = text[negated.operand.start : node.end]
        message = f"NOT is applied to `{text[negated.operand.start : negated.operand.end]}` alone here: write NOT ({inside})"
        raise error_at(text, node.start, message)
