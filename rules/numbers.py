"""Comparisons of numbers as people write them, "≥ 500", "> 1 and < 5", "5 to 10", and as the `numeric` operator.

Pure, but for gettext.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_RANGE = re.compile(rf"(?:between\s+)?({_NUMBER})\s*(?:to|\.\.|–|and)\s*({_NUMBER})")
_COMPARISON = re.compile(rf"(>=|<=|!=|<>|==|≥|≤|≠|>|<|=)?\s*({_NUMBER})")
_THOUSANDS = re.compile(r"(?:>=|<=|!=|≥|≤|≠|>|<|=)?\s*([1-9][0-9]{0,2}(?:[,'  ][0-9]{3})+(?:\.[0-9]+)?)")
_DASH = re.compile(rf"({_NUMBER})\s*[-—]\s*({_NUMBER})")
_ONE_END = re.compile(
    rf"(?:between\s+)?({_NUMBER})\s*(?:to|\.\.|–|-|and)|between\s+({_NUMBER})|(?:to|\.\.)\s*({_NUMBER})"
)
_SIGNED_RANGE = re.compile(rf"[><=≥≤]+\s*({_NUMBER})\s*(?:to|\.\.|–)\s*[><=≥≤]*\s*({_NUMBER})")
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


def problem_in(text: str) -> str:
    """What is wrong with comparisons, and what to write instead, in a sentence; "" when they are understood and some
    number can meet each alternative."""
    for part in re.split(r"\s+or\s+", text.strip()):
        comparisons = None if _THOUSANDS.fullmatch(part) else _all_of(part.strip())
        wrong = _not_understood(part.strip()) if comparisons is None else _impossible(comparisons)
        if wrong:
            return wrong
    return ""


def _not_understood(text: str) -> str:
    if found := _THOUSANDS.fullmatch(text):
        return _("Write %(number)s: digits are not grouped, and a comma stands between two comparisons.") % {
            "number": re.sub(r"[,'  ]", "", found[1])
        }
    if found := _DASH.fullmatch(text) or _SIGNED_RANGE.fullmatch(text):
        return _("Write a range as %(low)s to %(high)s.") % {"low": found[1], "high": found[2]}
    if found := _ONE_END.fullmatch(text):
        end = next(one for one in found.groups() if one)
        return _("A range has two ends, as in 5 to 10. For one end alone write ≥ %(end)s or ≤ %(end)s.") % {
            "end": end
        }
    return _("Write it like ≥ 500, > 1 and < 5, 5 to 10, or ≠ 3.")


def _impossible(comparisons: Sequence[Any]) -> str:
    """Why no number meets all of them; "" when one does."""
    pairs = list(zip(comparisons[::2], comparisons[1::2], strict=True))
    for at, (sign, number) in enumerate(pairs):
        for other_sign, other in pairs[at + 1 :]:
            if not _exclude(sign, number, other_sign, other):
                continue
            one, two = json.dumps(number), json.dumps(other)
            if [sign, other_sign] == [">=", "<="]:
                told = {"low": one, "high": two}
                return _("%(low)s is above %(high)s: write the lower end first, %(high)s to %(low)s.") % told
            if [sign, other_sign] == ["=", "="]:
                told = {"one": one, "two": two}
                return (
                    _("No number is %(one)s and %(two)s at once. For either write %(one)s or %(two)s.") % told
                )
            shown = {
                "one": f"{_SHOWN.get(sign, sign)} {one}",
                "two": f"{_SHOWN.get(other_sign, other_sign)} {two}",
            }
            return _("No number is %(one)s and %(two)s at once. For either write %(one)s or %(two)s.") % shown
    return ""


def _exclude(sign: str, number: Any, other_sign: str, other: Any) -> bool:
    """Whether two comparisons exclude each other."""
    if "=" in (sign, other_sign):
        if sign != "=":
            sign, number, other_sign, other = other_sign, other, sign, number
        holds = {
            "=": number == other, "!=": number != other, ">": number > other, ">=": number >= other,
            "<": number < other, "<=": number <= other,
        }  # fmt: skip
        return not holds[other_sign]
    if sign[0] == ">" and other_sign[0] == "<":
        low, high = number, other
    elif sign[0] == "<" and other_sign[0] == ">":
        low, high = other, number
    else:
        return False
    return bool(low > high or (low == high and len(sign + other_sign) < 4))


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
