"""TypeScript interfaces for the data of an event."""

from __future__ import annotations

import json
import re
from typing import Any

from catalog.schemas.bindings.types import (
    Choice,
    Declaration,
    ListOf,
    MapOf,
    Named,
    OneOf,
    Plain,
    Type,
    declarations_of,
    remark_of,
)

_PLAIN = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
    "any": "unknown",
}
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
# Beyond them JavaScript's numbers are not exact.
_SAFE = 2**53 - 1


def typescript(schema: Any, name: str) -> str:
    """An `interface` or `type` for a parsed JSON Schema and all it refers to; the last one is called after `name`."""
    return "\n\n".join(map(_declaration, declarations_of(schema, name))) + "\n"


def _declaration(one: Declaration) -> str:
    lines = _comment("", one.meaning, "" if one.members is not None else remark_of(one.type))
    if one.members is None:
        # An alias may name itself only inside an object; an array or a map of itself is one, a union is not.
        return "\n".join([*lines, f"export type {one.name} = {_text(_unwound(one))};"])
    lines.append(f"export interface {one.name} {{")
    for member in one.members:
        key = member.name if _IDENTIFIER.fullmatch(member.name) else json.dumps(member.name)
        lines.extend(_comment("  ", member.meaning, remark_of(member.type)))
        lines.append(f"  {key}{'' if member.required else '?'}: {_text(member.type)};")
    return "\n".join([*lines, "}"])


def _unwound(one: Declaration) -> Type:
    options = one.type.options if isinstance(one.type, OneOf) else (one.type,)
    return Plain("any") if Named(one.name) in options else one.type


def _comment(indent: str, *sentences: str) -> list[str]:
    text = " – ".join(sentence for sentence in sentences if sentence).replace("*/", "*\\/")
    return [f"{indent}/** {text} */"] if text else []


def _text(kind: Type) -> str:
    match kind:
        case Plain():
            return _PLAIN[kind.kind]
        case Choice():
            return " | ".join(dict.fromkeys(map(_literal, kind.values)))
        case ListOf():
            return f"Array<{_text(kind.item)}>"
        case MapOf():
            return f"Record<string, {_text(kind.value)}>"
        case OneOf():
            return " | ".join(dict.fromkeys(map(_text, kind.options)))
        case Named():
            return kind.name


def _literal(value: str | int | bool) -> str:
    if type(value) is int and abs(value) > _SAFE:
        return "number"
    return json.dumps(value)
