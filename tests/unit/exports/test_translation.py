"""A schema told in another draft, inside another document, takes what it took, and refuses nothing more."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.exports.translation import DRAFT_7, DRAFT_2020, translate
from catalog.schemas.dialects import DIALECTS, dialect_of
from catalog.schemas.validator import compile_schema
from tests.catalogs import BEYOND_DRAFT_7, DRAFTS, SCHEMAS

PLACE = "/components/schemas/an.order.v1/schema"
TARGETS = {
    DRAFT_7: (jsonschema_rs.Draft7Validator, jsonschema.Draft7Validator),
    DRAFT_2020: (jsonschema_rs.Draft202012Validator, jsonschema.Draft202012Validator),
}


def told(schema: Any, target: int) -> tuple[Any, tuple[str, ...]]:
    """A validator of the translation where it stands in a document, and what it leaves out."""
    dialect = dialect_of(schema)
    assert dialect in DIALECTS
    found = translate(schema, dialect, target, PLACE)
    fast, careful = TARGETS[target]
    careful.check_schema(found.schema)
    document = {
        "components": {"schemas": {"an.order.v1": {"schema": found.schema}}},
        "allOf": [{"$ref": f"#{PLACE}"}],
    }
    return fast(document, offline=True), found.left_out


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_of_any_draft_takes_the_same_values_in_its_new_place(name: str, target: int) -> None:
    schema, fitting, unfitting = SCHEMAS[name]
    validator, left_out = told(schema, target)
    own = compile_schema(json.dumps(schema))
    assert left_out == (("enum",) if "looks like a reference" in name else ())
    for value in fitting:
        assert own.is_valid(value)
        assert validator.is_valid(value), value
    for value in unfitting:
        assert not own.is_valid(value)
        assert not validator.is_valid(value), value


@pytest.mark.parametrize("name", BEYOND_DRAFT_7)
def test_what_draft_7_cannot_say_is_named_and_refuses_nothing_more(name: str) -> None:
    schema, fitting, left_out = BEYOND_DRAFT_7[name]
    validator, missing = told(schema, DRAFT_7)
    assert list(missing) == left_out
    for value in fitting:
        assert compile_schema(json.dumps(schema)).is_valid(value)
        assert validator.is_valid(value), value


@pytest.mark.parametrize("target", TARGETS)
def test_no_reference_but_pointers_into_the_document_is_left(target: int) -> None:
    for schema, *_ in SCHEMAS.values():
        text = json.dumps(translate(schema, dialect_of(schema) or "", target, PLACE).schema)
        for word in ("$id", "$anchor", "$dynamicRef", "$recursiveRef", "$dynamicAnchor", "$schema"):
            assert f'"{word}"' not in text
        for reference in text.split('"$ref": "')[1:]:
            assert reference.startswith(f"#{PLACE}")


def test_a_dynamic_reference_with_several_aims_is_left_out() -> None:
    schema = {
        "properties": {"a": {"$dynamicRef": "#node"}},
        "$defs": {
            "one": {"$dynamicAnchor": "node", "type": "string"},
            "two": {"$id": "http://example.com/two", "$dynamicAnchor": "node", "type": "integer"},
        },
    }
    validator, left_out = told(schema, DRAFT_2020)
    assert left_out == ("$dynamicRef",)
    assert validator.is_valid({"a": 1})
    assert validator.is_valid({"a": "x"})


NAMES = st.sampled_from(["a", "b", "c/d", "ö"])
SCALARS = st.sampled_from([None, True, 0, 1, 1.5, "", "a", "ab"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


def objects(inner: st.SearchStrategy[Any], draft: int) -> st.SearchStrategy[Any]:
    """Schemas of `draft` with `inner` schemas below them; references aim at the two parts every schema here has."""
    listed = st.lists(inner, min_size=1, max_size=2)
    optional: dict[str, st.SearchStrategy[Any]] = {
        "type": st.sampled_from(["object", "array", "string", "integer", ["null", "number"]]),
        "enum": st.lists(SCALARS, min_size=1, max_size=3, unique_by=repr),
        "properties": st.dictionaries(NAMES, inner, max_size=2),
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "(?i)b", "d$"]), inner, max_size=2),
        "additionalProperties": inner,
        "required": st.lists(NAMES, min_size=1, max_size=2, unique=True),
        "allOf": listed,
        "anyOf": listed,
        "oneOf": listed,
        "not": inner,
        "minLength": st.integers(0, 2),
        "maximum": st.integers(0, 1),
        "dependencies": st.dictionaries(NAMES, inner | st.lists(NAMES, min_size=1, max_size=2, unique=True)),
        "items": inner if draft == 20 else inner | listed,
        "$ref": st.sampled_from(["#/definitions/one", "#/$defs/two"]),
        "x-note": st.just({"$ref": "#/nowhere"}),
    }
    if draft == 4:
        optional |= {"exclusiveMaximum": st.booleans()}
        optional |= {"additionalProperties": inner | st.booleans()}
    else:
        optional |= {"contains": inner, "propertyNames": inner, "const": SCALARS}
        optional |= {"exclusiveMinimum": st.integers(0, 1)}
    if draft <= 19:
        optional |= {"additionalItems": inner}
    if draft >= 7:
        optional |= {"if": inner, "then": inner, "else": inner}
    if draft >= 19:
        optional |= {
            "dependentRequired": st.dictionaries(NAMES, st.lists(NAMES, max_size=2, unique=True), max_size=2),
            "dependentSchemas": st.dictionaries(NAMES, inner, max_size=2),
            "unevaluatedProperties": inner,
            "unevaluatedItems": inner,
            "minContains": st.integers(0, 2),
            "maxContains": st.integers(0, 2),
        }
    if draft == 20:
        optional |= {"prefixItems": listed}
    return st.fixed_dictionaries({}, optional=optional)


@st.composite
def schemas(draw: st.DrawFn) -> Any:
    draft = draw(st.sampled_from(sorted(DRAFTS)))
    leaf = st.sampled_from([{}, {"type": "string"}, {"type": "integer"}, {"enum": ["a", 1]}])
    inner = st.recursive(
        leaf if draft == 4 else leaf | st.booleans(), lambda one: objects(one, draft), max_leaves=5
    )
    root = draw(objects(inner, draft))
    if draft == 4:
        # An exclusive bound is only allowed beside a bound.
        root.pop("exclusiveMaximum", None) if "maximum" not in root else None
    plain = st.sampled_from(
        [{"type": "string"}, {"enum": ["a", 1, {}]}, {"properties": {"a": {"type": "null"}}}]
    )
    root["definitions"] = {"one": draw(plain)}
    root["$defs"] = {"two": draw(plain)}
    return {"$schema": DRAFTS[draft], **root}


@settings(deadline=None, max_examples=60)
@given(schemas(), st.lists(VALUES, min_size=1, max_size=6), st.sampled_from(sorted(TARGETS)))
def test_whatever_the_schema_nothing_more_is_refused_and_without_gaps_nothing_more_is_taken(
    schema: Any, values: list[Any], target: int
) -> None:
    try:
        own = compile_schema(json.dumps(schema))
    except ValueError:
        return
    validator, left_out = told(schema, target)
    for value in values:
        if own.is_valid(value):
            assert validator.is_valid(value), (value, left_out)
        elif not left_out:
            assert not validator.is_valid(value), value
