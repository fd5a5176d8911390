"""Types emitted from a JSON Schema: they run, they check, and nothing in a schema can break out of them."""

import ast
import re
import sys
import types
from itertools import islice
from typing import get_type_hints

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.schemas.bindings import pydantic_models, typed_dicts, typescript
from catalog.schemas.bindings.python import _HIDDEN
from catalog.schemas.shape import propose
from tests.unit.catalog.shape.orders import orders
from tests.unit.catalog.shape.test_shape import shape_of

EMITTERS = (typed_dicts, pydantic_models, typescript)


def module_of(text):
    """The emitted Python, executed as a module."""
    module = types.ModuleType("emitted")
    sys.modules["emitted"] = module
    try:
        exec(compile(text, "emitted.py", "exec"), module.__dict__)
    finally:
        del sys.modules["emitted"]
    return module


def model_of(schema, name="Order"):
    return getattr(module_of(pydantic_models(schema, name)), name)


WORD = re.compile(r"[A-Za-z_$][\w$]*")
STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
KNOWN = {
    "export",
    "interface",
    "type",
    "string",
    "number",
    "boolean",
    "null",
    "unknown",
    "true",
    "false",
    "Array",
    "Record",
}
# What remains of a file without comments and strings: one declaration after the other.
TYPE = r"[\w$\"<>|, \-]+"
SHAPE = re.compile(
    rf"(?:export type \w+ = {TYPE};|export interface \w+ \{{\n(?:  (?:[\w$]+|\"\")\??: {TYPE};\n)*\}}|\s)*"
)


def check_typescript(text):
    """A small check without a compiler: form, brackets, and that every name used is declared once."""
    code = STRING.sub('""', re.sub(r" */\*\* (?:(?!\*/).)* \*/\n", "", text))
    assert SHAPE.fullmatch(code), code
    assert text.isascii() or "/**" in text
    for opening, closing in ("{}", "<>"):
        assert code.count(opening) == code.count(closing)
    declared = re.findall(r"export (?:type|interface) (\w+)", code)
    assert len(declared) == len(set(declared))
    uses = re.sub(r"^  [\w$]+\??:", "", code, flags=re.MULTILINE)
    assert set(WORD.findall(uses)) <= KNOWN | set(declared)
    return code


ORDER = {
    "type": "object",
    "title": "Order",
    "required": ["id", "total", "payment", "when", "tree"],
    "properties": {
        "id": {"type": "string", "format": "uuid", "description": "The shop's\nnumber"},
        "total": {"$ref": "#/$defs/money"},
        "vat": {"$ref": "#/$defs/money"},
        "status": {"enum": ["new", "paid", None]},
        "version": {"const": 2},
        "when": {"type": "string", "format": "date-time"},
        "class": {"type": "boolean"},
        "content-type": {"type": "string"},
        "labels": {"type": "object", "additionalProperties": {"type": "integer"}},
        "note": {"type": ["string", "null"]},
        "maybe": {"type": ["object", "null"], "properties": {"deep": {"type": "number"}}},
        "payment": {
            "oneOf": [
                {
                    "properties": {"type": {"const": "card"}, "last4": {"type": "string"}},
                    "required": ["type", "last4"],
                },
                {"properties": {"type": {"const": "cash"}}, "required": ["type"]},
            ]
        },
        "tree": {"$ref": "#/$defs/node"},
        "lines": {
            "type": "array",
            "items": {"allOf": [{"$ref": "#/$defs/money"}, {"required": ["sku"], "properties": {"sku": {}}}]},
        },
        "odd": {"not": {"type": "string"}},
        "pair": {"type": "array", "prefixItems": [{"type": "string"}]},
    },
    "$defs": {
        "money": {"type": "object", "required": ["amount"], "properties": {"amount": {"type": "number"}}},
        "node": {"anyOf": [{"$ref": "#/$defs/leaf"}, {"$ref": "#/$defs/branch"}]},
        "leaf": {"type": "object", "required": ["leaf"], "properties": {"leaf": {"type": "string"}}},
        "branch": {
            "type": "object",
            "required": ["children"],
            "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
        },
    },
}
VALID = {
    "id": "123e4567-e89b-12d3-a456-426614174000",
    "total": {"amount": 12.5},
    "status": None,
    "version": 2,
    "when": "2026-01-31T12:00:00Z",
    "class": True,
    "content-type": "x",
    "labels": {"a": 1},
    "note": None,
    "maybe": {"deep": 1},
    "payment": {"type": "card", "last4": "1234"},
    "tree": {"children": [{"leaf": "x"}, {"children": []}]},
    "lines": [{"sku": 1, "amount": 2}],
    "odd": 1,
    "pair": ["a"],
    "unknown": 1,
}


def test_a_model_takes_a_valid_event_and_gives_it_back():
    order = model_of(ORDER).model_validate(VALID)
    assert order.class_ is True
    assert order.tree.children[0].leaf == "x"
    assert order.model_dump(mode="json", by_alias=True, exclude_unset=True) == VALID


REFUSED = [
    ("a required member is missing", {"total": None}),
    ("a member has another type", {"total": "12"}),
    ("an enum's value is unknown", {"status": "lost"}),
    ("a constant differs", {"version": 3}),
    ("no alternative fits", {"payment": {"type": "cheque"}}),
    ("an alternative lacks its own member", {"payment": {"type": "card"}}),
    ("a deep member has another type", {"tree": {"children": [{"leaf": 1}]}}),
    ("a map's value has another type", {"labels": {"a": "x"}}),
    ("an entry lacks what is required", {"lines": [{"amount": 1}]}),
    ("a format is not met", {"id": "7"}),
]


@pytest.mark.parametrize("change", [case[1] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_model_refuses_when(change):
    with pytest.raises(pydantic.ValidationError):
        model_of(ORDER).model_validate({**VALID, **change})


@pytest.mark.parametrize("name", ORDER["required"])
def test_a_model_wants_every_required_member(name):
    with pytest.raises(pydantic.ValidationError, match=name):
        model_of(ORDER).model_validate({key: value for key, value in VALID.items() if key != name})


def test_typed_dicts_say_what_is_required_and_of_which_type():
    module = module_of(typed_dicts(ORDER, "Order"))
    assert set(module.Order.__required_keys__) == set(ORDER["required"])
    assert set(module.Order.__optional_keys__) == set(ORDER["properties"]) - set(ORDER["required"])
    sys.modules["emitted"] = module
    try:
        hints = get_type_hints(module.Order)
    finally:
        del sys.modules["emitted"]
    assert hints["labels"] == dict[str, int]
    assert hints["total"] is module.Money


def test_typescript_of_the_same_order():
    text = typescript(ORDER, "Order")
    check_typescript(text)
    assert "  /** The shop's number */\n  id: string;" in text
    assert '  status?: "new" | "paid" | null;' in text
    assert '  "content-type"?: string;' in text
    assert "  payment: OrderPaymentCard | OrderPaymentCash;" in text
    assert "export type Node = Leaf | Branch;" in text
    assert "  children: Array<Node>;" in text
    assert "  /** no type is declared */\n  odd?: unknown;" in text


def test_a_proposal_s_model_takes_the_orders_it_was_made_of():
    values = list(islice(orders(1), 300))
    schema = propose(shape_of(values)).schema
    model = model_of(schema, "ShopOrderPlaced")
    for value in values:
        model.model_validate(value)
    check_typescript(typescript(schema, "shop.order.placed"))


def test_what_is_emitted_is_the_same_each_time_and_named_after_the_type():
    for emit in EMITTERS:
        assert emit(ORDER, "shop.order.placed") == emit(ORDER, "shop.order.placed")
        assert "ShopOrderPlaced" in emit(ORDER, "shop.order.placed")


EVIL = [
    'x"); import os; os.abort() #',
    "*/ export const x = 1; /*",
    "a\nimport os",
    "a\u2028b\u2029c\x85d\x0be",
    "'''\"\"\"\\",
    "__proto__",
    "constructor",
    "__class__",
    "_private",
    "model_config",
    "model_dump",
    "class",
    "None",
    "Any",
    "list",
    "self",
    "Order",
    "",
    " ",
    "1",
    "\ud800",
    "\x00",
    "ünï",
    "${x}`",
    "\\u0022",
    "a-b",
    "a_b",
    "a b",
]


@pytest.mark.parametrize("emit", EMITTERS)
def test_no_name_description_or_value_leaves_its_place(emit):
    schema = {
        "type": "object",
        "description": " ".join(EVIL),
        "required": EVIL[::2],
        "properties": {
            name: {
                "description": name,
                "title": name,
                "properties": {name: {"enum": EVIL}, "x": {"const": name}},
            }
            for name in EVIL
        },
        "$defs": {},
    }
    for name in ("Order", EVIL[0], "", "Any", "1"):
        text = emit(schema, name)
        if emit is typescript:
            check_typescript(text)
            continue
        tree = ast.parse(text)
        assert {type(part) for part in tree.body} <= {
            ast.ImportFrom,
            ast.Import,
            ast.ClassDef,
            ast.Assign,
            ast.Expr,
        }
        assert [part.module for part in tree.body if isinstance(part, ast.ImportFrom)] == [
            "__future__",
            "typing",
            *(["uuid", "pydantic"] if emit is pydantic_models else []),
        ]
        module_of(text)


def test_hostile_names_keep_their_names_in_json():
    names = [name for name in EVIL if name != "\ud800"]  # half a character is no name
    schema = {"properties": {name: {"type": "integer"} for name in EVIL}, "required": names}
    value = {name: number for number, name in enumerate(names)}
    assert model_of(schema).model_validate(value).model_dump(by_alias=True) == value
    assert set(module_of(typed_dicts(schema, "Order")).Order.__annotations__) == set(names)


@pytest.mark.parametrize("emit", EMITTERS)
def test_an_object_of_which_no_member_can_be_named_is_well_formed(emit):
    text = emit({"properties": {"\ud800": {}}}, "Order")
    check_typescript(text) if emit is typescript else module_of(text)


def test_a_member_left_out_is_not_filled_by_one_with_a_similar_name():
    order = model_of({"properties": {"a-b": {"type": "integer"}, "a_b": {"type": "integer"}}})
    assert order.model_validate({"a_b": 1}).model_dump(by_alias=True) == {"a-b": None, "a_b": 1}


def test_no_attribute_of_pydantic_s_models_is_hidden():
    public = {name for name in dir(pydantic.BaseModel) if not name.startswith(("_", "model_"))}
    assert public <= _HIDDEN


SCHEMAS = st.recursive(
    st.one_of(
        st.booleans(),
        st.sampled_from(["string", "integer", "number", "boolean", "null", "object", "array", "odd"]).map(
            lambda kind: {"type": kind}
        ),
        st.sampled_from(["#", "#/$defs/a", "#/$defs/b", "#/$defs/gone", "http://x/y"]).map(
            lambda ref: {"$ref": ref}
        ),
        st.lists(
            st.one_of(st.text(max_size=4), st.integers(), st.booleans(), st.none(), st.floats()), max_size=4
        ).map(lambda values: {"enum": values}),
    ),
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {},
            optional={
                "type": st.lists(st.sampled_from(["object", "array", "string", "null"]), max_size=3),
                "properties": st.dictionaries(
                    st.one_of(st.text(max_size=4), st.sampled_from(EVIL)), inner, max_size=3
                ),
                "required": st.lists(st.text(max_size=4), max_size=2),
                "items": inner,
                "additionalProperties": inner,
                "oneOf": st.lists(inner, max_size=3),
                "anyOf": st.lists(inner, max_size=3),
                "allOf": st.lists(inner, max_size=3),
                "description": st.one_of(st.text(max_size=10), st.sampled_from(EVIL), st.integers()),
                "nullable": st.booleans(),
            },
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=40, deadline=None)
@given(SCHEMAS, SCHEMAS, SCHEMAS)
def test_whatever_the_schema_says_the_text_is_well_formed(root, one, other):
    schema = {**root, "$defs": {"a": one, "b": other}} if isinstance(root, dict) else root
    check_typescript(typescript(schema, "Order"))
    module_of(typed_dicts(schema, "Order"))
    module_of(pydantic_models(schema, "Order"))
