"""Paths that a transform reads and no event has are found, whatever the kind of transform."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rules.engine import Event, compile_transform
from rules.engine.json_path import Reading
from rules.reading import nearest, reads_of

DATA = {"total": {"amount": 5, "currency": None}, "lines": [{"sku": "a"}, {"price": 2}], "n": 0}
EVENT = Event.from_json(
    json.dumps({"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": DATA}).encode()
)


def template(text: str, **variables: str) -> dict[str, Any]:
    return {"kind": "template", "template": text, "variables": variables}


def jsonata(text: str) -> dict[str, Any]:
    return {"kind": "jsonata", "expression": text}


@pytest.mark.parametrize(
    ("spec", "unread"),
    [
        (template('{"a": "${data.nope}", "b": "${data.n}", "c": "${data.total.currency}"}'), ["data.nope"]),
        (template('{"a": "${a}"}', a="$.data.totl.amount"), ["data.totl.amount"]),
        (template("${data.lines[1].price} ${data.lines[7].price}"), ["data.lines[7].price"]),
        ({"kind": "partial", "path": "$.data.nope"}, ["data.nope"]),
        ({"kind": "partial", "paths": {"a": "$.data..sku", "b": "$.data..colour"}}, ["data..colour"]),
        ({"kind": "partial", "path": "$"}, []),
        ({"kind": "constant", "value": 1}, []),
        ({"kind": "complete"}, []),
        (jsonata('{"a": data.nope, "b": $sum(data.lines.price), "c": $.tipe}'), ["data.nope", "tipe"]),
        (jsonata("data.lines[nope = 1].{'x': nope}"), []),
        (jsonata("$map(data.lines, function($v){$v.nope}) ~> $count()"), []),
        (jsonata("data.(nope + n)"), []),
        (jsonata("data.n = 0 ? $$.data.totl : [data.lines.sku, -data.m]"), ["data.totl", "data.m"]),
        (jsonata("( $x := data.nope; $x & 'a' )"), ["data.nope"]),
        (jsonata("data.*"), []),
    ],
)
def test_what_no_event_has_is_found(spec: dict[str, Any], unread: list[str]) -> None:
    reads = reads_of(spec, compile_transform(spec))
    assert [one.path for one in reads if not one.is_in(Reading(EVENT))] == unread


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("data.total.amont", "data.total.amount"),
        ("total.amount", "data.total.amount"),
        ("data.totals", "data.total"),
        ("data.total", None),
        ("data.lines[4].sku", None),
        ("data.lines[0].skew", "data.lines[0].sku"),
        ("something.else.entirely", ""),
    ],
)
def test_the_path_that_is_meant_is_guessed(path: str, meant: str | None) -> None:
    assert nearest(path, ["type", "data.total.amount", "data.lines[0].sku"]) == meant
