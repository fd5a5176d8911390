"""The policy evolution: what each change means to readers and writers, wherever in the schema it is made."""

from __future__ import annotations

import pytest

from catalog.schemas.compatibility import Mode, Outcome, Policy, check
from tests.unit.compatibility.rechecked import assert_shown
from tests.vectors import REPOSITORY

PATIENT = 5.0


def fields(members, required=(), **more):
    return {"type": "object", "properties": members, "required": list(required), **more}


A = {"a": {"type": "string"}}
AB = {**A, "b": {"type": "string"}}

# old, new, BACKWARD holds, FORWARD holds under evolution, and under strict
ROWS = {
    "an optional field is added": (fields(A), fields(AB), (True, True), (False, True)),
    "a required field is added": (fields(A), fields(AB, ["b"]), (False, True), (False, True)),
    "an optional field is removed": (fields(AB), fields(A), (True, True), (True, False)),
    "a required field is removed": (fields(AB, ["b"]), fields(A), (True, False), (True, False)),
    "a field becomes required": (fields(AB), fields(AB, ["b"]), (False, True), (False, True)),
    "a field becomes optional": (fields(AB, ["b"]), fields(AB), (True, False), (True, False)),
    "a type changes": (fields(AB), fields({**A, "b": {"type": "integer"}}), (False, False), (False, False)),
    "an enum gets a value": (
        fields({"a": {"enum": ["x"]}}), fields({"a": {"enum": ["x", "y"]}}), (True, False), (True, False)
    ),
    "an integer becomes a number": (
        fields({"a": {"type": "integer"}}), fields({"a": {"type": "number"}}), (True, False), (True, False)
    ),
    "an open object is closed": (fields(AB), fields(AB, additionalProperties=False), (True, True), (False, True)),
    "an optional field is renamed": (fields(AB), fields({**A, "c": {"type": "string"}}), (True, True), (False, False)),
    "a field may be null": (
        fields(A), fields({"a": {"type": ["string", "null"]}}), (True, False), (True, False)
    ),
    "a range is narrowed": (
        fields({"a": {"type": "integer"}}), fields({"a": {"type": "integer", "maximum": 9}}), (False, True),
        (False, True),
    ),
}  # fmt: skip

OTHER = {
    "type": "object",
    "properties": {"kind": {"const": "other"}, "z": {"type": "integer"}},
    "required": ["kind"],
}


def _kind(schema):
    named = {**schema["properties"], "kind": {"const": "this"}}
    return {**schema, "properties": named, "required": [*schema["required"], "kind"]}


PLACES = {
    "at the root": lambda schema: schema,
    "in a member": lambda schema: fields({"inner": schema}, ["inner"]),
    "in an optional member": lambda schema: fields({"id": {"type": "string"}, "inner": schema}),
    "two levels down": lambda schema: fields({"x": fields({"y": schema})}),
    "in an entry": lambda schema: fields({"list": {"type": "array", "items": schema}}),
    "behind a $ref": lambda schema: {
        **fields({"inner": {"$ref": "#/$defs/part"}}),
        "$defs": {"part": schema},
    },
    "in an allOf": lambda schema: {"allOf": [fields({"id": {"type": "string"}}, ["id"]), schema]},
    "in an allOf of references": lambda schema: {
        "allOf": [{"$ref": "#/$defs/base"}, {"$ref": "#/$defs/part"}],
        "$defs": {"base": fields({"id": {"type": "string"}}), "part": schema},
    },
    "in a oneOf": lambda schema: {"oneOf": [_kind(schema), OTHER]},
    "in an anyOf": lambda schema: {"anyOf": [_kind(schema), OTHER]},
    "in a oneOf of a member": lambda schema: fields({"inner": {"oneOf": [_kind(schema), {"type": "null"}]}}),
    "in a map": lambda schema: {"type": "object", "additionalProperties": schema},
    "in a then": lambda schema: {
        "type": "object",
        "properties": {"kind": {"enum": ["this", "other"]}},
        "required": ["kind"],
        "if": {"properties": {"kind": {"const": "this"}}},
        "then": {"properties": {"inner": schema}},
    },
}
# Closing one part of an allOf refuses the fields of the other parts, required ones too: nothing fits any more.
CLOSED_PART = {("an open object is closed", place) for place in ("in an allOf", "in an allOf of references")}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("row", ROWS)
def test_a_change_means_the_same_everywhere(row, place):
    old, new, (backward, forward), _ = ROWS[row]
    if (row, place) in CLOSED_PART:
        backward, forward = False, True
    old, new = PLACES[place](old), PLACES[place](new)
    for mode, holds in ((Mode.BACKWARD, backward), (Mode.FORWARD, forward)):
        verdict = check(old, new, mode, Policy.EVOLUTION, (), PATIENT)
        assert verdict.outcome is (Outcome.COMPATIBLE if holds else Outcome.INCOMPATIBLE), (mode, verdict)
        assert_shown(old, new, verdict)


@pytest.mark.parametrize("row", ROWS)
def test_strict_takes_the_schemas_as_they_stand(row):
    old, new, _, (backward, forward) = ROWS[row]
    for mode, holds in ((Mode.BACKWARD, backward), (Mode.FORWARD, forward)):
        verdict = check(old, new, mode, Policy.STRICT, (), PATIENT)
        assert verdict.outcome is (Outcome.COMPATIBLE if holds else Outcome.INCOMPATIBLE), (mode, verdict)
        assert_shown(old, new, verdict)


def test_the_documented_table_is_this_table():
    text = (REPOSITORY / "docs/compatibility.md").read_text()
    section = text.split("### What a change means under evolution")[1].split("##")[0]
    told = {}
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[0] not in ("change", "---"):
            told[cells[0]] = tuple(cell.startswith("holds") for cell in cells[1:])
    assert told == {row: evolution for row, (_, _, evolution, _) in ROWS.items()}
