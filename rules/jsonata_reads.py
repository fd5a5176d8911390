"""What a JSONata expression reads of an event, as far as it can be told without evaluating it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any, Final

from rules.engine.jsonata import compile_expression

Place = tuple[str | int, ...]


class Every(Enum):
    """The type of EVERY, all members of an object."""

    EVERY = "*"


EVERY: Final = Every.EVERY
Steps = tuple[str | int | Every, ...]

# What of an expression is evaluated with the same input as the expression itself.
_INNER = ("lhs", "rhs", "expression", "condition", "then", "_else", "body")
_INNER_LISTS = ("arguments", "expressions")


def reads_in(expression: str) -> list[Steps]:
    """The paths from the event's root that the expression follows, each as far as it is told by names, numbers and *.

    Raises TransformError.
    """
    return list(dict.fromkeys(_reads(compile_expression(expression).ast, ())))


def places_at(steps: Sequence[str | int | Every], value: Any, at: Place = ()) -> Iterator[Place]:
    """The places that a path leads to in a JSON value: as in JSONata, a name asks each element of a list."""
    if not steps:
        yield at
        return
    step, rest = steps[0], steps[1:]
    if isinstance(value, list):
        if not isinstance(step, int):
            for index, one in enumerate(value):
                yield from places_at(steps, one, (*at, index))
        elif -len(value) <= step < len(value):
            index = step % len(value)
            yield from places_at(rest, value[index], (*at, index))
    elif isinstance(step, int):
        if step in (0, -1):  # a value alone is a list of it
            yield from places_at(rest, value, at)
    elif isinstance(value, dict):
        for name in value if isinstance(step, Every) else (step,) if step in value else ():
            yield from places_at(rest, value[name], (*at, name))


def _reads(node: Any, at: Steps) -> Iterator[Steps]:
    """The paths that a node reads when `$` is what stands at `at`."""
    if node is None:
        return
    if node.type == "path":
        yield from _path(node, at)
    elif node.type == "variable":
        if node.value in ("", "$"):
            yield at if node.value == "" else ()
    elif node.type != "transform":
        for pair in node.lhs_object or [] if node.type == "unary" else []:
            for one in pair:
                yield from _reads(one, at)
        for name in _INNER:
            if hasattr(inner := getattr(node, name, None), "type") and not (
                node.type == "bind" and name == "lhs"
            ):
                yield from _reads(inner, at)
        for name in _INNER_LISTS if node.type != "lambda" else ():
            for inner in getattr(node, name, None) or []:
                yield from _reads(inner, at)


def _path(node: Any, at: Steps) -> Iterator[Steps]:
    so_far = at
    for number, step in enumerate(node.steps):
        if number == 0 and step.type == "variable":
            if step.value not in ("", "$"):
                return  # what somebody bound to a name was read where it was bound
            so_far = at if step.value == "" else ()
        elif step.type == "name":
            so_far = (*so_far, str(step.value))
        elif step.type == "wildcard":
            so_far = (*so_far, EVERY)
        elif step.type == "sort":
            for term in step.terms:
                yield from _reads(term.expression, so_far)
        else:
            # It is evaluated for each value found so far; what it gives is no place of the event.
            yield from _reads(step, so_far) if step.type not in ("descendant", "parent") else (so_far,)
            return
        for stage in [*(step.stages or []), *(step.predicate or [])]:
            expression = getattr(stage, "expr", None)
            if expression is None:
                continue
            if expression.type == "number" and isinstance(expression.value, int):
                so_far = (*so_far, expression.value)
            else:
                yield from _reads(expression, so_far)
        if step.focus or step.index:
            break
    for pair in node.group.lhs_object if node.group else []:
        for one in pair:
            yield from _reads(one, so_far)
    if not node.group:
        yield so_far
