"""A registered schema changed as little as the events ask for."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from catalog.said import joined, said
from catalog.schemas.references import Document
from catalog.schemas.shape.formats import FORMATS
from catalog.schemas.shape.kinds import misfits
from catalog.schemas.shape.maps import read
from catalog.schemas.shape.node import Budget, Node, Objects
from catalog.schemas.shape.notes import share_of
from catalog.schemas.shape.paths import ENTRY, MAP_ENTRY, Path
from catalog.schemas.shape.strings import Strings

# What a value of an enum is, and the same for what was seen: an integer may stand for a number.
_KINDS = {bool: "boolean", int: "number", float: "number", dict: "object", list: "array"}
_KINDS_SEEN = {"integer": "number", **{kind: kind for kind in ("number", "boolean", "object", "array")}}
_TELL = Callable[[Path, str], None]
_WRITE = Callable[[Node, Path], dict[str, Any]]


def amend(base: Any, node: Node, min_samples: int, write: _WRITE, tell: _TELL) -> dict[str, Any]:
    """A copy of schema `base` in which members never declared are added and what `node` contradicts is loosened.

    Never adds to `required`. Alternatives (oneOf, anyOf, if) are left as they are: what contradicts them needs a person.
    """
    found = copy.deepcopy(base) if isinstance(base, dict) else {}
    _Amendment(found, min_samples, write, tell).at(found, node, (), frozenset(), True)
    return found


class _Amendment:
    def __init__(self, root: dict[str, Any], min_samples: int, write: _WRITE, tell: _TELL) -> None:
        self.document = Document(root)
        self.min_samples = min_samples
        self.write = write
        self.tell = tell

    def at(self, schema: Any, node: Node, path: Path, seen: frozenset[str], adding: bool) -> None:
        """Amends `schema` in place; new members are written into it when `adding`."""
        if not isinstance(schema, dict):
            return
        reference = schema.get("$ref")
        whole, _ = self.document.resolved(schema, frozenset({"#"}))
        if isinstance(reference, str) and reference.startswith("#") and reference not in seen:
            self.at(self.document.at(reference), node, path, seen | {reference}, False)
        for part in schema["allOf"] if isinstance(schema.get("allOf"), list) else ():
            self.at(part, node, path, seen, False)
        self._type(schema, node, path)
        if node.strings is not None:
            self._format(schema, node.strings, path)
        self._choices(schema, node, path)
        self._bounds(schema, node, path)
        if node.objects is not None:
            self._objects(schema, whole, node.objects, path, seen, adding)
        items = schema.get("items")
        if node.arrays is not None and node.arrays.items is not None and isinstance(items, dict):
            self.at(items, node.arrays.items, (*path, ENTRY), seen, True)

    def _type(self, schema: dict[str, Any], node: Node, path: Path) -> None:
        declared = schema.get("type")
        if not isinstance(declared, str | list):
            return
        allowed = [declared] if isinstance(declared, str) else list(declared)
        for kind, count in misfits(node, allowed).items():
            self.tell(
                path, f"{kind} in {share_of(count, node.count)}, declared {' or '.join(map(str, allowed))}"
            )
            if kind == "number" and "integer" in allowed:
                allowed.remove("integer")
            allowed.append(kind)
            schema["type"] = allowed[0] if len(allowed) == 1 else allowed

    def _format(self, schema: dict[str, Any], strings: Strings, path: Path) -> None:
        name = schema.get("format")
        if name in FORMATS and strings.votes.get(name, 0) < strings.count:
            self.tell(
                path,
                said(
                    "%(kind)s only in %(share)s",
                    kind=name,
                    share=share_of(strings.votes.get(name, 0), strings.count),
                ),
            )
            del schema["format"]

    def _choices(self, schema: dict[str, Any], node: Node, path: Path) -> None:
        choices = schema.get("enum", [schema["const"]] if "const" in schema else None)
        if not isinstance(choices, list):
            return
        others = [kind for kind in node.kinds() if kind not in ("string", "null")]
        listed = {_KINDS.get(type(choice)) for choice in choices}
        strings = node.strings
        if any(_KINDS_SEEN[kind] not in listed for kind in others):
            self.tell(
                path,
                said("also %(kinds)s: no list of values can be kept", kinds=joined(others, said(" and "))),
            )
            schema.pop("const", None)
            schema.pop("enum", None)
            return
        if others or (strings is not None and (strings.many or strings.unkept)):
            self.tell(
                path, said("perhaps more values than the declared ones, which are not kept: look at its enum")
            )
        more: list[Any] = sorted(text for text in (strings.values if strings else ()) if text not in choices)
        if node.nulls and None not in choices:
            more.append(None)
        if more:
            shown = ", ".join("null" if value is None else f"“{value}”" for value in more)
            self.tell(path, said("new values: %(values)s", values=shown))
            schema.pop("const", None)
            schema["enum"] = [*choices, *more]

    def _bounds(self, schema: dict[str, Any], node: Node, path: Path) -> None:
        numbers, strings, arrays = node.numbers, node.strings, node.arrays
        least: dict[str, Any] = {
            "minimum": numbers and numbers.least,
            "minLength": strings and strings.shortest,
            "minItems": arrays and arrays.shortest,
        }
        most: dict[str, Any] = {
            "maximum": numbers and numbers.greatest,
            "maxLength": strings and strings.longest,
            "maxItems": arrays and arrays.longest,
        }
        for bounds, sign in ((least, 1), (most, -1)):
            for keyword, seen in bounds.items():
                bound = schema.get(keyword)
                if isinstance(bound, int | float) and seen is not None and sign * seen < sign * bound:
                    self.tell(
                        path,
                        said(
                            "%(keyword)s is %(bound)s, seen was %(seen)s",
                            keyword=keyword,
                            bound=bound,
                            seen=seen,
                        ),
                    )
                    schema[keyword] = seen

    def _objects(
        self,
        schema: dict[str, Any],
        whole: dict[str, Any],
        objects: Objects,
        path: Path,
        seen: frozenset[str],
        adding: bool,
    ) -> None:
        required = schema.get("required")
        if isinstance(required, list):
            missing = [name for name in required if _count(objects, name) < objects.count]
            for name in missing:
                share = share_of(_count(objects, name), objects.count)
                self.tell(
                    (*path, str(name)),
                    said(
                        "declared required, but only in %(share)s of %(n)s",
                        share=share,
                        n=f"{objects.count:,}",
                    ),
                )
            if missing:
                schema["required"] = [name for name in required if name not in missing]
        properties = schema.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        for name, child in objects.properties.items():
            if name in properties:
                self.at(properties[name], child, (*path, name), seen, True)
        known = self.document.names(whole)
        extra = schema.get("additionalProperties")
        if isinstance(extra, dict):
            self._entries(
                extra, [name for name in objects.properties if name not in known], objects, path, seen
            )
            return
        if not adding or "patternProperties" in whole or isinstance(whole.get("additionalProperties"), dict):
            return
        reading = read(objects)
        new = sorted(
            (n for n in reading.fields if n not in known), key=lambda n: (-reading.fields[n].count, n)
        )
        for name in new:
            share = share_of(reading.fields[name].count, objects.count)
            self.tell(
                (*path, name),
                said("never declared, in %(share)s of %(n)s", share=share, n=f"{objects.count:,}"),
            )
            schema.setdefault("properties", {})[name] = self.write(reading.fields[name], (*path, name))
        if reading.entries is not None or objects.rest is not None:
            self.tell(path, said("has names that no schema can list"))
            if reading.entries is not None and extra is False and not known:
                schema["additionalProperties"] = self.write(reading.entries, (*path, MAP_ENTRY))
            elif extra is False:
                del schema["additionalProperties"]

    def _entries(
        self, extra: dict[str, Any], names: list[str], objects: Objects, path: Path, seen: frozenset[str]
    ) -> None:
        merged, budget = Node(), Budget()
        for child in (*(objects.properties[name] for name in names), objects.rest):
            if child is not None:
                merged.merge(child, budget)
        if merged.count:
            self.at(extra, merged, (*path, MAP_ENTRY), seen, True)


def _count(objects: Objects, name: object) -> int:
    child = objects.properties.get(name) if isinstance(name, str) else None
    return child.count if child is not None else 0
