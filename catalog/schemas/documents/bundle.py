"""One schema out of a document, with all that it refers to, as a JSON Schema that stands alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catalog.schemas.documents.pointers import pointer_to
from catalog.schemas.keywords import put_inner
from catalog.schemas.local import look_up, steps_of
from catalog.schemas.text import pointer_of

# Nodes and parts that one schema may come to; a schema above them is larger than one may be anyway.
SCHEMAS = 20_000
PARTS = 2_000

Convert = Callable[[Any], Any]


class NotBundled(ValueError):
    """The schema cannot stand alone; `pointer` is the place in the document."""

    def __init__(self, message: str, pointer: str) -> None:
        super().__init__(message)
        self.pointer = pointer


class Bundle:
    """`schema` stands alone; `place_of` leads from a pointer in it to the pointer in the document it came from."""

    def __init__(self, schema: Any, places: dict[str, str]) -> None:
        self.schema = schema
        self._places = places

    def place_of(self, pointer: str) -> str:
        """Where in the document the value at `pointer` of the bundled schema was written."""
        start = pointer
        while start not in self._places:
            start = start.rpartition("/")[0]
        return self._places[start] + pointer[len(start) :]


def bundle(
    whole: Any, schema: Any, pointer: str, dialect: str, kept: str, convert: Convert | None = None
) -> Bundle:
    """The schema at `pointer` of the document `whole`, with what it refers to under `kept` ($defs or definitions).

    dialect: what its `$schema` becomes. convert: makes each part a JSON Schema of that dialect first.
    Raises NotBundled for references that leave the document, lead nowhere or are too many.
    """
    return _Bundling(whole, dialect, kept, convert or (lambda part: part)).bundle(schema, pointer)


class _Bundling:
    def __init__(self, whole: Any, dialect: str, kept: str, convert: Convert) -> None:
        self.whole, self.dialect, self.kept, self.convert = whole, dialect, kept, convert
        self.names: dict[str, str] = {}
        self.taken: set[str] = set()
        self.todo: list[tuple[str, str]] = []
        self.left = SCHEMAS

    def bundle(self, schema: Any, pointer: str) -> Bundle:
        root, pointer = self.followed(schema, pointer)
        if isinstance(root, bool):
            return Bundle(root, {"": pointer})
        if not isinstance(root, dict):
            raise NotBundled("A schema must be an object, or true or false.", pointer)
        self.names[pointer] = ""
        own = root.get(self.kept)
        own = own if isinstance(own, dict) else {}
        self.taken.update(own)
        whole = self.part(root, pointer)
        places = {"": pointer}
        parts: dict[str, Any] = {}
        while self.todo:
            name, place = self.todo.pop(0)
            value = look_up(self.whole, f"#{place}")
            parts[name] = self.part(value, place)
            places[f"/{self.kept}{pointer_of([name])}"] = place
        whole = {"$schema": self.dialect, **{key: one for key, one in whole.items() if key != "$schema"}}
        if parts:
            whole[self.kept] = {**(whole.get(self.kept) or {}), **parts}
        return Bundle(whole, places)

    def followed(self, schema: Any, pointer: str) -> tuple[Any, str]:
        """What a schema that is only a reference means."""
        seen: set[str] = set()
        while isinstance(schema, dict) and set(schema) == {"$ref"} and isinstance(schema["$ref"], str):
            reference = schema["$ref"]
            if steps_of(reference) is None:
                break
            if reference in seen:
                raise NotBundled("This $ref leads only back to itself.", pointer)
            seen.add(reference)
            schema, pointer = self.at(reference, pointer), pointer_to(reference)
        return schema, pointer

    def at(self, reference: str, pointer: str) -> Any:
        try:
            return look_up(self.whole, reference)
        except LookupError:
            raise NotBundled(
                f"“{reference[:120]}” does not exist in this document.", f"{pointer}/$ref"
            ) from None

    def part(self, schema: Any, pointer: str) -> Any:
        converted = self.convert(schema)
        return self.rewritten(converted, pointer)

    def rewritten(self, schema: Any, pointer: str) -> Any:
        """A copy whose references point into the bundle."""
        self.left -= 1
        if self.left < 0:
            raise NotBundled("The schema refers to more than one schema may hold. Split it.", pointer)
        if not isinstance(schema, dict):
            return schema
        copied = {key: value for key, value in schema.items() if key not in ("$id", "$schema")}
        if isinstance(reference := schema.get("$ref"), str):
            copied["$ref"] = self.reference(reference, pointer)
        put_inner(
            copied, schema, lambda inner: self.rewritten(inner.schema, pointer + pointer_of(inner.path))
        )
        return copied

    def reference(self, reference: str, pointer: str) -> str:
        if steps_of(reference) is None:
            if reference.startswith("#"):
                return reference
            raise NotBundled(
                f"“{reference[:120]}” points outside this document, and nothing is fetched.",
                f"{pointer}/$ref",
            )
        self.at(reference, pointer)
        place = pointer_to(reference)
        if place not in self.names:
            if len(self.names) >= PARTS:
                raise NotBundled(f"The schema refers to more than {PARTS:,} others.", pointer)
            self.names[place] = self.name(place)
            self.todo.append((self.names[place], place))
        name = self.names[place]
        return f"#/{self.kept}{pointer_of([name])}" if name else "#"

    def name(self, place: str) -> str:
        last = (steps_of(f"#{place}") or ("part",))[-1]
        name, number = last, 1
        while not name or name in self.taken:
            number += 1
            name = f"{last}_{number}"
        self.taken.add(name)
        return name
