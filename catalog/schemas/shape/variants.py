"""Which members come with which value of a tag (`type`, `kind`, …): what a oneOf is made of."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from catalog.schemas.shape.formats import format_of
from catalog.schemas.shape.strings import keepable

TAGS = ("type", "kind", "variant", "method", "object", "event", "action", "category", "_type")
VARIANTS = 8
_MEMBERS = 48


class Variants:
    """Per tag: value → how many objects, and how often each of their members was there.

    A tag closes for good (None) when it has more than VARIANTS values, one that may not be kept, or too many members.
    """

    __slots__ = ("tags",)

    def __init__(self) -> None:
        self.tags: dict[str, dict[str, tuple[int, Counter[str]]] | None] = {}

    def open_tags(self) -> list[str]:
        """The tags still worth looking at."""
        return [tag for tag in TAGS if self.tags.get(tag, ()) is not None]

    def close(self, tag: str) -> None:
        """Forgets the tag and will not look at it again."""
        self.tags[tag] = None

    def fold(self, objects: list[dict[str, Any]], tags: list[str]) -> None:
        """Adds objects; `tags` are those of open_tags that some of them have."""
        for tag in tags:
            groups: defaultdict[Any, list[dict[str, Any]]] = defaultdict(list)
            for one in objects:
                value = one.get(tag)
                groups[value if type(value) is str else None].append(one)
            # Objects without the tag, or with one that is no string, leave the sum short of all objects: no oneOf.
            groups.pop(None, None)
            for value, group in groups.items():
                members: Counter[str] = Counter()
                for one in group:
                    members.update(one.keys())
                if not self._add(tag, value, len(group), members):
                    break

    def _add(self, tag: str, value: str, count: int, members: Counter[str]) -> bool:
        values = self.tags.setdefault(tag, {})
        if values is None:
            return False
        if value not in values:
            if len(values) >= VARIANTS or not keepable(value, format_of(value)):
                self.close(tag)
                return False
            values[value] = (0, Counter())
        before, known = values[value]
        known.update(members)
        values[value] = (before + count, known)
        if len(known) > _MEMBERS or not all(map(_plain, members)):
            self.close(tag)
            return False
        return True

    def merge(self, other: Variants) -> None:
        """Adds what `other` has seen."""
        for tag, values in other.tags.items():
            if values is None:
                self.close(tag)
                continue
            for value, (count, members) in values.items():
                if not self._add(tag, value, count, members):
                    break

    def encode(self) -> dict[str, Any]:
        """As JSON; decode reads it."""
        return {
            tag: values
            and {value: [count, dict(sorted(members.items()))] for value, (count, members) in values.items()}
            for tag, values in sorted(self.tags.items())
        }

    @classmethod
    def decode(cls, found: dict[str, Any]) -> Variants:
        """What encode wrote."""
        one = cls()
        for tag, values in found.items():
            one.tags[str(tag)] = (
                None
                if values is None
                else {str(value): (int(n), Counter(members)) for value, (n, members) in values.items()}
            )
        return one


def _plain(name: str) -> bool:
    return len(name) <= 64 and "@" not in name and name.isprintable()
