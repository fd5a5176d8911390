"""What a transform reads: its places in an event; the paths that no event has, and which known one is meant instead."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from rules.engine import Event, Transform, TransformError
from rules.engine.event import ABSENT
from rules.engine.json_path import Reading
from rules.engine.json_path_places import Place, places
from rules.engine.jsonata import compile_expression
from rules.engine.partial import event_path
from rules.engine.transform_error import TooManySteps
from rules.jsonata_reads import places_at, reads_in

MOST_PATHS, MOST_PLACES = 60, 5_000
_ENTRY = re.compile(r"\[(?:[0-9]+|\*)\]")
# What of an expression is evaluated with the same `$` as the expression itself.
_SAME_INPUT = ("lhs", "rhs", "expression", "condition", "then", "_else")
_SAME_INPUT_LISTS = ("arguments", "expressions")


class Read(NamedTuple):
    """A path as people write it, without `$.`, and whether an event has something there."""

    path: str
    is_in: Callable[[Reading], bool]


def reads_of(spec: dict[str, Any], transform: Transform) -> list[Read]:
    """What `transform`, compiled from `spec`, reads; of JSONata the paths from the event's root, as far as they are names."""
    if spec["kind"] == "jsonata":
        ast = compile_expression(spec["expression"]).ast
        listed = list(dict.fromkeys(_paths(ast)))[:MOST_PATHS]
        return [Read(".".join(names), _by_names(names)) for names in listed]
    return [Read(text.removeprefix("$."), _by_path(text)) for text in transform.reads[:MOST_PATHS]]


def places_read(spec: dict[str, Any], transform: Transform, event: Event) -> set[Place]:
    """The places of an event, names and indexes from its root, whose values `transform`, compiled from `spec`, reads.

    Of a path with a condition the places that meet it. Empty when all of it is read, as without a transform.
    """
    reading = Reading(event)
    if spec["kind"] == "jsonata":
        listed = [places_at(steps, reading.whole) for steps in reads_in(spec["expression"])[:MOST_PATHS]]
        found = {place for places in listed for place in islice(places, MOST_PLACES)}
    else:
        found = set()
        for text in transform.reads[:MOST_PATHS]:
            try:
                found.update(places(event_path(text, text).query, reading.whole, reading.steps)[:MOST_PLACES])
            except TooManySteps:
                break
    return found - {()}


def nearest(path: str, places: Iterable[str]) -> str | None:
    """The place that `path` most likely means: "" when none is like it, None when it is one of them itself."""
    known: dict[str, str] = {}
    for place in places:
        steps = place.split(".")
        for size in range(1, len(steps) + 1):
            one = ".".join(steps[:size])
            known.setdefault(_ENTRY.sub("", one), one if size == len(steps) else _ENTRY.sub("", one))
    bare = _ENTRY.sub("", path)
    if bare in known:
        return None
    found = difflib.get_close_matches(bare, known, 1, 0.6)
    return known[found[0]] if found else ""


def _by_path(text: str) -> Callable[[Reading], bool]:
    path = event_path(text, text)

    def is_in(reading: Reading) -> bool:
        try:
            value = path.value(reading)
        except TransformError:
            return True
        return value is not ABSENT if path.is_definite else bool(value)

    return is_in


def _by_names(names: Sequence[str]) -> Callable[[Reading], bool]:
    return lambda reading: has_at(reading.whole, names)


def has_at(value: Any, names: Sequence[str]) -> bool:
    """Whether parsed JSON has something at these member names, in any entry of a list on the way."""
    if isinstance(value, list):
        return any(has_at(one, names) for one in value)
    if not names:
        return True
    return isinstance(value, dict) and names[0] in value and has_at(value[names[0]], names[1:])


def _paths(node: Any) -> Iterator[tuple[str, ...]]:
    """The names that each path from the root begins with. What another input may have is left out."""
    if node is None:
        return
    if node.type == "path":
        names: list[str] = []
        for at, step in enumerate(node.steps):
            if at == 0 and step.type == "variable" and step.value in ("", "$"):
                continue
            if step.type != "name":
                break
            names.append(str(step.value))
            if step.stages or step.predicate or step.focus or step.index:
                break
        first = node.steps[0] if node.steps else None
        if names:
            yield tuple(names)
        elif first is not None and first.type not in ("name", "variable", "wildcard", "descendant", "parent"):
            yield from _paths(first)
        return
    if node.type in ("lambda", "transform"):
        return
    for pair in node.lhs_object or [] if node.type == "unary" else []:
        for one in pair:
            yield from _paths(one)
    for name in _SAME_INPUT:
        if hasattr(inner := getattr(node, name, None), "type"):
            yield from _paths(inner)
    for name in _SAME_INPUT_LISTS:
        for inner in getattr(node, name, None) or []:
            yield from _paths(inner)
