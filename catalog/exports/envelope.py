"""A JSON Schema of the CloudEvents 1.0 envelope in JSON format (CloudEvents JSON Event Format 1.0 §3), written for us.

It uses only what draft 7 and draft 2020-12 have in common.
"""

from __future__ import annotations

from typing import Any

from catalog.exports.description import Catalog, Type, Version, moment
from catalog.exports.translation import refers

CONTENT_TYPE = "application/cloudevents+json"

_OPTIONAL_TEXT = {"type": ["string", "null"], "minLength": 1}

ENVELOPE: dict[str, Any] = {
    "title": "CloudEvent",
    "description": "An event in the CloudEvents JSON format, structured mode.",
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"description": "The version of CloudEvents.", "const": "1.0"},
        "id": {
            "description": "Names the event within its source. The same source and id mean the same event.",
            "type": "string",
            "minLength": 1,
        },
        "source": {
            "description": "What the event comes from.",
            "type": "string",
            "format": "uri-reference",
            "minLength": 1,
        },
        "type": {"description": "What happened.", "type": "string", "minLength": 1},
        "subject": {"description": "What it happened to, within the source.", **_OPTIONAL_TEXT},
        "time": {"description": "When it happened.", "format": "date-time", **_OPTIONAL_TEXT},
        "datacontenttype": {"description": "The media type of data.", **_OPTIONAL_TEXT},
        "dataschema": {
            "description": "The address of the schema of data.",
            "format": "uri",
            **_OPTIONAL_TEXT,
        },
        "data": {"description": "What the event carries."},
        "data_base64": {
            "description": "What the event carries, when it is binary.",
            "type": ["string", "null"],
            "contentEncoding": "base64",
        },
    },
    "propertyNames": {"pattern": "^([a-z0-9]+|data_base64)$"},
    "additionalProperties": {
        "description": "An extension attribute.",
        "type": ["string", "integer", "boolean", "null"],
    },
}


def event_schema(kind: Type, data: Any) -> dict[str, Any]:
    """What an event of `kind` adds to the envelope: its type, and `data` (a schema, None when there is none)."""
    if data is None:
        return {"properties": {"type": {"const": kind.name}}}
    return {"required": ["data"], "properties": {"type": {"const": kind.name}, "data": data}}


def example_events(
    catalog: Catalog, sources: dict[str, str], kind: Type, version: Version, data: list[Any]
) -> list[dict[str, Any]]:
    """Whole events that carry `data`, one each, from the first of its `sources` (URIs by slug).

    Their ids and times depend on nothing but the version. Data that tools would take for a reference is left out.
    """
    source = next((sources[slug] for slug in kind.sources if slug in sources), "/example")
    return [
        {
            "specversion": "1.0",
            "id": f"example-{index}",
            "source": source,
            "type": kind.name,
            "time": moment(version.created_at),
            "datacontenttype": "application/json",
            "dataschema": catalog.schema_url(kind, version),
            "data": value,
        }
        for index, value in enumerate(data, 1)
        if not refers(value)
    ]
