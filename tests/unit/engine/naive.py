"""The pattern language once more, as slowly and plainly as possible: what the matcher must be equal to."""

from __future__ import annotations

import ipaddress
from typing import Any

Elements = dict[int, int]  # array → index of the element chosen in it


def matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    """Tries every leaf for every field, in the order of paths. `event`: attributes, and data if there is any."""
    return _meets(sorted(_fields(pattern, [])), 0, _leaves(event), {})


def _fields(pattern: dict[str, Any], above: list[str]) -> list[tuple[str, list[Any]]]:
    found = []
    for name, value in pattern.items():
        keys = [*above, name]
        if isinstance(value, dict):
            found += _fields(value, keys)
        else:
            found.append((".".join(keys), value))
    return found


def _leaves(event: dict[str, Any]) -> list[tuple[str, Any, Elements]]:
    found: list[tuple[str, Any, Elements]] = []
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


def _meets(
    fields: list[tuple[str, list[Any]]], at: int, leaves: list[tuple[str, Any, Elements]], chosen: Elements
) -> bool:
    if at == len(fields):
        return True
    path, alternatives = fields[at]
    here = [(leaf, inside) for where, leaf, inside in leaves if where == path and _agree(chosen, inside)]
    if not here and {"exists": False} in alternatives and _meets(fields, at + 1, leaves, chosen):
        return True
    return any(
        any(_holds(alternative, leaf) for alternative in alternatives)
        and _meets(fields, at + 1, leaves, {**chosen, **inside})
        for leaf, inside in here
    )


def _holds(alternative: Any, leaf: Any) -> bool:
    if isinstance(alternative, dict):
        [(operator, wanted)] = alternative.items()
        if operator == "exists":
            return bool(wanted)
        if not isinstance(leaf, str):
            return False
        return leaf.startswith(wanted) if operator == "prefix" else leaf.endswith(wanted)
    if isinstance(alternative, bool) or alternative is None or isinstance(leaf, bool) or leaf is None:
        return alternative is leaf
    if isinstance(alternative, str) and isinstance(leaf, str):
        address = _address(alternative)
        return alternative == leaf if address is None else address == _address(leaf)
    return isinstance(alternative, str) == isinstance(leaf, str) and alternative == leaf


def _address(text: str) -> Any:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
