"""Reading a schema with its local references and allOf put in."""

from __future__ import annotations

from typing import Any

from catalog.schemas.local import look_up

_PARTS = 20


class Document:
    """A schema as a parser gives it. Never fetches: a reference that leaves it, or points to nothing, is any value."""

    def __init__(self, root: Any) -> None:
        self.root = root

    def resolved(self, schema: Any, seen: frozenset[str]) -> tuple[dict[str, Any], frozenset[str]]:
        """`schema` with its local $ref and allOf put in; a reference already being read counts as any value."""
        if not isinstance(schema, dict):
            return {}, seen
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference.startswith("#"):
            if reference in seen:
                return {"description": schema.get("description", "")}, seen
            target, deeper = self.resolved(self.at(reference), seen | {reference})
            return _merged(target, {key: value for key, value in schema.items() if key != "$ref"}), deeper
        parts = schema.get("allOf")
        if isinstance(parts, list):
            merged = {key: value for key, value in schema.items() if key != "allOf"}
            for part in parts[:_PARTS]:
                found, seen = self.resolved(part, seen)
                merged = _merged(found, merged)
            return merged, seen
        return schema, seen

    def at(self, reference: str) -> Any:
        """What local `reference` ("#/$defs/money") points to; {} when that is nothing."""
        try:
            return look_up(self.root, reference)
        except LookupError:
            return {}

    def branches(self, schema: Any) -> list[dict[str, Any]]:
        """The ways in which a value may fit `schema`: itself resolved, once for each entry of its oneOf or anyOf.

        `then` and `else` count as ways too. At most 60; each holds the keywords of the schema around it.
        """
        found: list[dict[str, Any]] = []
        todo: list[tuple[dict[str, Any], frozenset[str]]] = [self.resolved(schema, frozenset({"#"}))]
        while todo and len(found) < 3 * _PARTS:
            whole, seen = todo.pop()
            for keyword in ("oneOf", "anyOf"):
                if isinstance(whole.get(keyword), list):
                    around = {key: value for key, value in whole.items() if key != keyword}
                    parts = whole[keyword][:_PARTS]
                    break
            else:
                around = {key: value for key, value in whole.items() if key not in ("if", "then", "else")}
                parts = [
                    whole[keyword] for keyword in ("then", "else") if isinstance(whole.get(keyword), dict)
                ]
                if parts and "else" not in whole:
                    parts.append({})
            if not parts:
                found.append(around)
            for part in reversed(parts):
                inner, deeper = self.resolved(part, seen)
                todo.append((_merged(around, inner), deeper))
        return found

    def names(self, schema: Any) -> set[str]:
        """The members that `schema` declares in any of its branches."""
        found: set[str] = set()
        for branch in self.branches(schema):
            properties = branch.get("properties")
            found.update(properties if isinstance(properties, dict) else ())
        return found


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = {**below, **above}
    if isinstance(below.get("properties"), dict) and isinstance(above.get("properties"), dict):
        merged["properties"] = {**below["properties"], **above["properties"]}
    if isinstance(below.get("required"), list) and isinstance(above.get("required"), list):
        merged["required"] = [*below["required"], *above["required"]]
    return merged
