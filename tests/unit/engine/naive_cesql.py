"""CESQL once more, as plainly as possible: what compiled expressions and their conditions must be equal to.

A walk over the tree, for one event, with regular expressions for LIKE and text for casts.
"""

from __future__ import annotations

import re
from typing import Any

from rules.engine.cesql.parser import parse_tree
from rules.engine.cesql.syntax import (
    Attribute,
    Call,
    Chain,
    Comparison,
    Exists,
    In,
    Like,
    Literal,
    Negate,
    Node,
    Not,
)

LOW, HIGH = -(2**31), 2**31 - 1


class Wrong(Exception):
    """An error of any kind: the first one ends the evaluation."""


def takes(tree: Node, attributes: dict[str, Any]) -> bool:
    """Whether a filter of the expression takes an event."""
    try:
        return value(tree, attributes) is True
    except Wrong:
        return False


def value(node: Node, attributes: dict[str, Any]) -> Any:
    match node:
        case Literal():
            return node.value
        case Attribute(name=name):
            if name not in attributes:
                raise Wrong(name)
            raw = attributes[name]
            return str(raw) if type(raw) is int and not LOW <= raw <= HIGH else raw
        case Exists(name=name):
            return name in attributes or name in ("id", "source", "type", "specversion")
        case Not(operand=operand):
            if isinstance(operand, Literal) and type(operand.value) is int and operand.value != 0:
                raise Wrong("as the conformance kit has it")
            return not boolean(value(operand, attributes))
        case Negate(operand=operand):
            return ranged(-integer(value(operand, attributes)))
        case Like(operand=operand, pattern=pattern):
            return like(string(value(operand, attributes)), pattern.text)
        case In(operand=operand, items=items):
            wanted = value(operand, attributes)
            return any(cast(value(item, attributes), wanted) == wanted for item in items)
        case Comparison(operator=operator, left=left, right=right):
            return compared(operator, value(left, attributes), lambda: value(right, attributes))
        case Chain(first=first, rest=rest):
            *before, (operator, last) = rest
            start = Chain(first, tuple(before), 0, 0) if before else first
            return combined(operator, start, last, attributes)
        case Call(name=name, arguments=arguments):
            return called(name, [value(argument, attributes) for argument in arguments])


def compared(operator: str, left: Any, right: Any) -> bool:
    if operator in ("=", "!="):
        other = right()
        return (cast(left, other) == other) is (operator == "=")
    low = integer(left)
    high = integer(right())
    return {"<": low < high, "<=": low <= high, ">": low > high, ">=": low >= high}[operator]


def combined(operator: str, left: Node, right: Node, attributes: dict[str, Any]) -> Any:
    if operator in ("AND", "OR", "XOR"):
        truth = boolean(value(left, attributes))
        if operator == "XOR":
            return truth is not boolean(value(right, attributes))
        return boolean(value(right, attributes)) if truth is (operator == "AND") else truth
    x = integer(value(left, attributes))
    y = integer(value(right, attributes))
    if operator in "/%":
        if y == 0:
            raise Wrong("by 0")
        quotient = ranged(int(abs(x) // abs(y)) * (1 if (x < 0) == (y < 0) else -1)) if operator == "/" else 0
        return quotient if operator == "/" else x - y * (abs(x) // abs(y)) * (1 if (x < 0) == (y < 0) else -1)
    return ranged({"+": x + y, "-": x - y, "*": x * y}[operator])


def called(name: str, arguments: list[Any]) -> Any:
    match name, arguments:
        case "LENGTH", [text]:
            return len(string(text))
        case "CONCAT", texts:
            return "".join(map(string, texts))
        case "LOWER", [text]:
            return string(text).lower()
        case "UPPER", [text]:
            return string(text).upper()
        case "LEFT", [text, count]:
            text, count = string(text), integer(count)
            if count < 0:
                raise Wrong(name)
            return "".join(list(text)[:count])
        case "INT", [number]:
            return integer(number)
        case "BOOL", [truth]:
            return boolean(truth)
        case "STRING", [text]:
            return string(text)
    raise Wrong(name)


def like(text: str, pattern: str) -> bool:
    wild = {"%": ".*", "_": "."}
    tokens = re.findall(r"\\[%_]|.", pattern, re.DOTALL)
    expression = "".join(wild.get(token, re.escape(token[-1])) for token in tokens)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def cast(given: Any, like_this: Any) -> Any:
    return {str: string, int: integer, bool: boolean}[type(like_this)](given)


def string(given: Any) -> str:
    return given if type(given) is str else str(given).lower()


def integer(given: Any) -> int:
    if type(given) is not str:
        return int(given)
    if re.fullmatch(r"[+-]?[0-9]+", given) is None:
        raise Wrong(given)
    return ranged(int(given))


def boolean(given: Any) -> bool:
    if type(given) is not str:
        return bool(given)
    if given.lower() not in ("true", "false"):
        raise Wrong(given)
    return given.lower() == "true"


def ranged(number: int) -> int:
    if not LOW <= number <= HIGH:
        raise Wrong(number)
    return number


def filter_takes(one: dict[str, Any], attributes: dict[str, Any]) -> bool:
    """Whether a filter of the Subscriptions API takes an event."""
    [(dialect, inner)] = one.items()
    if dialect in ("all", "any"):
        return (all if dialect == "all" else any)([filter_takes(each, attributes) for each in inner])
    if dialect == "not":
        return not filter_takes(inner, attributes)
    if dialect == "sql":
        return takes(parse_tree(inner), attributes)
    found = {name: string(attributes[name]) for name in inner if name in attributes}
    tests = {"exact": str.__eq__, "prefix": str.startswith, "suffix": str.endswith}
    return len(found) == len(inner) and all(tests[dialect](found[name], inner[name]) for name in inner)


def meets(atom: Any, attributes: dict[str, Any]) -> bool:
    """Whether an event meets an atom, its alternatives understood as those of a pattern."""
    if atom.attribute not in attributes:
        return False
    leaf = attributes[atom.attribute]
    return any(_alternative(alternative, leaf) for alternative in atom.alternatives)


def _alternative(alternative: Any, leaf: Any) -> bool:
    if isinstance(alternative, dict):
        [(operator, wanted)] = alternative.items()
        if operator == "exists":
            return wanted is True
        if not isinstance(leaf, str):
            return False
        return {
            "prefix": leaf.startswith(wanted),
            "suffix": leaf.endswith(wanted),
            "contains": wanted in leaf,
        }[operator]
    return type(alternative) is type(leaf) and alternative == leaf
