"""The prover of jsonschema-rs, asked only what is known to end in time.

It refutes by taking schemas apart: two objects of 24 required members took 350 ms, of 200 minutes; four pairs of
alternatives in one allOf took 300 ms, sixteen never ended. So only small schemas are asked about, and what multiplies
is counted before.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import jsonschema_rs
from jsonschema_rs import canonical

from catalog.schemas.compatibility.budget import Budget
from catalog.schemas.compatibility.normal import OPAQUE, Schema
from catalog.schemas.compatibility.patterns import OPTIONS
from catalog.schemas.compatibility.reading import Document, text_of

NODES = 40
WAYS = 8
BRANCHES = 24
PATTERNS = 1500  # characters
_REFUSED = (
    jsonschema_rs.ValidationError,
    jsonschema_rs.ReferencingError,
    canonical.CanonicalizationError,
    ValueError,
    RecursionError,
    OverflowError,
)


class Prover:
    """Asks whether one schema covers another; answers are True, False or None for unknown."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._forms: dict[str, Any] = {}

    def renew(self, budget: Budget) -> None:
        """Goes on with another budget."""
        self._budget = budget

    def covers(self, wide: Schema, narrow: Schema) -> bool | None:
        """Whether `wide` accepts everything `narrow` accepts; both are documents of draft 2020-12."""
        left, right = self._form(wide, reader=True), self._form(narrow, reader=False)
        if left is None or right is None:
            return None
        try:
            answer = str(left.covers(right))
        except _REFUSED:
            return None
        return {"yes": True, "no": False}.get(answer)

    def difference(self, narrow: Schema, wide: Schema) -> Schema | None:
        """A schema of what `narrow` accepts and `wide` rejects; None when it was not worked out."""
        left, right = self._form(narrow, reader=False), self._form(wide, reader=True)
        if left is None or right is None:
            return None
        try:
            return _plain(left.subtract(right).to_json_schema())
        except _REFUSED:
            return None

    def _form(self, schema: Schema, reader: bool) -> Any:
        key = f"{reader}{text_of(schema)}"
        if key not in self._forms:
            self._budget.step()
            self._forms[key] = None
            if _bounded(schema, reader):
                try:
                    self._forms[key] = jsonschema_rs.canonicalize(
                        _without_opaque(schema),
                        draft=jsonschema_rs.Draft202012,
                        validate_formats=True,
                        pattern_options=OPTIONS,
                        offline=True,
                    )
                except _REFUSED:
                    self._forms[key] = None
        return self._forms[key]


@dataclass
class _Count:
    nodes: int = 0
    patterns: int = 0


class _Multiplies(Exception):
    pass


def _bounded(schema: Schema, reader: bool) -> bool:
    document, count = Document(schema), _Count()

    def ways(item: Any, through: frozenset[str]) -> int:
        """How many cases the alternatives of a place make together."""
        if not isinstance(item, dict):
            return 1
        count.nodes += 1
        if count.nodes > NODES or (reader and OPAQUE in item):
            raise _Multiplies
        count.patterns += len(str(item.get("pattern", ""))) + sum(map(len, item.get("patternProperties", ())))
        count.nodes += len(item.get("enum", ())) // 20
        made = 1
        reference, inside = item.get("$ref"), through
        if reference is not None and reference not in through:
            inside = through | {reference}
            made *= ways(document.follow(reference), inside)
        for child in item.get("allOf", ()):
            made *= ways(child, through)
        for word in ("anyOf", "oneOf"):
            if word in item:
                found = [ways(child, through) for child in item[word]]
                if len(found) > BRANCHES or (word == "oneOf" and made > 1):
                    raise _Multiplies
                # Branches side by side are cheap as long as nothing is multiplied with them.
                made *= sum(found) if made > 1 or max(found, default=1) > 1 else min(len(found), WAYS)
        if "if" in item:
            made *= max(2, ways(item["if"], through))
            made = max(
                made, ways(item.get("then", True), through) * 2, ways(item.get("else", True), through) * 2
            )
        if "not" in item:
            made *= max(1, ways(item["not"], through)) ** 2
        for child in item.get("dependentSchemas", {}).values():
            made *= 2 * ways(child, through)
        if made > WAYS:
            raise _Multiplies
        below = [*item.get("properties", {}).values(), *item.get("patternProperties", {}).values()]
        below += [
            item[w] for w in ("items", "additionalProperties", "contains", "propertyNames") if w in item
        ]
        below += item.get("prefixItems", ())
        below += [item[w] for w in ("unevaluatedProperties", "unevaluatedItems") if w in item]
        # References are counted each time: two to the next level at every level double it.
        for child in below:
            ways(child, inside)
        return made

    try:
        ways(schema, frozenset())
    except (_Multiplies, RecursionError):
        return False
    return count.nodes <= NODES and count.patterns <= PATTERNS


def _plain(schema: Any) -> Any:
    """The prover's schema with JSON's numbers; it writes large ones as Decimal."""
    if isinstance(schema, dict):
        return {word: _plain(value) for word, value in schema.items()}
    if isinstance(schema, list):
        return [_plain(value) for value in schema]
    if isinstance(schema, Decimal):
        return int(schema) if schema == schema.to_integral_value() else float(schema)
    return schema


def _without_opaque(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_opaque(child) for child in schema]
    if isinstance(schema, dict):
        return {word: _without_opaque(child) for word, child in schema.items() if word != OPAQUE}
    return schema
