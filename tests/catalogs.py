"""A catalog with everything that is hard to tell to other tools, as the exporters are given it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

from catalog.exports.description import (
    Bus,
    Catalog,
    Deprecation,
    Domain,
    Lifecycle,
    Source,
    Team,
    Type,
    Version,
)

THEN = datetime(2026, 3, 4, 5, 6, 7, 890, tzinfo=UTC)
URL = "https://signalbox.example"

DRAFTS = {
    4: "http://json-schema.org/draft-04/schema#",
    6: "http://json-schema.org/draft-06/schema#",
    7: "http://json-schema.org/draft-07/schema#",
    19: "https://json-schema.org/draft/2019-09/schema",
    20: "https://json-schema.org/draft/2020-12/schema",
}

MONEY = {
    "type": "object",
    "required": ["amount", "currency"],
    "properties": {"amount": {"type": "number", "multipleOf": 0.01}, "currency": {"enum": ["SEK", "EUR"]}},
}

# A name → the schema, values that fit it, values that do not.
SCHEMAS: dict[str, tuple[Any, list[Any], list[Any]]] = {
    "draft 4, exclusive bounds": (
        {
            "$schema": DRAFTS[4],
            "id": "http://example.com/four.json",
            "type": "object",
            "properties": {
                "share": {"type": "number", "minimum": 0, "exclusiveMinimum": True, "maximum": 1},
                "price": {"$ref": "#/definitions/money"},
                "const": {"type": "string"},
            },
            "const": "means nothing yet",
            "definitions": {"money": MONEY},
        },
        [{"share": 0.5}, {"price": {"amount": 19.99, "currency": "SEK"}}],
        [{"share": 0}, {"price": {"amount": 1, "currency": "USD"}}],
    ),
    "draft 6, reference at the root": (
        {
            "$schema": DRAFTS[6],
            "$ref": "#/definitions/order",
            "minProperties": 99,
            "definitions": {"order": {"required": ["id"], "properties": {"id": {"const": 1}}}},
        },
        [{"id": 1}],
        [{}, {"id": 2}],
    ),
    "draft 7, tuple, recursion, anchors, nested ids": (
        {
            "$schema": DRAFTS[7],
            "type": "object",
            "properties": {
                "pair": {"items": [{"type": "string"}, {"type": "integer"}], "additionalItems": False},
                "children": {"type": "array", "items": {"$ref": "#"}},
                "name": {"$ref": "#named"},
                "inner": {
                    "$id": "http://example.com/inner.json",
                    "definitions": {"deep": {"type": "boolean"}},
                    "properties": {"deep": {"$ref": "#/definitions/deep"}},
                },
                "odd/name %": {"type": "null"},
                "same": {"$ref": "#/properties/odd~1name%20%25"},
            },
            "dependencies": {"pair": ["name"], "inner": {"required": ["same"]}},
            "definitions": {"text": {"$id": "#named", "type": "string"}},
        },
        [
            {"pair": ["a", 1], "name": "x"},
            {"children": [{"children": []}]},
            {"inner": {"deep": True}, "same": None},
        ],
        [
            {"pair": ["a", 1]},
            {"pair": ["a", 1, 2], "name": "x"},
            {"children": [{"name": 1}]},
            {"inner": {"deep": 1}, "same": None},
            {"inner": {}},
            {"same": 1},
        ],
    ),
    "draft 2019-09, recursion and dependencies": (
        {
            "$schema": DRAFTS[19],
            "$recursiveAnchor": True,
            "type": "object",
            "properties": {
                "next": {"$recursiveRef": "#"},
                "label": {"$ref": "#label", "maxLength": 3},
            },
            "dependentRequired": {"next": ["label"]},
            "dependentSchemas": {"next": {"minProperties": 2}},
            "$defs": {"label": {"$anchor": "label", "type": "string"}},
        },
        [{"label": "abc"}, {"next": {}, "label": "x"}],
        [{"label": "abcd"}, {"next": {}}, {"next": {"label": 1}, "label": "x"}],
    ),
    "draft 2020-12, tuples and a place that is no schema's": (
        {
            "$schema": DRAFTS[20],
            "type": "object",
            "properties": {
                "point": {"prefixItems": [{"type": "number"}, {"type": "number"}], "items": False},
                "kind": {"$ref": "#/x-kinds/one"},
                "tree": {"$dynamicRef": "#tree"},
            },
            "x-kinds": {"one": {"enum": ["a", "b"], "not": {"$ref": "#/x-kinds/two"}}, "two": {"const": "b"}},
            "$defs": {
                "tree": {
                    "$dynamicAnchor": "tree",
                    "type": "array",
                    "items": {"$dynamicRef": "#tree"},
                }
            },
        },
        [{"point": [1, 2]}, {"kind": "a"}, {"tree": [[], [[]]]}],
        [{"point": [1, 2, 3]}, {"kind": "b"}, {"kind": "c"}, {"tree": [1]}],
    ),
    "data that looks like a reference": (
        {"enum": [{"a": [{"$ref": "#/nowhere"}]}, 1], "default": {"$ref": "#/nowhere"}},
        [{"a": [{"$ref": "#/nowhere"}]}],
        [],
    ),
    "anything": (True, [1, None, {"a": []}], []),
    "annotations that OpenAPI reads otherwise": (
        {
            "type": "object",
            "discriminator": {"propertyName": "kind"},
            "xml": 1,
            "externalDocs": "nowhere",
            "properties": {"example": {"type": "string"}, "nullable": {"$ref": "#/$defs/x"}},
            "$defs": {"x": {"type": "integer", "example": 1, "nullable": True}},
        },
        [{"example": "a", "nullable": 1}],
        [{"example": 1}, {"nullable": None}],
    ),
}

# What draft 7 cannot say: the schema, values that fit it, and the keywords that are left out.
BEYOND_DRAFT_7: dict[str, tuple[Any, list[Any], list[str]]] = {
    "unevaluatedProperties": (
        {"properties": {"a": {"type": "string"}}, "unevaluatedProperties": False},
        [{"a": "x"}, {}],
        ["unevaluatedProperties"],
    ),
    "under not": (
        {"not": {"properties": {"a": True}, "unevaluatedProperties": False, "required": ["a"]}},
        [{"a": 1, "b": 2}, {}],
        ["not", "unevaluatedProperties"],
    ),
    "exactly one": (
        {
            "oneOf": [
                {"properties": {"a": True}, "unevaluatedProperties": False},
                {"properties": {"a": True, "b": True}, "required": ["b"]},
            ],
            "anyOf": [{"type": "object"}],
        },
        [{"a": 1}, {"a": 1, "b": 2}],
        ["oneOf", "unevaluatedProperties"],
    ),
    "how many": (
        {"contains": {"type": "integer"}, "minContains": 2, "maxContains": 3},
        [[1, 2], ["a", 1, 2, 3]],
        ["maxContains", "minContains"],
    ),
    "none needed": ({"contains": {"type": "integer"}, "minContains": 0}, [[], ["a"], [1]], []),
    "expressions of another engine": (
        {
            "properties": {"a": {"pattern": "(?i)^abc$"}},
            "patternProperties": {"(?P<x>x)": {"type": "integer"}},
            "additionalProperties": {"type": "string"},
        },
        [{"a": "ABC"}, {"x": 1}, {"y": "z"}],
        ["pattern"],
    ),
}


def text(value: Any) -> str:
    return json.dumps(value)


def version(number: int, schema: Any, *examples: Any, **fields: Any) -> Version:
    return Version(number, text(schema), THEN, tuple(text(value) for value in examples), **fields)


def kind(name: str, *versions: Version, **fields: Any) -> Type:
    told: dict[str, Any] = {
        "summary": f"Something happened: {name}",
        "domain": "orders",
        "team": "shop-team",
        "created_at": THEN,
        "sources": ("shop",),
        "compatibility": "forward",
    }
    return Type(name=name, versions=versions, **(told | fields))


ORDER = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}, "total": MONEY}}

TYPES = (
    kind(
        "order.placed",
        version(1, {"type": "object"}, {"id": "order-1"}, lifecycle=Lifecycle.RETIRED),
        version(2, ORDER, {"id": "order-1", "total": {"amount": 12.5, "currency": "SEK"}}, {"id": "ö “2”"}),
        version(3, ORDER | {"title": "not yet"}, lifecycle=Lifecycle.DRAFT),
        docs="# Orders\n\nA person has **paid**: nothing\n  can be changed any more.\n",
        tags=("Paid by card", "gdpr", "Ünïcode!", "order.placed"),
        personal=("customer.email", "lines[].name"),
        sources=("shop", "till"),
    ),
    # The same name to whoever does not look at case, or cannot write it.
    kind("Order.Placed", version(1, True, {})),
    kind("order/placed", version(1, ORDER, {"id": "1"}), domain="parcels"),
    kind("order:placed", version(1, ORDER, {"id": "1"}), domain="parcels"),
    kind("order_placed", version(1, ORDER, {"id": "1"})),
    kind("CloudEvent", version(1, ORDER, {"id": "1"})),
    # The key that version 1 of another type would have.
    kind("a.v1"),
    kind("a", version(1, ORDER, {"id": "1"})),
    kind("l" * 255, version(1, ORDER, {"id": "1"})),
    kind("no.source", version(1, ORDER, {"id": "1"}), sources=()),
    kind(
        "old.order",
        version(1, ORDER, {"id": "1"}),
        version(2, ORDER | {"title": "newer"}, {"id": "1"}),
        default=1,
        lifecycle=Lifecycle.DEPRECATED,
        deprecation=Deprecation(THEN, date(2027, 1, 1), "order.placed", "Nobody reads it."),
    ),
    kind(
        "gone",
        version(1, ORDER, {"id": "1"}),
        lifecycle=Lifecycle.RETIRED,
        deprecation=Deprecation(THEN, date(2026, 1, 1), "", ""),
        sources=("till",),
    ),
    kind("coming", version(1, ORDER, {"id": "1"}), lifecycle=Lifecycle.DRAFT, sources=("lab",)),
    *(
        kind(f"schema.{index}", version(1, schema, *fitting))
        for index, (schema, fitting, *_) in enumerate([*SCHEMAS.values(), *BEYOND_DRAFT_7.values()])
    ),
)

CATALOG = Catalog(
    url=URL,
    buses=(Bus("main", "The shop's bus"), Bus("open-bus", "", True)),
    sources=(
        Source(
            "shop", "Web shop", "/shop/checkout", "main", "shop-team", THEN, "Sells things.\n\nEvery day."
        ),
        Source("till", "Till", "https://till.example/1", "open-bus", "till-team", THEN),
        Source("lab", "Laboratory", "/lab", "main", "till-team", THEN),
        Source("s" * 64, "Silent", "/silent", "main", "shop-team", THEN),
    ),
    types=TYPES,
    teams=(Team("shop-team", "Shop"), Team("till-team", "Tills: all of them")),
    domains=(Domain("orders", "Orders", "shop-team"), Domain("parcels", "Parcels"), Domain("empty", "Empty")),
)
