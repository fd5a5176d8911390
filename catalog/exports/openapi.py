"""OpenAPI 3.1 with `webhooks`: what a subscriber's HTTP endpoint is sent, one webhook for each event type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalog.exports.contract import about, stance
from catalog.exports.description import Catalog, Lifecycle, Type, Version, values_of
from catalog.exports.envelope import CONTENT_TYPE, ENVELOPE, event_schema, example_events
from catalog.exports.keys import keys
from catalog.exports.translation import DRAFT_2020, translate
from catalog.exports.writing import Members, told

WHAT = (
    "What Signalbox sends to the HTTP target of a rule: whole events in the CloudEvents JSON format. A target with a "
    "transform is sent what the transform makes of them."
)


def openapi(catalog: Catalog) -> Members:
    """The document of all promised types."""
    types = list(catalog.promised())
    current = [kind.current for kind in types]
    names = [
        f"{kind.name}.v{version.number}" if version else kind.name
        for kind, version in zip(types, current, strict=True)
    ]
    found = list(zip(types, current, keys(names), strict=True))
    domains = {kind.domain for kind in types}
    return Members.of(
        {
            "openapi": "3.1.0",
            "info": about(catalog, None, WHAT),
            "tags": [
                {"name": one.slug, "description": one.name} for one in catalog.domains if one.slug in domains
            ],
            "webhooks": Members(lambda: _webhooks(catalog, found)),
            "components": Members.of({"schemas": Members(lambda: _schemas(found))}),
        }
    )


def _webhooks(catalog: Catalog, found: list[tuple[Type, Version | None, str]]) -> Iterator[tuple[str, Any]]:
    owners = catalog.owners()
    sources = {source.slug: source.uri for source in catalog.sources}
    for kind, version, key in found:
        data = {"$ref": f"#/components/schemas/{key}"} if version else None
        events = (
            example_events(catalog, sources, kind, version, values_of(version.examples)) if version else []
        )
        schema = {"allOf": [{"$ref": "#/components/schemas/CloudEvent"}, event_schema(kind, data)]}
        media = told({"schema": schema, "examples": {event["id"]: {"value": event} for event in events}})
        yield (
            kind.name,
            {
                "post": told(
                    {
                        "operationId": f"receive.{key}",
                        "summary": kind.summary,
                        "description": kind.docs,
                        "tags": [kind.domain],
                        "deprecated": kind.lifecycle == Lifecycle.DEPRECATED or None,
                        "externalDocs": {"url": catalog.page_url(kind.name)},
                        "requestBody": {"required": True, "content": {CONTENT_TYPE: media}},
                        "responses": {
                            "2XX": {"description": "The event is taken; Signalbox goes on to the next one."},
                            "default": {
                                "description": "The event is not taken. It is tried again, or becomes a dead letter."
                            },
                        },
                        **stance(catalog, owners, kind, version),
                    }
                )
            },
        )


def _schemas(found: list[tuple[Type, Version | None, str]]) -> Iterator[tuple[str, Any]]:
    yield "CloudEvent", ENVELOPE
    for _, version, key in found:
        if version is not None:
            place = f"/components/schemas/{key}"
            yield key, translate(*version.read(), DRAFT_2020, place).schema
