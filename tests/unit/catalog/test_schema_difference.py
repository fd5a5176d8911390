"""What changed between two versions, in sentences."""

from __future__ import annotations

import pytest

from catalog.schemas.compatibility import Mode, Outcome, Policy, check
from catalog.schemas.difference import Effect, difference


def fields(members, required=(), **more):
    return {"type": "object", "properties": members, "required": list(required), **more}


TEXT = {"type": "string"}
A = {"a": TEXT}

# old, new → kind, path, message, effect on readers, effect on writers
ONE_CHANGE = [
    (fields(A), fields({**A, "b": TEXT}), ("added", "data.b", "Optional field data.b was added.", "safe", "safe")),
    (fields(A), fields({**A, "b": TEXT}, ["b"]), ("added", "data.b", "Required field data.b was added.", "safe", "breaks")),
    (fields({**A, "b": {"type": "null"}}), fields(A), ("removed", "data.b", "Optional field data.b was removed.", "safe", "safe")),
    (fields({**A, "b": TEXT}, ["b"]), fields(A), ("removed", "data.b", "Required field data.b was removed.", "breaks", "safe")),
    (fields(A), fields(A, ["a"]), ("required", "data.a", "data.a is required now.", "safe", "breaks")),
    (fields(A, ["a"]), fields(A), ("optional", "data.a", "data.a may be missing now.", "breaks", "safe")),
    (fields(A), fields({"a": {"type": "integer"}}),
     ("type", "data.a", "data.a is integer now; it was string.", "breaks", "breaks")),
    (fields({"a": {"type": "integer"}}), fields({"a": {"type": "number"}}),
     ("type", "data.a", "data.a is number now; it was integer.", "breaks", "safe")),
    (fields(A), fields({"a": {"type": ["string", "null"]}}),
     ("type", "data.a", "data.a is string or null now; it was string.", "breaks", "safe")),
    (fields({"amout": TEXT}), fields({"amount": TEXT}),
     ("renamed", "data.amout", "data.amout is called amount now.", "safe", "safe")),
    (fields({"a": {"enum": ["x"]}}), fields({"a": {"enum": ["x", "y"]}}),
     ("enum", "data.a", 'data.a may also be "y".', "caution", "safe")),
    (fields({"a": {"enum": ["x", "y"]}}), fields({"a": {"enum": ["x"]}}),
     ("enum", "data.a", 'data.a may not be "y" any more.', "safe", "breaks")),
    (fields({"a": {"maximum": 5}}), fields({"a": {"maximum": 9}}),
     ("range", "data.a", "data.a must have at most 9 now; the limit was 5.", "caution", "safe")),
    (fields({"a": {}}), fields({"a": {"minLength": 2}}),
     ("range", "data.a", "data.a must have at least 2 characters now.", "safe", "breaks")),
    (fields({"a": {"minItems": 2}}), fields({"a": {}}),
     ("range", "data.a", "data.a need not have at least 2 entries any more.", "caution", "safe")),
    (fields(A), fields({"a": {**TEXT, "format": "uuid"}}),
     ("format", "data.a", 'data.a must have the format "uuid" now.', "safe", "breaks")),
    (fields({"a": {"pattern": "^a"}}), fields({"a": {"pattern": "^b"}}),
     ("pattern", "data.a", 'The pattern of data.a is "^b"; it was "^a".', "breaks", "breaks")),
    (fields(A), fields({"a": {**TEXT, "description": "Why"}}),
     ("annotation", "data.a", "The description of data.a was added.", "none", "none")),
    (fields(A), fields(A, additionalProperties=False),
     ("closed", "data", "data allows no other fields now.", "safe", "safe")),
    (fields({"a": {"type": "array"}}), fields({"a": {"type": "array", "uniqueItems": True}}),
     ("rule", "data.a", "The rule uniqueItems of data.a was added.", "safe", "breaks")),
]  # fmt: skip

PLACES = {
    "data": lambda schema: schema,
    "data.x": lambda schema: fields({"x": schema}),
    "data.x[]": lambda schema: fields({"x": {"type": "array", "items": schema}}),
    "data.x.y": lambda schema: {
        "allOf": [fields({"x": {"$ref": "#/$defs/p"}})],
        "$defs": {"p": fields({"y": schema})},
    },
    "data.o": lambda schema: fields({"o": {"oneOf": [schema, {"type": "null"}]}}),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("old", "new", "said"), ONE_CHANGE, ids=[row[2][2] for row in ONE_CHANGE])
def test_a_change_is_told_where_it_is_made(old, new, said, place):
    kind, path, message, readers, writers = said
    [change] = difference(PLACES[place](old), PLACES[place](new))
    assert (change.kind, change.path) == (kind, path.replace("data", place, 1))
    assert change.message == message.replace("data", place, 1)
    assert (change.effect_on_readers, change.effect_on_writers) == (readers, writers)
    assert change.is_annotation is (kind == "annotation")


@pytest.mark.parametrize(("old", "new", "said"), ONE_CHANGE, ids=[row[2][2] for row in ONE_CHANGE])
def test_effects_agree_with_the_verdict(old, new, said):
    [change] = difference(old, new)
    for mode, effect in ((Mode.FORWARD, change.effect_on_readers), (Mode.BACKWARD, change.effect_on_writers)):
        breaks = effect in (Effect.BREAKS, Effect.CAUTION)
        verdict = check(old, new, mode, Policy.EVOLUTION, (), 5.0)
        assert verdict.outcome is (Outcome.INCOMPATIBLE if breaks else Outcome.COMPATIBLE), (mode, verdict)
        assert [one.caution for one in verdict.breaks] == [effect is Effect.CAUTION] * len(verdict.breaks)


def test_changes_come_in_the_order_of_their_places():
    old = fields({"b": TEXT, "a": fields({"z": TEXT})}, description="One")
    new = fields(
        {"b": {"type": "integer"}, "a": fields({"z": TEXT, "c": {"type": "null"}})}, ["b"], description="Two"
    )
    assert [change.path for change in difference(old, new)] == ["data", "data.a.c", "data.b", "data.b"]


def test_a_schema_does_not_differ_from_itself():
    tree = {"type": "object", "properties": {"next": {"$ref": "#"}, "a": TEXT}}
    assert difference(tree, tree) == []
    assert [
        one.path for one in difference(tree, {**tree, "properties": {**tree["properties"], "a": {}}})
    ] == ["data.a"]


def test_a_huge_change_is_told_up_to_a_limit():
    wide = fields({f"p{number}": {"const": number} for number in range(900)})
    assert len(difference(fields({}), wide)) == 500
