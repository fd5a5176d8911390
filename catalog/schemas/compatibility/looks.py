"""How often the validator looks at parts of a schema for one value: references can double that at every level.

Thirty definitions, each an allOf of the one before twice, make a billion looks; one look takes about 20 ns.
"""

from __future__ import annotations

from typing import Any

from catalog.schemas.local import look_up

_IN_PLACE = ("allOf", "anyOf", "oneOf")
_ALONE = ("not", "if", "then", "else")
_BELOW = (
    "items", "additionalItems", "additionalProperties", "contains", "propertyNames", "unevaluatedProperties",
    "unevaluatedItems",
)  # fmt: skip
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")


def looks(schema: Any, most: int) -> int:
    """An estimate for a value with one member or entry at each level, at most `most` + 1; a recursion counts once."""
    known: dict[str, int] = {}
    anchors = _anchors(schema)

    def count(part: Any) -> int:
        if not isinstance(part, dict):
            return 1
        total = 1
        for word in _REFERENCES:
            reference = part.get(word)
            if isinstance(reference, str):
                if reference not in known:
                    known[reference] = 1
                    known[reference] = count(_target(schema, reference, anchors))
                total += known[reference]
        total += sum(count(child) for word in _IN_PLACE for child in _list(part.get(word)))
        total += sum(count(part[word]) for word in _ALONE if word in part)
        for word in ("dependentSchemas", "dependencies"):
            total += sum(map(count, _dict(part.get(word)).values()))
        below: list[Any] = [part[word] for word in _BELOW if word in part]
        below += [*_dict(part.get("properties")).values(), *_dict(part.get("patternProperties")).values()]
        below += [*_list(part.get("prefixItems")), *_list(part.get("items"))]
        return min(most + 1, total + max(map(count, below), default=0))

    try:
        return count(schema)
    except RecursionError:
        return most + 1


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _anchors(schema: Any) -> dict[str, Any]:
    """The parts that are named, by the references that name them."""
    found: dict[str, Any] = {}
    todo = [schema]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            for word in ("$anchor", "$dynamicAnchor"):
                if isinstance(item.get(word), str):
                    found["#" + item[word]] = item
            for word in ("$id", "id"):
                if isinstance(item.get(word), str) and item[word].startswith("#"):
                    found[item[word]] = item
            todo.extend(item.values())
        elif isinstance(item, list):
            todo.extend(item)
    return found


def _target(schema: Any, reference: str, anchors: dict[str, Any]) -> Any:
    if reference in anchors:
        return anchors[reference]
    try:
        return look_up(schema, reference)
    except LookupError:
        return True
