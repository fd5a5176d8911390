"""Comparisons of numbers as people write them, "≥ 500", "> 1 and < 5", "5 to 10", and as the `numeric` operator. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_RANGE = re.compile(rf"(?:between\s+)?({_NUMBER})\s*(?:to|\.\.|–|and)\s*({_NUMBER})")
_COMPARISON = re.compile(rf"(>=|<=|!=|<>|==|≥|≤|≠|>|<|=)?\s*({_NUMBER})")
_SIGNS = {"≥": ">=", "≤": "<=", "≠": "!=", "<>": "!=", "==": "=", "": "="}
_SHOWN = {">=": "≥", "<=": "≤", "!=": "≠"}


def parse_comparisons(text: str) -> list[dict[str, Any]] | None:
    """The alternatives that `text` means, as [{"numeric": [">=", 500]}]; None when it is not understood.

    "or" separates alternatives; "and" or a comma, comparisons that must all hold; "5 to 10" has both ends in it.
    """
    found = []
    for part in re.split(r"\s+or\s+", text.strip()):
        comparisons = _all_of(part.strip())
        if comparisons is None:
            return None
        found.append({"numeric": comparisons})
    return found


def _all_of(text: str) -> list[Any] | None:
    if (found := _RANGE.fullmatch(text)) is not None:
        return [">=", json.loads(found[1]), "<=", json.loads(found[2])]
    listed: list[Any] = []
    for part in re.split(r"\s+and\s+|\s*,\s*", text):
        comparison = _COMPARISON.fullmatch(part)
        if comparison is None:
            return None
        sign = comparison[1] or ""
        listed += [_SIGNS.get(sign, sign), json.loads(comparison[2])]
    return listed


def write_comparisons(numeric: Sequence[Sequence[Any]]) -> str | None:
    """The text that `parse_comparisons` reads back as these operands of `numeric`; None when there is none."""
    parts = [_written(one) for one in numeric]
    if any(part is None for part in parts):
        return None
    text = " or ".join(part for part in parts if part is not None)
    return text if parse_comparisons(text) == [{"numeric": list(one)} for one in numeric] else None


def _written(operands: Sequence[Any]) -> str | None:
    pairs = list(zip(operands[::2], operands[1::2], strict=False))
    if not pairs or len(operands) % 2 or not all(_is_number(value) for _sign, value in pairs):
        return None
    if [sign for sign, _value in pairs] == [">=", "<="]:
        return f"{json.dumps(pairs[0][1])} to {json.dumps(pairs[1][1])}"
    if not all(isinstance(sign, str) for sign, _value in pairs):
        return None
    return " and ".join(f"{_SHOWN.get(sign, sign)} {json.dumps(value)}" for sign, value in pairs)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
