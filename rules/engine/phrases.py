"""Alternatives in words: each phrase ends "the rule wants …"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from catalog.said import joined, said
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
        phrases = [*phrases[: MANY - 1], said("one of %(n)s others", n=f"{len(phrases) - MANY + 1:,}")]
    if len(phrases) == 1:
        return phrases[0]
    return said("%(first)s or %(last)s", first=joined(phrases[:-1], said(", ")), last=phrases[-1])


def _exact(wanted: Any) -> str:
    number = isinstance(wanted, int | float) and not isinstance(wanted, bool)
    return said("the number %(value)s", value=show(wanted)) if number else show(wanted)


def _text(plainly: Callable[[str], str], whatever_case: Callable[[str], str]) -> Callable[[Any], str]:
    def words(wanted: Any) -> str:
        if isinstance(wanted, dict):
            return whatever_case(show(wanted[IGNORING_CASE]))
        return plainly(show(wanted))

    return words


def _numeric(wanted: Any) -> str:
    pairs = zip(wanted[::2], wanted[1::2], strict=True)
    limits = [f"{comparison} {show(number)}" for comparison, number in pairs]
    return said("a number %(limits)s", limits=joined(limits, said(" and ")))


def _cidr(wanted: Any) -> str:
    if "/" in wanted:
        return said("an address in %(network)s", network=wanted)
    return said("the address %(address)s", address=wanted)


def _anything_but(wanted: Any) -> str:
    if isinstance(wanted, list):
        return _but(_or([_exact(one) for one in wanted])) if wanted else said("any value")
    if not isinstance(wanted, dict):
        return _but(_exact(wanted))
    [(operator, operand)] = wanted.items()
    operands = operand if isinstance(operand, list) and operator != "numeric" else [operand]
    return _but(_or([phrase(operator, one) for one in operands]))


def _but(phrase: str) -> str:
    return said("anything but %(phrase)s", phrase=phrase)


_PHRASES: dict[str, Callable[[Any], str]] = {
    "exact": _exact,
    "prefix": _text(
        lambda text: said("a string that starts with %(text)s", text=text),
        lambda text: said("a string that starts with %(text)s, whatever the case", text=text),
    ),
    "suffix": _text(
        lambda text: said("a string that ends with %(text)s", text=text),
        lambda text: said("a string that ends with %(text)s, whatever the case", text=text),
    ),
    "contains": _text(
        lambda text: said("a string that contains %(text)s", text=text),
        lambda text: said("a string that contains %(text)s, whatever the case", text=text),
    ),
    "wildcard": lambda wanted: said("a string like %(text)s", text=show(wanted)),
    IGNORING_CASE: lambda wanted: said("%(text)s, whatever the case", text=show(wanted)),
    "exactly": lambda wanted: said("exactly the string %(text)s", text=show(wanted)),
    "numeric": _numeric,
    "cidr": _cidr,
    "anything-but": _anything_but,
    "exists": lambda wanted: said("it to be there") if wanted else said("it not to be there"),
    "all of": lambda wanted: joined(
        [phrase(operator, one) for operator, one in wanted.items()], said(" and ")
    ),
}
