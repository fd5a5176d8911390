"""Where in the text of a schema something is said: the JSON pointer (RFC 6901) of a place of the data."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from catalog.schemas.compatibility.findings import Step
from catalog.schemas.text import pointer_of

Path = tuple[str | int, ...]
_PLACES = 2000
_LISTS = ("allOf", "anyOf", "oneOf")
_SINGLE = ("then", "else", "if")


class _Reader:
    def __init__(self, root: Any) -> None:
        self.root = root
        self.left = _PLACES

    def applied(
        self, path: Path, schema: Any, seen: frozenset[str] = frozenset()
    ) -> list[tuple[Path, dict[str, Any]]]:
        """The schema objects applied at a place, with their paths."""
        self.left -= 1
        if not isinstance(schema, dict) or self.left < 0:
            return []
        found = [(path, schema)]
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference.startswith("#") and reference not in seen:
            target, value = self.at(reference)
            found += self.applied(target, value, seen | {reference})
        for word in _LISTS:
            if isinstance(schema.get(word), list):
                for index, child in enumerate(schema[word]):
                    found += self.applied((*path, word, index), child, seen)
        for word in _SINGLE:
            if word in schema:
                found += self.applied((*path, word), schema[word], seen)
        return found

    def at(self, reference: str) -> tuple[Path, Any]:
        value, path = self.root, []
        for part in reference.split("/")[1:]:
            part = unquote(part).replace("~1", "/").replace("~0", "~")
            key: str | int = int(part) if isinstance(value, list) and part.isdigit() else part
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return (), None
            path.append(key)
        return tuple(path), value

    def below(self, path: Path, schema: dict[str, Any], step: Step) -> list[tuple[Path, Any]]:
        kind, key = step
        if kind == "entry":
            for word in ("prefixItems", "items"):
                listed = schema.get(word)
                if isinstance(listed, list) and isinstance(key, int) and key < len(listed):
                    return [((*path, word, key), listed[key])]
            for word in ("items", "additionalItems"):
                if isinstance(schema.get(word), dict | bool):
                    return [((*path, word), schema[word])]
            return []
        members = schema.get("properties")
        if isinstance(members, dict) and key in members:
            return [((*path, "properties", key), members[key])]
        if kind == "unknown":
            named = schema.get("patternProperties")
            found = (
                [((*path, "patternProperties", n), c) for n, c in named.items()]
                if isinstance(named, dict)
                else []
            )
            if isinstance(schema.get("additionalProperties"), dict | bool):
                found.append(((*path, "additionalProperties"), schema["additionalProperties"]))
            return found
        return []


def pointer_to(schema: Any, steps: tuple[Step, ...], word: str) -> str:
    """The pointer to keyword `word` where `schema` speaks of the place, else to the place, else to the nearest above."""
    reader = _Reader(schema)
    places = reader.applied((), schema)
    nearest: Path = ()
    for step in steps:
        found = [one for path, applied in places for one in reader.below(path, applied, step)]
        if not found:
            return pointer_of(nearest)
        nearest = found[0][0]
        places = [one for path, child in found for one in reader.applied(path, child)]
    for path, applied in places:
        if word in applied:
            return pointer_of((*path, word))
    return pointer_of(nearest)


def steps_of(pointer: str) -> tuple[Step, ...]:
    """The steps of a JSON pointer into data."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    return tuple(("entry", int(part)) if part.isdigit() else ("member", part) for part in parts)
