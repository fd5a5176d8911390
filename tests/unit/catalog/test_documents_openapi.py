"""OpenAPI documents: what is wrong with them, which event types they describe, and how their schemas become ours."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from jsonschema_path import SchemaPath
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator, OpenAPIV32SpecValidator

from catalog.schemas.documents import Origin, as_openapi, read_document
from catalog.schemas.documents.openapi_schema import to_json_schema
from catalog.schemas.validator import compile_schema

OK = {"200": {"description": "ok"}}


def body(schema: Any, **more: Any) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema, **more}}}


def base(version: str = "3.1.0") -> dict[str, Any]:
    """A document without mistakes, with something in every place that is read."""
    order = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string"}, "next": {"$ref": "#/components/schemas/Order"}},
    }
    document: dict[str, Any] = {
        "openapi": version,
        "info": {"title": "Shop", "version": "1"},
        "paths": {
            "/orders/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "post": {
                    "operationId": "order",
                    "requestBody": body({"type": "object", "properties": {"url": {"type": "string"}}}),
                    "responses": OK,
                    "callbacks": {
                        "onShipped": {"{$request.body#/url}": {"post": {"summary": "It left", "requestBody": body({"$ref": "#/components/schemas/Order"}), "responses": OK}}}
                    },
                },
            }
        },
        "components": {"schemas": {"Order": order, "Money": {"type": "object", "properties": {"amount": {"type": "number", "default": 1}}}}},
    }  # fmt: skip
    if not version.startswith("3.0"):
        document["webhooks"] = {
            "orderPlaced": {
                "post": {
                    "summary": "Somebody ordered",
                    "description": "Long **text**",
                    "tags": ["orders"],
                    "requestBody": body({"$ref": "#/components/schemas/Order"}, example={"id": "o-1"}),
                    "responses": OK,
                }
            }
        }
    return document


def changed(path: str, value: Any, version: str = "3.1.0") -> dict[str, Any]:
    """The base document with `value` at `path` (steps separated by spaces)."""
    document = copy.deepcopy(base(version))
    *steps, last = path.split(" ")
    place = document
    for step in steps:
        place = place.setdefault(step, {})
    place[last] = value
    return document


SCHEMAS = "components schemas X"
MISTAKES = [
    (changed(SCHEMAS, {"$ref": "#/components/schemas/Nope"}), "/components/schemas/X/$ref", "“#/components/schemas/Nope” does not exist"),
    (changed(SCHEMAS, {"$ref": "http://x.example/a"}), "/components/schemas/X/$ref", "nothing is fetched"),
    (changed(SCHEMAS, {"$ref": "file:///etc/passwd"}), "/components/schemas/X/$ref", "nothing is fetched"),
    (changed(SCHEMAS, {"type": "objekt"}), "/components/schemas/X/type", "This is no JSON type"),
    (changed(SCHEMAS, {"type": "objekt"}, "3.0.3"), "/components/schemas/X/type", "This is no JSON type"),
    (changed(SCHEMAS, {"properties": {"a": {"items": {"minimum": "x"}}}}, "3.0.3"), "/components/schemas/X/properties/a/items/minimum", "Must be number"),
    (changed(SCHEMAS, {"minimum": "x"}), "/components/schemas/X/minimum", "Must be number"),
    (changed(SCHEMAS, {"type": "integer", "default": "x"}), "/components/schemas/X/default", "default does not fit"),
    (changed(SCHEMAS, {"type": "integer", "default": "x"}, "3.0.3"), "/components/schemas/X/default", "default does not fit"),
    (changed(SCHEMAS, 5), "/components/schemas/X", "Must be boolean or object"),
    (changed("info", {"title": "x"}), "/info", "“version” is missing"),
    (changed("info", {"title": "x"}, "3.0.3"), "/info", "“version” is missing"),
    (changed("paths /a get", {"responses": OK, "operationId": "order"}), "/paths/~1a/get/operationId", "is used"),
    (changed("paths /a/{b} get", {"responses": OK}), "/paths/~1a~1{b}/get", "The path has {b}"),
    (changed("paths /a get", {"responses": OK, "parameters": [{"name": "b", "in": "path", "required": True, "schema": {}}]}), "/paths/~1a/get", "does not stand in the path"),
    (changed("paths /a get", {"responses": {"200": {}}}), "/paths/~1a/get/responses/200", "“description” is missing"),
    (changed("paths /a get", {"responses": {"200": {}}}, "3.0.3"), "/paths/~1a/get/responses/200", "“description” is missing"),
    (changed("paths /a get", {"responses": OK, "parameters": [{"name": "b", "in": "boddy", "schema": {}}]}, "3.0.3"), "/paths/~1a/get/parameters/0", "A parameter needs in"),
]  # fmt: skip
# openapi-spec-validator does not look at these, or cannot say it: here they are mistakes.
OURS_ALONE = [
    (changed("webhooks w post", {"responses": OK, "requestBody": body({"type": "objekt"})}), "/webhooks/w/post/requestBody/content/application~1json/schema/type", "no JSON type"),
    (changed("webhooks w post", {"responses": OK, "requestBody": body({"$ref": "#/nope"})}), "/webhooks/w/post/requestBody/content/application~1json/schema/$ref", "does not exist"),
    (changed("paths /orders/{id} post callbacks c", {"{$url}": {"post": {"responses": OK, "requestBody": body({"type": "objekt"})}}}), "/paths/~1orders~1{id}/post/callbacks/c/{$url}/post/requestBody/content/application~1json/schema/type", "no JSON type"),
    (changed("components schemas", {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}, "Order": {}}), "/components/schemas/A/$ref", "#/components/schemas/A → #/components/schemas/B → #/components/schemas/A"),
    (changed("jsonSchemaDialect", "https://x.example/mine"), "/jsonSchemaDialect", "not supported"),
]  # fmt: skip
GOOD = [
    base("3.0.3"),
    base("3.1.0"),
    base("3.1.1"),
    base("3.2.0"),
    changed(SCHEMAS, True),
    changed(SCHEMAS, {"type": ["string", "null"]}),
]


def their_verdict(document: dict[str, Any]) -> bool:
    """What openapi-spec-validator says; it may fetch nothing."""

    def refuse(uri: str) -> Any:
        raise ValueError(uri)

    kind = {"0": OpenAPIV30SpecValidator, "1": OpenAPIV31SpecValidator, "2": OpenAPIV32SpecValidator}[
        document["openapi"][2]
    ]
    handlers = dict.fromkeys(("http", "https", "file", "", "<all_urls>"), refuse)
    try:
        return not list(kind(SchemaPath.from_dict(document, handlers=handlers)).iter_errors())
    except Exception:
        return False


@pytest.mark.parametrize(("document", "pointer", "words"), [*MISTAKES, *OURS_ALONE])
def test_a_mistake_is_told_at_its_place(document, pointer, words):
    text = json.dumps(document, indent=1)
    (mistake,) = [one for one in read_document(text).mistakes if one.pointer == pointer]
    assert words in mistake.message
    last = pointer.rpartition("/")[2]
    assert mistake.line is not None
    assert f'"{last.replace("~1", "/")}"' in text.splitlines()[mistake.line - 1] or last.isdigit()


@pytest.mark.parametrize("document", [*(one for one, _, _ in MISTAKES), *GOOD])
def test_the_verdict_is_that_of_openapi_spec_validator(document):
    assert (read_document(json.dumps(document)).mistakes == ()) == their_verdict(document)


@pytest.mark.parametrize("document", [one for one, _, _ in OURS_ALONE[:3]])
def test_what_the_package_passes_is_checked_here(document):
    assert their_verdict(document)


def test_every_reference_that_leaves_the_document_is_listed():
    document = base()
    document["components"]["schemas"] |= {f"S{n}": {"$ref": f"other.yaml#/{n}"} for n in range(30)}
    assert len(read_document(json.dumps(document)).mistakes) == 30


def test_candidates_come_in_their_order_with_what_the_document_says_about_them():
    first, callback, *components = read_document(json.dumps(base())).candidates
    assert (first.origin, first.name, first.summary, first.docs, first.tags) == (
        Origin.WEBHOOK, "shop.order.placed", "Somebody ordered", "Long **text**", ("orders",),
    )  # fmt: skip
    assert json.loads(first.examples[0]) == {"id": "o-1"}
    assert (callback.origin, callback.name) == (Origin.CALLBACK, "shop.on.shipped")
    assert "Sent to the address in {$request.body#/url}, given to order." in callback.docs
    assert [(one.origin, one.name) for one in components] == [
        (Origin.COMPONENT, "order"),
        (Origin.COMPONENT, "money"),
    ]
    for one in (first, callback, components[0]):
        validator = compile_schema(one.schema)
        assert validator.is_valid({"id": "1", "next": {"id": "2"}})
        assert not validator.is_valid({"id": "1", "next": {}})


@pytest.mark.parametrize(
    ("path", "value", "name"),
    [
        (
            "paths /e post",
            {"responses": OK, "x-event-type": "a.b", "requestBody": body({"type": "object"})},
            "a.b",
        ),
        (
            "paths /e post",
            {
                "responses": OK,
                "x-cloudevents-type": "a.b",
                "x-cloudevents-source": "/s",
                "requestBody": body({}),
            },
            "a.b",
        ),
        ("components schemas Marked", {"type": "object", "x-event-type": "a.b"}, "a.b"),
        ("x-events", {"a.b": {"schema": {"$ref": "#/components/schemas/Order"}}}, "a.b"),
        ("x-events", {"a.b": {"$ref": "#/components/schemas/Order"}}, "a.b"),
        ("x-events", [{"type": "a.b", "payload": {"type": "object"}}], "a.b"),
    ],
)
def test_marks_of_events_are_read(path, value, name):
    found = [
        one
        for one in read_document(json.dumps(changed(path, value))).candidates
        if one.origin is Origin.EXTENSION
    ]
    assert [one.name for one in found] == [name]
    assert found[0].problems == ()


def test_a_webhook_that_sends_whole_cloudevents_gives_the_schema_of_their_data():
    envelope = {
        "type": "object",
        "properties": {
            "specversion": {},
            "type": {"const": "shop.paid"},
            "source": {"const": "/shop"},
            "data": {"$ref": "#/components/schemas/Money"},
        },
    }
    operation = {
        "responses": OK,
        "requestBody": {
            "content": {
                "application/cloudevents+json": {"schema": envelope, "example": {"data": {"amount": 2}}}
            }
        },
    }
    (found,) = [
        one
        for one in read_document(json.dumps(changed("webhooks w post", operation))).candidates
        if one.name == "shop.paid"
    ]
    assert (found.source, found.problems) == ("/shop", ())
    assert json.loads(found.examples[0]) == {"amount": 2}
    assert not compile_schema(found.schema).is_valid({"amount": "x"})


def test_a_problem_of_a_component_is_told_where_the_document_has_it():
    document = changed(SCHEMAS, {"type": "object", "properties": {"a": {"$ref": "#/components/schemas/Y"}}})
    document["components"]["schemas"]["Y"] = {"properties": {"b": {"pattern": "(?=x)"}}}
    text = json.dumps(document, indent=1)
    candidate = next(one for one in read_document(text).candidates if one.pointer == "/components/schemas/X")
    (problem,) = candidate.problems
    assert problem.pointer == "/components/schemas/Y/properties/b/pattern"
    assert '"pattern"' in text.splitlines()[problem.line - 1]


# schema of OpenAPI 3.0 → draft 7
CONVERTED = [
    ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
    ({"nullable": True}, {}),
    ({"type": "string", "nullable": True, "enum": ["a"]}, {"type": ["string", "null"], "enum": ["a"]}),
    ({"type": "number", "minimum": 1, "exclusiveMinimum": True}, {"type": "number", "exclusiveMinimum": 1}),
    ({"type": "number", "maximum": 1, "exclusiveMaximum": False}, {"type": "number", "maximum": 1}),
    ({"exclusiveMinimum": True}, {}),
    ({"type": "string", "example": "x"}, {"type": "string", "examples": ["x"]}),
    ({"$ref": "#/a", "description": "hidden"}, {"$ref": "#/a"}),
    ({"properties": {"nullable": {"type": "string", "nullable": True}}}, {"properties": {"nullable": {"type": ["string", "null"]}}}),
    ({"enum": [{"nullable": True}], "default": {"example": 1}}, {"enum": [{"nullable": True}], "default": {"example": 1}}),
    ({"readOnly": True, "discriminator": {"propertyName": "k"}, "xml": {}, "x-a": 1}, {"readOnly": True, "discriminator": {"propertyName": "k"}, "xml": {}, "x-a": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), CONVERTED)
def test_openapi_3_0_becomes_draft_7(old, new):
    before = json.dumps(old)
    assert to_json_schema(old) == new
    assert json.dumps(old) == before


VALUES = [None, 0, 1, 1.5, 2, "a", "", "b", True, [], [1], {}, {"nullable": None}, {"nullable": "x"}]


@pytest.mark.parametrize(
    "old", [one for one, _ in CONVERTED if "$ref" not in one and one != {"exclusiveMinimum": True}]
)
def test_a_converted_schema_judges_as_openapi_3_0_does(old):
    ours = compile_schema(
        json.dumps({"$schema": "http://json-schema.org/draft-07/schema#", **to_json_schema(old)})
    )
    for value in VALUES:
        assert ours.is_valid(value) == OAS30Validator(old).is_valid(value), value


# schema → version of the OpenAPI document, and its component
SHOWN = [
    ({"type": ["string", "null"]}, "3.0.3", {"type": "string", "nullable": True}),
    ({"const": 5}, "3.0.3", {"enum": [5]}),
    ({"type": "number", "exclusiveMinimum": 1}, "3.0.3", {"type": "number", "minimum": 1, "exclusiveMinimum": True}),
    ({"type": ["string", "integer"]}, "3.0.3", {"anyOf": [{"type": "string"}, {"type": "integer"}]}),
    ({"type": "array"}, "3.0.3", {"type": "array", "items": {}}),
    ({"examples": ["a", "b"]}, "3.0.3", {"example": "a"}),
    ({"additionalProperties": False, "required": []}, "3.0.3", {"additionalProperties": False}),
    (True, "3.0.3", {}),
    (False, "3.0.3", {"not": {}}),
    ({"patternProperties": {"a": {}}}, "3.1.0", {"patternProperties": {"a": {}}}),
    ({"type": "null"}, "3.1.0", {"type": "null"}),
    ({"$schema": "http://json-schema.org/draft-07/schema#", "items": [{}], "additionalItems": False}, "3.1.0", {"prefixItems": [{}], "items": False}),
    ({"$schema": "http://json-schema.org/draft-07/schema#", "dependencies": {"a": ["b"]}}, "3.1.0", {"dependentRequired": {"a": ["b"]}}),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "version", "component"), SHOWN)
def test_a_schema_is_shown_in_the_oldest_openapi_that_can_say_it(schema, version, component):
    document = as_openapi(schema)
    assert document["openapi"] == version
    assert document["components"]["schemas"] == {"Event": component}
    assert their_verdict(document)


def test_what_a_schema_refers_to_becomes_a_component():
    schema = {
        "properties": {"a": {"$ref": "#/$defs/Money x"}, "b": {"$ref": "#"}},
        "$defs": {"Money x": {"type": "number"}},
    }
    document = as_openapi(schema, "shop.order placed")
    assert document["components"]["schemas"] == {
        "shop.order_placed": {"properties": {"a": {"$ref": "#/components/schemas/Money_x"}, "b": {"$ref": "#/components/schemas/shop.order_placed"}}},
        "Money_x": {"type": "number"},
    }  # fmt: skip
    assert their_verdict(document)
