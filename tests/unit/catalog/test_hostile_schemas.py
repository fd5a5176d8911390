"""Schemas and documents that were written to hang, to break or to fetch: each is answered in time, from memory."""

from __future__ import annotations

import builtins
import json
import socket
import time
from typing import Any

import pytest

from catalog.schemas.cost import STEPS
from catalog.schemas.documents import as_openapi, read_document
from catalog.schemas.documents.reading import needs_long_check
from catalog.schemas.limits import DOCUMENT_BYTES, NODES
from catalog.schemas.validator import SchemaRefused, compile_schema

# CPU seconds for one text; several times what is needed on a slow machine.
BUDGET = 12.0


@pytest.fixture(autouse=True)
def nothing_is_opened(monkeypatch):
    def forbidden(*args: object, **kwargs: object) -> None:
        raise AssertionError(f"a document opened something: {args}")

    monkeypatch.setattr(socket, "socket", forbidden)
    monkeypatch.setattr(socket, "getaddrinfo", forbidden)
    monkeypatch.setattr(builtins, "open", forbidden)
    began = time.process_time()
    yield
    assert time.process_time() - began < BUDGET


def nested(levels: int, value: Any = 1, name: str = "a") -> Any:
    for _ in range(levels):
        value = {name: value}
    return value


def doubling(levels: int, keyword: str) -> str:
    parts = {str(n): {keyword: [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(levels)}
    return json.dumps({"$defs": parts | {str(levels): {"type": "object"}}, "$ref": "#/$defs/0"})


def kinds(count: int) -> str:
    """A tree whose nodes are one of `count` kinds."""
    one = [
        {"properties": {"kind": {"const": n}, "a": {"$ref": "#"}}, "required": ["kind"]} for n in range(count)
    ]
    return json.dumps({"oneOf": one})


REFUSED = {
    "2^30 allOf": (doubling(30, "allOf"), "could take for ever"),
    "2^30 anyOf": (doubling(30, "anyOf"), "could take for ever"),
    "2^30 oneOf": (doubling(30, "oneOf"), "could take for ever"),
    "unevaluated in unevaluated": (
        json.dumps(
            {"$defs": {str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}], "unevaluatedProperties": False} for n in range(30)} | {"30": {}}, "$ref": "#/$defs/0"}
        ),
        "could take for ever",
    ),
    "a tree of 100 kinds": (kinds(100), "could take for ever"),
    "5,000 references in a row": (
        json.dumps({"$defs": {str(n): {"$ref": f"#/$defs/{n + 1}"} for n in range(5000)} | {"5000": {}}, "$ref": "#/$defs/0"}),
        "More than 64 schemas refer to each other",
    ),
    "itself": ('{"$ref": "#"}', "leads back to itself"),
    "A to B to A": (
        '{"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}',
        "/$defs/a → /$defs/b → /$defs/a",
    ),
    "a circle in a property": ('{"properties": {"x": {"allOf": [{"$ref": "#/properties/x"}]}}}', "leads back to itself"),
    "1e400": ('{"minimum": 1e400}', "larger than any number"),
    "10^5000": ('{"minimum": 1' + "0" * 5000 + "}", "too many digits, 5,001"),
    "NaN": ('{"minimum": NaN}', "NaN is no JSON value"),
    "70 levels": ('{"not":' * 70 + "{}" + "}" * 70, "At most 64 levels"),
    "a million brackets": ("[" * 250_000, "At most 64 levels"),
    "too many short values": ('{"enum":[' + "1," * (NODES + 1) + "1]}", "more than 50,000 values"),
    "an expression of a billion states": ('{"pattern": "(a{0,1000}){0,1000}"}', "regular expression"),
    "a file": ('{"$ref": "file:///etc/passwd"}', "nothing is fetched"),
    "an address": ('{"$schema": "http://json-schema.org/draft-07/schema#", "items": {"$ref": "http://127.0.0.1/x"}}', "#/definitions/…"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_schema_that_cannot_be_bounded_is_refused_with_the_reason(name):
    text, words = REFUSED[name]
    with pytest.raises(SchemaRefused) as caught:
        compile_schema(text)
    assert words in str(caught.value)


MANY_REFS = {"properties": {"a": {"$ref": "#"}}, "allOf": [{"properties": {"a": {"$ref": "#"}}}]}
ANSWERED = {
    "2^16 allOf": (doubling(16, "allOf"), 1, "Must be object"),
    "2^16 anyOf": (doubling(16, "anyOf"), 1, "too many alternatives"),
    "a level doubles": (json.dumps(MANY_REFS), nested(100), "Cannot be checked"),
    "a level doubles, dynamically": (
        json.dumps(MANY_REFS).replace('"$ref"', '"$dynamicRef"').replace('"#"', '"#n"').replace("{", '{"$dynamicAnchor": "n",', 1),
        nested(100),
        "Cannot be checked",
    ),
    "a shallow one of those": (json.dumps(MANY_REFS), nested(10), ""),
    "a tree of 3 kinds": (kinds(3), nested(10), "too many alternatives"),
    "a tree of 12 kinds, deep": (kinds(12), nested(30), "Cannot be checked"),
    "alternatives 100 levels down": ('{"anyOf": [{"properties": {"a": {"$ref": "#"}}, "required": ["b"]}]}', nested(120), ""),
    "alternatives 300 levels down": (
        '{"anyOf": [{"properties": {"a": {"$ref": "#"}}, "required": ["b"]}]}', nested(300), "nested too deeply"
    ),
    "31 references at each of 250 levels": (
        json.dumps(
            {
                "$defs": {str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}]} for n in range(31)}
                | {"31": {"properties": {"a": {"$ref": "#/$defs/0"}}}},
                "$ref": "#/$defs/0",
            }
        ),
        nested(250),
        "",
    ),
    "more levels than are read": ('{"properties": {"a": {"$ref": "#"}}}', nested(900), ""),
    "a plain tree": ('{"properties": {"l": {"$ref": "#"}, "r": {"$ref": "#"}}}', nested(120, name="l"), ""),
    "any JSON": ('{"additionalProperties": {"$ref": "#"}, "items": {"$ref": "#"}}', nested(120), ""),
    "10,000 objects to choose from": (
        json.dumps({"items": {"enum": [{"a": n} for n in range(10_000)]}}), [{"a": 9_999}] * 10_000, "Cannot be checked"
    ),
    "20,000 texts to choose from": (json.dumps({"items": {"enum": [f"v{n}" for n in range(20_000)]}}), ["v19999"] * 20_000, ""),
    "3,000 patterns": (
        json.dumps({"patternProperties": {f"^a{n}.*x$": {} for n in range(3_000)}}), {f"a{n}": 1 for n in range(10_000)}, "Cannot be checked"
    ),
    "5,000 bounds for each of 100,000 numbers": (
        json.dumps({"items": {"allOf": [{"minimum": n} for n in range(5_000)]}}), [10**6] * 100_000, "Cannot be checked"
    ),
    "200,000 mistakes": ('{"items": {"type": "string"}}', list(range(200_000)), "Must be string"),
    "200,000 mistakes in alternatives": ('{"anyOf": [{"items": {"type": "string"}}, {"type": "null"}]}', list(range(200_000)), "too many alternatives"),
    "an expression that backtracks": ('{"pattern": "^(a+)+$"}', "a" * 1_000_000 + "!", "does not match the pattern"),
    "a number of 900 digits": ('{"minimum": 1' + "0" * 900 + "}", 5, "Must be at least 1000"),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERED)
def test_an_event_is_answered_in_time_whatever_its_schema(name):
    text, value, words = ANSWERED[name]
    validator = compile_schema(text)
    found = validator.errors(value)
    fits = validator.is_valid(value)
    assert fits == (not found)
    if words:
        assert words in found[0].message
        assert len(found[0].message) <= 600


@pytest.mark.parametrize("branches", [1, 2, 3, 5])
@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_the_counted_steps_are_never_fewer_than_the_schemas_applied(keyword, branches):
    """Counted by hand: each level applies every branch to the member that every branch looks at."""
    part = {"properties": {"a": {"$ref": "#"}}}
    cost = compile_schema(json.dumps({keyword: [part] * branches}))._cost
    for level, steps in enumerate(cost.steps[:8]):
        assert steps >= min(branches ** (level + 1), STEPS)


def openapi(schemas: dict[str, Any], version: str = "3.0.3", **more: Any) -> str:
    return json.dumps(
        {"openapi": version, "info": {"title": "T", "version": "1"}, "paths": {}, "components": {"schemas": schemas}, **more}
    )  # fmt: skip


def wide(kind: str = "string") -> dict[str, Any]:
    """300 schemas of 20 properties, 172 kB: 12 s with openapi-spec-validator."""
    return {
        f"S{n}": {"type": "object", "properties": {f"p{m}": {"type": kind} for m in range(20)}} for n in range(300)
    }  # fmt: skip


def references(target: str, count: int = 15_000) -> dict[str, Any]:
    return {f"S{n}": {"$ref": target.format(n=n, next=(n + 1) % count)} for n in range(count)}


LAUGHS = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"a{n}: &a{n} [" + ",".join([f"*a{n - 1}"] * 9) + "]\n" for n in range(1, 12)
)
DOCUMENTS = {
    "172 kB of OpenAPI 3.0": (openapi(wide()), 300, ""),
    "172 kB of OpenAPI 3.1": (openapi(wide(), "3.1.0"), 300, ""),
    "6,000 mistakes": (openapi(wide("strin")), 300, "This is no JSON type"),
    "6,000 mistakes, 3.1": (openapi(wide("strin"), "3.1.0"), 300, "This is no JSON type"),
    "a circle of 15,000": (openapi(references("#/components/schemas/S{next}")), 1000, "leads only back to itself"),
    "15,000 addresses": (openapi(references("http://127.0.0.1/{n}")), 1000, "nothing is fetched"),
    "15,000 files": (openapi(references("file:///etc/passwd#{n}")), 1000, "nothing is fetched"),
    "15,000 to nothing": (openapi(references("#/nope/{n}")), 1000, "does not exist"),
    "an anchor": (openapi({"A": {"$ref": "other.yaml#/a"}}, "3.1.0"), 1, "nothing is fetched"),
    "2^40 allOf": (
        openapi({f"S{n}": {"allOf": [{"$ref": f"#/components/schemas/S{n + 1}"}] * 2} for n in range(40)} | {"S40": {}}), 41, ""
    ),
    "a billion laughs": (LAUGHS, 0, "more than 50,000 values"),
    "an alias of itself": ("a: &x [*x]", 0, "stands inside what it repeats"),
    "400,000 entries of YAML": ("- a\n" * 400_000, 0, "more than 50,000 values"),
    "500,000 brackets of YAML": ("a: " + "[" * 500_000, 0, "At most 64 levels"),
    "50,000 dashes": ("- " * 50_000 + "a", 0, "At most 64 levels"),
    "a tag": ("a: !!python/object/apply:os.system [id]", 0, "is not read"),
    "a name twice": ("a: 1\nb: {c: 1, c: 2}", 0, "“c” is written twice"),
    "a name twice in JSON": ('{"a": 1, "a": 2}', 0, "“a” is written twice"),
    "3 MB": ("a" * 3_000_000, 0, f"At most {DOCUMENT_BYTES:,}"),
    "3 MB of spaces": (" " * 3_000_000, 0, "This is empty"),
    "a million digits": ('{"a": ' + "9" * 1_000_000 + "}", 0, "too many digits, 1,000,000"),
    "1e400": ("a: 1e400", 0, "larger than any number"),
    "Infinity": ('{"a": -Infinity}', 0, "-Infinity is no JSON value"),
    "a control character": ("a: \x07", 0, "neither JSON nor YAML"),
    "half a character": ('{"a": "\ud800"}', 1, ""),
    "100,000 unclosed quotes": ('{"a": "' + '\\"' * 100_000, 0, "closing quote is missing"),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_hostile_document_ends_in_time_and_says_what_is_wrong(name):
    text, count, words = DOCUMENTS[name]
    document = read_document(text)
    assert len(document.candidates) == count
    for candidate in document.candidates[:3]:
        assert candidate.schema or candidate.problems or candidate.examples
    if words:
        assert any(words in one.message for one in document.mistakes)
        assert "root:" not in str(document.mistakes)
    else:
        assert document.mistakes == ()


def test_the_reason_why_a_component_cannot_be_bounded_is_its_problem():
    (first, *_) = read_document(DOCUMENTS["2^40 allOf"][0]).candidates
    assert (
        "schemas refer to each other" in first.problems[0].message or "for ever" in first.problems[0].message
    )


def test_only_large_texts_need_a_job():
    assert not needs_long_check(openapi(wide()))
    assert needs_long_check("x" * 300_000)


def test_a_hostile_schema_can_be_shown_as_openapi():
    for text in (doubling(30, "allOf"), kinds(100), json.dumps(MANY_REFS)):
        assert as_openapi(json.loads(text))["components"]["schemas"]
