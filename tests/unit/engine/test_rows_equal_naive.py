"""Leaves that are kept by the column, of arrays in arrays and of arrays spelled in two ways, are compared as a plain
scan compares them one by one."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

import pytest

from rules.engine import Event, compile, leaves, numbering, validate
from rules.engine.leaves import Leaves
from tests.unit.engine import naive

Json = dict[str, Any]
VALUES: list[Any] = ["x", "y", 1, 2, True, None]
ALTERNATIVES: list[Any] = [*VALUES, 1.0, {"prefix": "x"}, {"anything-but": "x"}, {"numeric": [">", 1]}]
PATHS = ["orders.id", "orders.total", "orders.items.sku", "orders.items.count"]
BESIDE = [*PATHS, "orders.parts.sku", "p.a.x", "p.a.y", "q.p.a.x", "q.p.a.y", "q.n"]


def item(rng: random.Random, keys: tuple[str, ...] = ("sku", "count")) -> Json:
    return {key: rng.choice(VALUES) for key in keys if rng.random() < 0.85}


def order(rng: random.Random, odd: float) -> Json:
    """odd: how often it has something that cannot be kept by the column."""
    found = item(rng, ("id", "total"))
    kind = rng.random()
    if kind < 0.8:
        found["items"] = [item(rng) for _ in range(rng.choice([1, 1, 2, 3, 12]))]
    elif kind < 0.9:
        found["items"] = []
    if rng.random() < odd:
        found.update(
            rng.choice(
                [
                    {"items": item(rng)},
                    {"items": [item(rng), [item(rng)], "x"]},
                    {"items.sku": "x"},
                    {"parts": [item(rng) for _ in range(10)]},
                    {"items": [{"sku": ["x", "y"]}, item(rng)]},
                    {"id": ["x", 1]},
                ]
            )
        )
    return found


def data(rng: random.Random) -> Json:
    odd = rng.choice([0, 0, 0, 0.1])
    found: Json = {"orders": [order(rng, odd) for _ in range(rng.choice([1, 4, 20]))]}
    if rng.random() < 0.7:
        ways = {
            "p": {"a": [item(rng, ("x", "y")) for _ in range(rng.choice([3, 12, 12, 12]))]},
            "p.a": [item(rng, ("x", "y")) for _ in range(rng.choice([3, 12, 12, 12]))],
        }
        found.update(ways)
        found["q"] = rng.choice([ways, [ways], [ways], [ways, {"n": 1, **ways}], [{"n": 1}, [ways]]])
    return found


def rule(rng: random.Random) -> Json:
    paths = rng.sample(rng.choice([PATHS, PATHS, BESIDE]), rng.choice([2, 2, 3]))
    fields = {f"data.{path}": rng.sample(ALTERNATIVES, rng.choice([1, 1, 2])) for path in paths}
    if rng.random() < 0.15:
        fields[f"data.{paths[0]}"].append({"exists": False})
    return fields


@pytest.mark.parametrize("seed", range(2))
def test_leaves_by_the_column_agree_as_those_one_by_one(seed, monkeypatch) -> None:
    rng = random.Random(seed)
    used: Counter[str] = Counter()

    def counted(module: Any, name: str, kind: Any) -> None:
        def make(*values: Any) -> Any:
            made = kind(*values)
            used[name] += made.starts is not None
            return made

        monkeypatch.setattr(module, name, make)

    counted(numbering, "Numbers", numbering.Numbers)
    met = asked = 0
    for _ in range(20):
        rules = [one for one in (rule(rng) for _ in range(50)) if not validate(one)]
        inside = data(rng)
        event = Event({}, json.dumps(inside).encode())
        expected = [at for at, one in enumerate(rules) if naive.matches(one, {"data": inside})]
        matcher = compile(enumerate(rules))
        assert matcher.match(event) == expected
        assert matcher.failures == {}
        met, asked = met + len(expected), asked + len(rules)
        found = Leaves(event)
        for path in BESIDE:
            by_row = found.of(f"data.{path}")
            used["inside"] += any(one.inner for one in found._rows.get(f"data.{path}", ()))
            used["outside"] += any(one.outside for one in found._rows.get(f"data.{path}", ()))
            singly = Leaves(event)
            plain: list[Any] = []
            singly._collect(event.data, f"data.{path}".split("."), 1, (), plain)
            assert by_row == leaves._entries_of(plain)
    assert 0.1 * asked < met < 0.9 * asked
    assert min(used["Numbers"], used["inside"], used["outside"]) > 2, used
