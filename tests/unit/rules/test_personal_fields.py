"""Which personal fields a transform sends is never told too few: what it does not name does not change what is sent."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.engine import Event, TransformError, compile_transform
from rules.personal_fields import fields_sent

EMAIL, NAME = "customer.email", "lines[].name"
PERSONAL = [EMAIL, NAME]
DATA = {
    "customer": {"id": "c-1", "email": "a@example.org"},
    "lines": [{"sku": "s-1", "name": "Ann", "price": 2}, {"sku": "s-2", "name": "Bo", "price": 1}],
    "n": 1,
}


@pytest.mark.parametrize(
    ("transform", "sent"),
    [
        ({}, PERSONAL),
        ({"kind": "complete"}, PERSONAL),
        ({"kind": "constant", "value": {"email": "x"}}, []),
        ({"kind": "partial", "path": "$"}, PERSONAL),
        ({"kind": "partial", "path": "$.data.customer"}, [EMAIL]),
        ({"kind": "partial", "path": "$.data.customer['email']"}, [EMAIL]),
        ({"kind": "partial", "path": '$["data"]["customer"]["email"]'}, [EMAIL]),
        ({"kind": "partial", "path": "$.data.customer.id"}, []),
        ({"kind": "partial", "path": "$.data.lines[0]"}, [NAME]),
        ({"kind": "partial", "path": "$.data.lines[*].sku"}, []),
        ({"kind": "partial", "path": "$.data.lines[0:2].sku"}, [NAME]),
        ({"kind": "partial", "path": "$.data.*"}, PERSONAL),
        ({"kind": "partial", "path": "$..email"}, PERSONAL),
        # A condition reads what it does not send, and its answer tells it.
        ({"kind": "partial", "path": "$.data.lines[?$.data.customer.email == 'x'].sku"}, PERSONAL),
        ({"kind": "partial", "paths": {"a": "$.id", "b": "$.data.lines[1].name"}}, [NAME]),
        ({"kind": "template", "template": '{"x": "${data.customer.id}"}'}, []),
        ({"kind": "template", "template": "Hello ${data.customer.email}"}, [EMAIL]),
        ({"kind": "template", "template": "${who.email}", "variables": {"who": "$.data.customer"}}, [EMAIL]),
        ({"kind": "template", "template": "${*}"}, PERSONAL),
        ({"kind": "no such kind"}, PERSONAL),
        ({"kind": "jsonata"}, PERSONAL),
    ],
)
def test_the_fields_that_a_transform_sends_are_told(transform: dict[str, Any], sent: list[str]) -> None:
    assert list(fields_sent(transform, PERSONAL)) == sent


@pytest.mark.parametrize(
    ("expression", "sent"),
    [
        ("data.customer.id", []),
        ("data.customer", [EMAIL]),
        ("$", PERSONAL),
        ("data.lines[price > 1].sku", []),
        ("data.lines[name = 'Ann'].sku", [NAME]),
        ("$sum(data.lines.price)", []),
        ("data.lines{sku: price}", []),
        ("data.lines{name: price}", [NAME]),
        ('{"a": data.customer.id, "b": [data.n, id]}', []),
        ("data.n = 0 ? id : data.customer.email", [EMAIL]),
        # What cannot be told counts as everything.
        ("$string()", PERSONAL),
        ('$lookup("data")', PERSONAL),
        ("data.customer.$string()", PERSONAL),
        ("($x := data; $x.customer.id)", PERSONAL),
        ("$map(data.lines, function($l){$l.sku})", PERSONAL),
        ("(id)[$$.data.customer.email = 'a']", PERSONAL),
        ("**.email", PERSONAL),
    ],
)
def test_what_jsonata_reads_is_told_or_counts_as_everything(expression: str, sent: list[str]) -> None:
    assert list(fields_sent({"kind": "jsonata", "expression": expression}, PERSONAL)) == sent


@pytest.mark.parametrize(
    ("mark", "path", "sent"),
    [
        ("[].name", "$.data[0].name", True),
        ("[].name", "$.data[0].sku", False),
        ("tags[]", "$.data.tags[1]", True),
        ("grid[][]", "$.data.grid[0]", True),
        ("/customer/email", "$.data.customer.email", True),
        ("/customer/email", "$.data.customer.id", False),
        ("/lines/[]/name", "$.data.lines[*].name", True),
        ("/lines/[]/name", "$.data.lines[*].sku", False),
        ("/a~1b", "$.data['a/b']", True),
        ("", "$.data.anything", True),
        ("", "$.id", False),
    ],
)
def test_marks_name_fields_of_lists_and_may_be_pointers(mark: str, path: str, sent: bool) -> None:
    assert bool(fields_sent({"kind": "partial", "path": path}, [mark])) == sent


def test_without_personal_fields_nothing_is_looked_at() -> None:
    assert fields_sent({"kind": "no such kind"}, []) == ()


PLACES = [
    "id",
    "data",
    "data.n",
    "data.customer",
    "data.customer.id",
    "data.customer.email",
    "data.lines.sku",
]
PLACES += [
    "data.lines.name",
    "data.lines",
    "customer.email",
    "email",
    "name",
    "sku",
    "$",
    "$$",
    "*",
    "**",
    "n",
    "'x'",
]
TWO = [
    "{0}.{1}",
    "{0}[{1}]",
    "{0}[0].{1}",
    "{0}.({1})",
    "{0}{{{1}: {1}}}",
    "{0} & {1}",
    "[{0}, {1}]",
    "{0}^({1})",
]
TWO += [
    '{{"a": {0}, "b": {1}}}',
    "{0} ~> $append({1})",
    "$append({0}, {1})",
    "{0}.$append({1})",
    "{0} = {1} ? 1 : 2",
]
TWO += [
    "({0} ; {1})",
    "($v := {0}; $v.{1})",
    "{0}.{{'k': {1}}}",
    "$map({0}, function($v){{$v.{1}}})",
    "{0}@$v.{1}",
]
ONE = [
    "$string({0})",
    "$exists({0})",
    "$keys({0})",
    "$count({0})",
    "{0}.$string()",
    "{0}.$keys()",
    "$lookup({0})",
]
ONE += [
    "$each({0})",
    "$sift({0}, function($v){{true}})",
    "{0}[0]",
    "{0}.*",
    "{0}.%",
    "-{0}",
    "{0}#$i.{{'i': $i}}",
]


def expressions() -> st.SearchStrategy[str]:
    return st.recursive(
        st.sampled_from([*PLACES, "$string()", "$keys()", "$spread()"]),
        lambda inner: st.one_of(
            st.builds(lambda form, one: form.format(one), st.sampled_from(ONE), inner),
            st.builds(lambda form, one, two: form.format(one, two), st.sampled_from(TWO), inner, inner),
        ),
        max_leaves=4,
    )


PATHS = [
    "$",
    "$.data",
    ".customer",
    ".email",
    "['id']",
    ".lines",
    "[0]",
    "[*]",
    ".*",
    "..name",
    "[?@.name=='Ann']",
]
PATHS += [
    "[0:1]",
    "..*",
    "[?$.data.customer.email=='a@example.org']",
    "[1]",
    ".sku",
    '["name"]',
    "[-1]",
    "['id','email']",
]


def transforms() -> st.SearchStrategy[dict[str, Any]]:
    paths = st.lists(st.sampled_from(PATHS[2:]), max_size=4).map(lambda parts: "$.data" + "".join(parts))
    return st.one_of(
        expressions().map(lambda text: {"kind": "jsonata", "expression": text}),
        paths.map(lambda path: {"kind": "partial", "path": path}),
        paths.map(lambda path: {"kind": "template", "template": "${x}", "variables": {"x": path}}),
    )


def sent_for(transform: dict[str, Any], data: Any) -> Any:
    """What is sent for an event with this data; the error's text when nothing can be."""
    compiled = compile_transform(transform)
    event = Event({"id": "1", "type": "order.placed", "source": "/s"}, json.dumps(data).encode())
    try:
        return compiled.apply(event).body
    except TransformError as error:
        return type(error)


@settings(max_examples=400, deadline=None)
@given(transforms())
def test_a_field_that_is_not_told_does_not_change_what_is_sent(transform: dict[str, Any]) -> None:
    try:
        compile_transform(transform)
    except TransformError:
        return
    told = fields_sent(transform, PERSONAL)
    other = copy.deepcopy(DATA)
    if EMAIL not in told:
        other["customer"]["email"] = "b@example.org"  # type: ignore[index]
    if NAME not in told:
        for line, name in zip(other["lines"], ("Cleo", "Ann"), strict=True):  # type: ignore[arg-type]
            line["name"] = name
    assert sent_for(transform, DATA) == sent_for(transform, other)
