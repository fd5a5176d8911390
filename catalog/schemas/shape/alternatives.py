"""When a tag's value decides which members an object has."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.schemas.shape.node import Objects
from catalog.schemas.shape.variants import TAGS


@dataclass(frozen=True)
class Alternative:
    """One value of the tag: the members only its objects have, and those of them that all its objects have."""

    value: str
    count: int
    own: tuple[str, ...]
    always: tuple[str, ...]


@dataclass(frozen=True)
class Alternatives:
    """The tag and its values; members in none of the alternatives are common to all."""

    tag: str
    values: tuple[Alternative, ...]


def clear_alternatives(objects: Objects, least: int) -> Alternatives | None:
    """The alternatives of `objects` when they are clear, else None.

    Clear is: every object has the tag, each of its values was seen `least` times, every member belongs to one value
    or to all, and every value but at most one has a member of its own that it always has.
    """
    if objects.full or objects.cut:
        return None
    for tag in TAGS:
        values = objects.variants.tags.get(tag)
        if values is None or len(values) < 2 or sum(count for count, _ in values.values()) != objects.count:
            continue
        if min(count for count, _ in values.values()) < least:
            continue
        found = []
        for value, (count, members) in sorted(values.items()):
            others = [theirs for one, (_, theirs) in values.items() if one != value]
            own = sorted(name for name in members if not any(name in theirs for theirs in others))
            shared = [name for name in members if name not in own]
            if not all(name in theirs for name in shared for theirs in others):
                break
            if not all(name in objects.properties for name in members):
                break
            found.append(Alternative(value, count, tuple(own), tuple(n for n in own if members[n] == count)))
        if len(found) == len(values) and sum(not one.always for one in found) <= 1:
            return Alternatives(tag, tuple(found))
    return None
