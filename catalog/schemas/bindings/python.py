"""Python types for the data of an event: TypedDicts, which cost nothing at run time, and pydantic models, which check."""

from __future__ import annotations

import keyword
import re
from typing import Any

from catalog.schemas.bindings.types import (
    Choice,
    Declaration,
    ListOf,
    MapOf,
    Member,
    Named,
    OneOf,
    Plain,
    Type,
    declarations_of,
    parts_of,
    remark_of,
)

_PLAIN = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
    "any": "Any",
}
_FORMATS = {"date-time": "datetime.datetime", "date": "datetime.date", "uuid": "UUID"}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
# What an attribute of a model must not hide: what annotations use, and methods of pydantic's BaseModel.
_HIDDEN = frozenset(
    {"Any", "Field", "Literal", "UUID", "bool", "datetime", "dict", "float", "int", "list", "str"}
)
_HIDDEN |= frozenset({"construct", "copy", "from_orm", "json", "parse_file", "parse_obj", "parse_raw"})
_HIDDEN |= frozenset({"schema", "schema_json", "update_forward_refs", "validate"})
_TYPED_DICT = """from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict
"""
_PYDANTIC = """from __future__ import annotations

import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
"""


def typed_dicts(schema: Any, name: str) -> str:
    """A Python 3.11 module with a TypedDict for each object of a parsed JSON Schema; the last is called after `name`."""
    known: set[str] = set()
    parts = [_TYPED_DICT]
    for one in declarations_of(schema, name):
        parts.append(_alias(one, known, {}) if one.members is None else _typed_dict(one, one.members))
        known.add(one.name)
    return "\n\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _typed_dict(one: Declaration, members: list[Member]) -> str:
    lines = _comment("", one.meaning)
    plain = bool(members) and all(_NAME.fullmatch(m.name) and not keyword.iskeyword(m.name) for m in members)
    lines.append(f"class {one.name}(TypedDict):" if plain else f'{one.name} = TypedDict("{one.name}", {{')
    for member in members:
        lines.extend(_comment("    ", member.meaning, remark_of(member.type)))
        text = _text(member.type, {})
        if plain:
            lines.append(f"    {member.name}: {text if member.required else f'NotRequired[{text}]'}")
        else:  # these are evaluated at once, so what may be declared later stands in quotes
            lines.append(
                f"    {member.name!a}: {ascii(text) if member.required else f'NotRequired[{text!a}]'},"
            )
    return "\n".join(lines if plain else [*lines, "})"])


def pydantic_models(schema: Any, name: str) -> str:
    """A module for pydantic 2 with a model for each object of a parsed JSON Schema; the last is called after `name`.

    Members not declared are kept. A member that may be left out is None then, so its null is accepted too.
    """
    declarations = declarations_of(schema, name)
    names = {one.name for one in declarations}
    known: set[str] = set()
    parts, rebuilt = [_PYDANTIC], []
    for one in declarations:
        if one.members is None:
            parts.append(_alias(one, known, _FORMATS))
        else:
            parts.append(_model(one, one.members, names))
            if not _named_in(*(member.type for member in one.members)) <= known:
                rebuilt.append(f"{one.name}.model_rebuild()")
        known.add(one.name)
    parts.extend(["\n".join(rebuilt)] if rebuilt else [])
    return "\n\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _model(one: Declaration, members: list[Member], names: set[str]) -> str:
    lines = [*_comment("", one.meaning), f"class {one.name}(BaseModel):"]
    lines.append('    model_config = ConfigDict(extra="allow", populate_by_name=True)')
    # A model is filled by attribute too, so no attribute may have another member's name.
    taken = {member.name for member in members}
    for member in members:
        attribute = _attribute(member.name, names, taken)
        taken.add(attribute)
        lines.extend(_comment("    ", member.meaning, remark_of(member.type)))
        text = _text(member.type, _FORMATS)
        if not member.required and not {"None", "Any"} & set(text.split(" | ")):
            text += " | None"
        arguments = [] if member.required else ["default=None"]
        if attribute != member.name:
            arguments.append(f"alias={member.name!a}")
        value = (
            ""
            if not arguments
            else " = None"
            if arguments == ["default=None"]
            else f" = Field({', '.join(arguments)})"
        )
        lines.append(f"    {attribute}: {text}{value}")
    return "\n".join(lines)


def _attribute(name: str, declared: set[str], taken: set[str]) -> str:
    """`name` as an attribute of a model: an identifier that hides nothing and is not `taken` by another."""
    plain = re.sub(r"[^A-Za-z0-9_]+", "_", name).lstrip("_") or "field"
    if plain[0].isdigit() or plain.startswith("model_"):
        plain = f"field_{plain}"
    if keyword.iskeyword(plain) or plain in _HIDDEN or plain in declared:
        plain += "_"
    unique, number = plain, 1
    while unique != name and (unique in taken or unique in declared):
        number += 1
        unique = f"{plain}_{number}"
    return unique


def _alias(one: Declaration, known: set[str], formats: dict[str, str]) -> str:
    lines = _comment("", one.meaning, remark_of(one.type))
    if _named_in(one.type) <= known:
        return "\n".join([*lines, f"{one.name} = {_text(one.type, formats)}"])
    return "\n".join([*lines, *_comment("", "it refers to itself"), f"{one.name} = Any"])


def _named_in(*kinds: Type) -> set[str]:
    return {part.name for kind in kinds for part in parts_of(kind) if isinstance(part, Named)}


def _comment(indent: str, *sentences: str) -> list[str]:
    text = " – ".join(sentence for sentence in sentences if sentence)
    return [f"{indent}# {text}"] if text else []


def _text(kind: Type, formats: dict[str, str]) -> str:
    match kind:
        case Plain():
            return formats.get(kind.format, "str") if kind.kind == "string" else _PLAIN[kind.kind]
        case Choice():
            return f"Literal[{', '.join(map(ascii, kind.values))}]"
        case ListOf():
            return f"list[{_text(kind.item, formats)}]"
        case MapOf():
            return f"dict[str, {_text(kind.value, formats)}]"
        case OneOf():
            return " | ".join(dict.fromkeys(_text(option, formats) for option in kind.options))
        case Named():
            return kind.name
