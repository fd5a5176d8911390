"""Whether an object is a map: many names, each rare, all with values of one shape."""

from __future__ import annotations

import re
from dataclasses import dataclass

from catalog.schemas.shape.node import Budget, Node, Objects

_OBJECTS = 20
_NAMES = 12
_RARE_NAMES = 20
# Names that a program made: only digits, a UUID, a date, or four digits in a row.
_MADE = re.compile(r"\d+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}|\d{4}-\d\d-\d\d|[\w.:-]*\d{4}[\w.:-]*")


@dataclass(frozen=True)
class Reading:
    """An object's members as a person would declare them: by name, and one shape for all the others, if any.

    `names` is how many different names that one shape stands for, None when more than were kept.
    """

    fields: dict[str, Node]
    entries: Node | None
    names: int | None = None


def read(objects: Objects) -> Reading:
    """The fixed fields of `objects`, and the shape of a map's entries when it looks like one."""
    if objects.full:
        whole = not objects.properties and objects.rest is not None and not objects.cut
        return Reading(dict(objects.properties), objects.rest if whole else None)
    made = [name for name in objects.properties if _MADE.fullmatch(name)]
    if len(made) >= 2 and len(made) == len(objects.properties) and _alike(list(objects.properties.values())):
        return Reading({}, _together(objects, made), len(made))
    fixed = [name for name, child in objects.properties.items() if 10 * child.count >= 9 * objects.count]
    rare = [name for name in objects.properties if name not in set(fixed)]
    if objects.count >= _OBJECTS and len(rare) >= (_RARE_NAMES if fixed else _NAMES):
        children = [objects.properties[name] for name in rare]
        most, entries = max(child.count for child in children), sum(child.count for child in children)
        seldom = 10 * most <= objects.count if fixed else 2 * most <= objects.count
        if seldom and 10 * entries < 3 * objects.count * len(rare) and _alike(children):
            fields = {name: objects.properties[name] for name in fixed}
            return Reading(fields, _together(objects, rare), len(rare))
    return Reading(dict(objects.properties), None)


def _together(objects: Objects, names: list[str]) -> Node:
    """One shape of the members `names` and of those without a name."""
    merged, budget = Node(), Budget()
    for child in (*(objects.properties[name] for name in names), objects.rest):
        if child is not None:
            merged.merge(child, budget)
    return merged


def _alike(children: list[Node]) -> bool:
    kinds: set[str] = set()
    formats: set[str] = set()
    for child in children:
        kinds.update("number" if kind == "integer" else kind for kind in child.kinds() if kind != "null")
        if child.strings is not None:
            formats.add(child.strings.format)
    return len(kinds) <= 1 and len(formats) <= 1
