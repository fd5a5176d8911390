"""What JSONata reads is told from its text, where it can be."""

from __future__ import annotations

from typing import Any

import pytest

from rules.jsonata_reads import EVERY, places_at, reads_in

DATA = {"lines": [{"sku": "a", "price": 1}, {"sku": "b"}], "n": 1, "who": {"name": "x", "mail": "y"}}
LINES = ("data", "lines")


@pytest.mark.parametrize(
    ("expression", "reads"),
    [
        ("id", [("id",)]),
        ("$.id & $$.type", [("id",), ("type",)]),
        ("data.`odd name`", [("data", "odd name")]),
        ("data.lines[0].sku", [(*LINES, 0, "sku")]),
        ("data.lines[-1]", [(*LINES, -1)]),
        ("data.lines[price > 1].sku", [(*LINES, "price"), (*LINES, "sku")]),
        ("data.lines[$$.data.n = 1][0].sku", [("data", "n"), (*LINES, 0, "sku")]),
        ('data.lines.{"x": sku, "y": [price, $$.id]}', [(*LINES, "sku"), (*LINES, "price"), ("id",)]),
        ("data.(n + m)", [("data", "n"), ("data", "m")]),
        ("data.lines^(>price).sku", [(*LINES, "price"), (*LINES, "sku")]),
        ("data.lines{sku: price}", [(*LINES, "sku"), (*LINES, "price")]),
        ("data.who.*", [("data", "who", EVERY)]),
        ("data.**.sku", [("data",)]),
        ("$sum(data.lines.price)", [(*LINES, "price")]),
        ("data.lines.sku ~> $count()", [(*LINES, "sku")]),
        ("data.n = 0 ? id : -data.m", [("data", "n"), ("id",), ("data", "m")]),
        ("($x := data.who; $x.name)", [("data", "who")]),
        ("$map(data.lines, function($v){$v.sku & id})", [LINES, ("id",)]),
        ("data.lines@$l.$l.sku", [LINES]),
        ("$", [()]),
        ("1 + 2", []),
    ],
)
def test_the_paths_that_are_followed_are_known(expression: str, reads: list[Any]) -> None:
    assert reads_in(expression) == reads


@pytest.mark.parametrize(
    ("steps", "places"),
    [
        (("lines", "sku"), [("lines", 0, "sku"), ("lines", 1, "sku")]),
        (("lines", "price"), [("lines", 0, "price")]),
        (("lines", -1, "sku"), [("lines", 1, "sku")]),
        (("lines", 7), []),
        (("n", 0), [("n",)]),
        (("n", 1), []),
        (("who", EVERY), [("who", "name"), ("who", "mail")]),
        (("lines", EVERY), [("lines", 0, "sku"), ("lines", 0, "price"), ("lines", 1, "sku")]),
        (("n", "x"), []),
    ],
)
def test_they_lead_to_the_places_that_jsonata_would_look_at(steps: Any, places: list[Any]) -> None:
    assert list(places_at(steps, DATA)) == places
