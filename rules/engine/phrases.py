"""Alternatives in words: each phrase ends "the rule wants …"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rules.engine.alternative import Alternative, show
from rules.engine.operators import IGNORING_CASE

MANY = 6
"""More alternatives than this are not all named."""


def in_words(alternatives: Sequence[Alternative]) -> str:
    """What a list of alternatives wants."""
    return _or([phrase(one.operator, one.wanted) for one in alternatives])


def phrase(operator: str, wanted: Any) -> str:
    """What one operator wants; `wanted` is its JSON value as written."""
    return _PHRASES[operator](wanted)


def _or(phrases: list[str]) -> str:
    if len(phrases) > MANY:
        phrases = [*phrases[: MANY - 1], f"one of {len(phrases) - MANY + 1:,} others"]
    return phrases[0] if len(phrases) == 1 else ", ".join(phrases[:-1]) + " or " + phrases[-1]


def _exact(wanted: Any) -> str:
    number = isinstance(wanted, int | float) and not isinstance(wanted, bool)
    return ("the number " if number else "") + show(wanted)


def _text(verb: str) -> Callable[[Any], str]:
    def words(wanted: Any) -> str:
        if isinstance(wanted, dict):
            return f"a string that {verb} {show(wanted[IGNORING_CASE])}, whatever the case"
        return f"a string that {verb} {show(wanted)}"

    return words


def _numeric(wanted: Any) -> str:
    pairs = zip(wanted[::2], wanted[1::2], strict=True)
    return "a number " + " and ".join(f"{comparison} {show(number)}" for comparison, number in pairs)


def _cidr(wanted: Any) -> str:
    return f"an address in {wanted}" if "/" in wanted else f"the address {wanted}"


def _anything_but(wanted: Any) -> str:
    if isinstance(wanted, list):
        return "anything but " + _or([_exact(one) for one in wanted]) if wanted else "any value"
    if not isinstance(wanted, dict):
        return f"anything but {_exact(wanted)}"
    [(operator, operand)] = wanted.items()
    operands = operand if isinstance(operand, list) and operator != "numeric" else [operand]
    return "anything but " + _or([phrase(operator, one) for one in operands])


_PHRASES: dict[str, Callable[[Any], str]] = {
    "exact": _exact,
    "prefix": _text("starts with"),
    "suffix": _text("ends with"),
    "contains": _text("contains"),
    "wildcard": lambda wanted: f"a string like {show(wanted)}",
    IGNORING_CASE: lambda wanted: f"{show(wanted)}, whatever the case",
    "exactly": lambda wanted: f"exactly the string {show(wanted)}",
    "numeric": _numeric,
    "cidr": _cidr,
    "anything-but": _anything_but,
    "exists": lambda wanted: "it to be there" if wanted else "it not to be there",
    "all of": lambda wanted: " and ".join(phrase(operator, one) for operator, one in wanted.items()),
}
