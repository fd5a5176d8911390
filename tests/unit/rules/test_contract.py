"""What a target takes is known before anything is sent: a JSON Schema, or an operation of an OpenAPI document."""

from __future__ import annotations

import builtins
import json
import socket
import time

import pytest

from rules.contract import ContractRefused, compile_contract
from rules.engine import Event, Output, compile_transform
from rules.openapi import OpenApiRefused, Operation, operations, read_document

ORDER = {
    "type": "object",
    "required": ["id", "lines"],
    "properties": {
        "id": {"type": "string", "description": "The shop's number"},
        "lines": {
            "type": "array",
            "items": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}},
        },
        "paid": {"type": "boolean"},
    },
}


def output(value: object, content_type: str = "application/json") -> Output:
    return Output(json.dumps(value).encode(), content_type)


def problems(spec: dict[str, object], value: object) -> list[tuple[str, str]]:
    return [(found.pointer, found.message) for found in compile_contract(spec).check(output(value))]


def test_what_does_not_fit_is_said_with_its_place() -> None:
    assert problems({"schema": ORDER}, {"id": "1", "lines": [{"sku": "a"}]}) == []
    assert problems({"schema": ORDER}, {"lines": [{"sku": "a"}, {"sku": 5}], "paid": "yes"}) == [
        ("", "“id” is missing."),
        ("/lines/1/sku", "Must be string, is a number: 5."),
        ("/paid", 'Must be boolean, is text: "yes".'),
    ]


def test_a_transforms_output_is_checked_as_it_is_sent() -> None:
    transform = compile_transform(
        {"kind": "template", "template": '{"id": "${id}", "lines": "${data.lines}"}', "missing": "omit"}
    )
    contract = compile_contract({"schema": ORDER})
    assert contract.check(transform.apply(Event({"id": "1"}, b'{"lines": []}'))) == []
    assert [found.message for found in contract.check(transform.apply(Event({}, None)))] == [
        "“id” is missing.",
        "“lines” is missing.",
    ]


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (Output(b"{}", "text/plain; charset=utf-8"), "Must be JSON, is text/plain."),
        (Output(b"{", "application/json"), "Must be JSON: "),
        (Output(b"[" * 100_000, "application/json"), "Must be JSON: "),
        (Output(b"\xff", "application/json"), "Must be JSON: "),
    ],
)
def test_what_is_no_json_does_not_fit(sent, message) -> None:
    found = compile_contract({"schema": True}).check(sent)
    assert [one.pointer for one in found] == [""]
    assert message in found[0].message


def test_the_reason_of_a_dead_letter_is_one_sentence_with_the_first_places() -> None:
    contract = compile_contract({"schema": ORDER})
    assert contract.refusal(output({"id": "1", "lines": []})) == ""
    assert contract.refusal(output({"id": 1, "lines": [{}, {"sku": 1}], "paid": 0})) == (
        "It does not fit the target's contract. /id: Must be string, is a number: 1. "
        "/lines/0: “sku” is missing. /lines/1/sku: Must be string, is a number: 1. And 1 more."
    )
    assert contract.refusal(Output(b"x", "text/plain")) == (
        "It does not fit the target's contract. the whole: Must be JSON, is text/plain."
    )


def test_a_contract_can_be_kept_without_its_document() -> None:
    for spec in (
        {"openapi": NEW_API, "operation": "replaceOrder"},
        {"openapi": OLD_API, "operation": "createOrder"},
    ):
        contract = compile_contract(spec)
        kept = compile_contract({"schema": json.loads(json.dumps(contract.schema))})
        assert kept.fields() == contract.fields()
        assert kept.check(output({"id": 5})) == contract.check(output({"id": 5})) != []


def test_the_fields_of_a_contract_can_be_listed() -> None:
    fields = compile_contract({"schema": ORDER}).fields()
    assert [(one.path, one.kind, one.required, one.meaning) for one in fields] == [
        (("id",), "string", True, "The shop's number"),
        (("lines",), "array", True, ""),
        (("lines", "[]", "sku"), "string", True, ""),
        (("paid",), "boolean", False, ""),
    ]


NEW_API = """
openapi: 3.1.0
info: {title: Shop, version: "1"}
paths:
  /orders/{id}:
    parameters: []
    put:
      operationId: replaceOrder
      summary: Replace an order
      requestBody: {$ref: '#/components/requestBodies/Order'}
      responses: {}
    get: {operationId: getOrder, responses: {}}
  /upload:
    post: {operationId: upload, requestBody: {content: {image/png: {}}}, responses: {}}
  /notes:
    post:
      requestBody:
        content:
          text/plain: {schema: {type: string}}
          application/vnd.note+json: {schema: {type: object, required: [text], properties: {text: {type: string}}}}
      responses: {}
components:
  requestBodies:
    Order: {content: {application/json: {schema: {$ref: '#/components/schemas/Order'}}}}
  schemas:
    Order:
      type: object
      required: [id, total, version]
      properties:
        id: {type: string, description: The number}
        version: {type: integer, readOnly: true}
        total: {$ref: '#/components/schemas/Money'}
        parent: {$ref: '#/components/schemas/Order'}
        no: {type: [boolean, 'null']}
        when: {const: 2026-01-31}
    Money: {type: object, required: [amount], properties: {amount: {type: number, exclusiveMinimum: 0}}}
    Unused: {$ref: 'https://example.com/elsewhere.json'}
"""

OLD_API = {
    "openapi": "3.0.3",
    "info": {"title": "Shop", "version": "1"},
    "paths": {
        "/orders": {
            "post": {
                "operationId": "createOrder",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}},
            }
        }
    },
    "components": {
        "schemas": {
            "Order": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": {"type": "string", "nullable": True, "example": {"$ref": "file:///etc/passwd"}},
                    "size": {"type": "string", "nullable": True, "enum": ["s", "m"]},
                    "owner": {"nullable": True, "allOf": [{"$ref": "#/components/schemas/Person"}]},
                    "total": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
                    "seen": {"type": "string"},
                },
            },
            "Person": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
        }
    },
}  # fmt: skip


def test_an_operation_of_openapi_3_1_is_a_contract() -> None:
    by_id = {"openapi": NEW_API, "operation": "replaceOrder"}
    by_place = {"openapi": NEW_API, "method": "PUT", "path": "/orders/{id}"}
    for spec in (by_id, by_place):
        assert problems(spec, {"id": "1", "total": {"amount": 1}, "when": "2026-01-31"}) == []
        found = problems(spec, {"id": 1, "total": {"amount": 0}, "parent": {"id": "x"}, "no": "no"})
        assert {pointer for pointer, _ in found} == {"/id", "/total/amount", "/parent", "/no"}
    rows = [(one.path, one.kind, one.required) for one in compile_contract(by_id).fields()]
    assert rows[:4] == [
        (("id",), "string", True),
        (("version",), "integer", False),  # only read, so that a request need not have it
        (("total",), "object", True),
        (("total", "amount"), "number", True),
    ]


def test_an_operation_of_openapi_3_0_is_a_contract() -> None:
    spec = {"openapi": OLD_API, "operation": "createOrder"}
    assert problems(spec, {"id": None, "size": None, "owner": None, "total": 0.1}) == []
    found = problems(spec, {"id": 5, "size": "l", "owner": {}, "total": 0, "seen": None})
    assert {pointer for pointer, _ in found} == {"/id", "/size", "/owner", "/total", "/seen"}
    assert problems({"openapi": json.dumps(OLD_API), "method": "post", "path": "/orders"}, {}) == [
        ("", "“id” is missing.")
    ]


def test_the_json_of_several_media_types_is_taken() -> None:
    spec = {"openapi": NEW_API, "method": "post", "path": "/notes"}
    assert problems(spec, {"text": 1}) == [("/text", "Must be string, is a number: 1.")]
    assert problems({**spec, "media_type": "text/plain"}, "x") == []


def test_operations_that_take_json_can_be_listed() -> None:
    assert operations(read_document(NEW_API)) == [
        Operation("replaceOrder", "put", "/orders/{id}", "Replace an order"),
        Operation("", "post", "/notes", ""),
    ]


def api(schema: object, **more: object) -> dict[str, object]:
    body = {"content": {"application/json": {"schema": schema}}}
    return {"openapi": "3.1.0", "paths": {"/a": {"post": {"operationId": "a", "requestBody": body}}}, **more}


REFUSED = [
    ({}, "A contract has “schema”"),
    ({"schema": {}, "openapi": {}}, "A contract has “schema”"),
    ("x", "A contract has “schema”"),
    ({"schema": {}, "operation": "x"}, "“operation” has no meaning"),
    ({"schema": "{"}, "Line 1"),
    ({"schema": {"type": "text"}}, "This is no JSON type"),
    ({"schema": {"$ref": "file:///etc/passwd"}}, "points outside this schema"),
    ({"schema": {"$ref": "https://example.com/a.json"}}, "points outside this schema"),
    ({"schema": {"pattern": "(?=a)b"}}, "always ends in time"),
    ({"schema": {"description": "x" * 300_000}}, "At most 262,144"),
    ({"schema": {"const": float("nan")}}, "The schema is no JSON"),
    ({"schema": {"const": object()}}, "The schema is no JSON"),
    ({"openapi": NEW_API}, "is named by “operation”"),
    ({"openapi": NEW_API, "operation": "a", "path": "/a"}, "is named by “operation”"),
    ({"openapi": NEW_API, "operation": 5}, "is named by “operation”"),
    (
        {"openapi": NEW_API, "operation": "nosuch"},
        "no operation operationId nosuch. Those that take JSON are replaceOrder",
    ),
    ({"openapi": NEW_API, "method": "post", "path": "/x"}, "no operation POST /x"),
    ({"openapi": NEW_API, "operation": "getOrder"}, "takes no body"),
    ({"openapi": NEW_API, "operation": "upload"}, "takes image/png: only JSON"),
    (
        {"openapi": NEW_API, "operation": "replaceOrder", "media_type": "text/plain"},
        "does not take text/plain",
    ),
    ({"openapi": {"swagger": "2.0"}, "operation": "a"}, "names no version"),
    ({"openapi": {"openapi": "4.0.0"}, "operation": "a"}, "is version 4.0.0"),
    ({"openapi": [1], "operation": "a"}, "is an object that begins"),
    ({"openapi": '{"openapi": ', "operation": "a"}, "cannot be read. Line 1"),
    ({"openapi": "a: [", "operation": "a"}, "neither JSON nor YAML"),
    ({"openapi": "a: &x [*x]", "operation": "a"}, "stands inside what it repeats"),
    ({"openapi": "a: !!python/object:os.system {}", "operation": "a"}, "YAML tag"),
    ({"openapi": "a: !x 1", "operation": "a"}, "YAML tag"),
    ({"openapi": "[" * 5_000, "operation": "a"}, "cannot be read"),
    ({"openapi": "a: " + "[" * 5_000, "operation": "a"}, "Too deeply nested"),
    ({"openapi": "- a\n" * 200_000, "operation": "a"}, "more than 50,000 values"),
    ({"openapi": "x" * 2_200_000, "operation": "a"}, "At most 2,097,152"),
    ({"openapi": api({}, x="y" * 2_200_000), "operation": "a"}, "more than 2,097,152 bytes"),
    ({"openapi": api({"$ref": "file:///etc/passwd"}), "operation": "a"}, "points outside th"),
    ({"openapi": api({"$ref": "http://127.0.0.1/a"}), "operation": "a"}, "points outside th"),
    ({"openapi": api({"$ref": "other.yaml#/a"}), "operation": "a"}, "points outside th"),
    ({"openapi": api({"$ref": "#/components/schemas/No"}), "operation": "a"}, "does not exist"),
    ({"openapi": api(5), "operation": "a"}, "must be an object"),
    (
        {
            "openapi": api({"$ref": "#/x/0"}, x=[{"$ref": f"#/x/{n + 1}"} for n in range(600)]),
            "operation": "a",
        },
        "“#/x/600” does not exist",
    ),
    (
        {"openapi": {"openapi": "3.1.0", "paths": {"/a": {"$ref": "#/paths/~1a"}}}, "operation": "a"},
        "leads back to itself",
    ),
    ({"openapi": api({"type": "object", "properties": []}), "operation": "a"}, ""),
]


@pytest.mark.parametrize(("spec", "message"), REFUSED)
def test_a_contract_that_cannot_be_used_is_refused_with_the_reason(spec, message, monkeypatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _forbidden)
    monkeypatch.setattr(builtins, "open", _forbidden)
    with pytest.raises(ContractRefused) as caught:
        compile_contract(spec)
    assert message in str(caught.value)
    assert "root:" not in str(caught.value)
    assert caught.value.problems


def _forbidden(*args: object, **kwargs: object) -> None:
    raise AssertionError(f"a contract opened something: {args}")


def test_yaml_is_read_as_json_has_it() -> None:
    text = "openapi: 3.1.0\nx: {no: no, date: 2026-01-31, time: 12:30:00, octal: 010, n: 1.50, t: true, nil: null}"
    assert read_document(text)["x"] == {
        "no": "no", "date": "2026-01-31", "time": "12:30:00", "octal": "010", "n": 1.5, "t": True, "nil": None,
    }  # fmt: skip


def test_a_schema_whose_references_double_at_every_level_ends_in_time() -> None:
    schemas = {f"S{n}": {"allOf": [{"$ref": f"#/components/schemas/S{n + 1}"}] * 2} for n in range(18)}
    schemas["S18"] = {"type": "object"}
    document = api({"$ref": "#/components/schemas/S0"}, components={"schemas": schemas})
    began = time.process_time()
    contract = compile_contract({"openapi": document, "operation": "a"})
    assert contract.check(output({})) == []
    contract.fields()
    assert time.process_time() - began < 10


def test_a_document_is_not_changed_by_reading_it() -> None:
    before = json.dumps(OLD_API)
    compile_contract({"openapi": OLD_API, "operation": "createOrder"})
    assert json.dumps(OLD_API) == before
    with pytest.raises(OpenApiRefused):
        read_document("x")
