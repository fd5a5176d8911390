"""The fields of event data, read out of a JSON Schema: for tables, for forms and for an example."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from catalog.said import said
from catalog.schemas.references import Document

# A schema may describe endless trees; people read the first levels of them.
LEVELS = 8
FIELDS = 500
PATTERN = 80  # characters that are shown of one
_BOUNDS = (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))


@dataclass(frozen=True)
class Field:
    """One field: `path` from the root of data (an array's entries are "[]"), its kind, and what to say about it.

    `kind` is object, array, string, integer, number, boolean, null or any; `words` the type as people read it;
    `choices` the values of an enum or const; `example` a value the schema itself offers (default, examples), or None;
    `limits` what else a value must keep, in a few words each: lengths, pattern, multiples, no other members.
    """

    path: tuple[str, ...]
    kind: str
    words: str
    required: bool
    meaning: str
    choices: tuple[Any, ...] = ()
    format: str = ""
    minimum: float | None = None
    example: Any = None
    children: tuple[Field, ...] = ()
    limits: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`total`; `lines[ ]` for an array."""
        last = self.path[-1] if self.path else "data"
        return f"{last}[ ]" if self.kind == "array" else last

    @property
    def depth(self) -> int:
        """0 for a member of data, one more for each object or array around it."""
        return max(sum(part != "[]" for part in self.path) - 1, 0)


def fields_of(schema: Any) -> tuple[Field, ...]:
    """The members of data as a tree; one field for data itself when it is no object; empty when nothing is said."""
    reader = _Reader(schema)
    root = reader.field(schema, (), True, 0, frozenset({"#"}))
    if root.kind == "object":
        return root.children
    return () if root.kind == "any" and not root.choices else (root,)


def rows_of(fields: tuple[Field, ...]) -> list[Field]:
    """The tree flattened in reading order."""
    rows: list[Field] = []
    for field in fields:
        # An array's own entry is said in the array's words; only what is inside it has rows.
        if field.path[-1:] != ("[]",):
            rows.append(field)
        rows.extend(rows_of(field.children))
    return rows


def sample_of(fields: tuple[Field, ...]) -> Any:
    """A value that shows what the fields look like: their examples and first choices, plain values elsewhere."""
    if len(fields) == 1 and not fields[0].path:
        return _value(fields[0])
    return _members_sample(fields)


def _members_sample(fields: tuple[Field, ...]) -> dict[str, Any]:
    found = {field.path[-1]: (field, _value(field)) for field in fields}
    return {name: value for name, (field, value) in found.items() if field.required or value is not None}


def _value(field: Field) -> Any:
    if field.example is not None:
        return field.example
    if field.choices:
        return field.choices[0]
    if field.kind == "object":
        return _members_sample(field.children)
    if field.kind == "array":
        entry = [child for child in field.children if child.path[-1] == "[]"]
        return [_value(entry[0])] if entry else [_members_sample(field.children)]
    least = field.minimum or 0
    return {
        "string": _TEXTS.get(field.format, "text"),
        "integer": int(least),
        "number": least,
        "boolean": False,
    }.get(field.kind)


_TEXTS = {
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "time": "12:00:00Z",
    "email": "someone@example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.com/",
    "duration": "PT15M",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
}


class _Reader:
    def __init__(self, root: Any) -> None:
        self.document = Document(root)
        self.left = FIELDS

    def field(
        self, schema: Any, path: tuple[str, ...], required: bool, level: int, seen: frozenset[str]
    ) -> Field:
        schema, seen = self.document.resolved(schema, seen)
        kind, nullable = _kind(schema)
        found = Field(
            path,
            kind,
            "",
            required,
            str(schema.get("description") or schema.get("title") or ""),
            _choices(schema),
            str(schema.get("format", "")),
            _number(schema.get("minimum")),
            _example(schema),
        )
        found = replace(found, words=_words(found, schema, nullable), limits=tuple(_limits(schema)))
        if level >= LEVELS or self.left <= 0:
            return found
        if kind == "object":
            return replace(found, children=self.members(schema, path, level, seen))
        if kind == "array":
            return self.array(found, schema, level, seen)
        return found

    def array(self, found: Field, schema: dict[str, Any], level: int, seen: frozenset[str]) -> Field:
        items = schema.get("items")
        if not isinstance(items, dict):
            return found
        entry = self.field(items, (*found.path, "[]"), True, level + 1, seen)
        if entry.kind == "object":
            return replace(found, children=entry.children)
        if entry.kind == "array":
            words = said("%(array)s of arrays", array=found.words)
        elif entry.choices:
            words = said("%(array)s with %(entry)s", array=found.words, entry=entry.words)
        else:
            words = said("%(array)s of %(entry)s", array=found.words, entry=entry.words)
        each = tuple(said("each %(limit)s", limit=limit) for limit in entry.limits)
        return replace(found, words=words, children=(entry,), limits=(*found.limits, *each))

    def members(
        self, schema: dict[str, Any], path: tuple[str, ...], level: int, seen: frozenset[str]
    ) -> tuple[Field, ...]:
        properties = schema.get("properties")
        if not isinstance(properties, dict):
            return ()
        needed = schema.get("required")
        needed = needed if isinstance(needed, list) else []
        members = []
        for name, child in properties.items():
            if self.left <= 0:
                break
            self.left -= 1
            members.append(self.field(child, (*path, name), name in needed, level + 1, seen))
        return tuple(members)


def _kind(schema: dict[str, Any]) -> tuple[str, bool]:
    declared = schema.get("type")
    if isinstance(declared, list):
        names = [name for name in declared if isinstance(name, str) and name != "null"]
        return (names[0] if len(names) == 1 else "any"), "null" in declared
    if isinstance(declared, str):
        return declared, False
    if "properties" in schema:
        return "object", False
    if "items" in schema:
        return "array", False
    kinds = {type(choice) for choice in _choices(schema)}
    return ("string" if kinds == {str} else "any"), False


def _choices(schema: dict[str, Any]) -> tuple[Any, ...]:
    if isinstance(schema.get("enum"), list):
        return tuple(schema["enum"])
    return (schema["const"],) if "const" in schema else ()


def _example(schema: dict[str, Any]) -> Any:
    examples = schema.get("examples")
    if isinstance(examples, list) and examples:
        return examples[0]
    return schema.get("example", schema.get("default"))


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _words(field: Field, schema: dict[str, Any], nullable: bool) -> str:
    if field.choices:
        shown = [str(choice) for choice in field.choices]
        if len(shown) == 1:
            words = said("always %(value)s", value=shown[0])
        elif len(", ".join(shown)) <= 36:
            words = said("one of %(values)s", values=", ".join(shown))
        else:
            words = said("one of %(n)s values", n=len(shown))
    elif field.kind == "array":
        least, most = _number(schema.get("minItems")), _number(schema.get("maxItems"))
        words = "array"
        if least is not None or most is not None:
            words += f" ≥ {least}" if most is None else f" {least or 0}…{most}"
    elif field.format and field.kind == "string":
        words = field.format
    else:
        bounds = [
            f"{sign} {bound}" for key, sign in _BOUNDS if (bound := _number(schema.get(key))) is not None
        ]
        words = " ".join([field.kind, *bounds])
    return said("%(kind)s or null", kind=words) if nullable else words


def _limits(schema: dict[str, Any]) -> Iterator[str]:
    """What the words do not say: JSON Schema validation §6, as far as it is a number, a text or a flag."""
    if between := _between(schema.get("minLength"), schema.get("maxLength"), _CHARACTERS):
        yield between
    if isinstance(pattern := schema.get("pattern"), str):
        yield said(
            "pattern %(text)s", text=pattern if len(pattern) <= PATTERN else pattern[: PATTERN - 1] + "…"
        )
    if (step := _number(schema.get("multipleOf"))) is not None:
        yield said("a multiple of %(limit)s", limit=step)
    if schema.get("uniqueItems") is True:
        yield said("no entry twice")
    if between := _between(schema.get("minProperties"), schema.get("maxProperties"), _MEMBERS):
        yield between
    if schema.get("additionalProperties") is False or schema.get("unevaluatedProperties") is False:
        yield said("no other members")


# What is counted: one, more than one.
_CHARACTERS = (
    lambda n: said("%(n)s character", n=n),
    lambda n: said("%(n)s characters", n=n),
)
_MEMBERS = (
    lambda n: said("%(n)s member", n=n),
    lambda n: said("%(n)s members", n=n),
)
_Counted = tuple[Callable[[Any], str], Callable[[Any], str]]


def _between(least: Any, most: Any, what: _Counted) -> str:
    """`1–40 characters`, `at least 1 character`, `at most 40 characters`; "" when nothing is limited."""
    low, high = _number(least) or 0, _number(most)
    one, many = what
    if high is None:
        return said("at least %(n)s", n=(one if low == 1 else many)(low)) if low else ""
    if low == high:
        return (one if high == 1 else many)(high)
    return many(f"{low}–{high}") if low else said("at most %(n)s", n=(one if high == 1 else many)(high))
