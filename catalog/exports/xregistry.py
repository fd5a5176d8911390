"""An xRegistry 1.0-rc4 document (a CloudEvents registry): schemas by domain, messages by source, buses as endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalog.exports.description import Catalog, Lifecycle, Source, Type, Version, moment
from catalog.exports.keys import XREGISTRY, XREGISTRY_LENGTH, keys
from catalog.exports.writing import Members, told

SPECIFICATION = "1.0-rc4"
ENVELOPE = "CloudEvents/1.0"

FORMATS = {
    "http://json-schema.org/draft-04/schema": "JsonSchema/draft-04",
    "http://json-schema.org/draft-06/schema": "JsonSchema/draft-06",
    "http://json-schema.org/draft-07/schema": "JsonSchema/draft-07",
    "https://json-schema.org/draft/2019-09/schema": "JsonSchema/draft/2019-09",
    "https://json-schema.org/draft/2020-12/schema": "JsonSchema/draft/2020-12",
}
# A boolean is a JSON Schema, and the published schema of documents takes objects only: what means the same.
_OBJECTS: dict[bool, dict[str, Any]] = {True: {}, False: {"not": {}}}


def xregistry(catalog: Catalog) -> Members:
    """The document of all types that were ever promised, with all their published versions."""
    return _Document(catalog).members()


class _Document:
    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.types = [kind for kind in catalog.types if kind.lifecycle != Lifecycle.DRAFT]
        self.emitted = catalog.types_of_sources()
        self.on_shelf: dict[str, list[Type]] = {}
        for kind in self.types:
            if kind.published:
                self.on_shelf.setdefault(kind.domain, []).append(kind)
        names = [kind.name for kind in self.types]
        self.ids = dict(zip(names, keys(names, XREGISTRY, XREGISTRY_LENGTH, fold=True), strict=True))

    def members(self) -> Members:
        catalog = self.catalog
        return Members.of(
            {
                "specversion": SPECIFICATION,
                "registryid": "signalbox",
                "name": "Event catalog",
                "documentation": f"{catalog.url}/",
                "schemagroups": Members.of(
                    {
                        one.slug: self._schemas(one.slug, one.name)
                        for one in catalog.domains
                        if one.slug in self.on_shelf
                    }
                ),
                "messagegroups": Members.of({one.slug: self._messages(one) for one in catalog.sources}),
                "endpoints": Members(self._endpoints),
            }
        )

    # ── schemas ──

    def _schemas(self, domain: str, name: str) -> Members:
        return Members.of(
            {
                "schemagroupid": domain,
                "name": name,
                "schemas": Members(
                    lambda: ((self.ids[kind.name], self._schema(kind)) for kind in self.on_shelf[domain])
                ),
            }
        )

    def _schema(self, kind: Type) -> dict[str, Any]:
        shown = kind.current or kind.published[-1]
        before: Version | None = None
        versions: dict[str, Any] = {}
        for version in kind.published:
            schema, dialect = version.read()
            versions[str(version.number)] = told(
                {
                    "schemaid": self.ids[kind.name],
                    "versionid": str(version.number),
                    "isdefault": version is shown,
                    "ancestorid": str((before or version).number),
                    "description": version.notes,
                    "labels": {"lifecycle": str(version.lifecycle)},
                    "createdat": moment(version.created_at),
                    "modifiedat": moment(version.created_at),
                    "format": FORMATS[dialect],
                    "contenttype": "application/schema+json",
                }
            ) | {"schema": _OBJECTS[schema] if isinstance(schema, bool) else schema}
            before = version
        return told(
            {
                "schemaid": self.ids[kind.name],
                "versionid": str(shown.number),
                "name": kind.name,
                "description": kind.summary,
                "documentation": self.catalog.page_url(kind.name),
                "labels": self._labels(kind),
                "format": versions[str(shown.number)]["format"],
                "meta": told(
                    {
                        "schemaid": self.ids[kind.name],
                        "compatibility": kind.compatibility,
                        "defaultversionid": str(shown.number),
                        "defaultversionsticky": kind.default is not None,
                        "deprecated": self._deprecated(kind),
                    }
                ),
                "versions": versions,
            }
        )

    def _labels(self, kind: Type) -> dict[str, str]:
        labels = {"lifecycle": str(kind.lifecycle), "owner": kind.team}
        # A label is a name with a value; a tag is a name alone.
        return labels | {f"tag-{index}": tag for index, tag in enumerate(kind.tags, 1)}

    def _deprecated(self, kind: Type) -> dict[str, Any] | None:
        told_of = kind.deprecation
        if told_of is None:
            return None
        return told(
            {
                "effective": moment(told_of.effective) if told_of.effective else None,
                "removal": f"{told_of.removal.isoformat()}T00:00:00Z" if told_of.removal else None,
                "alternative": self.catalog.schemas_url(told_of.successor) if told_of.successor else None,
                "documentation": self.catalog.page_url(kind.name),
            }
        )

    # ── messages and endpoints ──

    def _messages(self, source: Source) -> Members:
        return Members.of(
            {
                "messagegroupid": source.slug,
                "name": source.name,
                "description": source.description or None,
                "envelope": ENVELOPE,
                "messages": Members(
                    lambda: (
                        (self.ids[kind.name], self._message(kind, source))
                        for kind in self.emitted[source.slug]
                        if kind.name in self.ids
                    )
                ),
            }
        )

    def _message(self, kind: Type, source: Source) -> dict[str, Any]:
        shown = kind.current or (kind.published[-1] if kind.published else None)
        return told(
            {
                "messageid": self.ids[kind.name],
                "name": kind.name,
                "description": kind.summary,
                "documentation": self.catalog.page_url(kind.name),
                "envelope": ENVELOPE,
                "envelopemetadata": {
                    "specversion": {"type": "string", "value": "1.0", "required": True},
                    "id": {"type": "string", "required": True},
                    "type": {"type": "string", "value": kind.name, "required": True},
                    "source": {"type": "uritemplate", "value": source.uri, "required": True},
                    "subject": {"type": "string", "required": False},
                    "time": {"type": "timestamp", "required": False},
                },
                "dataschemaformat": FORMATS[shown.read()[1]] if shown else None,
                "dataschemauri": f"/schemagroups/{kind.domain}/schemas/{self.ids[kind.name]}"
                if shown
                else None,
                "datacontenttype": "application/json",
            }
        )

    def _endpoints(self) -> Iterator[tuple[str, Any]]:
        for bus in self.catalog.buses:
            groups = [f"/messagegroups/{one.slug}" for one in self.catalog.sources if one.bus == bus.name]
            yield (
                f"bus-{bus.name}",
                told(
                    {
                        "endpointid": f"bus-{bus.name}",
                        "name": bus.name,
                        "description": bus.description,
                        "usage": ["producer"],
                        "envelope": ENVELOPE,
                        "envelopeoptions": {"mode": "structured", "format": "application/cloudevents+json"},
                        "protocol": "HTTP",
                        "protocoloptions": {
                            "endpoints": [{"uri": f"{self.catalog.url}/v1/buses/{bus.name}/events"}],
                            "method": "POST",
                        },
                        "messagegroups": groups,
                    }
                ),
            )
