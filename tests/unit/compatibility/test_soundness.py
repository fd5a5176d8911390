"""Random pairs of schemas: nothing random refutes a proof, and every counterexample holds when it is tried again."""

from __future__ import annotations

import time
from itertools import islice
from typing import Any

import jsonschema_rs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.schemas.compatibility import Mode, Outcome, Policy, check
from catalog.schemas.compatibility.budget import Budget
from catalog.schemas.compatibility.merging import Merger
from catalog.schemas.compatibility.normal import normal
from catalog.schemas.compatibility.reading import Document
from catalog.schemas.compatibility.sampling import Sampler
from tests.unit.compatibility.rechecked import assert_shown

NAMES = ("a", "b", "c", "kind")
names = st.sampled_from(NAMES)
small = st.integers(-2, 4)
scalars = st.sampled_from(["x", "y", "", "xy", "abcd", "2020-01-01", 0, 1, 2, -1, 1.5, 4, None, True, False])

leaves = st.one_of(
    st.sampled_from(
        [True, {"type": "string"}, {"type": "integer"}, {"type": "number"}, {"type": "null"}, {"type": "boolean"},
         {"type": ["string", "null"]}, {"type": "string", "pattern": "^x"}, {"type": "string", "pattern": "[0-9]"},
         {"type": "string", "format": "date"}, {"const": "x"}, {"const": 1}]
    ),
    st.builds(lambda n: {"type": "string", "maxLength": abs(n)}, small),
    st.builds(lambda n: {"type": "string", "minLength": abs(n)}, small),
    st.builds(lambda n: {"type": "integer", "minimum": n}, small),
    st.builds(lambda n: {"type": "number", "exclusiveMaximum": n}, small),
    st.builds(lambda n: {"type": "integer", "multipleOf": abs(n) + 1}, small),
    st.builds(lambda values: {"enum": values}, st.lists(scalars, min_size=1, max_size=3)),
)  # fmt: skip


def _extended(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, min_size=1, max_size=3)
    objects = st.fixed_dictionaries(
        {"type": st.just("object"), "properties": st.dictionaries(names, inner, max_size=3)},
        optional={
            "required": st.lists(names, max_size=2, unique=True),
            "additionalProperties": st.one_of(st.booleans(), inner),
            "patternProperties": st.dictionaries(st.sampled_from(["^a", "c$", "^k"]), inner, max_size=1),
            "minProperties": st.integers(0, 3),
            "maxProperties": st.integers(0, 3),
            "dependentRequired": st.dictionaries(names, st.lists(names, max_size=1), max_size=1),
            "unevaluatedProperties": st.booleans(),
            "propertyNames": st.sampled_from([{"maxLength": 2}, {"enum": ["a", "b"]}]),
            "anyOf": several,
            "oneOf": several,
        },
    )
    arrays = st.fixed_dictionaries(
        {"type": st.just("array")},
        optional={
            "items": inner,
            "prefixItems": several,
            "minItems": st.integers(0, 2),
            "maxItems": st.integers(0, 3),
            "uniqueItems": st.booleans(),
            "contains": inner,
        },
    )
    return st.one_of(
        objects,
        objects,
        arrays,
        st.sampled_from([{"$ref": "#/$defs/p"}, {"$ref": "#/$defs/q"}]),
        st.builds(lambda branches: {"allOf": branches}, several),
        st.builds(lambda branches: {"anyOf": branches}, several),
        st.builds(lambda branches: {"oneOf": branches}, several),
        st.builds(lambda one: {"not": one}, inner),
        st.builds(lambda one, two, three: {"if": one, "then": two, "else": three}, inner, inner, inner),
    )


schemas = st.recursive(leaves, _extended, max_leaves=8)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.dictionaries(names | st.just("zz"), inner, max_size=4), st.lists(inner, max_size=3)
    ),
)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Any, Any]:
    """Two schemas; often the second is the first with one part replaced."""
    old = draw(schemas)
    new = _replaced(old, draw) if draw(st.integers(0, 3)) else draw(schemas)
    recursive = {"type": "object", "properties": {"a": draw(leaves), "kind": {"$ref": "#/$defs/p"}}}
    other = {"type": "object", "properties": {"a": draw(leaves), "kind": {"$ref": "#/$defs/p"}}}
    return (
        {"allOf": [old], "$defs": {"p": recursive, "q": {"type": "string"}}},
        {"allOf": [new], "$defs": {"p": draw(st.sampled_from([recursive, other])), "q": {"type": "string"}}},
    )


def _replaced(schema: Any, draw: st.DrawFn) -> Any:
    spots = [word for word in schema if word not in ("required", "dependentRequired", "enum", "type")] if isinstance(
        schema, dict
    ) else []  # fmt: skip
    if not spots or not draw(st.integers(0, 3)):
        return draw(leaves)
    word = draw(st.sampled_from(spots))
    inner = schema[word]
    if word in ("properties", "patternProperties"):
        name = draw(names)
        return {**schema, word: {**inner, name: draw(leaves)}} if word == "properties" else schema
    if isinstance(inner, list):
        return {**schema, word: [_replaced(inner[0], draw), *inner[1:]]}
    if isinstance(inner, dict):
        return {**schema, word: _replaced(inner, draw)}
    if isinstance(inner, bool):
        return {**schema, word: not inner}
    return {**schema, word: abs(inner + 1)} if isinstance(inner, int) else schema


def samples(schema: Any) -> list[Any]:
    """Values near what `schema` accepts."""
    budget = Budget(5, time.monotonic)
    merged = Merger(Document(normal(schema, "w", budget)), False, budget).merged()
    return list(islice(Sampler(merged, budget).values(merged.root), 60))


def declares(schema: Any, value: Any) -> bool:
    """Whether every member of `value` is declared somewhere, written anew and coarsely: any part may declare it."""
    return _declared([schema], schema["$defs"], value)


def _parts(schema: Any, definitions: Any, seen: frozenset[str] = frozenset()) -> list[dict[str, Any]]:
    if not isinstance(schema, dict):
        return []
    found = [schema]
    reference = schema.get("$ref")
    if reference and reference not in seen:
        found += _parts(definitions[reference[-1]], definitions, seen | {reference})
    for word in ("allOf", "anyOf", "oneOf"):
        for child in schema.get(word, ()):
            found += _parts(child, definitions, seen)
    for word in ("if", "then", "else"):
        found += _parts(schema.get(word), definitions, seen)
    return found


def _declared(applied: list[Any], definitions: Any, value: Any) -> bool:
    parts = [part for schema in applied for part in _parts(schema, definitions)]
    if isinstance(value, list):
        below = [part.get("items", True) for part in parts]
        below += [child for part in parts for child in part.get("prefixItems", ())]
        return all(_declared(below, definitions, one) for one in value)
    if not isinstance(value, dict):
        return True
    speaks = any(part.get("properties") or part.get("patternProperties") for part in parts)
    mapped = any(
        part.get("patternProperties") or isinstance(part.get("additionalProperties"), dict) for part in parts
    )
    for name, one in value.items():
        below = [part["properties"][name] for part in parts if name in part.get("properties", ())]
        needed = any(name in part.get("required", ()) for part in parts)
        if not below and speaks and not mapped and not needed:
            return False
        if below and not _declared(below, definitions, one):
            return False
    return True


RUNS = settings(max_examples=70, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@RUNS
@given(pairs(), st.lists(values, min_size=10, max_size=10))
def test_nothing_refutes_a_strict_proof(pair, more):
    old, new = pair
    verdict = check(old, new, Mode.BACKWARD, Policy.STRICT, (), 1.0)
    assert_shown(old, new, verdict)
    if verdict.outcome is Outcome.COMPATIBLE:
        sends, takes = (jsonschema_rs.Draft202012Validator(one, validate_formats=True) for one in pair)
        for value in [*more, *samples(old), *samples(new)]:
            assert takes.is_valid(value) or not sends.is_valid(value), value


@RUNS
@given(pairs(), st.lists(values, min_size=5, max_size=5))
def test_what_a_producer_declares_is_read_when_evolution_is_proved(pair, more):
    old, new = pair
    verdict = check(old, new, Mode.BACKWARD, Policy.EVOLUTION, (), 1.0)
    assert_shown(old, new, verdict)
    for one in verdict.breaks:
        assert declares(old, one.counterexample), one
    if verdict.outcome is Outcome.COMPATIBLE and "additionalProperties" not in str(new) + str(old):
        # Without closed objects a tolerant reader is the reader itself.
        if "unevaluated" in str(new) or "anyOf" in str(old) or "oneOf" in str(old) or "if" in str(old):
            return
        sends, takes = (jsonschema_rs.Draft202012Validator(one, validate_formats=True) for one in pair)
        for value in [*more, *samples(old), *samples(new)]:
            if sends.is_valid(value) and declares(old, value) and "patternProperties" not in str(old):
                assert takes.is_valid(value), value


@RUNS
@given(schemas)
def test_a_schema_is_compatible_with_itself_written_otherwise(schema):
    old = {"allOf": [schema], "$defs": {"p": {"type": "object"}, "q": {"type": "string"}}}
    new = {"allOf": [{"description": "the same"}, schema], "$defs": old["$defs"]}
    for policy in Policy:
        verdict = check(old, new, Mode.FULL, policy, (), 1.0)
        assert_shown(old, new, verdict)
        if policy is Policy.STRICT:
            assert verdict.outcome is not Outcome.INCOMPATIBLE
