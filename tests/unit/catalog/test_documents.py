"""Whatever a person pastes is recognised, and gives the event types it describes or says what is wrong with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.schemas.documents import Kind, Origin, read_document
from catalog.schemas.documents.document import suggested_name
from catalog.schemas.documents.written import read_text
from catalog.schemas.validator import compile_schema

ORDER = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
EVENT = {
    "specversion": "1.0",
    "id": "1",
    "source": "/shop",
    "type": "shop.order.placed",
    "data": {"id": "o-1"},
}
AWS = {
    "version": "0",
    "id": "7",
    "source": "shop.orders",
    "detail-type": "Order Placed",
    "detail": {"id": "o-1"},
}


def message(**payload: Any) -> str:
    return json.dumps(
        {"asyncapi": "3.0.0", "info": {"title": "Shop", "version": "1"}, "channels": {"c": {"messages": {"orderPlaced": payload}}}}
    )  # fmt: skip


def registry(entry: dict[str, Any], **registered: Any) -> str:
    return json.dumps(
        {"specversion": "1.0-rc4", "registryid": "r", "schemagroups": {"g": {"schemas": registered}}, "messagegroups": {"g": {"messages": {"m": entry}}}}
    )  # fmt: skip


GITHUB = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "definitions": {
        "issues$opened": {"type": "object", "description": "An issue", "required": ["user"], "properties": {"user": {"$ref": "#/definitions/user"}}},
        "issues$closed": {"type": "object"},
        "issues_event": {"oneOf": [{"$ref": "#/definitions/issues$opened"}, {"$ref": "#/definitions/issues$closed"}]},
        "push$event": {"type": "object"},
        "user": {"type": "object", "properties": {"friend": {"$ref": "#/definitions/user"}}},
    },
    "oneOf": [{"$ref": "#/definitions/issues_event"}, {"$ref": "#/definitions/push$event"}],
}  # fmt: skip
AWS_SCHEMA = {
    "openapi": "3.0.0",
    "info": {"version": "1.0.0", "title": "OrderPlaced"},
    "paths": {},
    "components": {
        "schemas": {
            "AWSEvent": {
                "type": "object",
                "required": ["detail-type", "detail"],
                "x-amazon-events-detail-type": "OrderPlaced",
                "x-amazon-events-source": "shop.orders",
                "properties": {"detail": {"$ref": "#/components/schemas/OrderPlaced"}, "source": {"type": "string"}},
            },
            "OrderPlaced": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "nullable": True}}},
        }
    },
}  # fmt: skip
MESSAGE = {
    "messageid": "m",
    "envelopemetadata": {"type": {"value": "shop.order.placed"}, "source": {"value": "/shop"}},
    "dataschemauri": "/schemagroups/g/schemas/order",
}
VERSIONS = {
    "versions": {
        "1": {"format": "JSONSchema/Draft-07", "schema": {"type": "string"}},
        "2": {"format": "JSONSchema/Draft-07", "isdefault": True, "schema": ORDER},
    }
}

# text → kind, version, and name, source, origin of the candidates
KNOWN = {
    "a CloudEvent": (json.dumps(EVENT), Kind.CLOUD_EVENT, "1.0", [("shop.order.placed", "/shop", Origin.EVENT)]),
    "a batch": (
        json.dumps([EVENT, {**EVENT, "id": "2"}, {**EVENT, "type": "shop.order.paid"}]),
        Kind.CLOUD_EVENT, "1.0", [("shop.order.placed", "/shop", Origin.EVENT), ("shop.order.paid", "/shop", Origin.EVENT)],
    ),
    "a CloudEvent in YAML": ("specversion: '1.0'\nid: 1x\nsource: /shop\ntype: a.b\ndata: {at: 2026-01-31}", Kind.CLOUD_EVENT, "1.0", [("a.b", "/shop", Origin.EVENT)]),
    "an event of AWS": (json.dumps(AWS), Kind.AWS_EVENT, "0", [("Order Placed", "shop.orders", Origin.EVENT)]),
    "data": ('{"id": "o-1", "type": "order.placed"}', Kind.DATA, "", [("order.placed", "", Origin.EVENT)]),
    "data that has properties": ('{"properties": {"a": 1}, "kind": "x"}', Kind.DATA, "", [("", "", Origin.EVENT)]),
    "data in a list": ("[1, 2]", Kind.DATA, "", [("", "", Origin.EVENT)]),
    "a schema": (json.dumps({**ORDER, "title": "Order placed"}), Kind.JSON_SCHEMA, "draft 2020-12", [("order.placed", "", Origin.SCHEMA)]),
    "a schema of draft 4": (
        json.dumps({"$schema": "http://json-schema.org/draft-04/schema#", "id": "https://x.example/shop.order.json"}),
        Kind.JSON_SCHEMA, "draft 4", [("shop.order", "", Origin.SCHEMA)],
    ),
    "a schema in YAML": ("type: object\nproperties:\n  a: {type: string}\n", Kind.JSON_SCHEMA, "draft 2020-12", [("", "", Origin.SCHEMA)]),
    "GitHub's schemas": (
        json.dumps(GITHUB), Kind.GITHUB_WEBHOOKS, "draft 7",
        [(f"github.{name}", "https://github.com", Origin.DEFINITION) for name in ("issues.opened", "issues.closed", "push")],
    ),
    "a schema AWS discovered": (json.dumps(AWS_SCHEMA), Kind.AWS_SCHEMA, "3.0.0", [("OrderPlaced", "shop.orders", Origin.COMPONENT)]),
    "AsyncAPI 3": (message(payload=ORDER), Kind.ASYNCAPI, "3.0.0", [("order.placed", "", Origin.MESSAGE)]),
    "AsyncAPI 3 of CloudEvents": (
        message(payload={"allOf": [{}, {"properties": {"type": {"const": "shop.order.placed"}, "source": {"const": "/shop"}, "data": ORDER}}]}),
        Kind.ASYNCAPI, "3.0.0", [("shop.order.placed", "/shop", Origin.MESSAGE)],
    ),
    "AsyncAPI 2": (
        json.dumps({
            "asyncapi": "2.6.0", "info": {"title": "x", "version": "1"},
            "channels": {"c": {"subscribe": {"message": {"oneOf": [{"$ref": "#/components/messages/a"}, {"name": "b.c", "payload": ORDER}]}}}},
            "components": {"messages": {"a": {"payload": ORDER}}},
        }),
        Kind.ASYNCAPI, "2.6.0", [("a", "", Origin.MESSAGE), ("b.c", "", Origin.MESSAGE)],
    ),
    "xRegistry": (
        registry(MESSAGE, order=VERSIONS, other=VERSIONS),
        Kind.XREGISTRY, "1.0-rc4", [("shop.order.placed", "/shop", Origin.MESSAGE), ("other", "", Origin.SCHEMA)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KNOWN)
def test_a_text_is_known_and_gives_its_event_types(name):
    text, kind, version, expected = KNOWN[name]
    document = read_document(text)
    assert document.mistakes == ()
    assert (document.kind, document.version) == (kind, version)
    assert [(one.name, one.source, one.origin) for one in document.candidates] == expected
    for candidate in document.candidates:
        assert candidate.problems == ()
        assert candidate.line is not None
        assert candidate.schema or candidate.examples
        if candidate.schema:
            compile_schema(candidate.schema)


def only(text: str) -> Any:
    return read_document(text).candidates[0]


def test_the_data_of_events_becomes_examples():
    assert json.loads(only(json.dumps(EVENT)).examples[0]) == {"id": "o-1"}
    assert json.loads(only(json.dumps(AWS)).examples[0]) == {"id": "o-1"}
    assert len(only(KNOWN["a batch"][0]).examples) == 2
    assert json.loads(only(KNOWN["a CloudEvent in YAML"][0]).examples[0]) == {"at": "2026-01-31"}


@pytest.mark.parametrize(
    ("name", "fits", "does_not"),
    [
        ("GitHub's schemas", {"user": {"friend": {"friend": {}}}}, {"user": {"friend": 1}}),
        ("a schema AWS discovered", {"id": None}, {"id": 1}),
        ("AsyncAPI 3", {"id": "x"}, {}),
        ("AsyncAPI 3 of CloudEvents", {"id": "x"}, {"data": {"id": "x"}}),
        ("xRegistry", {"id": "x"}, {}),
        ("a schema", {"id": "x"}, {}),
        ("a schema in YAML", {"a": "x"}, {"a": 1}),
    ],
)
def test_the_schema_of_a_candidate_stands_alone_and_is_of_the_data(name, fits, does_not):
    validator = compile_schema(only(KNOWN[name][0]).schema)
    assert validator.is_valid(fits)
    assert not validator.is_valid(does_not)


def test_only_what_a_schema_needs_comes_with_it():
    schema = json.loads(only(json.dumps(GITHUB)).schema)
    assert list(schema["definitions"]) == ["user"]
    assert schema["properties"]["user"] == {"$ref": "#/definitions/user"}


def test_a_pasted_schema_is_kept_as_it_was_written():
    text = '{ "type" : "object",\n\n "properties": {"a": {"type": "string"}} }'
    assert only(text).schema == text


# text → pointer, line, words
MISTAKES = {
    "nothing": ("  \n", None, 1, "This is empty. Paste an example event"),
    "plain text": ("hello world", None, 1, "This is plain text. Paste an example event"),
    "an empty object": ("{}", "", 1, "There is nothing in it. Paste an example event"),
    "an empty list": ("[]", "", 1, "There is nothing in it"),
    "a broken list": ("[1,", None, 1, "A value is missing"),
    "broken YAML": ("a: 1\nb: [", None, 3, "neither JSON nor YAML"),
    "Swagger": ('{"swagger": "2.0"}', "/swagger", 1, "Convert it to OpenAPI 3 first"),
    "a future OpenAPI": ("openapi: 4.0.0", "/openapi", 1, "OpenAPI version “4.0.0” is not read"),
    "OpenAPI as a number": ("openapi: 3.1", "/openapi", 1, "written like 3.1.0"),
    "no openapi": ("info: {}\npaths: {}", "", 1, "Begin it with openapi: 3.1.0"),
    "no asyncapi": ("info: {}\nchannels: {}", "", 1, "Begin it with asyncapi: 3.0.0"),
    "an old AsyncAPI": ("asyncapi: 1.2.0", "/asyncapi", 1, "AsyncAPI version “1.2.0” is not read"),
    "AsyncAPI without messages": ("asyncapi: 3.0.0\ninfo: {title: a, version: '1'}", "", 1, "describes no message"),
    "AsyncAPI without info": ("asyncapi: 3.0.0\nchannels: {a: {messages: {b: {payload: {}}}}}", "", 1, "“info” is missing"),
    "AsyncAPI that points elsewhere": (
        "asyncapi: 3.0.0\ninfo: {title: a, version: '1'}\nchannels:\n  a:\n    messages:\n      b: {$ref: 'other.yaml#/b'}",
        "/channels/a/messages/b/$ref", 6, "points outside this document",
    ),
    "a CloudEvent without id": ('{"specversion": "1.0", "type": "a", "source": "/", "data": 1}', "", 1, "“id” is missing"),
    "a CloudEvent of 0.3": (json.dumps({**EVENT, "specversion": "0.3"}), "/specversion", 1, "specversion is the text 1.0"),
    "a batch with something else": (json.dumps([EVENT, 5]), "/1", 1, "This is no CloudEvent"),
    "an event of AWS without a source": ('{"detail-type": "A", "detail": {}}', "", 1, "“source” is missing"),
    "a wrong type": ('{"type": "object",\n "properties": {\n "a": {"type": "objekt"}}}', "/properties/a/type", 3, "no JSON type"),
    "a wrong type in YAML": ("type: object\nproperties:\n  a:\n    type: objekt\n", "/properties/a/type", 4, "no JSON type"),
    "items of a number": ('{"$schema": "http://json-schema.org/draft-07/schema#",\n"items": 5}', "/items", 2, "Must be object or boolean or array, is a number: 5."),
    "an empty registry": ('{"specversion": "1.0-rc4", "schemagroups": {}}', "", 1, "has no messages and no schemas"),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_what_is_wrong_is_said_with_its_place_and_what_to_do(name):
    text, pointer, line, words = MISTAKES[name]
    mistake = next(one for one in read_document(text).mistakes if words in one.message)
    assert (mistake.pointer, mistake.line) == (pointer, line)


PROBLEMS = {
    "Avro": (message(schemaFormat="application/vnd.apache.avro;version=1.9.0", payload={"type": "record"}), "Only JSON Schema can be registered"),
    "no payload": (message(name="a"), "has no payload"),
    "an example that does not fit": (message(payload=ORDER, examples=[{"payload": {}}]), "The example does not fit: “id” is missing."),
    "binary data": (json.dumps({**{k: v for k, v in EVENT.items() if k != "data"}, "data_base64": "AA=="}), "is binary"),
    "no data": (json.dumps({k: v for k, v in EVENT.items() if k != "data"}), "has no data"),
    "a schema elsewhere": (registry({**MESSAGE, "dataschemauri": "https://x.example/a"}), "nothing is fetched"),
    "a schema that is not there": (registry(MESSAGE), "does not exist"),
    "Protobuf": (registry(MESSAGE, order={"format": "Protobuf/3", "schema": "x"}), "It is written in Protobuf/3"),
    "no base64": (registry(MESSAGE, order={"schemabase64": "?"}), "no base64"),
    "no message schema": (registry({"messageid": "m"}), "no dataschema"),
    "a list as schema": (registry({**MESSAGE, "dataschema": [1]}), "is an object"),
}  # fmt: skip


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_candidate_that_cannot_be_registered_says_why(name):
    text, words = PROBLEMS[name]
    assert any(words in problem.message and problem.line for problem in only(text).problems)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("OrderPlaced", "order.placed"),
        ("order placed!", "order.placed"),
        ("order_placed", "order_placed"),
        ("HTTPRequest", "http.request"),
        ("  ", ""),
        ("Été", "t"),
        ("..a..b..", "a.b"),
        (5, ""),
    ],
)
def test_a_name_is_suggested_that_the_catalog_takes(word, expected):
    assert suggested_name(word) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8) | st.sampled_from(["$ref", "type", "properties", "openapi", "asyncapi", "detail", "specversion", "definitions", "schemagroups"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(JSON)
def test_any_json_is_read_without_failing(value):
    document = read_document(json.dumps(value))
    for candidate in document.candidates:
        assert isinstance(candidate.problems, tuple)
        assert isinstance(candidate.schema, str)
    assert document.candidates or document.mistakes


@given(st.text(max_size=60))
def test_any_text_is_read_without_failing(text):
    document = read_document(text)
    assert document.candidates or document.mistakes


def test_yaml_is_read_as_json_has_it():
    text = "no: no\ndate: 2026-01-31\ntime: 12:30:00\noctal: 010\nhex: 0x1F\nn: 1.50\nt: true\nnil:\nq: '5'\n200: a\nlong: |\n  x\n"
    assert read_text(text).value == {
        "no": "no", "date": "2026-01-31", "time": "12:30:00", "octal": "010", "hex": "0x1F", "n": 1.5, "t": True,
        "nil": None, "q": "5", "200": "a", "long": "x\n",
    }  # fmt: skip


def test_yaml_aliases_are_followed_and_counted():
    written = read_text("a: &x {y: [1, 2]}\nb: *x\nc:\n  - *x\n")
    assert written.value == {"a": {"y": [1, 2]}, "b": {"y": [1, 2]}, "c": [{"y": [1, 2]}]}
    assert [written.line_of(place) for place in ("/a/y/1", "/b/y", "/c/0", "/nope")] == [1, 2, 4, 1]
