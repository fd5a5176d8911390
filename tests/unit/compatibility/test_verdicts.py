"""What a verdict says: places, words, examples, cautions, history, hints."""

from __future__ import annotations

import pytest

from catalog.schemas.compatibility import (
    Break,
    Direction,
    Mode,
    Outcome,
    Policy,
    Undecided,
    Verdict,
    accepted,
    check,
    check_history,
)
from tests.unit.compatibility.rechecked import DRAFT_7, assert_shown

PATIENT = 5.0
DRAFT_4 = "http://json-schema.org/draft-04/schema#"
OPENAPI_30 = "https://spec.openapis.org/oas/3.0/dialect/base"


def fields(members, required=(), **more):
    return {"type": "object", "properties": members, "required": list(required), **more}


def order(**amount):
    return fields(
        {
            "id": {"type": "string", "format": "uuid"},
            "total": {"$ref": "#/$defs/money"},
            "lines": {"type": "array", "items": fields({"sku": {"type": "string"}}, ["sku"])},
        },
        ["id", "total"],
        **{"$defs": {"money": fields({"amount": {"type": "number", **amount}}, ["amount"])}},
    )


EXAMPLE = {"id": "8f14e45f-ceea-467f-a0e6-2f5a2c9d3b11", "total": {"amount": 12.5}, "lines": [{"sku": "A-1"}]}


def test_a_break_names_its_place_its_pointer_and_the_reason():
    verdict = check(order(), order(maximum=1000), Mode.BACKWARD, Policy.EVOLUTION, [EXAMPLE], PATIENT)
    [found] = verdict.breaks
    assert (found.direction, found.path) == (Direction.BACKWARD, "data.total.amount")
    assert found.pointer == "/$defs/money/properties/amount/maximum"
    assert "at most 1000" in found.message
    assert found.reason.startswith("data.total.amount: Must be at most 1000")
    assert found.counterexample["total"]["amount"] > 1000
    assert not found.caution


def test_full_names_the_direction_of_each_break():
    old = fields({"a": {"type": "string"}}, ["a"])
    new = fields({"a": {"type": "string"}, "b": {"type": "string"}}, ["b"])
    verdict = check(old, new, Mode.FULL, Policy.EVOLUTION, (), PATIENT)
    assert {(one.direction, one.path) for one in verdict.breaks} == {
        ("backward", "data.b"),
        ("forward", "data.a"),
    }
    assert_shown(old, new, verdict)


def test_every_place_that_breaks_is_told_with_an_example_of_its_own():
    old = fields({"a": {"type": "string"}, "b": {"type": "integer"}, "c": fields({"d": {"type": "boolean"}})})
    new = fields(
        {
            "a": {"type": "integer"},
            "b": {"type": "integer", "minimum": 5},
            "c": fields({"d": {"const": True}}),
        }
    )
    verdict = check(old, new, Mode.BACKWARD, Policy.EVOLUTION, (), PATIENT)
    assert {one.path for one in verdict.breaks} == {"data.a", "data.b", "data.c.d"}
    assert all(one.reason.startswith(one.path) for one in verdict.breaks)
    assert_shown(old, new, verdict)


def test_an_example_looks_like_an_event_that_is_known():
    verdict = check(order(), order(maximum=1000), Mode.BACKWARD, Policy.EVOLUTION, [EXAMPLE], PATIENT)
    assert_shown(order(), order(maximum=1000), verdict)
    [found] = verdict.breaks
    assert {**found.counterexample, "total": EXAMPLE["total"]} == EXAMPLE
    without = order()
    without["$defs"]["money"]["required"] = []
    [found] = check(order(), without, Mode.FORWARD, Policy.EVOLUTION, [EXAMPLE], PATIENT).breaks
    assert found.counterexample == {**EXAMPLE, "total": {}}


def test_a_member_that_a_condition_asks_for_may_have_any_value():
    asking = {
        "if": {"properties": {"kind": {"const": "a"}}, "required": ["kind"]},
        "then": {"required": ["x"]},
    }
    old = {**fields({"x": {"type": "string"}}), **asking}
    new = fields({"x": {"type": "string"}, "kind": {"const": "a"}})
    verdict = check(old, new, Mode.BACKWARD, Policy.EVOLUTION, (), PATIENT)
    assert [one.path for one in verdict.breaks] == ["data.kind"]
    assert_shown(old, new, verdict)


def test_a_null_example_is_an_example():
    verdict = check(True, {"type": "string"}, Mode.BACKWARD, Policy.STRICT, [None], PATIENT)
    assert all(one.has_counterexample for one in verdict.breaks)
    assert_shown(True, {"type": "string"}, verdict)


CAUTIONS = [
    ({"enum": ["a"]}, {"enum": ["a", "b"]}, True),
    ({"const": "a"}, {"enum": ["a", "b"]}, True),
    ({"type": "integer", "maximum": 5}, {"type": "integer", "maximum": 6}, True),
    ({"type": "string", "maxLength": 5}, {"type": "string"}, True),
    ({"type": "array", "maxItems": 5}, {"type": "array", "maxItems": 6}, True),
    ({"type": "integer"}, {"type": "number"}, False),
    ({"type": "string"}, {"type": ["string", "null"]}, False),
    ({"type": "string", "format": "date"}, {"type": "string"}, False),
]


@pytest.mark.parametrize(("old", "new", "caution"), CAUTIONS)
def test_new_values_are_a_caution_that_an_owner_may_accept(old, new, caution):
    verdict = check(fields({"a": old}), fields({"a": new}), Mode.FORWARD, Policy.EVOLUTION, (), PATIENT)
    assert verdict.outcome is Outcome.INCOMPATIBLE
    assert [one.caution for one in verdict.breaks] == [caution]
    assert not accepted(verdict, accept_cautions=False)
    assert accepted(verdict, accept_cautions=True) is caution


def test_a_narrowed_enum_is_no_caution():
    old, new = fields({"a": {"enum": ["a", "b"]}}), fields({"a": {"enum": ["a"]}})
    verdict = check(old, new, Mode.BACKWARD, Policy.EVOLUTION, (), PATIENT)
    assert not accepted(verdict, accept_cautions=True)


def test_cautions_do_not_accept_what_is_undecided():
    caution = Break(Direction.FORWARD, "data", "…", True, 1, True)
    left = Undecided(Direction.FORWARD, "data", "…")
    assert accepted(Verdict(Outcome.COMPATIBLE), False)
    assert not accepted(Verdict(Outcome.UNDECIDED, (), (left,)), True)
    assert not accepted(Verdict(Outcome.INCOMPATIBLE, (caution,), (left,)), True)


HISTORY = [(1, fields({"a": {"type": "string"}}, ["a"])), (2, fields({"a": {"type": "string"}}))]


@pytest.mark.parametrize(
    ("mode", "outcome", "against"),
    [
        (Mode.FORWARD, Outcome.COMPATIBLE, []),
        (Mode.FORWARD_TRANSITIVE, Outcome.INCOMPATIBLE, [1]),
        (Mode.BACKWARD_TRANSITIVE, Outcome.COMPATIBLE, []),
        (Mode.FULL_TRANSITIVE, Outcome.INCOMPATIBLE, [1]),
        (Mode.NONE, Outcome.COMPATIBLE, []),
    ],
)
def test_transitive_modes_ask_every_version(mode, outcome, against):
    new = fields({"a": {"type": "string"}, "b": {"type": "string"}})
    verdict = check_history(HISTORY, new, mode, Policy.EVOLUTION, (), PATIENT)
    assert verdict.outcome is outcome
    assert [one.against for one in verdict.breaks] == against


def test_a_first_version_has_nothing_to_break():
    assert (
        check_history([], {"type": "string"}, Mode.FULL_TRANSITIVE, Policy.STRICT).outcome
        is Outcome.COMPATIBLE
    )


def test_a_field_that_looks_renamed_is_hinted_at():
    old, new = fields({"amout": {"type": "number"}}), fields({"amount": {"type": "number"}})
    verdict = check(old, new, Mode.FORWARD, Policy.EVOLUTION, (), PATIENT)
    assert verdict.outcome is Outcome.COMPATIBLE
    [hint] = verdict.hints
    assert "data.amount looks like data.amout" in hint
    other = fields({"amount": {"type": "string"}})
    assert check(old, other, Mode.FORWARD, Policy.EVOLUTION, (), PATIENT).hints == ()


DIALECTS = [
    ("a boolean bound of draft 4",
     {"$schema": DRAFT_4, "type": "integer", "minimum": 0, "exclusiveMinimum": True},
     {"$schema": DRAFT_7, "type": "integer", "exclusiveMinimum": 0}),
    ("a tuple", {"$schema": DRAFT_7, "items": [{"type": "string"}], "additionalItems": False},
     {"prefixItems": [{"type": "string"}], "items": False}),
    ("dependencies", {"$schema": DRAFT_7, "type": "object", "dependencies": {"a": ["b"]}},
     {"type": "object", "dependentRequired": {"a": ["b"]}}),
    ("a $ref that hides what stands beside it",
     {"$schema": DRAFT_7, "$ref": "#/definitions/a", "maxLength": 1, "definitions": {"a": {"type": "string"}}},
     {"type": "string"}),
    ("a format that draft 7 does not assert", {"$schema": DRAFT_7, "type": "string", "format": "uuid"},
     {"type": "string"}),
    ("OpenAPI's nullable", {"$schema": OPENAPI_30, "type": "string", "nullable": True}, {"type": ["string", "null"]}),
    ("OpenAPI's nullable beside an enum",
     {"$schema": OPENAPI_30, "type": "string", "nullable": True, "enum": ["a"]}, {"const": "a"}),
    ("OpenAPI's components",
     {"$schema": OPENAPI_30, "properties": {"a": {"$ref": "#/components/schemas/A"}},
      "components": {"schemas": {"A": {"type": "integer", "maximum": 3, "exclusiveMaximum": True}}}},
     {"properties": {"a": {"type": "integer", "exclusiveMaximum": 3}}}),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), [pair[1:] for pair in DIALECTS], ids=[pair[0] for pair in DIALECTS])
def test_schemas_of_different_drafts_compare_by_meaning(old, new):
    assert check(old, new, Mode.FULL, Policy.STRICT, (), PATIENT).outcome is Outcome.COMPATIBLE
    narrower = {
        "allOf": [new, {"maxLength": 0, "maximum": -5, "maxItems": 0, "maxProperties": 0}],
        "not": {"const": ""},
    }
    if "$schema" not in new:
        assert check(old, narrower, Mode.BACKWARD, Policy.STRICT, (), PATIENT).outcome is Outcome.INCOMPATIBLE


UNUSABLE = [
    {"$ref": "#/$defs/nothing"},
    {"$ref": "https://example.com/schema.json"},
    {"properties": {"a": {"$id": "https://example.com/a", "$ref": "#/$defs/x", "$defs": {"x": {}}}}},
    {"$dynamicRef": "#meta"},
    {"pattern": "(?=a)b"},
    {"patternProperties": {"(?=a)b": {"type": "string"}}},
    {"$schema": "https://example.com/own-dialect"},
    {"type": "strange"},
]


@pytest.mark.parametrize("schema", UNUSABLE, ids=str)
@pytest.mark.parametrize("policy", Policy)
def test_what_is_not_understood_is_undecided(schema, policy):
    verdict = check({"type": "object"}, schema, Mode.FULL, policy, (), PATIENT)
    assert verdict.outcome is Outcome.UNDECIDED
    assert all(one.why for one in verdict.undecided)


def test_a_least_count_of_what_is_contained_means_nothing_elsewhere():
    wants = {"type": "array", "contains": {"type": "string"}, "minContains": 2}
    old = {"allOf": [{"type": "array", "minContains": 2}, {"contains": {"type": "string"}}]}
    assert check(old, wants, Mode.BACKWARD, Policy.STRICT, (), PATIENT).outcome is Outcome.INCOMPATIBLE
    assert (
        check(wants, wants | {"title": "x"}, Mode.FULL, Policy.STRICT, (), PATIENT).outcome
        is Outcome.COMPATIBLE
    )


def test_the_other_meaning_of_a_word_is_not_taken_for_granted():
    uuid = {"type": "string", "format": "uuid"}
    verdict = check({"$schema": DRAFT_7, **uuid}, uuid, Mode.BACKWARD, Policy.STRICT, (), PATIENT)
    assert verdict.outcome is Outcome.INCOMPATIBLE
    assert_shown({"$schema": DRAFT_7, **uuid}, uuid, verdict)


def test_closing_does_not_empty_a_conjunction():
    part = {"allOf": [fields({"a": {"type": "string"}}), fields({"b": {"type": "string"}})]}
    other = {"allOf": [fields({"a": {"type": "string"}}), fields({"b": {"type": "integer"}})]}
    verdict = check(part, other, Mode.BACKWARD, Policy.EVOLUTION, (), PATIENT)
    assert [one.path for one in verdict.breaks] == ["data.b"]
    nested = {"allOf": [fields({"x": part["allOf"][0]}), fields({"x": part["allOf"][1]})]}
    changed = {"allOf": [fields({"x": part["allOf"][0]}), fields({"x": other["allOf"][1]})]}
    verdict = check(nested, changed, Mode.BACKWARD, Policy.EVOLUTION, (), PATIENT)
    assert [one.path for one in verdict.breaks] == ["data.x.b"]


def test_a_counterexample_holds_only_what_a_producer_declares():
    old, new = (
        fields({"a": {"type": "string"}}),
        fields({"a": {"type": "string", "maxLength": 3}, "b": {"type": "integer"}}),
    )
    verdict = check(old, new, Mode.BACKWARD, Policy.EVOLUTION, [{"a": "x", "b": "never declared"}], PATIENT)
    assert all(one.counterexample.keys() <= {"a"} for one in verdict.breaks)
    assert [one.path for one in verdict.breaks] == ["data.a"]


def test_alternatives_told_apart_by_closing_stay_apart():
    def closed(name, **more):
        return fields({name: {"type": "string", **more}}, [name], additionalProperties=False)

    old = {"oneOf": [closed("a"), closed("b")]}
    same = {"oneOf": [closed("a"), closed("b"), closed("c")]}
    assert check(old, same, Mode.BACKWARD, Policy.EVOLUTION, (), PATIENT).outcome is Outcome.COMPATIBLE
    verdict = check(old, same, Mode.FORWARD, Policy.EVOLUTION, (), PATIENT)
    assert verdict.outcome is Outcome.INCOMPATIBLE
    assert_shown(old, same, verdict)
