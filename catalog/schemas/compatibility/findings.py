"""What the comparison of two places found, and how it is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from catalog.said import joined, said
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
    Direction.BACKWARD: (said("the new schema"), said("the old one")),
    Direction.FORWARD: (said("the old schema"), said("the new one")),
}


def sentence_of(finding: Finding, direction: Direction) -> str:
    """What breaks at the place, in words: what the reader wants and what the writer may send."""
    reader, writer = _NEW_OLD[direction]
    where, wanted, had = place_name(finding.steps), finding.wanted, finding.had
    sides = {"where": where, "reader": reader, "writer": writer}
    match finding.word:
        case "required":
            name = f"{where}.{wanted}"
            if direction is Direction.BACKWARD:
                return said("%(name)s is required now; events without it were valid before.", name=name)
            return said("%(name)s may be missing now; the old schema requires it.", name=name)
        case "type":
            return said(
                "%(where)s may be %(had)s by %(writer)s; %(reader)s takes only %(wanted)s.",
                **sides, had=_kinds(had), wanted=_kinds(wanted),
            )  # fmt: skip
        case "enum" | "const":
            few = ", ".join(shown(value) for value in finding.values[:5])
            if not few:
                return said(
                    "%(where)s may have other values by %(writer)s; %(reader)s does not know them.", **sides
                )
            if len(finding.values) == 1:
                return said(
                    "%(where)s may be %(few)s by %(writer)s; %(reader)s does not know it.", **sides, few=few
                )
            return said(
                "%(where)s may be %(few)s by %(writer)s; %(reader)s does not know them.", **sides, few=few
            )
        case "additionalProperties" | "unevaluatedProperties" if wanted:
            return said(
                "%(where)s.%(wanted)s may be sent by %(writer)s; %(reader)s does not allow it.",
                **sides, wanted=wanted,
            )  # fmt: skip
        case "additionalProperties" | "unevaluatedProperties":
            return said(
                "%(where)s may have members that are not declared by %(writer)s; %(reader)s allows none.",
                **sides,
            )
        case "false":
            return said("%(where)s may be sent by %(writer)s; %(reader)s does not allow it.", **sides)
        case "format":
            return said(
                "%(where)s must be a valid %(wanted)s for %(reader)s; %(writer)s does not ensure that.",
                **sides, wanted=wanted,
            )  # fmt: skip
        case "pattern":
            return said(
                "%(where)s must match the pattern %(wanted)s for %(reader)s; %(writer)s does not ensure that.",
                **sides, wanted=wanted,
            )  # fmt: skip
        case "anyOf" | "oneOf":
            return said(
                "%(where)s may have a form by %(writer)s that fits %(form)s of %(reader)s.",
                **sides, form=_FORMS[finding.word],
            )  # fmt: skip
        case word if word in _LIMITS:
            limit = _LIMITS[word](shown(wanted))
            if had is None:
                return said(
                    "%(where)s must have %(limit)s for %(reader)s; %(writer)s has no such limit.",
                    **sides,
                    limit=limit,
                )
            return said(
                "%(where)s must have %(limit)s for %(reader)s; by %(writer)s the limit is %(had)s.",
                **sides, limit=limit, had=shown(had),
            )  # fmt: skip
        case "uniqueItems":
            return said("%(where)s may hold an entry twice by %(writer)s; %(reader)s refuses that.", **sides)
        case "whole":
            return said("%(where)s may have a value by %(writer)s that %(reader)s refuses.", **sides)
    return said(
        "%(where)s may have a value by %(writer)s that %(reader)s refuses (%(word)s).",
        **sides,
        word=finding.word,
    )


_FORMS = {
    "anyOf": said("none of the alternatives"),
    "oneOf": said("none or more than one of the alternatives"),
}
_LIMITS: dict[str, Callable[[str], str]] = {
    "minimum": lambda limit: said("a value of at least %(limit)s", limit=limit),
    "exclusiveMinimum": lambda limit: said("a value of more than %(limit)s", limit=limit),
    "maximum": lambda limit: said("a value of at most %(limit)s", limit=limit),
    "exclusiveMaximum": lambda limit: said("a value of less than %(limit)s", limit=limit),
    "multipleOf": lambda limit: said("a multiple of %(limit)s", limit=limit),
    "minLength": lambda limit: said("a length of at least %(limit)s", limit=limit),
    "maxLength": lambda limit: said("a length of at most %(limit)s", limit=limit),
    "minItems": lambda limit: said("an entry count of at least %(limit)s", limit=limit),
    "maxItems": lambda limit: said("an entry count of at most %(limit)s", limit=limit),
    "minProperties": lambda limit: said("a member count of at least %(limit)s", limit=limit),
    "maxProperties": lambda limit: said("a member count of at most %(limit)s", limit=limit),
}


def _kinds(names: Any) -> str:
    found = [names] if isinstance(names, str) else list(names or ())
    return joined(found, said(" or ")) if found else said("anything")
