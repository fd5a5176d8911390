"""Reading fields out of a schema, and making an example of them."""

import json

import pytest

from catalog.schemas.fields import FIELDS, fields_of, rows_of, sample_of
from catalog.schemas.validator import compile_schema

MONEY = {"type": "object", "required": ["amount"], "properties": {"amount": {"type": "number", "minimum": 0}}}
ORDER = {
    "type": "object",
    "required": ["id", "total", "lines"],
    "properties": {
        "id": {"type": "string", "description": "The shop's number"},
        "total": {"$ref": "#/$defs/money", "description": "To pay"},
        "lines": {
            "type": "array",
            "minItems": 1,
            "maxItems": 200,
            "items": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}},
        },
        "tags": {"type": "array", "minItems": 1, "items": {"enum": ["a", "b"]}},
        "when": {"type": ["string", "null"], "format": "date-time"},
        "channel": {"enum": ["app", "web"]},
        "version": {"const": 2},
    },
    "$defs": {"money": MONEY},
}


def test_fields_are_read_in_order_with_depth_words_and_meaning():
    rows = rows_of(fields_of(ORDER))
    assert [(row.depth, row.name, row.words, row.required, row.meaning) for row in rows] == [
        (0, "id", "string", True, "The shop's number"),
        (0, "total", "object", True, "To pay"),
        (1, "amount", "number ≥ 0", True, ""),
        (0, "lines[ ]", "array 1…200", True, ""),
        (1, "sku", "string", True, ""),
        (0, "tags[ ]", "array ≥ 1 with one of a, b", False, ""),
        (0, "when", "date-time or null", False, ""),
        (0, "channel", "one of app, web", False, ""),
        (0, "version", "always 2", False, ""),
    ]


SAMPLES = [
    ORDER,
    {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer", "minimum": 5}}},
    {"type": "array", "minItems": 1, "items": {"type": "boolean"}},
    {"allOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]}, {"properties": {"b": MONEY}}]},
    {"properties": {"e": {"type": "string", "format": "email"}, "u": {"type": "string", "format": "uuid"}}},
    {"type": "object", "properties": {"x": {"type": "string", "examples": ["y"]}, "z": {"default": 3}}},
    {"type": "string"},
    {
        "properties": {
            "m": {"type": "array", "minItems": 1, "items": {"type": "array", "items": {"type": "null"}}}
        }
    },
]


@pytest.mark.parametrize("schema", SAMPLES, ids=lambda schema: json.dumps(schema)[:40])
def test_the_example_made_from_a_schema_fits_it(schema):
    sample = sample_of(fields_of(schema))
    assert compile_schema(json.dumps(schema)).errors(sample) == []


def test_a_schema_that_refers_to_itself_is_read_to_its_first_level():
    tree = {"type": "object", "properties": {"name": {"type": "string"}, "parent": {"$ref": "#"}}}
    assert [row.path for row in rows_of(fields_of(tree))] == [("name",), ("parent",)]


def test_a_huge_schema_is_read_to_a_limit():
    wide = {"type": "object", "properties": {str(number): {"type": "string"} for number in range(FIELDS * 3)}}
    assert len(rows_of(fields_of(wide))) == FIELDS
    # Each level refers twenty times to the next: 20 to the 20th power fields if nobody counted.
    levels = {
        str(level): {
            "type": "object",
            "properties": {f"f{n}": {"$ref": f"#/$defs/{level + 1}"} for n in range(20)},
        }
        for level in range(20)
    }
    assert len(rows_of(fields_of({"$ref": "#/$defs/0", "$defs": levels}))) <= FIELDS


@pytest.mark.parametrize(
    "schema", [{}, True, {"type": "object"}, {"properties": 5}, {"$ref": "#/nowhere"}, 7]
)
def test_a_schema_that_says_nothing_about_fields_has_none(schema):
    assert fields_of(schema) == ()


@pytest.mark.parametrize(
    ("schema", "limits"),
    [
        ({"type": "string", "minLength": 1, "maxLength": 40}, ("1–40 characters",)),
        ({"type": "string", "minLength": 1}, ("at least 1 character",)),
        (
            {"type": "string", "maxLength": 3, "pattern": "^[A-Z]{3}$"},
            ("at most 3 characters", "pattern ^[A-Z]{3}$"),
        ),
        ({"type": "string", "minLength": 3, "maxLength": 3}, ("3 characters",)),
        ({"type": "number", "minimum": 1, "multipleOf": 0.5}, ("a multiple of 0.5",)),
        (
            {"type": "array", "uniqueItems": True, "items": {"type": "string", "pattern": "^x"}},
            ("no entry twice", "each pattern ^x"),
        ),
        (
            {"type": "object", "minProperties": 1, "additionalProperties": False},
            ("at least 1 member", "no other members"),
        ),
        ({"type": "string", "minLength": "many", "pattern": 7}, ()),
    ],
)
def test_what_a_value_must_keep_is_said(schema, limits):
    [field] = fields_of({"properties": {"a": schema}})
    assert field.limits == limits
