"""Which of the types seen a schema does not allow."""

from __future__ import annotations

from collections.abc import Collection

from catalog.schemas.shape.node import Node


def misfits(node: Node, allowed: Collection[str]) -> dict[str, int]:
    """JSON type → how many values of `node` are of it, for the types that `allowed` (JSON Schema `type`) leaves out."""
    found = {
        kind: count
        for kind, count in node.kinds().items()
        if kind not in allowed and not (kind == "integer" and "number" in allowed)
    }
    if "number" in found and "integer" in allowed and node.numbers is not None:
        found["number"] -= node.numbers.whole  # 2.0 is an integer by JSON Schema
    return {kind: count for kind, count in found.items() if count}
