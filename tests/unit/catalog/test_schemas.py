"""Checking schemas and validating with them."""

import json
import socket

import pytest

from catalog.schemas.authoring import check_example, check_schema
from catalog.schemas.dialects import DIALECTS
from catalog.schemas.limits import SCHEMA_BYTES
from catalog.schemas.validator import compile_schema

REFUSED = [
    ('{"type": "objekt"}', "/type", "no JSON type"),
    ('{\n"properties": {"a": {"minimum": "x"}}}', "/properties/a/minimum", "Must be number"),
    ('{"required": "a"}', "/required", "Must be array"),
    ('{"$schema": "https://example.com/mine"}', "/$schema", "not supported"),
    ('{"$schema": 5}', "/$schema", "not supported"),
    ('{"properties": {"a": {"pattern": "(?=a)b"}}}', "/properties/a/pattern", "Look-around"),
    ('{"properties": {"a": {"pattern": "["}}}', "/properties/a/pattern", "regular expression"),
    ('{"$ref": "#/$defs/nope"}', "/$ref", "points to nothing"),
    ("[1, 2]", "", "is an object"),
    ("5", "", "is an object"),
]


@pytest.mark.parametrize(("text", "pointer", "words"), REFUSED)
def test_a_schema_mistake_names_its_place_and_what_is_wrong(text, pointer, words):
    (mistake,) = check_schema(text)
    assert mistake.pointer == pointer
    assert words in mistake.message
    assert mistake.line is not None


def test_every_mistake_of_a_schema_is_told_at_once_with_its_line():
    text = '{\n "type": "objekt",\n "properties": {\n  "a": {"minimum": "x"},\n  "b": 5\n }\n}'
    assert [
        (found.pointer, found.line) for found in sorted(check_schema(text), key=lambda found: found.line)
    ] == [
        ("/type", 2),
        ("/properties/a/minimum", 4),
        ("/properties/b", 5),
    ]


@pytest.mark.parametrize(
    "reference",
    [
        "http://127.0.0.1:{port}/x",
        "https://example.com/x",
        "file:///etc/hostname",
        "other.json",
        "//h/x",
        "urn:x:y",
    ],
)
@pytest.mark.parametrize(
    "shape",
    [
        '{{"$ref": "{}"}}',
        '{{"properties": {{"a": {{"prefixItems": [{{"$ref": "{}"}}]}}}}}}',
        '{{"properties": {{"default": {{"$ref": "{}"}}}}}}',
        '{{"$defs": {{"x": {{"$dynamicRef": "{}"}}}}}}',
    ],
)
def test_a_reference_that_leaves_the_schema_is_refused_and_nothing_is_fetched(shape, reference):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        (mistake,) = check_schema(shape.format(reference.format(port=listener.getsockname()[1])))
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert "nothing is fetched" in mistake.message


def test_a_reference_written_as_data_is_no_reference():
    assert check_schema('{"default": {"$ref": "http://example.com"}, "enum": [{"$ref": "x"}]}') == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_nested_unknown_dialect_is_not_fetched(dialect):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        nested = f"http://127.0.0.1:{listener.getsockname()[1]}/meta"
        text = json.dumps({"$schema": dialect, "properties": {"a": {"$schema": nested, "$id": "http://x/"}}})
        check_schema(text)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_a_schema_above_the_size_limit_is_refused_before_it_is_read():
    text = '{"description": "' + "x" * SCHEMA_BYTES + '"}'
    (mistake,) = check_schema(text)
    assert "262,144" in mistake.message
    assert check_schema('{"description": "' + "x" * (SCHEMA_BYTES - 100) + '"}') == []


HOSTILE = [
    ('{"pattern": "^(a+)+$"}', "a" * 40 + "!", False),
    ('{"pattern": "^(a|aa)+$"}', "a" * 60 + "!", False),
    ('{"pattern": "(x+x+)+y"}', "x" * 60, False),
    (
        json.dumps(
            {"$defs": {str(n): {"allOf": [{"$ref": f"#/$defs/{n + 1}"}] * 2} for n in range(16)} | {"16": {}}}
            | {"$ref": "#/$defs/0"}
        ),
        1,
        True,
    ),
    ('{"uniqueItems": true}', [{"a": n} for n in range(5_000)], True),
    ('{"properties": {"a": {"$ref": "#"}}}', json.loads('{"a":' * 90 + "1" + "}" * 90), True),
]


@pytest.mark.parametrize(("text", "value", "verdict"), HOSTILE)
def test_a_hostile_schema_answers_instead_of_hanging(text, value, verdict):
    assert compile_schema(text).is_valid(value) is verdict


SCHEMA = json.dumps(
    {
        "type": "object",
        "required": ["id", "total"],
        "additionalProperties": False,
        "properties": {
            "id": {"type": "string", "minLength": 3, "pattern": "^o-"},
            "total": {"type": "number", "minimum": 0},
            "when": {"type": "string", "format": "date-time"},
            "channel": {"enum": ["app", "web"]},
            "lines": {"type": "array", "maxItems": 2},
            "code": {"type": "string", "minLength": 3},
            "note": {"type": "string", "minLength": 1},
            "tags": {"type": "array", "minItems": 1},
            "a~/b": {"const": 1},
        },
    }
)
VIOLATIONS = [
    ({"id": "o-1"}, "", "“total” is missing."),
    ({"id": 5, "total": 1}, "/id", "Must be string, is a number: 5."),
    ({"id": None, "total": 1}, "/id", "Must be string, is null."),
    ({"id": "o-1", "total": -1}, "/total", "Must be at least 0, is -1."),
    ({"id": "x-1", "total": 1}, "/id", "does not match the pattern"),
    ({"id": "o-1", "total": 1, "when": "noon"}, "/when", '"noon" is no date-time.'),
    ({"id": "o-1", "total": 1, "channel": "fax"}, "/channel", 'Must be one of "app", "web"'),
    ({"id": "o-1", "total": 1, "lines": [1, 2, 3]}, "/lines", "at most 2 entries, has 3"),
    ({"id": "o-1", "total": 1, "code": ""}, "/code", 'Must have at least 3 characters, is "".'),
    ({"id": "o-1", "total": 1, "note": ""}, "/note", "Must not be empty."),
    ({"id": "o-1", "total": 1, "tags": []}, "/tags", "Must not be empty."),
    ({"id": "o-1", "total": 1, "z": 1}, "", "“z” is not part of the schema."),
    ({"id": "o-1", "total": 1, "a~/b": 2}, "/a~0~1b", "Must be 1, is 2."),
    ("text", "", "Must be object, is text"),
]


@pytest.mark.parametrize(("value", "pointer", "words"), VIOLATIONS)
def test_a_violation_says_where_and_what_in_words(value, pointer, words):
    validator = compile_schema(SCHEMA)
    (violation,) = validator.errors(value)
    assert violation.pointer == pointer
    assert words in violation.message
    assert not validator.is_valid(value)


def test_what_is_valid_has_no_violations():
    validator = compile_schema(SCHEMA)
    for value in (
        {"id": "o-1", "total": 10**30},
        {"id": "o-1", "total": 1.5, "when": "2026-01-31T12:00:00Z"},
    ):
        assert validator.is_valid(value)
        assert validator.errors(value) == []


def test_a_value_with_endless_violations_tells_the_first_twenty():
    assert len(compile_schema('{"items": {"type": "string"}}').errors(list(range(1000)))) == 20


def test_an_example_is_checked_at_the_line_of_the_mistake():
    mistakes = check_example(SCHEMA, '{\n  "id": "o-1",\n  "total": -1\n}')
    assert [(found.pointer, found.line) for found in mistakes] == [("/total", 3)]
    assert check_example(SCHEMA, "{")[0].line == 1
    assert check_example('{"type": "objekt"}', "1") == []
