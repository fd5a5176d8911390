"""The alternatives of a pattern's field: what each holds for, and how the index finds it.

How they are written is in operators.py, how they sound in phrases.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final

from catalog.said import said
from rules.engine.addresses import address_of
from rules.engine.wildcard import fits

# How the index files an alternative. The value's type is part of the kind: in Python 1 == True == 1.0.
TEXT: Final = "text"  # key: the string
ADDRESS: Final = "address"  # key: (4 or 6, address as integer)
NUMBER: Final = "number"  # key: the number; int and float compare by mathematical value
CONSTANT: Final = "constant"  # key: True, False or None
PREFIX: Final = "prefix"  # key: the string
SUFFIX: Final = "suffix"  # key: the string
CONTAINS: Final = "contains"  # key: the string
CASELESS: Final = "caseless"  # key: the string, case-folded
CASELESS_PREFIX: Final = "caseless prefix"  # key: the string, case-folded
CASELESS_SUFFIX: Final = "caseless suffix"  # key: the string, case-folded
CASELESS_CONTAINS: Final = "caseless contains"  # key: the string, case-folded
WILDCARD: Final = "wildcard"  # key: wildcard.Parts
RANGE: Final = "range"  # key: ranges.Range
NETWORK: Final = "network"  # key: addresses.Network
BUT: Final = "but"  # key: the places of what is excluded; any leaf that meets none of them
ALL: Final = "all"  # key: the places of operators that must all hold for one leaf
EXISTS: Final = "exists"  # key: None; any leaf
NOT_THERE: Final = "not there"  # key: None; no leaf

KindAndKey = tuple[str, Hashable]
Predicate = Callable[[Any], bool]
"""Whether one leaf (string, number, true, false, null) satisfies an alternative."""

EXACT_KINDS: Final = frozenset({TEXT, NUMBER, CONSTANT})
"""The kinds an alternative and a leaf share when they are equal, see `exact_place`."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """One of the values or operators a field may satisfy.

    (kind, key): what it holds for, and its place in the index; operator: its name in the language, "exact" for plain
    values; wanted: its JSON value as written.
    """

    kind: str
    key: Hashable
    operator: str = field(compare=False)
    wanted: Any = field(compare=False)

    @property
    def place(self) -> KindAndKey:
        return self.kind, self.key


def exact_place(leaf: Any) -> KindAndKey:
    """(kind, key) of the exact alternative that a leaf meets; IP literals aside."""
    if type(leaf) is str:
        return TEXT, leaf
    return (CONSTANT if leaf is True or leaf is False or leaf is None else NUMBER), leaf


def predicate(kind: str, key: Any) -> Predicate:
    """The check of an alternative on one leaf."""
    return _PREDICATES[kind](key)


def _of_number(holds: Predicate) -> Predicate:
    return lambda leaf: (type(leaf) is int or type(leaf) is float) and holds(leaf)


def _address(wanted: Any) -> Predicate:
    return lambda leaf: type(leaf) is str and address_of(leaf) == wanted


def _network(wanted: Any) -> Predicate:
    def holds(leaf: Any) -> bool:
        address = address_of(leaf) if type(leaf) is str else None
        return address is not None and wanted.holds(address)

    return holds


def _but(excluded: Any) -> Predicate:
    if all(kind == TEXT for kind, _ in excluded):
        texts = frozenset(key for _, key in excluded)
        return lambda leaf: type(leaf) is not str or leaf not in texts
    if all(kind in EXACT_KINDS for kind, _ in excluded):
        return lambda leaf: exact_place(leaf) not in excluded
    predicates = tuple(predicate(kind, key) for kind, key in excluded)
    return lambda leaf: not any(holds(leaf) for holds in predicates)


def _all(parts: Any) -> Predicate:
    predicates = tuple(predicate(kind, key) for kind, key in parts)
    return lambda leaf: all(holds(leaf) for holds in predicates)


_PREDICATES: dict[str, Callable[[Any], Predicate]] = {
    TEXT: lambda text: lambda leaf: type(leaf) is str and leaf == text,
    ADDRESS: _address,
    NUMBER: lambda number: _of_number(lambda leaf: bool(leaf == number)),
    CONSTANT: lambda constant: lambda leaf: leaf is constant,
    PREFIX: lambda text: lambda leaf: type(leaf) is str and leaf.startswith(text),
    SUFFIX: lambda text: lambda leaf: type(leaf) is str and leaf.endswith(text),
    CONTAINS: lambda text: lambda leaf: type(leaf) is str and text in leaf,
    CASELESS: lambda text: lambda leaf: type(leaf) is str and leaf.casefold() == text,
    CASELESS_PREFIX: lambda text: lambda leaf: type(leaf) is str and leaf.casefold().startswith(text),
    CASELESS_SUFFIX: lambda text: lambda leaf: type(leaf) is str and leaf.casefold().endswith(text),
    CASELESS_CONTAINS: lambda text: lambda leaf: type(leaf) is str and text in leaf.casefold(),
    WILDCARD: lambda parts: lambda leaf: type(leaf) is str and fits(parts, leaf),
    RANGE: lambda wanted: _of_number(wanted.holds),
    NETWORK: _network,
    BUT: _but,
    ALL: _all,
    EXISTS: lambda _: lambda leaf: True,
    NOT_THERE: lambda _: lambda leaf: False,
}


type_names: dict[type, str] = {
    str: said("a string"),
    bool: said("true or false"),
    int: said("a number"),
    float: said("a number"),
    type(None): said("null"),
    dict: said("an object"),
    list: said("a list"),
}


def type_name(value: Any) -> str:
    """The JSON type of a value, with its article."""
    return type_names.get(type(value), said("something that is not JSON"))


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
