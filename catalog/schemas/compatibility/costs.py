"""How often parts of a schema are looked at when one value is validated: some schemas double it at every level."""

from __future__ import annotations

from typing import Any

from catalog.schemas.compatibility.normal import Schema
from catalog.schemas.compatibility.reading import Document

MOST = 20_000
_IN_PLACE = ("allOf", "anyOf", "oneOf")
_ALONE = ("not", "if", "then", "else")
_BELOW = (
    "items",
    "additionalProperties",
    "contains",
    "propertyNames",
    "unevaluatedProperties",
    "unevaluatedItems",
)


def looks(document: Document) -> int:
    """An estimate of the parts looked at for one chain of values, at most MOST + 1; recursion is counted once."""
    known: dict[str, int] = {}

    def count(schema: Schema) -> int:
        if not isinstance(schema, dict):
            return 1
        total = 1
        reference = schema.get("$ref")
        if reference is not None:
            if reference not in known:
                known[reference] = 1
                known[reference] = count(document.follow(reference))
            total += known[reference]
        total += sum(count(child) for word in _IN_PLACE for child in schema.get(word, ()))
        total += sum(count(schema[word]) for word in _ALONE if word in schema)
        total += sum(map(count, schema.get("dependentSchemas", {}).values()))
        below: list[Any] = [schema[word] for word in _BELOW if word in schema]
        below += [*schema.get("properties", {}).values(), *schema.get("patternProperties", {}).values()]
        below += schema.get("prefixItems", ())
        return min(MOST + 1, total + max(map(count, below), default=0))

    return count(document.root)
