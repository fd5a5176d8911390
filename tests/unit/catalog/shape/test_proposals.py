"""Schemas proposed from what was seen, from one example, and from a registered schema."""

import json
from itertools import islice

import pytest

from catalog.schemas.shape import Note, Shape, propose, propose_from_example
from catalog.schemas.text import NotJson
from catalog.schemas.validator import compile_schema
from tests.unit.catalog.shape.orders import STATUSES, orders
from tests.unit.catalog.shape.test_shape import shape_of


def properties(values, *names, **options):
    """The proposed schema of a member."""
    schema = propose(shape_of(values), **options).schema
    for name in names:
        schema = schema["items"] if name == "[]" else schema["properties"][name]
    return schema


def notes(values, **options):
    return {note.pointer: note.sentence for note in propose(shape_of(values), **options).notes}


@pytest.fixture(scope="module")
def proposal():
    return propose(shape_of(islice(orders(1), 2000)))


def test_later_events_of_the_same_shop_fit(proposal):
    validator = compile_schema(proposal.text)
    refused = [order for order in islice(orders(2), 5000) if not validator.is_valid(order)]
    assert len(refused) <= 5


def test_orders_are_described_as_a_person_would(proposal):
    schema = proposal.schema
    assert schema["properties"]["order_id"] == {"type": "string", "format": "uuid"}
    assert schema["properties"]["placed_at"] == {"type": "string", "format": "date-time"}
    assert schema["properties"]["shipped_at"] == {"type": ["string", "null"], "format": "date-time"}
    assert schema["properties"]["status"] == {"type": "string", "enum": sorted(STATUSES)}
    assert schema["properties"]["customer"]["properties"]["email"]["format"] == "email"
    assert schema["properties"]["customer"]["properties"]["birthday"]["format"] == "date"
    assert schema["properties"]["landing_page"]["format"] == "uri"
    assert schema["properties"]["total"]["properties"]["amount"] == {"type": "number"}
    assert schema["properties"]["metadata"] == {"type": "object", "additionalProperties": {"type": "string"}}
    line = schema["properties"]["lines"]["items"]
    assert line["properties"]["quantity"] == {"type": "integer"}
    assert line["properties"]["serials"]["items"] == {"type": "array", "items": {"type": "string"}}
    assert line["required"] == ["price", "quantity", "sku", "tags"]
    assert not {"coupon", "delivery"} & set(schema["required"])
    assert {"order_id", "total", "lines", "gift"} <= set(schema["required"])


def test_a_payment_s_type_decides_its_fields(proposal):
    payment = proposal.schema["properties"]["payment"]
    assert list(payment["properties"]) == ["at", "type"]
    assert [branch["properties"]["type"]["const"] for branch in payment["oneOf"]] == [
        "card",
        "cash",
        "invoice",
    ]
    assert [branch["required"] for branch in payment["oneOf"]] == [
        ["type", "last4", "network"],
        ["type"],
        ["type", "due"],
    ]


def test_notes_say_what_a_person_wants_to_know(proposal):
    told = {note.pointer: note.sentence for note in proposal.notes}
    assert told["/coupon"].endswith("% of 2,000 events")
    assert told["/metadata"].startswith("looks like a map")
    assert told["/status"] == "one of 5 in 2,000 values"
    assert told["/payment/type"] == "decides which fields there are: 3 alternatives"
    assert told["/shipped_at"].startswith("null in ")


def test_the_text_is_pretty_and_the_same_whatever_the_order_of_events(proposal):
    backwards = list(islice(orders(1), 2000))[::-1]
    assert propose(shape_of(backwards)).text == proposal.text
    assert json.loads(proposal.text) == proposal.schema
    assert proposal.text == json.dumps(proposal.schema, indent=2, ensure_ascii=False) + "\n"


def test_few_samples_require_nothing_and_close_nothing():
    found = propose(shape_of([{"a": "x", "b": 1}] * 49))
    assert "required" not in found.schema
    assert found.schema["properties"]["a"] == {"type": "string"}
    assert Note("", "Only 49 events so far: nothing is required, nothing is closed.") in found.notes
    assert propose(shape_of([{"a": "x", "b": 1}] * 50)).schema["required"] == ["a", "b"]


def test_one_missing_is_enough_to_be_optional():
    assert properties([{"a": 1}] * 500 + [{"b": 2}]).get("required") is None


CHOICES = [
    ("few values, often", ["on", "off"] * 50, ["off", "on"]),
    ("a value that came only twice", ["on", "off"] * 50 + ["odd"] * 2, None),
    ("too few events", ["on", "off"] * 20, None),
    ("values that are no tokens", ["in transit", "at home"] * 50, None),
    ("numbers in text", ["1", "2"] * 50, None),
    ("as many as 13 values", [f"v{n}" for n in range(13)] * 40, None),
    ("also null", ["on", "off", None] * 50, ["off", "on", None]),
    ("also numbers", ["on", "off", 3] * 50, None),
    ("addresses", ["a@example.com", "b@example.com"] * 50, None),
]


@pytest.mark.parametrize(
    ("values", "enum"), [case[1:] for case in CHOICES], ids=[case[0] for case in CHOICES]
)
def test_an_enum_needs_few_values_that_come_often(values, enum):
    assert propose(shape_of(values)).schema.get("enum") == enum


def test_a_constant_needs_very_many_events():
    assert "const" not in propose(shape_of(["SEK"] * 999)).schema
    assert propose(shape_of(["SEK"] * 1000)).schema["const"] == "SEK"
    assert notes(["SEK"] * 80)[""] == "always “SEK” so far, in 80 values"


def test_a_format_needs_every_vote():
    dates = ["2026-01-31", "2026-02-01"] * 30
    assert propose(shape_of(dates)).schema == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "string",
        "format": "date",
    }
    assert "format" not in propose(shape_of([*dates, "soon"])).schema
    assert notes([*dates, "soon"])[""] == "date in 98 %, but not always"


def test_types_that_mix_are_all_listed_and_noted():
    values = [{"a": "x"}] * 98 + [{"a": 3}] * 2
    assert properties(values, "a")["type"] == ["string", "integer"]
    assert notes(values)["/a"] == "of several types: string in 98 %, integer in 2 %"
    assert properties([{"a": 1}, {"a": 2.5}], "a")["type"] == "number"
    assert properties([{"a": None}] * 60, "a") == {}


@pytest.mark.parametrize("sensitive", [(), ("/secret",)])
def test_sensitive_values_are_in_no_proposal(sensitive):
    values = [{"secret": value} for value in ("alpha", "beta")] * 100
    found = propose(shape_of(values, sensitive))
    assert ("alpha" in found.text + str(found.notes)) is not bool(sensitive)


def test_optional_fields_of_one_type_are_no_map():
    values = [{"id": n, f"opt{n % 6}": "x"} for n in range(200)]
    assert "additionalProperties" not in propose(shape_of(values)).schema


def test_rare_names_beside_fixed_ones_are_a_map_with_fields():
    values = [{"id": n, f"label_{n % 40}": "x"} for n in range(400)]
    schema = propose(shape_of(values)).schema
    assert list(schema["properties"]) == ["id"]
    assert schema["additionalProperties"] == {"type": "string"}


NOT_CLEAR = {
    "a tag missing now and then": [{"type": "a", "x": 1}, {"type": "b", "y": 1}, {"z": 1}],
    "members that some share": [{"type": "a", "x": 1}, {"type": "b", "x": 1, "y": 1}, {"type": "c", "z": 1}],
    "the same members for all": [{"type": "a", "x": 1}, {"type": "b", "x": 1}],
    "a tag that is also a number": [{"type": "a", "x": 1}, {"type": 2, "y": 1}],
    "null beside objects": [{"type": "a", "x": 1}, {"type": "b", "y": 1}, None],
    "too many values": [{"type": f"t{n}", f"x{n}": 1} for n in range(9)],
}


@pytest.mark.parametrize("values", NOT_CLEAR.values(), ids=NOT_CLEAR)
def test_alternatives_are_proposed_only_when_clear(values):
    assert "oneOf" not in propose(shape_of(values * 100)).schema


# ── from one example ──


def test_one_example_fits_later_events_of_the_same_shop():
    later = list(islice(orders(4, nulls=False), 1000))
    for example in islice(orders(3, nulls=False), 20):
        validator = compile_schema(propose_from_example(example).text)
        refused = [order for order in later if not validator.is_valid(order)]
        assert len(refused) <= 1


def test_one_example_says_types_and_formats_in_its_own_order():
    example = {
        "when": "2026-01-31T12:00:00Z",
        "orderId": "A-1",
        "customer_id": 7,
        "amount": 12,
        "quantity": 3,
        "lineCount": 2,
        "gone": None,
        "status": "new",
        "lines": [{"sku": "1", "price": 10}, {"sku": "2", "price": 9.5, "gift": True}],
        "none": [],
    }
    schema = propose_from_example(example).schema
    assert list(schema["properties"]) == list(example)
    assert schema["required"] == ["orderId"]
    assert schema["properties"] == {
        "when": {"type": "string", "format": "date-time"},
        "orderId": {"type": "string"},
        "customer_id": {"type": "integer"},
        "amount": {"type": "number"},
        "quantity": {"type": "integer"},
        "lineCount": {"type": "integer"},
        "gone": {},
        "status": {"type": "string"},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "sku": {"type": "string"},
                    "price": {"type": "number"},
                    "gift": {"type": "boolean"},
                },
            },
        },
        "none": {"type": "array"},
    }


def test_an_example_s_made_up_names_are_a_map():
    schema = propose_from_example(
        {"stock": {"40017": 3, "11820": 0}, "address": {"line1": "x", "line2": "y"}}
    ).schema
    assert schema["properties"]["stock"] == {"type": "object", "additionalProperties": {"type": "number"}}
    assert list(schema["properties"]["address"]["properties"]) == ["line1", "line2"]


@pytest.mark.parametrize("value", [1, "text", None, [], {}, [[{}]], True])
def test_any_json_is_an_example(value):
    assert compile_schema(propose_from_example(value).text).is_valid(value)


# ── from a registered schema ──

BASE = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "Order",
    "type": "object",
    "required": ["id", "total"],
    "properties": {
        "id": {"type": "string", "format": "uuid", "description": "The shop's number"},
        "total": {"$ref": "#/definitions/money"},
        "status": {"enum": ["new", "paid"]},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "lines": {
            "type": "array",
            "maxItems": 1,
            "items": {"type": "object", "properties": {"sku": {"type": "integer"}}},
        },
    },
    "additionalProperties": False,
    "definitions": {"money": {"type": "object", "properties": {"amount": {"type": "integer", "minimum": 1}}}},
}
SENT = [
    {
        "id": "A-1",
        "status": "sent",
        "labels": {"a": 1},
        "lines": [{"sku": 2.5}, {"gift": True}],
        "total": {"amount": 0.5, "currency": "SEK"},
        "coupon": "X",
    },
    {"id": "A-2"},
]


def test_a_registered_schema_is_changed_only_where_events_ask_for_it():
    found = propose(shape_of(SENT * 10), base=json.dumps(BASE))
    money = found.schema["definitions"]["money"]["properties"]
    assert found.schema["title"] == "Order"
    assert found.schema["properties"]["id"] == {"type": "string", "description": "The shop's number"}
    assert found.schema["required"] == ["id"]
    assert found.schema["properties"]["coupon"] == {"type": "string"}
    assert found.schema["properties"]["status"] == {"enum": ["new", "paid", "sent"]}
    assert found.schema["properties"]["labels"]["additionalProperties"] == {"type": ["string", "integer"]}
    assert found.schema["properties"]["lines"]["maxItems"] == 2
    assert found.schema["properties"]["lines"]["items"]["properties"] == {
        "sku": {"type": "number"},
        "gift": {"type": "boolean"},
    }
    assert money["amount"] == {"type": "number", "minimum": 0.5}
    assert Note("/coupon", "never declared, in 50 % of 20") in found.notes
    assert Note("/total", "declared required, but only in 50 % of 20") in found.notes
    validator = compile_schema(found.text)
    assert [validator.errors(value) for value in SENT] == [[], []]


def test_a_registered_schema_that_events_fit_stays_as_it_is():
    fitting = {"id": "123e4567-e89b-12d3-a456-426614174000", "total": {"amount": 5}, "status": "new"}
    found = propose(shape_of([fitting] * 60), base=json.dumps(BASE))
    assert (found.schema, found.notes) == (BASE, ())


LOOSENED = [
    ({"const": "new"}, [None, "new"], {"enum": ["new", None]}),
    ({"enum": ["new", None]}, [None, "old"], {"enum": ["new", None, "old"]}),
    ({"enum": ["new"]}, ["new", 3], {}),
    ({"enum": [1, 2]}, [1, 2], {"enum": [1, 2]}),
    ({"enum": [1, 2]}, [1, []], {}),
]


@pytest.mark.parametrize(("base", "values", "loosened"), LOOSENED)
def test_an_enum_takes_what_came_or_goes(base, values, loosened):
    assert propose(shape_of(values), base=json.dumps(base)).schema == loosened


def test_a_base_that_is_no_json_is_refused():
    with pytest.raises(NotJson):
        propose(Shape(), base="{")
