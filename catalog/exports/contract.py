"""What AsyncAPI and OpenAPI documents say alike: their `info`, and where a type stands."""

from __future__ import annotations

from typing import Any

from catalog.exports.description import Catalog, Source, Type, Version, moment
from catalog.exports.writing import told


def about(catalog: Catalog, source: Source | None, extra: str = "") -> dict[str, Any]:
    """The `info` object of a document about `source`, about the whole catalog when it is None."""
    title = source.name if source else "Event catalog"
    said = source.description if source else "Every event type of this catalog, as CloudEvents."
    contact = {"name": catalog.owners().get(source.team, source.team)} if source else None
    description = "\n\n".join(text for text in (said.strip(), extra) if text)
    return told(
        {"title": title, "version": catalog.revision(), "description": description, "contact": contact}
    )


def stance(catalog: Catalog, owners: dict[str, str], kind: Type, version: Version | None) -> dict[str, Any]:
    """Where `kind` stands, as extensions: x-lifecycle, x-owner (of `owners`, names of teams by slug), x-compatibility,
    x-deprecated, x-personal (paths of data), x-dataschema (the address of the schema that counts)."""
    found: dict[str, Any] = {
        "x-lifecycle": str(kind.lifecycle),
        "x-owner": owners.get(kind.team, kind.team),
        "x-compatibility": kind.compatibility,
        "x-personal": list(kind.personal),
        "x-dataschema": catalog.schema_url(kind, version) if version else "",
    }
    if kind.deprecation is not None:
        found["x-deprecated"] = told(
            {
                "effective": moment(kind.deprecation.effective) if kind.deprecation.effective else None,
                "removal": kind.deprecation.removal.isoformat() if kind.deprecation.removal else None,
                "successor": kind.deprecation.successor,
                "reason": kind.deprecation.reason,
            }
        )
    return told(found)
