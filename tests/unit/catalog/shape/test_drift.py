"""What events hold against their schema."""

import pytest

from catalog.schemas.shape import drift
from catalog.schemas.shape.drift import FOUND, Mistyped, Undeclared, Unsent, Values
from tests.unit.catalog.shape.test_shape import shape_of

SCHEMA = {
    "type": "object",
    "required": ["id", "total"],
    "properties": {
        "id": {"type": "string"},
        "total": {"$ref": "#/$defs/money"},
        "status": {"enum": ["new", "paid", "lost"]},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "legacy": {"type": "string"},
    },
    "$defs": {
        "money": {
            "type": "object",
            "properties": {"amount": {"type": "integer"}, "currency": {"type": "string"}},
        },
        "line": {
            "allOf": [
                {"type": "object", "properties": {"sku": {"type": "string"}}},
                {"properties": {"q": {}}},
            ]
        },
    },
}
EVENT = {
    "id": 7,
    "total": {"amount": 2.0, "vat": 1},
    "status": "new",
    "lines": [{"sku": "1", "q": 1, "gift": True}, {"sku": None}],
    "labels": {"a": "x", "b": 1},
}


def test_drift_names_what_is_new_missing_mistyped_and_other():
    found = drift(shape_of([EVENT] * 99 + [{**EVENT, "status": "sent", "coupon": "X"}]), SCHEMA)
    assert found.samples == 100
    assert found.undeclared == [
        Undeclared("/total/vat", 1.0, 100, "integer"),
        Undeclared("/lines/[]/gift", 0.5, 100, "boolean"),
        Undeclared("/coupon", 0.01, 1, "string"),
    ]
    assert found.unsent == [Unsent("/total/currency", 100, False), Unsent("/legacy", 100, False)]
    assert found.mistyped == [
        Mistyped("/id", 1.0, ("integer",), ("string",)),
        Mistyped("/lines/[]/sku", 0.5, ("null",), ("string",)),
        Mistyped("/labels/b", 1.0, ("integer",), ("string",)),
    ]
    assert [row.always for row in found.mistyped] == [True, False, True]
    assert found.values == [Values("/status", ("paid", "lost"), ("sent",))]


def test_too_few_events_say_nothing_of_what_never_came():
    found = drift(shape_of([EVENT] * 49), SCHEMA)
    assert (found.unsent, found.values) == ([], [])
    assert len(found.undeclared) == 2


def test_a_required_field_never_sent_is_told_as_such():
    assert Unsent("/total", 60, True) in drift(shape_of([{"id": "x"}] * 60), SCHEMA).unsent


def test_events_that_fit_have_not_drifted():
    fitting = {
        "id": "x",
        "total": {"amount": 1, "currency": "SEK"},
        "labels": {"a": "b"},
        "legacy": "y",
        "lines": [],
    }
    found = drift(
        shape_of([{**fitting, "status": status} for status in ("new", "paid", "lost")] * 20), SCHEMA
    )
    assert not found, found


ALTERNATIVES = [
    (
        "oneOf",
        {"oneOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {"type": "string"}}}]},
    ),
    (
        "anyOf",
        {"anyOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {"type": "string"}}}]},
    ),
    (
        "if",
        {
            "if": {},
            "then": {"properties": {"a": {"type": "string"}}},
            "else": {"properties": {"b": {"type": "string"}}},
        },
    ),
    ("then alone", {"if": {}, "then": {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}}}),
    (
        "allOf of oneOf",
        {"allOf": [{"oneOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {}}}]}]},
    ),
    (
        "patterns",
        {"type": "object", "properties": {"a": {"type": "string"}}, "patternProperties": {"^b": {}}},
    ),
]


@pytest.mark.parametrize("schema", [case[1] for case in ALTERNATIVES], ids=[case[0] for case in ALTERNATIVES])
def test_members_of_any_alternative_are_declared(schema):
    found = drift(shape_of([{"a": "x"}, {"b": "y"}] * 50), schema)
    assert found.undeclared == []
    assert found.mistyped == []


def test_a_member_is_mistyped_only_if_no_alternative_allows_its_type():
    schema = {"properties": {"a": {"anyOf": [{"type": "string"}, {"type": "integer"}]}}}
    found = drift(shape_of([{"a": "x"}, {"a": 1}, {"a": []}]), schema)
    assert [(row.seen, row.declared) for row in found.mistyped] == [(("array",), ("integer", "string"))]


def test_a_whole_number_with_a_fraction_sign_is_an_integer():
    schema = {"type": "integer"}
    assert not drift(shape_of([2.0, 3, 1e3]), schema)
    assert drift(shape_of([2.5, 3]), schema).mistyped[0].share == 0.5


SAYS_NOTHING = [
    True,
    {},
    {"description": "x"},
    {"$ref": "#"},
    {"properties": {"a": {"$ref": "#/$defs/gone"}}},
]


@pytest.mark.parametrize("schema", SAYS_NOTHING)
def test_a_schema_that_says_nothing_is_never_drifted_from(schema):
    assert not drift(shape_of([{"a": {"b": 1}}] * 60), schema)


def test_recursive_schemas_end():
    schema = {"type": "object", "properties": {"v": {"type": "string"}, "child": {"$ref": "#"}}}
    value = {"v": "x", "child": {"v": "x", "child": {"v": "x", "child": {}}}}
    assert drift(shape_of([value] * 60), schema).mistyped == []


def test_sensitive_values_are_not_told():
    found = drift(
        shape_of([{"status": "secret"}] * 60, ["/status"]), {"properties": {"status": {"enum": ["a"]}}}
    )
    assert found.values == []


def test_nothing_is_called_unsent_where_names_were_not_kept():
    schema = {"type": "object", "properties": {"k0": {"type": "integer"}, "gone": {}}}
    assert drift(shape_of([{f"k{n}": n} for n in range(200)]), schema).unsent == []


def test_the_rows_are_limited():
    names = {f"n{n}": 1 for n in range(FOUND + 50)}
    found = drift(shape_of([names]), {"type": "object", "properties": {"a": {}}})
    assert len(found.undeclared) == FOUND
