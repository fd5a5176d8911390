"""Expressions and their errors in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rules.engine.alternative import show
from rules.engine.cesql.compiler import Failed
from rules.engine.cesql.errors import ErrorKind
from rules.engine.cesql.like import LikePattern
from rules.engine.cesql.syntax import Call, Literal, Node

_COMPARED = {
    "=": "{}",
    "!=": "anything but {}",
    "<": "less than {}",
    "<=": "at most {}",
    ">": "more than {}",
    ">=": "at least {}",
}
_LIKE = {
    "prefix": ("a string that starts with {}", "a string that does not start with {}"),
    "suffix": ("a string that ends with {}", "a string that does not end with {}"),
    "contains": ("a string that contains {}", "a string that does not contain {}"),
}


def written(node: Node, text: str) -> str:
    """A sub-expression as it stands in a sentence: on one line, cut when long."""
    line = " ".join(text[node.start : node.end].split())
    return line if len(line) <= 80 else line[:77] + "…"


def describe(failed: Failed, text: str) -> str:
    """What went wrong, without a full stop."""
    node = failed.node
    match failed.kind:
        case ErrorKind.MISSING_ATTRIBUTE:
            return f"{written(node, text)} is not in the event"
        case ErrorKind.CAST:
            operand = failed.operand or node
            if isinstance(operand, Literal):
                return f"{written(operand, text)} is not {failed.target.value}"
            seen = f"{written(operand, text)} is {show(failed.seen)}"
            return f"{seen}, {written(node, text)} needs {failed.target.value} there"
        case ErrorKind.MISSING_FUNCTION if isinstance(node, Call):
            return f"{node.name} {failed.about}"
        case _ if isinstance(node, Call):
            return f"{written(node, text)}: {failed.about}"
        case _:
            return f"{written(node, text)} {failed.about}"


def compared(operator: str, wanted: str) -> str:
    """Ends "the rule wants …" for a comparison."""
    return _COMPARED[operator].format(wanted)


def like(pattern: LikePattern, negated: bool) -> str:
    """Ends "the rule wants …" for LIKE and NOT LIKE."""
    form = pattern.simple_form
    if form == "exact":
        return compared("!=" if negated else "=", show(pattern.exact))
    if form is None:
        return f"a string {'not ' if negated else ''}like {show(pattern.text)}"
    literal = {"prefix": pattern.prefix, "suffix": pattern.suffix}.get(form, pattern.longest_literal)
    return _LIKE[form][negated].format(show(literal))


def one_of(values: Sequence[Any], negated: bool) -> str:
    """Ends "the rule wants …" for IN and NOT IN."""
    phrases = [show(value) for value in values]
    if len(phrases) > 6:
        phrases = [*phrases[:5], f"one of {len(phrases) - 5:,} others"]
    joined = phrases[0] if len(phrases) == 1 else ", ".join(phrases[:-1]) + " or " + phrases[-1]
    return f"anything but {joined}" if negated else joined
