"""A JSON Schema proposed from what was seen, with notes for the person who decides."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from catalog.said import joined, said
from catalog.schemas.dialects import DEFAULT
from catalog.schemas.shape.accumulator import Shape
from catalog.schemas.shape.alternatives import Alternatives, clear_alternatives
from catalog.schemas.shape.base import amend
from catalog.schemas.shape.maps import read
from catalog.schemas.shape.node import Node, Objects
from catalog.schemas.shape.notes import Note, counted, share_of
from catalog.schemas.shape.paths import ENTRY, MAP_ENTRY, Path, pointer_of_path
from catalog.schemas.shape.strings import Strings
from catalog.schemas.text import parse

CHOICES = 12
# A choice must have come so often on average, and each at least thrice: what came once has unseen brothers.
_PER_CHOICE = 20
_TIMES = 3
# One value in so many times min_samples events is a constant; in fewer it is only what came so far.
_CONST = 20
_TOKEN = re.compile(r"[A-Za-z_][\w.:/+-]{0,39}")
_KINDS = ("object", "array", "string", "number", "integer", "boolean", "null")
# Names of whole numbers; any other whole number in a single example may have a fraction next time.
_WHOLE = re.compile(
    r"(?i)(.*[_-])?(id|ids|count|quantity|qty|number|no|version|revision|seq|sequence|position|index|year|port|"
    r"age|size|bytes|cents|minor|attempts?|retries|pages?|limit|offset|timestamp|ms|seconds|minutes|hours|days)"
)
_IDENTITY = re.compile(r"(?i:id|uuid|guid|key)|.*(_id|_uuid|-id)|.*[a-z](Id|ID)")


@dataclass(frozen=True)
class Proposal:
    """The proposed schema as value and as pretty JSON text, notes per path, and of how many events it was made."""

    schema: dict[str, Any]
    text: str
    notes: tuple[Note, ...]
    samples: int


def propose(shape: Shape, *, min_samples: int = 50, base: str | None = None) -> Proposal:
    """A 2020-12 schema that every event of `shape` fits.

    A member is required when it was in all of at least `min_samples` objects; enums need few values that came often.
    With `base` (text of a schema, any draft) the proposal is that schema with as little changed as the events ask
    for: members never declared are added as optional, and what the events contradict is loosened.
    Raises NotJson when `base` is no JSON.
    """
    writer = _Writer(min_samples)
    if base is None:
        schema = {"$schema": DEFAULT, **writer.schema(shape.root, ())}
        if shape.samples < min_samples:
            writer.note(
                (),
                said(
                    "Only %(n)s so far: nothing is required, nothing is closed.",
                    n=counted(shape.samples, "event"),
                ),
            )
    else:
        schema = amend(parse(base), shape.root, min_samples, writer.schema, writer.note)
    return _proposal(schema, writer, shape.samples)


def propose_from_example(value: Any) -> Proposal:
    """A schema for events like the one `value`, loose where one event cannot tell.

    Types and formats are those of the value; null says nothing. A whole number is an integer only where its name says
    so (quantity, …_count, …_id), else a number. Of the root's members, only the first that names the thing itself
    (id, key, order_id, orderId) is required. No enums, no bounds, no closed objects.
    """
    shape = Shape()
    shape.add(value)
    writer = _Writer(None)
    return _proposal({"$schema": DEFAULT, **writer.schema(shape.root, ())}, writer, 1)


def _proposal(schema: dict[str, Any], writer: _Writer, samples: int) -> Proposal:
    text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
    return Proposal(schema, text, tuple(writer.notes), samples)


class _Writer:
    """Writes schemas of nodes and collects notes. `min_samples` is None for a single example."""

    def __init__(self, min_samples: int | None) -> None:
        self.min_samples = min_samples
        self.notes: list[Note] = []

    def note(self, path: Path, sentence: str) -> None:
        self.notes.append(Note(pointer_of_path(path), sentence))

    def schema(self, node: Node, path: Path) -> dict[str, Any]:
        """The schema that all values of `node` fit."""
        seen = node.kinds()
        if not seen or set(seen) == {"null"}:
            if seen and self.min_samples is not None:
                self.note(
                    path,
                    said(
                        "always null so far, in %(n)s: any value is allowed", n=counted(node.count, "value")
                    ),
                )
            return {}
        kinds = [kind for kind in _KINDS if kind in seen and not (kind == "integer" and "number" in seen)]
        if kinds == ["integer"] and self._may_have_a_fraction(path):
            kinds = ["number"]
        found: dict[str, Any] = {"type": kinds[0] if len(kinds) == 1 else kinds}
        self._note_kinds(seen, node.count, path)
        if node.strings is not None:
            found.update(self._strings(node.strings, seen, path))
        if node.objects is not None:
            found.update(self._objects(node.objects, path, alone=len(seen) == 1))
        if node.arrays is not None and node.arrays.items is not None and not node.arrays.cut:
            items = self.schema(node.arrays.items, (*path, ENTRY))
            if items:
                found["items"] = items
        return found

    def _may_have_a_fraction(self, path: Path) -> bool:
        name = next((part for part in reversed(path) if part not in (ENTRY, MAP_ENTRY)), "")
        # quantityInStock and lineCount are read as quantity_In_Stock and line_Count.
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
        return self.min_samples is None and not _WHOLE.fullmatch(words)

    def _note_kinds(self, seen: dict[str, int], count: int, path: Path) -> None:
        if len(seen) < 2 or self.min_samples is None or set(seen) == {"integer", "number"}:
            return
        if len(seen) == 2 and "null" in seen:
            self.note(path, said("null in %(share)s", share=share_of(seen["null"], count)))
        else:
            parts = [
                said("%(kind)s in %(share)s", kind=kind, share=share_of(n, count)) for kind, n in seen.items()
            ]
            self.note(path, said("of several types: %(parts)s", parts=joined(parts, ", ")))

    def _strings(self, strings: Strings, seen: dict[str, int], path: Path) -> dict[str, Any]:
        if strings.format:
            return {"format": strings.format}
        if self.min_samples is None:
            return {}
        near = max(strings.votes.items(), key=lambda vote: vote[1], default=("", 0))
        if 10 * near[1] >= 9 * strings.count:
            self.note(
                path,
                said(
                    "%(kind)s in %(share)s, but not always",
                    kind=near[0],
                    share=share_of(near[1], strings.count),
                ),
            )
        if strings.many or strings.unkept or set(seen) - {"string", "null"}:
            return {}
        values = sorted(strings.values)
        if len(values) == 1:
            if (
                strings.count >= _CONST * self.min_samples
                and "null" not in seen
                and _TOKEN.fullmatch(values[0])
            ):
                self.note(
                    path,
                    said("always “%(value)s”, in %(n)s", value=values[0], n=counted(strings.count, "value")),
                )
                return {"const": values[0]}
            self.note(
                path,
                said(
                    "always “%(value)s” so far, in %(n)s", value=values[0], n=counted(strings.count, "value")
                ),
            )
            return {}
        if (
            len(values) > CHOICES
            or strings.count < max(self.min_samples, _PER_CHOICE * len(values))
            or min(strings.values.values()) < _TIMES
            or not all(map(_TOKEN.fullmatch, values))
        ):
            return {}
        self.note(path, said("one of %(few)s in %(n)s", few=len(values), n=counted(strings.count, "value")))
        return {"enum": [*values, None] if "null" in seen else values}

    def _objects(self, objects: Objects, path: Path, alone: bool) -> dict[str, Any]:
        reading = read(objects)
        found: dict[str, Any] = {}
        least = self.min_samples
        alternatives = None
        if alone and least is not None and reading.entries is None:
            alternatives = clear_alternatives(objects, max(1, least // 2))
        own = {name for one in alternatives.values for name in one.own} if alternatives else set()
        names = self._ordered(reading.fields, objects)
        properties: dict[str, Any] = {}
        for name in names:
            child = reading.fields[name]
            if least is not None and child.count < objects.count and name not in own:
                values = {"share": share_of(child.count, objects.count), "n": f"{objects.count:,}"}
                self.note(
                    (*path, name),
                    said("in %(share)s of %(n)s objects", **values)
                    if path
                    else said("in %(share)s of %(n)s events", **values),
                )
            properties[name] = self.schema(child, (*path, name))
        common = {name: schema for name, schema in properties.items() if name not in own}
        if common:
            found["properties"] = common
        required = self._required(reading.fields, objects, path)
        if required:
            found["required"] = required
        if reading.entries is not None:
            self.note(
                path,
                said("looks like a map: %(n)s names, one shape", n=f"{reading.names:,}")
                if reading.names
                else said("looks like a map: more names than are kept, one shape"),
            )
            if entries := self.schema(reading.entries, (*path, MAP_ENTRY)):
                found["additionalProperties"] = entries
        elif objects.full or objects.cut:
            self.note(path, said("more names or levels than are kept: only some of its fields are listed"))
        if alternatives is not None:
            found["oneOf"] = self._one_of(alternatives, properties, path)
        return found

    def _one_of(
        self, alternatives: Alternatives, properties: dict[str, Any], path: Path
    ) -> list[dict[str, Any]]:
        assert self.min_samples is not None
        tag = alternatives.tag
        self.note(
            (*path, tag),
            said("decides which fields there are: %(n)s alternatives", n=len(alternatives.values)),
        )
        return [
            {
                "properties": {tag: {"const": one.value}, **{name: properties[name] for name in one.own}},
                "required": [tag, *(one.always if one.count >= self.min_samples else ())],
            }
            for one in alternatives.values
        ]

    def _ordered(self, fields: dict[str, Node], objects: Objects) -> list[str]:
        if self.min_samples is None:
            return list(fields)  # as the author of the example wrote them
        by_presence: Callable[[str], tuple[int, str]] = lambda name: (-fields[name].count, name)  # noqa: E731
        return sorted(fields, key=by_presence)

    def _required(self, fields: dict[str, Node], objects: Objects, path: Path) -> list[str]:
        if self.min_samples is None:
            if path:
                return []
            identities = [n for n, child in fields.items() if _IDENTITY.fullmatch(n) and not child.nulls]
            return identities[:1]
        if objects.count < self.min_samples:
            return []
        return sorted(name for name, child in fields.items() if child.count == objects.count)
