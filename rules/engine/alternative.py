"""The alternatives of a pattern's field: one operator each, with its check, its wording and how the index finds it.

A new operator is one entry in OPERATORS and one kind for the index (index.py).
"""

from __future__ import annotations

import ipaddress
import json
import math
import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

# How the index files an alternative. The value's type is part of the kind: in Python 1 == True == 1.0.
TEXT = "text"  # key: the string
ADDRESS = "address"  # key: (4 or 6, address as integer)
NUMBER = "number"  # key: the number; int and float compare by mathematical value
CONSTANT = "constant"  # key: True, False or None
PREFIX = "prefix"  # key: the string
SUFFIX = "suffix"  # key: the string
EXISTS = "exists"  # key: None; any leaf
NOT_THERE = "not there"  # key: None; no leaf

type_names: dict[type, str] = {
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
    dict: "an object",
    list: "a list",
}


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the values or operators a field may satisfy.

    operator: its name in the language; wanted: its JSON value as written; (kind, key): its place in the index;
    holds(leaf): whether one leaf (string, number, true, false, null) satisfies it; phrase: ends "the rule wants …".
    """

    operator: str
    wanted: Any = field(compare=False)
    kind: str
    key: Hashable
    holds: Callable[[Any], bool] = field(compare=False)
    phrase: str = field(compare=False)


EXACT_KINDS = frozenset({TEXT, NUMBER, CONSTANT})
"""The kinds an alternative and a leaf share when they are equal, see `exact_place`."""


def exact_place(leaf: Any) -> tuple[str, Hashable]:
    """(kind, key) of the exact alternative that a leaf meets; IP literals aside."""
    if type(leaf) is str:
        return TEXT, leaf
    return (CONSTANT if leaf is True or leaf is False or leaf is None else NUMBER), leaf


class NotUnderstood(ValueError):
    """What was written is no alternative; the message says what would be right, `step` where below it."""

    def __init__(self, message: str, step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.step = step


_ADDRESS_SHAPE = re.compile(
    r"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+|[0-9a-fA-F:]*:[0-9a-fA-F:]*(?:[0-9]+(?:\.[0-9]+){3})?"
)


def address_of(text: str) -> tuple[int, int] | None:
    """(4 or 6, the address as an integer) when `text` is an IP literal, IPv4-mapped IPv6 as IPv4; else None.

    Octets with leading zeros are no addresses.
    """
    if len(text) > 45 or _ADDRESS_SHAPE.fullmatch(text) is None:
        return None
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    final = mapped or address
    return final.version, int(final)


def show(value: Any) -> str:
    """A JSON value as it stands in a sentence, cut when long."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
    except (
        TypeError,
        ValueError,
        RecursionError,
    ):  # integers of thousands of digits, values nested hundreds deep
        return "…"
    return text if len(text) <= 120 else text[:117] + "…"


def exact(wanted: Any) -> Alternative:
    """The alternative of a plain JSON value. Raises NotUnderstood for lists, objects and NaN or infinity."""
    if wanted is None or isinstance(wanted, bool):
        phrase = show(wanted)
        return Alternative("exact", wanted, CONSTANT, wanted, lambda leaf: leaf is wanted, phrase)
    if isinstance(wanted, str):
        check_text(wanted)
        phrase = show(wanted)
        address = address_of(wanted)
        if address is not None:
            return Alternative(
                "exact",
                wanted,
                ADDRESS,
                address,
                lambda leaf: type(leaf) is str and address_of(leaf) == address,
                phrase,
            )
        return Alternative(
            "exact", wanted, TEXT, wanted, lambda leaf: type(leaf) is str and leaf == wanted, phrase
        )
    if isinstance(wanted, int | float):
        too_large = not math.isfinite(wanted) if isinstance(wanted, float) else wanted.bit_length() > 1024
        if too_large:
            raise NotUnderstood("the number is too large: at most 1.797e308 is understood")
        return Alternative(
            "exact",
            wanted,
            NUMBER,
            wanted,
            lambda leaf: (type(leaf) is int or type(leaf) is float) and leaf == wanted,
            "the number " + show(wanted),
        )
    kind = type_names.get(type(wanted), "something that is not JSON")
    raise NotUnderstood(
        f"an alternative is a string, a number, true, false, null or an operator object, not {kind}"
    )


def check_text(text: str) -> None:
    """Raises NotUnderstood when `text` is not Unicode text (half of a surrogate pair)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotUnderstood(r"half of a surrogate pair (\ud800 to \udfff) is not a character") from None


def _string(operator: str, wanted: Any, example: str) -> str:
    if not isinstance(wanted, str):
        written = type_names.get(type(wanted), "something else")
        raise NotUnderstood(f"`{operator}` takes one string, as in {example}, not {written}", f"/{operator}")
    check_text(wanted)
    return wanted


def prefix(wanted: Any) -> Alternative:
    """Strings that begin so (case-sensitive); "" takes every string."""
    text = _string("prefix", wanted, '{"prefix": "com.example."}')
    phrase = f"a string that starts with {show(text)}"
    return Alternative(
        "prefix", text, PREFIX, text, lambda leaf: type(leaf) is str and leaf.startswith(text), phrase
    )


def suffix(wanted: Any) -> Alternative:
    """Strings that end so (case-sensitive); "" takes every string."""
    text = _string("suffix", wanted, '{"suffix": ".png"}')
    phrase = f"a string that ends with {show(text)}"
    return Alternative(
        "suffix", text, SUFFIX, text, lambda leaf: type(leaf) is str and leaf.endswith(text), phrase
    )


def exists(wanted: Any) -> Alternative:
    """true: any leaf at the path; false: none. Objects, {} and [] have no leaf of their own."""
    if wanted is True:
        return Alternative("exists", True, EXISTS, None, lambda leaf: True, "it to be there")
    if wanted is False:
        return Alternative("exists", False, NOT_THERE, None, lambda leaf: False, "it not to be there")
    raise NotUnderstood("`exists` takes true or false", "/exists")


OPERATORS: dict[str, Callable[[Any], Alternative]] = {"prefix": prefix, "suffix": suffix, "exists": exists}

UNDERSTOOD = "understood are: exact values, " + ", ".join(f"`{name}`" for name in OPERATORS)


def parse_alternative(written: Any) -> Alternative:
    """The alternative of one entry of a field's list. Raises NotUnderstood, saying what would be right."""
    if not isinstance(written, dict):
        return exact(written)
    if not written:
        raise NotUnderstood(f'an operator object names one operator, as in {{"prefix": "a"}}; {UNDERSTOOD}')
    if len(written) > 1:
        names = ", ".join(f"`{name}`" for name in written)
        raise NotUnderstood(f"an operator object names one operator, this one {len(written)}: {names}")
    [(name, wanted)] = written.items()
    operator = OPERATORS.get(name)
    if operator is None:
        raise NotUnderstood(f"`{name}` is not understood here; {UNDERSTOOD}")
    return operator(wanted)
