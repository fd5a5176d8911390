"""Schemas whose references multiply the work of the validator are refused before they are compiled."""

from __future__ import annotations

import json
import time

import pytest

from catalog.schemas.authoring import check_schema
from catalog.schemas.costs import MOST, looks
from catalog.schemas.validator import compile_schema


def levels(count, build, last=None):
    definitions = {"l0": last or {"type": "string"}}
    for number in range(1, count):
        definitions[f"l{number}"] = build({"$ref": f"#/$defs/l{number - 1}"})
    return {"$ref": f"#/$defs/l{count - 1}", "$defs": definitions}


MULTIPLYING = {
    "an allOf of the one before, twice": levels(30, lambda one: {"allOf": [one, one]}),
    "alternatives": levels(30, lambda one: {"anyOf": [one, {"not": one}]}),
    "members that two parts speak of": levels(
        30, lambda one: {"allOf": [{"properties": {"a": one}}, {"properties": {"a": one}}]}
    ),
    "a condition": levels(30, lambda one: {"if": one, "then": one}),
    "anchors": {
        "allOf": [{"$ref": "#l29"}],
        "$defs": {
            "l0": {"$anchor": "l0", "type": "string"},
            **{
                f"l{n}": {"$anchor": f"l{n}", "allOf": [{"$ref": f"#l{n - 1}"}, {"$ref": f"#l{n - 1}"}]}
                for n in range(1, 30)
            },
        },
    },
    "a chain without end": levels(3000, lambda one: {"allOf": [one]}),
}


@pytest.mark.parametrize("name", MULTIPLYING)
def test_a_schema_that_multiplies_is_refused_at_once(name):
    began = time.thread_time()
    [mistake] = check_schema(json.dumps(MULTIPLYING[name]))
    assert "multiply from level to level" in mistake.message
    assert time.thread_time() - began < 0.5


HARMLESS = {
    "members that double": levels(30, lambda one: {"properties": {"a": one, "b": one}}),
    "a tree": {"type": "object", "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}},
    "many alternatives": {"oneOf": [{"properties": {"k": {"const": n}}} for n in range(500)]},
    "two levels of alternatives": levels(3, lambda one: {"oneOf": [{"properties": {"a": one}}] * 20}),
}


@pytest.mark.parametrize("name", HARMLESS)
def test_an_ordinary_schema_is_not_refused(name):
    assert check_schema(json.dumps(HARMLESS[name])) == []


def test_what_is_just_allowed_is_validated_in_time():
    schema = levels(19, lambda one: {"allOf": [one, one]})
    assert looks(schema) < MOST
    validator = compile_schema(json.dumps(schema))
    began = time.thread_time()
    assert validator.is_valid("text")
    assert time.thread_time() - began < 0.3
