"""AsyncAPI 3.0: what a source publishes, or all of them, as operations on the channels of the buses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from catalog.exports.contract import about, stance
from catalog.exports.description import Catalog, Source, Type, Version, values_of
from catalog.exports.envelope import CONTENT_TYPE, ENVELOPE, event_schema, example_events
from catalog.exports.keys import keys
from catalog.exports.translation import DRAFT_7, translate
from catalog.exports.writing import Members, told

SCHEMA_FORMAT = "application/schema+json;version=draft-07"


def asyncapi(catalog: Catalog, source: Source | None = None) -> Members:
    """The document of one source, or of the whole catalog when there is none. Only promised types are in it."""
    if source is not None:
        catalog = catalog.emitted_by(source)
    return _Document(catalog, source).members()


class _Document:
    def __init__(self, catalog: Catalog, source: Source | None) -> None:
        self.catalog, self.source = catalog, source
        self.types = list(catalog.promised())
        self.owners = catalog.owners()
        current = [kind.current for kind in self.types]
        names = [
            f"{kind.name}.v{version.number}" if version else kind.name
            for kind, version in zip(self.types, current, strict=True)
        ]
        # What each schema could not say, by key, once it was translated.
        self.left_out: dict[str, tuple[str, ...]] = {}
        self.messages = list(zip(self.types, current, keys(names), strict=True))
        bus_of = {one.slug: one.bus for one in catalog.sources}
        self.on_bus: dict[str, list[tuple[Type, str]]] = {bus.name: [] for bus in catalog.buses}
        for kind, _, key in self.messages:
            for bus in dict.fromkeys(bus_of[slug] for slug in kind.sources if slug in bus_of):
                if bus in self.on_bus:
                    self.on_bus[bus].append((kind, key))

    def members(self) -> Members:
        catalog, source = self.catalog, self.source
        url = urlsplit(catalog.url)
        secured = any(not bus.open for bus in catalog.buses)
        return Members.of(
            {
                "asyncapi": "3.0.0",
                "id": f"{catalog.url}/sources/{source.slug}/" if source else f"{catalog.url}/",
                "info": about(catalog, source),
                "defaultContentType": CONTENT_TYPE,
                "servers": {
                    "signalbox": told(
                        {
                            "host": url.netloc,
                            "pathname": url.path,
                            "protocol": url.scheme,
                            "title": "Signalbox",
                            "description": "Takes CloudEvents in structured, binary and batched mode over HTTP.",
                        }
                    )
                },
                "channels": Members.of({bus.name: self._channel(bus.name) for bus in catalog.buses}),
                "operations": Members(self._operations),
                "components": Members.of(
                    {
                        "schemas": Members(self._schemas),
                        "messages": Members(self._messages),
                        "securitySchemes": {
                            "token": {
                                "type": "http",
                                "scheme": "bearer",
                                "description": "A publishing token of Signalbox: sbx_…",
                            }
                        }
                        if secured
                        else None,
                    }
                ),
            }
        )

    def _channel(self, name: str) -> Members:
        bus = next(bus for bus in self.catalog.buses if bus.name == name)
        return Members.of(
            {
                "address": f"/v1/buses/{name}/events",
                "title": name,
                "description": bus.description or None,
                "servers": [{"$ref": "#/servers/signalbox"}],
                "messages": Members(
                    lambda: ((key, {"$ref": f"#/components/messages/{key}"}) for _, key in self.on_bus[name])
                ),
            }
        )

    def _operations(self) -> Iterator[tuple[str, Any]]:
        for bus in self.catalog.buses:
            security = {} if bus.open else {"security": [{"$ref": "#/components/securitySchemes/token"}]}
            for kind, key in self.on_bus[bus.name]:
                yield (
                    # Names of buses hold no dots, so no two operations are called the same.
                    f"publish.{bus.name}.{key}",
                    {
                        "action": "send",
                        "title": f"Publish {kind.name}",
                        "summary": kind.summary,
                        "channel": {"$ref": f"#/channels/{bus.name}"},
                        "messages": [{"$ref": f"#/channels/{bus.name}/messages/{key}"}],
                        "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
                        **security,
                    },
                )

    def _schemas(self) -> Iterator[tuple[str, Any]]:
        yield "CloudEvent", {"schemaFormat": SCHEMA_FORMAT, "schema": ENVELOPE}
        for _, version, key in self.messages:
            if version is not None:
                # A message's key ends with its version, so no data schema is called CloudEvent.
                yield key, {"schemaFormat": SCHEMA_FORMAT, "schema": self._data(version, key)}

    def _data(self, version: Version, key: str) -> Any:
        found = translate(*version.read(), DRAFT_7, f"/components/schemas/{key}/schema")
        self.left_out[key] = found.left_out
        return found.schema

    def _messages(self) -> Iterator[tuple[str, Any]]:
        sources = {source.slug: source.uri for source in self.catalog.sources}
        for kind, version, key in self.messages:
            data = {"$ref": f"#/components/schemas/{key}/schema"} if version else None
            examples = (
                example_events(self.catalog, sources, kind, version, values_of(version.examples))
                if version
                else []
            )
            if version is not None and key not in self.left_out:
                self._data(version, key)
            yield (
                key,
                told(
                    {
                        "name": kind.name,
                        "title": kind.name,
                        "summary": kind.summary,
                        "description": kind.docs,
                        "contentType": CONTENT_TYPE,
                        "tags": [{"name": name} for name in dict.fromkeys((kind.domain, *kind.tags))],
                        "externalDocs": {"url": self.catalog.page_url(kind.name)},
                        "payload": {
                            "schemaFormat": SCHEMA_FORMAT,
                            "schema": {
                                "allOf": [
                                    {"$ref": "#/components/schemas/CloudEvent/schema"},
                                    event_schema(kind, data),
                                ]
                            },
                        },
                        "examples": [{"name": event["id"], "payload": event} for event in examples],
                        **stance(self.catalog, self.owners, kind, version),
                        "x-left-out": list(self.left_out.get(key, ())),
                    }
                ),
            )
