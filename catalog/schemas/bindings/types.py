"""A JSON Schema read into the few kinds of types that programming languages share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from catalog.schemas.references import Document

RECORDS = 300
LEVELS = 16
_OPTIONS = 40
_LITERALS = 200
# Names a generated file uses itself.
_TAKEN = frozenset({"Any", "Array", "BaseModel", "ConfigDict", "False", "Field", "Literal", "None"})
_TAKEN |= frozenset({"NotRequired", "Record", "True", "TypedDict", "UUID"})


@dataclass(frozen=True)
class Plain:
    """string, integer, number, boolean, null or any; `why` says why it is any."""

    kind: str
    format: str = ""
    why: str = ""


@dataclass(frozen=True)
class Choice:
    """One of these strings, integers or booleans."""

    values: tuple[str | int | bool, ...]


@dataclass(frozen=True)
class ListOf:
    """A JSON array."""

    item: Type


@dataclass(frozen=True)
class MapOf:
    """A JSON object with any names."""

    value: Type


@dataclass(frozen=True)
class OneOf:
    """Any of at least two types."""

    options: tuple[Type, ...]


@dataclass(frozen=True)
class Named:
    """A Declaration, by its name."""

    name: str


Type = Plain | Choice | ListOf | MapOf | OneOf | Named


@dataclass(frozen=True)
class Member:
    """A member of an object: its name in JSON, type, and what the schema says about it."""

    name: str
    type: Type
    required: bool
    meaning: str


@dataclass
class Declaration:
    """A named type: an object with `members`, or (members None) another name for `type`."""

    name: str
    meaning: str
    members: list[Member] | None = None
    type: Type = Plain("any")


def declarations_of(schema: Any, name: str) -> list[Declaration]:
    """The types that `schema` needs; the last one is that of the whole, named after `name`.

    What a type refers to stands before it, unless it refers to itself in a circle. Names are ASCII, in PascalCase,
    unique, and no word that a generated file uses itself.
    """
    reader = _Reader(schema)
    root = reader.name(name)
    reader.references["#"] = root
    reader.declare(root, schema, 0)
    return reader.found


class _Reader:
    def __init__(self, root: Any) -> None:
        self.document = Document(root)
        self.found: list[Declaration] = []
        self.references: dict[str, str] = {}
        self._names: set[str] = set()

    def name(self, *parts: str) -> str:
        """A name made of `parts` that no type has yet."""
        words = re.findall(r"[A-Z]?[a-z0-9]+|[A-Z0-9]+", re.sub(r"[^A-Za-z0-9]+", " ", " ".join(parts)))
        plain = "".join(word[:1].upper() + word[1:] for word in words)[:60]
        if not plain or plain[0].isdigit():
            plain = f"Type{plain}"
        unique, number = plain, 1
        while unique in self._names or unique in _TAKEN:
            number += 1
            unique = f"{plain}{number}"
        self._names.add(unique)
        return unique

    def declare(self, name: str, schema: Any, level: int) -> None:
        """Declares `schema` under a name that is already taken for it."""
        meaning = _meaning(schema)
        whole, _ = self.document.resolved(schema, frozenset({"#"}))
        if self._is_record(whole):
            members = self._members(name, whole, level)
            self.found.append(Declaration(name, meaning or _meaning(whole), members))
        else:
            self.found.append(Declaration(name, meaning, type=self._unnamed(whole, (name,), level)))

    def type(self, schema: Any, hint: tuple[str, ...], level: int) -> Type:
        """The type of `schema`; new records are named after `hint`."""
        if not isinstance(schema, dict):
            return Plain("any", why="no value fits" if schema is False else "the schema allows any value")
        reference = schema.get("$ref")
        if isinstance(reference, str) and not (set(schema) & {"properties", "oneOf", "anyOf", "allOf"}):
            return self._named(reference, schema)
        return self._unnamed(schema, hint, level)

    def _named(self, reference: str, schema: dict[str, Any]) -> Type:
        if not reference.startswith("#"):
            return Plain("any", why="the schema refers to another document")
        if reference not in self.references:
            if len(self._names) >= RECORDS:
                return Plain("any", why="the schema has too many types")
            name = self.references[reference] = self.name(reference.rpartition("/")[2] or "Anchor")
            self.declare(name, self.document.at(reference), 1)
        named = Named(self.references[reference])
        return OneOf((named, Plain("null"))) if schema.get("nullable") is True else named

    def _unnamed(self, schema: dict[str, Any], hint: tuple[str, ...], level: int) -> Type:
        if level > LEVELS or len(self._names) >= RECORDS:
            return Plain("any", why="the schema is too deep or has too many types")
        whole = schema
        if "$ref" in schema or "allOf" in schema:
            whole, _ = self.document.resolved(schema, frozenset({"#"}))
        choices = whole["enum"] if isinstance(whole.get("enum"), list) else None
        if choices is None and "const" in whole:
            choices = [whole["const"]]
        if choices is not None:
            return _choice(choices, whole)
        for keyword in ("oneOf", "anyOf"):
            if isinstance(whole.get(keyword), list) and whole[keyword]:
                return self._one_of(whole, keyword, hint, level)
        return _union([self._kind(kind, whole, hint, level) for kind in _kinds(whole)])

    def _one_of(self, whole: dict[str, Any], keyword: str, hint: tuple[str, ...], level: int) -> Type:
        around = {key: value for key, value in whole.items() if key not in (keyword, "title", "description")}
        options: list[Type] = []
        for number, part in enumerate(whole[keyword][:_OPTIONS], 1):
            if not {"properties", "required", "additionalProperties"} & set(around):
                options.append(self.type(part, (*hint, _label(part, number)), level + 1))
                continue
            inner, _ = self.document.resolved(part, frozenset({"#"}))
            # The alternative's own members win: its constant tag says more than the enum around it.
            merged, _ = self.document.resolved({"allOf": [inner, around]}, frozenset())
            options.append(self._unnamed(merged, (*hint, _label(inner, number)), level + 1))
        if len(whole[keyword]) > _OPTIONS:
            options.append(Plain("any", why="the schema has more alternatives"))
        return _union(options)

    def _kind(self, kind: str, whole: dict[str, Any], hint: tuple[str, ...], level: int) -> Type:
        if kind == "array":
            items = whole.get("items")
            if "prefixItems" in whole or isinstance(items, list):
                return ListOf(Plain("any", why="a tuple: each place has its own type"))
            if items is None:
                return ListOf(Plain("any", why="no type is declared for the entries"))
            return ListOf(self.type(items, (*hint, "Item"), level + 1))
        if kind != "object":
            text = whole.get("format")
            why = "no type is declared" if kind == "any" else ""
            return Plain(kind, text if isinstance(text, str) else "", why)
        if isinstance(whole.get("properties"), dict) and whole["properties"]:
            name = self.name(*hint)
            self.found.append(Declaration(name, _meaning(whole), self._members(name, whole, level)))
            return Named(name)
        extra = whole.get("additionalProperties")
        if isinstance(extra, dict) and "patternProperties" not in whole:
            return MapOf(self.type(extra, (*hint, "Value"), level + 1))
        return MapOf(Plain("any", why="the names and types of its members are not declared"))

    def _is_record(self, whole: dict[str, Any]) -> bool:
        return (
            _kinds(whole) == ["object"]
            and isinstance(whole.get("properties"), dict)
            and bool(whole["properties"])
            and not any(key in whole for key in ("oneOf", "anyOf", "enum", "const"))
        )

    def _members(self, name: str, whole: dict[str, Any], level: int) -> list[Member]:
        needed = whole.get("required")
        needed = needed if isinstance(needed, list) else []
        return [
            Member(
                member,
                self.type(schema, (name, member), level + 1),
                member in needed,
                _meaning(schema),
            )
            for member, schema in whole["properties"].items()
            if _is_text(member)
        ]


def _kinds(schema: dict[str, Any]) -> list[str]:
    declared = schema.get("type")
    kinds = [declared] if isinstance(declared, str) else declared if isinstance(declared, list) else []
    kinds = [kind for kind in dict.fromkeys(map(str, kinds)) if kind in _KNOWN]
    if not kinds:
        if isinstance(schema.get("properties"), dict):
            kinds = ["object"]
        elif "items" in schema:
            kinds = ["array"]
        else:
            return ["any"]
    if "number" in kinds and "integer" in kinds:
        kinds.remove("integer")
    if schema.get("nullable") is True and "null" not in kinds:
        kinds.append("null")
    return kinds


_KNOWN = frozenset({"object", "array", "string", "integer", "number", "boolean", "null"})


def _choice(values: list[Any], whole: dict[str, Any]) -> Type:
    texts = [value for value in values if isinstance(value, str | bool | int)]
    nulls = [Plain("null")] if None in values or whole.get("nullable") is True else []
    if not all(_is_text(text) for text in texts if isinstance(text, str)):
        return Plain("any", why="an enum of halves of characters")
    if len(texts) + (None in values) < len(values) or len(values) > _LITERALS:
        return Plain("any", why="an enum of other than text and whole numbers, or a very long one")
    # True == 1 in Python; they are different in JSON.
    unique = list({(type(text), text): text for text in texts}.values())
    return _union([*([Choice(tuple(unique))] if unique else []), *nulls])


def _is_text(name: str) -> bool:
    """Whether `name` is Unicode text. Half of a surrogate pair, which JSON can escape, is in no program's string."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _union(options: list[Type]) -> Type:
    flat: list[Type] = []
    for option in options:
        for one in option.options if isinstance(option, OneOf) else (option,):
            if one not in flat:
                flat.append(one)
    anything = [one for one in flat if isinstance(one, Plain) and one.kind == "any"]
    if anything:
        return anything[0]
    if not flat:
        return Plain("any", why="no value fits")
    return flat[0] if len(flat) == 1 else OneOf(tuple(flat))


def _label(part: Any, number: int) -> str:
    """What an alternative is called: its title, its constant tag, or its number."""
    if isinstance(part, dict):
        if isinstance(part.get("title"), str):
            return str(part["title"])
        properties = part.get("properties")
        for schema in properties.values() if isinstance(properties, dict) else ():
            if isinstance(schema, dict) and isinstance(schema.get("const"), str):
                return str(schema["const"])
    return f"Option {number}"


def _meaning(schema: Any) -> str:
    """The description or title in one line of printable text."""
    if not isinstance(schema, dict):
        return ""
    text = schema.get("description") or schema.get("title") or ""
    return one_line(text) if isinstance(text, str) else ""


def one_line(text: str) -> str:
    """`text` without line breaks and unprintable characters, at most 300 characters."""
    line = " ".join("".join(c if c.isprintable() or c.isspace() else " " for c in text).split())
    return line if len(line) <= 300 else line[:299] + "…"


def parts_of(kind: Type) -> Iterator[Type]:
    """`kind` and all types within it."""
    yield kind
    inner: tuple[Type, ...] = ()
    if isinstance(kind, ListOf):
        inner = (kind.item,)
    elif isinstance(kind, MapOf):
        inner = (kind.value,)
    elif isinstance(kind, OneOf):
        inner = kind.options
    for part in inner:
        yield from parts_of(part)


def remark_of(kind: Type) -> str:
    """Why a part of `kind` is no exact type, or ""."""
    return "; ".join(
        dict.fromkeys(part.why for part in parts_of(kind) if isinstance(part, Plain) and part.why)
    )
