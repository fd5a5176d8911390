"""Which personal fields of an event a transform sends. Never too few: what cannot be told counts as all of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any

from rules.engine import TransformError, compile_transform
from rules.engine.jsonata import compile_expression
from rules.jsonata_reads import EVERY, reads_in


class Wide(Enum):
    """Steps that lead to several places: anywhere below, or to each member or element."""

    ANYTHING = "…"
    EACH = "[*]"


ENTRIES = "[]"
"""The part of a personal field's path that stands for the elements of a list."""

Step = Any
"""A name, an index, Wide, or EVERY of JSONata: each member, of a list's elements too."""

_STEP = re.compile(
    r"""\.(?P<name>[^\s.\[\]*@()'"\\{}$?,:]+)|\['(?P<single>[^'\\]*)'\]|\["(?P<double>[^"\\]*)"\]"""
    r"|\[(?P<index>-?[0-9]+)\]|(?P<every>\.\*|\[\*\])"
)
_LITERALS = frozenset({"string", "number", "value", "regex", "variable"})
# Their first argument is the value around the call when it is left out, and they take the one that follows for theirs.
_OF_WHAT_IS_AROUND = frozenset({"lookup", "each", "sift"})


READS = "settings_read"
"""Beside a transform's members: the paths (JSONPath) that the target's settings read and send, too."""


def fields_sent(sends: Mapping[str, Any], personal: Sequence[str]) -> tuple[str, ...]:
    """Those of `personal` (paths of data, as in customer.email or lines[].name) that a transform's spec may send.

    `sends` is the spec, with READS or without.
    """
    if not personal:
        return ()
    reads = _reads({name: value for name, value in sends.items() if name != READS})
    if reads is None:
        return tuple(personal)
    return _fields_at([*reads, *map(_steps, sends.get(READS, ()))], personal)


def fields_read(paths: Iterable[str], personal: Sequence[str]) -> tuple[str, ...]:
    """Those of `personal` that these paths (JSONPath) lead to."""
    return _fields_at([_steps(path) for path in paths], personal)


def _fields_at(reads: Sequence[Sequence[Step]], personal: Sequence[str]) -> tuple[str, ...]:
    """Those of `personal` that what is read holds, is in, or is."""
    return tuple(path for path in personal if any(_meets(steps, _parts(path)) for steps in reads))


def _reads(transform: Mapping[str, Any]) -> list[tuple[Step, ...]] | None:
    """What it reads, as steps from the event's root; None when that cannot be told."""
    spec = dict(transform) or {"kind": "complete"}
    try:
        if spec.get("kind") == "jsonata":
            expression = spec["expression"]
            if not _is_told(compile_expression(expression).ast, False):
                return None
            return list(reads_in(expression))
        return [_steps(text) for text in compile_transform(spec).reads]
    except (TransformError, KeyError, TypeError):
        return None


def _steps(text: str) -> tuple[Step, ...]:
    """The steps of JSONPath `text`; from the first that is not understood on, anything."""
    at = 1
    steps: list[Step] = []
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            # A condition may ask of any place of the event.
            return (Wide.ANYTHING,) if "?" in text[at:] else (*steps, Wide.ANYTHING)
        if found["every"]:
            steps.append(Wide.EACH)
        elif found["index"]:
            steps.append(int(found["index"]))
        else:
            steps.append(
                next(name for name in (found["name"], found["single"], found["double"]) if name is not None)
            )
        at = found.end()
    return tuple(steps)


def _parts(personal: str) -> tuple[str, ...]:
    """The steps to a field marked as customer.email, lines[].name, or as a JSON pointer with [] for entries."""
    parts = ["data"]
    if personal.startswith("/"):
        return (*parts, *(part.replace("~1", "/").replace("~0", "~") for part in personal[1:].split("/")))
    for written in personal.split("."):
        name = written.rstrip("[]")
        lists = (len(written) - len(name)) // 2
        parts += [*([name] if name else []), *[ENTRIES] * lists]
    return tuple(parts)


def _meets(steps: Iterable[Step], parts: Sequence[str]) -> bool:
    """Whether what stands at `steps` holds the field, is in it, or is it."""
    at = {0}
    for step in steps:
        if step is Wide.ANYTHING:
            return True
        at = {after for place in at for after in _after(step, parts, place)}
        if any(place >= len(parts) for place in at):
            return True
        if not at:
            return False
    return True


def _after(step: Step, parts: Sequence[str], place: int) -> Iterator[int]:
    """Where a step leads from `place`; JSONata asks each element of a list, and takes a value for a list of it."""
    at_list = parts[place] == ENTRIES
    if isinstance(step, int):
        yield place + 1 if at_list else place
    elif step is Wide.EACH:
        yield place + 1
    else:
        while place < len(parts) and parts[place] == ENTRIES:
            place += 1
        if place == len(parts) or step is EVERY or parts[place] in (step, "*"):
            yield place + 1


def _is_told(node: Any, inside: bool) -> bool:
    """Whether all that the expression reads is in the paths that reads_in finds.

    `inside`: it is evaluated for each value of a path, so that a function may take that value unsaid.
    """
    if node is None:
        return True
    if node.focus or node.index or getattr(node, "ancestor", None):
        return False
    if node.type == "path":
        return _is_path_told(node, inside)
    if node.group or node.stages or node.predicate:
        return False
    if node.type in _LITERALS:
        return True
    if node.type == "function" and (inside or not _names_its_values(node)):
        return False
    inner = _inner(node)
    return inner is not None and all(_is_told(one, inside) for one in inner)


def _names_its_values(node: Any) -> bool:
    procedure = node.procedure
    if getattr(procedure, "type", None) != "variable":
        return False
    return len(node.arguments or []) >= (2 if procedure.value in _OF_WHAT_IS_AROUND else 1)


def _inner(node: Any) -> list[Any] | None:
    """What a node evaluates with its own input; None for a kind whose reading is not told."""
    if node.type == "unary":
        pairs = [one for pair in node.lhs_object or [] for one in pair]
        return [*pairs, node.expression, *(node.expressions or [])]
    if node.type == "binary":
        return [node.lhs, node.rhs]
    if node.type == "condition":
        return [node.condition, node.then, node._else]
    if node.type == "block":
        return list(node.expressions or [])
    return list(node.arguments or []) if node.type == "function" else None


def _is_path_told(node: Any, inside: bool) -> bool:
    for number, step in enumerate(node.steps):
        if step.focus or step.index or getattr(step, "ancestor", None):
            return False
        if step.type in ("name", "wildcard") or (number == 0 and step.type == "variable"):
            if step.type == "variable" and step.value not in ("", "$"):
                return False
            if not all(_is_told(one, True) for one in _conditions(step)):
                return False
        elif (
            number < len(node.steps) - 1
            or node.group
            or step.stages
            or step.predicate
            or not _is_told(step, True if number else inside)
        ):
            return False
    pairs = node.group.lhs_object if node.group else []
    return all(_is_told(one, True) for pair in pairs for one in pair)


def _conditions(step: Any) -> Iterator[Any]:
    for stage in [*(step.stages or []), *(step.predicate or [])]:
        expression = getattr(stage, "expr", None)
        if expression is None:
            yield stage
        else:
            yield expression
