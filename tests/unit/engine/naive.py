"""The pattern language once more, as slowly and plainly as possible: what the matcher must be equal to."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

Elements = dict[int, int]  # array → index of the element chosen in it
Fields = dict[str, list[Any]]
Leaves = list[tuple[str, Any, Elements]]


def matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    """Tries every leaf for every field, in the order of paths. `event`: attributes, and data if there is any."""
    leaves = leaves_of(event)
    return any(meets_leaves(fields, leaves) for fields in branches(pattern, []))


def meets_leaves(fields: Fields, leaves: Leaves) -> bool:
    """Whether one way to meet a pattern is met."""
    return _meets(sorted(fields.items()), 0, leaves, {})


def branches(pattern: dict[str, Any], above: list[str]) -> list[Fields]:
    """Every way to meet a pattern: alternatives by path."""
    ways: list[Fields] = [{}]
    for name, value in pattern.items():
        keys = [*above, name]
        if name == "$or" and isinstance(value, list) and isinstance(value[0], dict):
            more = [way for entry in value for way in branches(entry, above)]
        elif isinstance(value, dict):
            more = branches(value, keys)
        else:
            more = [{".".join(keys): value}]
        ways = [{**one, **other} for one in ways for other in more]
    return ways


def leaves_of(event: dict[str, Any]) -> Leaves:
    """(path, leaf, elements it is inside of) of all leaves."""
    found: Leaves = []
    arrays = 0

    def walk(value: Any, keys: list[str], inside: Elements) -> None:
        nonlocal arrays
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(inner, [*keys, key], inside)
        elif isinstance(value, list):
            arrays += 1
            array = arrays
            for index, element in enumerate(value):
                plain = not isinstance(element, dict | list)
                walk(element, keys, inside if plain else {**inside, array: index})
        else:
            found.append((".".join(keys), value, inside))

    walk(event, [], {})
    return found


def _agree(chosen: Elements, inside: Elements) -> bool:
    return all(chosen.get(array, index) == index for array, index in inside.items())


def _meets(fields: list[tuple[str, list[Any]]], at: int, leaves: Leaves, chosen: Elements) -> bool:
    if at == len(fields):
        return True
    path, alternatives = fields[at]
    here = [(leaf, inside) for where, leaf, inside in leaves if where == path and _agree(chosen, inside)]
    if not here and {"exists": False} in alternatives and _meets(fields, at + 1, leaves, chosen):
        return True
    return any(
        any(holds(alternative, leaf) for alternative in alternatives)
        and _meets(fields, at + 1, leaves, {**chosen, **inside})
        for leaf, inside in here
    )


def holds(alternative: Any, leaf: Any) -> bool:
    """Whether a leaf satisfies one alternative as written."""
    if isinstance(alternative, dict):
        return all(_operator(name, wanted, leaf) for name, wanted in alternative.items())
    if isinstance(alternative, str) and isinstance(leaf, str) and (address := _address(alternative)):
        return address == _address(leaf)
    return _same(alternative, leaf)


def _same(wanted: Any, leaf: Any) -> bool:
    if isinstance(wanted, bool) or wanted is None or isinstance(leaf, bool) or leaf is None:
        return wanted is leaf
    return isinstance(wanted, str) == isinstance(leaf, str) and wanted == leaf


def _operator(operator: str, wanted: Any, leaf: Any) -> bool:
    if operator == "exists":
        return bool(wanted)
    if operator == "anything-but":
        return not any(_excluded(wanted, leaf))
    if operator == "numeric":
        number = isinstance(leaf, int | float) and not isinstance(leaf, bool)
        pairs = zip(wanted[::2], wanted[1::2], strict=True)
        return number and all(_compare(comparison, leaf, to) for comparison, to in pairs)
    if not isinstance(leaf, str):
        return False
    if isinstance(wanted, dict):
        wanted, leaf = wanted["equals-ignore-case"].casefold(), leaf.casefold()
    return _on_text(operator, wanted, leaf)


def _excluded(wanted: Any, leaf: Any) -> list[bool]:
    if isinstance(wanted, dict):
        [(operator, operands)] = wanted.items()
        listed = isinstance(operands, list) and operator != "numeric"
        return [_operator(operator, operand, leaf) for operand in (operands if listed else [operands])]
    return [_same(one, leaf) for one in (wanted if isinstance(wanted, list) else [wanted])]


def _compare(comparison: str, leaf: Any, to: Any) -> bool:
    return {
        "=": leaf == to,
        "!=": leaf != to,
        "<": leaf < to,
        "<=": leaf <= to,
        ">": leaf > to,
        ">=": leaf >= to,
    }[comparison]


def _on_text(operator: str, wanted: str, leaf: str) -> bool:
    if operator == "wildcard":
        return re.fullmatch(_regex(wanted), leaf, re.DOTALL) is not None
    if operator == "cidr":
        return _in_block(_address(leaf), ipaddress.ip_network(wanted, strict=False))
    return {
        "prefix": leaf.startswith(wanted),
        "suffix": leaf.endswith(wanted),
        "contains": wanted in leaf,
        "exactly": wanted == leaf,
        "equals-ignore-case": wanted.casefold() == leaf.casefold(),
    }[operator]


def _in_block(address: Any, block: Any) -> bool:
    mapped = ipaddress.ip_network("::ffff:0:0/96")
    if block.version == 6 and block.subnet_of(mapped) and address is not None and address.version == 4:
        address = ipaddress.ip_address(f"::ffff:{address}")
    return address is not None and address in block


def _regex(wildcard: str) -> str:
    return "".join(
        ".*" if found == "*" else re.escape(found[-1]) for found in re.findall(r"\\.|.", wildcard, re.DOTALL)
    )


def _address(text: str) -> Any:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
