"""What the comparison of two places found, and how it is said."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from catalog.schemas.compatibility.normal import Schema
from catalog.schemas.compatibility.verdicts import Direction

# A step below a place: a member's name, an index, or one of these.
ANY_ENTRY = "[]"
Step = tuple[str, str | int]  # ("member", name), ("unknown", a name nobody declares), ("entry", index)
# Loosening these only adds values; an owner may decide that listeners cope.
CAUTIONS = frozenset({
    "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength",
    "minItems", "maxItems", "minProperties", "maxProperties",
})  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """A place at which the writer seems to send what the reader refuses.

    `steps` lead from data to the place; `trail` holds the writer's plain schema at each place above it, root first.
    `writer` and `reader` are the schemas compared there; `values` are values for the place that show it.
    """

    steps: tuple[Step, ...]
    word: str
    trail: tuple[dict[str, Any], ...]
    writer: Schema
    reader: Schema
    wanted: Any = None
    had: Any = None
    values: tuple[Any, ...] = field(default=(), compare=False)

    @property
    def key(self) -> tuple[Any, ...]:
        """Findings with the same key say the same."""
        return (self.steps, self.word, json.dumps(self.wanted, sort_keys=True, default=str))

    def caution(self, direction: Direction) -> bool:
        """Whether an owner may accept it: only new values reach listeners that are there already."""
        return direction is Direction.FORWARD and self.word in CAUTIONS


def place_name(steps: tuple[Step, ...]) -> str:
    """`data.lines[].sku` for people and for machines."""
    text = "data"
    for kind, key in steps:
        if kind == "entry":
            text += ANY_ENTRY
        elif kind == "unknown":
            text += ".*"
        elif isinstance(key, str) and key.replace("_", "a").replace("-", "a").isalnum():
            text += f".{key}"
        else:
            text += f"[{json.dumps(key, ensure_ascii=False)}]"
    return text


def shown(value: Any) -> str:
    """A value as it may stand in a sentence."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= 60 else text[:57] + "…"


_NEW_OLD = {
    Direction.BACKWARD: ("the new schema", "the old one"),
    Direction.FORWARD: ("the old schema", "the new one"),
}


def sentence_of(finding: Finding, direction: Direction) -> str:
    """What breaks at the place, in words: what the reader wants and what the writer may send."""
    reader, writer = _NEW_OLD[direction]
    where, wanted, had = place_name(finding.steps), finding.wanted, finding.had
    match finding.word:
        case "required":
            name = f"{where}.{wanted}"
            if direction is Direction.BACKWARD:
                return f"{name} is required now; events without it were valid before."
            return f"{name} may be missing now; the old schema requires it."
        case "type":
            return f"{where} may be {_kinds(had)} by {writer}; {reader} takes only {_kinds(wanted)}."
        case "enum" | "const":
            few = ", ".join(shown(value) for value in finding.values[:5])
            more = f" may be {few} by {writer};" if few else f" may have other values by {writer};"
            return f"{where}{more} {reader} does not know {'it' if len(finding.values) == 1 else 'them'}."
        case "additionalProperties" | "unevaluatedProperties" if wanted:
            return f"{where}.{wanted} may be sent by {writer}; {reader} does not allow it."
        case "additionalProperties" | "unevaluatedProperties":
            return f"{where} may have members that are not declared by {writer}; {reader} allows none."
        case "false":
            return f"{where} may be sent by {writer}; {reader} does not allow it."
        case "format":
            return f"{where} must be a valid {wanted} for {reader}; {writer} does not ensure that."
        case "pattern":
            return f"{where} must match the pattern {wanted} for {reader}; {writer} does not ensure that."
        case "anyOf" | "oneOf":
            return f"{where} may have a form by {writer} that fits {_FORMS[finding.word]} of {reader}."
        case word if word in _LIMITS:
            before = (
                f"{writer} has no such limit" if had is None else f"by {writer} the limit is {shown(had)}"
            )
            return f"{where} must have {_LIMITS[word]} {shown(wanted)} for {reader}; {before}."
        case "uniqueItems":
            return f"{where} may hold an entry twice by {writer}; {reader} refuses that."
        case "whole":
            return f"{where} may have a value by {writer} that {reader} refuses."
    return f"{where} may have a value by {writer} that {reader} refuses ({finding.word})."


_FORMS = {"anyOf": "none of the alternatives", "oneOf": "none or more than one of the alternatives"}
_LIMITS = {
    "minimum": "a value of at least",
    "exclusiveMinimum": "a value of more than",
    "maximum": "a value of at most",
    "exclusiveMaximum": "a value of less than",
    "multipleOf": "a multiple of",
    "minLength": "a length of at least",
    "maxLength": "a length of at most",
    "minItems": "an entry count of at least",
    "maxItems": "an entry count of at most",
    "minProperties": "a member count of at least",
    "maxProperties": "a member count of at most",
}


def _kinds(names: Any) -> str:
    found = [names] if isinstance(names, str) else list(names or ())
    return " or ".join(found) if found else "anything"
