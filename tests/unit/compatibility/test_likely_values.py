"""Values worked out of a schema: most fit, all are found in bounded time."""

from __future__ import annotations

import json

import pytest

from catalog.schemas.compatibility import likely_values
from catalog.schemas.validator import compile_schema

OBJECT = {"type": "object"}


@pytest.mark.parametrize(
    "schema",
    [
        {"oneOf": [{"type": "string", "format": "date-time"}, {"type": "integer", "minimum": 7}]},
        {**OBJECT, "required": ["a"], "properties": {"a": {"allOf": [{"enum": ["x", "y"]}, {"const": "y"}]}}},
        {
            **OBJECT,
            "required": ["a"],
            "properties": {"a": {"type": "array", "minItems": 3, "uniqueItems": True}},
        },
        {
            **OBJECT,
            "allOf": [{"required": ["a"]}, {"properties": {"a": {"$ref": "#/$defs/a"}}}],
            "$defs": {"a": {"type": ["null", "object"], "required": ["b"], "not": {"type": "null"}}},
        },
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "definitions": {"a": {"const": 5}},
            "$ref": "#/definitions/a",
        },
    ],
)
def test_one_of_the_likely_values_fits(schema) -> None:
    validator = compile_schema(json.dumps(schema))
    assert any(validator.is_valid(value) for value in likely_values(schema))


def test_nothing_fits_what_nothing_can_fit_and_time_is_kept() -> None:
    assert list(likely_values(False)) == []
    ticks = iter(range(1000))
    deep = {"type": "array", "minItems": 1, "items": {"$ref": "#"}}
    assert list(likely_values(deep, seconds=20, clock=lambda: float(next(ticks)))) == []
