"""All schemas in one file: a compound schema document (JSON Schema 2020-12 §9.3), each part under its own address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalog.exports.description import Catalog
from catalog.exports.writing import Members
from catalog.schemas.dialects import DEFAULT

# Later drafts count an id beside a reference.
_REFERENCE_ALONE = frozenset(
    {
        "http://json-schema.org/draft-04/schema",
        "http://json-schema.org/draft-06/schema",
        "http://json-schema.org/draft-07/schema",
    }
)
_DRAFT_4 = "http://json-schema.org/draft-04/schema"
# Members of a schema whose own members are data or names, not schemas.
_DATA = frozenset({"const", "enum", "default", "examples", "example"})
_NAMED = frozenset(
    {"properties", "patternProperties", "definitions", "$defs", "dependentSchemas", "dependencies"}
)


def bundle(catalog: Catalog) -> Members:
    """Every published version of every type, in `$defs` under "<type>/<number>", with its address as `$id`.

    A reference to the address of any version (its CloudEvents dataschema) resolves inside the document.
    """
    return Members.of(
        {
            "$schema": DEFAULT,
            "$id": f"{catalog.url}/export/schemas.json",
            "title": "Event catalog",
            "$comment": f"Version {catalog.revision()}",
            "$defs": Members(lambda: _parts(catalog)),
        }
    )


def _parts(catalog: Catalog) -> Iterator[tuple[str, Any]]:
    for kind in catalog.types:
        for version in kind.published:
            url = catalog.schema_url(kind, version)
            yield f"{kind.name}/{version.number}", addressed(*version.read(), url)


def addressed(schema: Any, dialect: str, url: str) -> dict[str, Any]:
    """`schema` with `url` as its id and its dialect said, for use as a part of another document.

    Ids of its own are kept apart from those of its neighbours: references never use them, as only references within
    a schema are registered.
    """
    name = "id" if dialect == _DRAFT_4 else "$id"
    start = {"$schema": dialect + ("#" if dialect in _REFERENCE_ALONE else ""), name: url}
    if dialect == _DRAFT_4:
        # Whoever reads the whole by 2020-12 knows a part by `$id`, whoever reads the part by draft 4 by `id`.
        start["$id"] = url
    if isinstance(schema, bool):
        return start if schema else {**start, "not": {}}
    own = _apart(schema, name, url, [0])
    for key in ("$schema", "$id", name):
        own.pop(key, None)
    if dialect in _REFERENCE_ALONE and "$ref" in own:
        # Beside a reference nothing else counts, not even the id.
        kept = {key: own[key] for key in ("title", "description", "definitions", "$defs") if key in own}
        own = {"allOf": [{"$ref": own["$ref"]}], **kept}
    return {**start, **own}


def _apart(node: Any, name: str, url: str, count: list[int]) -> Any:
    """A copy of schema `node` in which every id that is an address is one below `url`."""
    if isinstance(node, list):
        return [_apart(item, name, url, count) for item in node]
    if not isinstance(node, dict):
        return node
    found: dict[str, Any] = {}
    for key, value in node.items():
        if key == name and isinstance(value, str) and not value.startswith("#"):
            count[0] += 1
            found[key] = f"{url}/part-{count[0]}"
        elif key in _NAMED and isinstance(value, dict):
            found[key] = {part: _apart(item, name, url, count) for part, item in value.items()}
        elif key in _DATA:
            found[key] = value
        else:
            found[key] = _apart(value, name, url, count)
    return found
