"""A JSON Schema of any draft as one of draft 7 (AsyncAPI) or 2020-12 (OpenAPI 3.1), for use inside another document.

Inside another document "#" is that document, so every reference is written anew, as a pointer from its root; ids and
anchors, which tools resolve differently or not at all, are gone.

The result never refuses what the schema allows. What draft 7 cannot say is left out, and named; then what would turn
a missing condition into a stricter one (`not`, `if`, exactly one of `oneOf`) is left out or loosened, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from catalog.schemas.text import pointer_of

DRAFT_7 = 7
DRAFT_2020 = 20

_DRAFTS = {
    "http://json-schema.org/draft-04/schema": 4,
    "http://json-schema.org/draft-06/schema": 6,
    "http://json-schema.org/draft-07/schema": 7,
    "https://json-schema.org/draft/2019-09/schema": 19,
    "https://json-schema.org/draft/2020-12/schema": 20,
}
# The draft that brought a keyword; before it, the keyword meant nothing.
_SINCE = {
    "const": 6,
    "contains": 6,
    "propertyNames": 6,
    "if": 7,
    "then": 7,
    "else": 7,
    "dependentRequired": 19,
    "dependentSchemas": 19,
    "unevaluatedItems": 19,
    "unevaluatedProperties": 19,
    "minContains": 19,
    "maxContains": 19,
    "$recursiveRef": 19,
    "$dynamicRef": 20,
    "prefixItems": 20,
}
_ONE = frozenset(
    {"additionalProperties", "not", "contains", "propertyNames", "if", "then", "else", "unevaluatedItems"}
    | {"unevaluatedProperties"}
)
_LISTS = frozenset({"allOf", "anyOf", "oneOf"})
_MAPS = frozenset({"properties", "patternProperties", "dependentSchemas"})
_PARTS = ("definitions", "$defs")
# Names, places and dialects of schemas; and annotations of OpenAPI, which mean something else where we write to.
_GONE = frozenset(
    {"$schema", "$id", "id", "$anchor", "$dynamicAnchor", "$recursiveAnchor", "$vocabulary", "contentSchema"}
    | {"discriminator", "xml", "externalDocs", "nullable", "example"}
)
_UNKNOWN_TO_7 = frozenset({"unevaluatedItems", "unevaluatedProperties", "minContains", "maxContains"})
# Where a missing condition below or beside it makes a keyword refuse more.
_TURNS = frozenset({"not", "if", "then", "else", "unevaluatedItems", "unevaluatedProperties"})
# What the linear engine understands and a regular expression of ECMA-262 does not.
_NOT_ECMA = re.compile(r"\(\?(?![:=!]|<[=!A-Za-z])|\\[AzZ]|\[\[:|\\x\{|&&")


@dataclass(frozen=True, slots=True)
class Translated:
    """A schema for use at one place of a document, and the keywords it could not say, sorted."""

    schema: Any
    left_out: tuple[str, ...]


def translate(schema: Any, dialect: str, target: int, place: str) -> Translated:
    """`schema` (a value, of `dialect`) in draft `target` (DRAFT_7 or DRAFT_2020), for use at JSON pointer `place`."""
    draft = _DRAFTS[dialect]
    first = _Translation(schema, draft, target, place, careful=False).run()
    if not first.left_out:
        return first
    second = _Translation(schema, draft, target, place, careful=True).run()
    return Translated(second.schema, tuple(sorted({*first.left_out, *second.left_out})))


@dataclass(slots=True)
class _Reference:
    node: dict[str, Any]
    aim: str
    keyword: str


class _Translation:
    """One schema on its way. `places` says for each pointer of the original where its schema stands now."""

    def __init__(self, schema: Any, draft: int, target: int, place: str, careful: bool) -> None:
        self.schema, self.draft, self.target, self.place, self.careful = schema, draft, target, place, careful
        self.parts = "definitions" if target == DRAFT_7 else "$defs"
        self.places: dict[str, str] = {}
        self.references: list[_Reference] = []
        self.left_out: set[str] = set()
        self.anchors: dict[tuple[str, str], str] = {}
        self.bases: list[str] = [""]
        # How many dynamic anchors of each name there are: with one, a dynamic reference is a plain one.
        self.dynamic: dict[str, int] = {}
        if isinstance(schema, dict):
            self._look(schema, "", "")

    def run(self) -> Translated:
        root = self._schema(self.schema, "", "", "")
        more: dict[str, Any] = {}
        done = 0
        while done < len(self.references):
            reference = self.references[done]
            done += 1
            if reference.aim not in self.places:
                found, there = _at(self.schema, reference.aim)
                if not there or not isinstance(found, dict | bool):
                    del reference.node["$ref"]
                    self.left_out.add(reference.keyword)
                    continue
                name = self._free(len(more) + 1)
                base = max((one for one in self.bases if _below(reference.aim, one)), key=len)
                more[name] = self._schema(found, reference.aim, pointer_of((self.parts, name)), base)
            pointer = self.place + self.places[reference.aim]
            reference.node["$ref"] = "#" + quote(pointer, safe="/~!$&'()*+,;=:@-._")
        if more:
            root[self.parts] = more | root.get(self.parts, {})
        return Translated(root, tuple(sorted(self.left_out)))

    def _free(self, number: int) -> str:
        """A name for the part `number` that was no schema's place in the original."""
        held = self.schema.get("definitions", ()), self.schema.get("$defs", ())
        name = f"part-{number}"
        while any(name in one for one in held):
            name += "-"
        return name

    # ── what the schema names ──

    def _look(self, node: dict[str, Any], here: str, base: str) -> None:
        """Collects anchors and the places at which "#" begins to mean something else."""
        name = node.get("id" if self.draft == 4 else "$id")
        alone = self.draft <= 7 and "$ref" in node  # its neighbours count for nothing
        if isinstance(name, str) and not alone:
            if name.startswith("#"):
                self.anchors[base, name[1:]] = here
            elif here:
                base = here
                self.bases.append(here)
        if self.draft >= 19:
            for keyword in ("$anchor", "$dynamicAnchor"):
                if isinstance(anchor := node.get(keyword), str):
                    self.anchors[base, anchor] = here
            if isinstance(anchor := node.get("$dynamicAnchor"), str):
                self.dynamic[anchor] = self.dynamic.get(anchor, 0) + 1
            if node.get("$recursiveAnchor") is True:
                self.dynamic["#"] = self.dynamic.get("#", 0) + 1
        for path, child in _children(node):
            if isinstance(child, dict):
                self._look(child, here + pointer_of(path), base)

    # ── schemas ──

    def _schema(self, node: Any, old: str, new: str, base: str) -> Any:
        self.places[old] = new
        if not isinstance(node, dict):
            return node if isinstance(node, bool) else True
        if old in self.bases:
            base = old
        return _Object(self, node, old, new, base).written()


class _Object:
    """One schema object being written."""

    def __init__(self, whole: _Translation, node: dict[str, Any], old: str, new: str, base: str) -> None:
        self.whole, self.node, self.old, self.new, self.base = whole, node, old, new, base
        self.out: dict[str, Any] = {}
        # Further conditions, which go behind what `allOf` has.
        self.also: list[Any] = []
        every = node.get("allOf")
        self.own = len(every) if isinstance(every, list) and not self._alone else 0

    @property
    def _alone(self) -> bool:
        return self.whole.draft <= 7 and isinstance(self.node.get("$ref"), str)

    def written(self) -> dict[str, Any]:
        whole, node, out = self.whole, self.node, self.out
        for name, value in node.items():
            if self._alone and name not in ("$ref", *_PARTS, "title", "description"):
                continue
            if name not in _GONE and whole.draft >= _SINCE.get(name, 0):
                self._keyword(name, value)
        if self.also:
            out["allOf"] = [*out.get("allOf", ()), *self.also]
        if "$ref" in out and len(out) > 1:
            # Draft 7 ignores what stands beside a reference, and tools put its aim in the place of both.
            reference = {"$ref": out.pop("$ref")}
            whole.references[self.reference].node = reference
            out["allOf"] = [*out.get("allOf", ()), reference]
        return out

    def _keyword(self, name: str, value: Any) -> None:
        whole, node, out = self.whole, self.node, self.out
        if name in ("$ref", "$dynamicRef", "$recursiveRef"):
            self._reference(name, value)
        elif whole.careful and name in _TURNS:
            whole.left_out.add(name)
        elif whole.target == DRAFT_7 and name in _UNKNOWN_TO_7:
            if not (name == "minContains" and value in (0, 1)):
                whole.left_out.add(name)
        elif name in _ONE:
            if name == "contains" and node.get("minContains") == 0 and whole.target == DRAFT_7:
                return
            if name == "additionalProperties" and self._lost_pattern(node.get("patternProperties")):
                return
            out[name] = self._child(value, (name,), (name,))
        elif name in ("items", "prefixItems", "additionalItems"):
            self._items(name, value)
        elif name == "oneOf" and whole.careful and isinstance(value, list):
            whole.left_out.add(name)
            self._append("anyOf", value)
        elif name in _LISTS and isinstance(value, list):
            out[name] = [self._child(item, (name, i), (name, i)) for i, item in enumerate(value)]
        elif name in _PARTS and isinstance(value, dict):
            # Both may be there; then each keeps its name, which a pointer finds all the same.
            to = name if all(part in node for part in _PARTS) else whole.parts
            out[to] = {key: self._child(item, (name, key), (to, key)) for key, item in value.items()}
        elif name in ("dependencies", "dependentSchemas", "dependentRequired") and isinstance(value, dict):
            self._dependencies(name, value)
        elif name in _MAPS and isinstance(value, dict):
            kept = {
                key: item for key, item in value.items() if name != "patternProperties" or self._ecma(key)
            }
            out[name] = {key: self._child(item, (name, key), (name, key)) for key, item in kept.items()}
        elif name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum") and whole.draft == 4:
            self._bound(name, value)
        elif (name != "pattern" or self._ecma(value)) and self._mute(name, value):
            out[name] = value

    def _child(self, node: Any, old: tuple[str | int, ...], new: tuple[str | int, ...]) -> Any:
        before = pointer_of(old)
        after = before if new == old else pointer_of(new)
        return self.whole._schema(node, self.old + before, self.new + after, self.base)

    def _append(self, keyword: str, items: list[Any]) -> None:
        """A list of schemas under `oneOf` as one more condition under `keyword`."""
        at = ("allOf", self.own + len(self.also), keyword)
        self.also.append(
            {keyword: [self._child(item, ("oneOf", i), (*at, i)) for i, item in enumerate(items)]}
        )

    def _reference(self, name: str, value: Any) -> None:
        whole = self.whole
        text = unquote(value.removeprefix("#")) if isinstance(value, str) else None
        if text is None:
            return
        several = name != "$ref" and whole.dynamic.get(text or "#", 0) > 1
        aim = self.base + text if not text or text.startswith("/") else whole.anchors.get((self.base, text))
        if aim is None or several or ("$ref" in self.out and name != "$ref"):
            whole.left_out.add(name)
            return
        self.out["$ref"] = ""
        self.reference = len(whole.references)
        whole.references.append(_Reference(self.out, aim, name))

    def _items(self, name: str, value: Any) -> None:
        whole, node = self.whole, self.node
        seven = whole.target == DRAFT_7
        if whole.draft >= 20:
            each, first = "items", "prefixItems"
        else:
            each, first = "additionalItems", "items"
        tuples = isinstance(node.get(first), list)
        if name == first and tuples:
            to = "items" if seven else "prefixItems"
            self.out[to] = [self._child(item, (name, i), (to, i)) for i, item in enumerate(value)]
        elif name == each and tuples:
            to = "additionalItems" if seven else "items"
            self.out[to] = self._child(value, (name,), (to,))
        elif name == "items" and not isinstance(value, list):
            self.out["items"] = self._child(value, (name,), (name,))

    def _dependencies(self, name: str, value: dict[str, Any]) -> None:
        seven = self.whole.target == DRAFT_7
        for key, item in value.items():
            listed = isinstance(item, list)
            to = "dependencies" if seven else "dependentRequired" if listed else "dependentSchemas"
            held = self.out.setdefault(to, {})
            if key not in held:
                held[key] = item if listed else self._child(item, (name, key), (to, key))
                continue
            # Named twice, by dependentRequired and dependentSchemas or by dependencies.
            at = ("allOf", self.own + len(self.also), to, key)
            self.also.append({to: {key: item if listed else self._child(item, (name, key), at)}})

    def _bound(self, name: str, value: Any) -> None:
        """Draft 4 writes an exclusive bound as a bound and a boolean."""
        plain = name.replace("exclusiveM", "m")
        exclusive = "exclusiveM" + plain[1:]
        if name == plain:
            self.out[exclusive if self.node.get(exclusive) is True else plain] = value

    def _ecma(self, pattern: Any) -> bool:
        if isinstance(pattern, str) and _NOT_ECMA.search(pattern):
            self.whole.left_out.add("pattern")
            return False
        return True

    def _mute(self, name: str, value: Any) -> bool:
        """Whether data, or a keyword that we do not know, holds nothing that a tool would take for a reference."""
        if not isinstance(value, dict | list) or not refers(value):
            return True
        if name in ("const", "enum"):
            self.whole.left_out.add(name)
        return False

    def _lost_pattern(self, patterns: Any) -> bool:
        """Whether some of patternProperties is left out, so that what it took would be additional."""
        return isinstance(patterns, dict) and not all(self._ecma(pattern) for pattern in patterns)


def refers(value: Any) -> bool:
    """Whether `value`, which is data, has a member called $ref, which tools follow wherever it stands."""
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            if "$ref" in item:
                return True
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)
    return False


def _children(node: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """The schemas right below `node`, with their paths."""
    for name, value in node.items():
        if isinstance(value, list):
            if name in _LISTS or name in ("items", "prefixItems"):
                yield from (((name, index), item) for index, item in enumerate(value))
        elif name in _MAPS or name in _PARTS or name == "dependencies":
            if isinstance(value, dict):
                yield from (((name, key), item) for key, item in value.items())
        elif name in _ONE or name in ("items", "additionalItems"):
            yield (name,), value


def _at(schema: Any, pointer: str) -> tuple[Any, bool]:
    """What stands at a JSON pointer, and whether anything does."""
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(schema, dict) and key in schema:
            schema = schema[key]
        elif isinstance(schema, list) and key.isdigit() and int(key) < len(schema):
            schema = schema[int(key)]
        else:
            return None, False
    return schema, True


def _below(pointer: str, base: str) -> bool:
    return pointer == base or pointer.startswith(base + "/") or not base
