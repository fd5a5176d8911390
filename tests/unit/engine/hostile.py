"""Events and rules made to be slow: each case has many rules that one large event does not meet, or not all of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from rules.engine import Event

Pattern = dict[str, Any]
NEVER: Pattern = {"never": ["it is so"]}


class Case(NamedTuple):
    """name: what is tried; rules: their patterns; event: makes it anew, so that nothing is remembered."""

    name: str
    rules: list[Pattern]
    event: Callable[[], Event]


def cases(rules: int, size: int = 256 * 1024) -> Iterator[Case]:
    """Each with so many rules, and data of about `size` bytes."""
    many = range(rules)

    def case(name: str, patterns: list[Pattern], data: Any) -> Case:
        raw = data if isinstance(data, bytes) else json.dumps(data, separators=(",", ":")).encode()
        assert len(raw) < 1.2 * size + 1000, (name, len(raw))
        return Case(name, patterns, lambda: Event({"type": "t", "source": "/s"}, raw))

    numbers = list(range(size // 7))
    texts = [f"aaaa{number:05}" for number in range(size // 13)]
    letters = "a" * (size // 2) + "b" + "a" * (size // 2)
    chunk = "a" * 40 + "b"

    yield case(
        "deep objects", [{"data": _deep(31, [f"x{n}"])} for n in many], b'{"a":' * 900 + b"1" + b"}" * 900
    )
    yield case(
        "deep arrays", [{"data": {"a": [f"x{n}"]}} for n in many], b'{"a":' + b"[" * 900 + b"]" * 900 + b"}"
    )
    yield case(
        "a long list, each element leads to a rule",
        [{"data": {"a": [n]}, **NEVER} for n in many],
        {"a": numbers},
    )
    yield case(
        "ranges that hold every number of a long list",
        [{"type": ["t"], "data": {"a": [{"numeric": [">=", -n]}], "b": [f"{n}"]}} for n in many],
        {"a": numbers, "b": [f"x{n}" for n in range(10)]},
    )
    yield case(
        "nothing but ranges that hold every number of a long list",
        [{"data": {"a": [{"numeric": [">=", -n]}], "b": [{"numeric": ["<", -n]}]}} for n in many],
        {"a": numbers[: len(numbers) // 2], "b": numbers[: len(numbers) // 2]},
    )
    yield case(
        "anything-but and a long list",
        [{"data": {"a": [{"anything-but": [n, n + 1]}], "b": [{"anything-but": "x"}]}} for n in many],
        {"a": numbers, "b": ["x"] * 20},
    )
    yield case(
        "anything-but prefixes that every text has",
        [{"data": {"a": [{"anything-but": {"prefix": ["aaaa", f"b{n}"]}}]}} for n in many],
        {"a": texts},
    )
    yield case(
        "prefixes inside each other",
        [{"data": {"a": [{"prefix": "a" * (n % 900 + 60) + f"{n}"}]}, **NEVER} for n in many],
        {"a": [chunk * 4 + f"{n}" for n in range(size // 180)]},
    )
    yield case(
        "suffixes and prefixes without their case",
        [
            {
                "data": {
                    "a": [
                        {"suffix": {"equals-ignore-case": f"{n}"}},
                        {"prefix": {"equals-ignore-case": "A" * (n % 60) + "C"}},
                    ]
                },
                **NEVER,
            }
            for n in many
        ],
        {"a": texts},
    )
    yield case(
        "wildcards on one long text",
        [{"data": {"a": [{"wildcard": "*a" * 10 + f"*{n}*c"}]}} for n in many],
        {"a": letters},
    )
    yield case(
        "wildcards that differ only in what is there",
        [
            {"data": {"a": [{"wildcard": "*" + "a" * (n % 50 + 1) + "*" + "ba" * (n // 50 + 1) + "*c"}]}}
            for n in many
        ],
        {"a": letters},
    )
    yield case(
        "wildcards and a long list",
        [{"data": {"a": [{"wildcard": f"a*a*{n % 10}*a*{n}*x"}]}} for n in many],
        {"a": texts},
    )
    yield case(
        "five wildcards a rule, behind one type",
        [{"type": ["t"], "data": {"a": [{"wildcard": f"*a*{k}*{n}c*"} for k in range(5)]}} for n in many],
        {"a": letters},
    )
    yield case(
        "substrings inside each other",
        [
            {
                "data": {
                    "a": [
                        {"contains": "a" * (n % 200) + "b" + "a" * (n // 200) + "c"},
                        {"contains": "a" * (n % 30 + 20)},
                    ]
                },
                **NEVER,
            }
            for n in many
        ],
        {"a": letters},
    )
    yield case(
        "networks and a long list of addresses",
        [{"data": {"a": [{"cidr": f"10.{n % 256}.{n // 256}.0/{n % 16 + 8}"}]}, **NEVER} for n in many],
        {"a": [f"10.{n % 256}.{n // 256}.1" for n in range(size // 14)]},
    )
    yield case(
        "$or with a hundred branches",
        [
            {
                "$or": [{"type": ["t"], "data": {"a": [n, f"{k}"]}} for k in range(100)],
                "data": {"b": [f"{n}"]},
            }
            for n in range(rules // 100)
        ],
        {"a": numbers, "b": [f"x{n}" for n in range(10)]},
    )
    yield from _elements(case, rules, size)
    yield case(
        "a path of its own for each rule",
        [{"data": {f"k{n}": ["x"]}} for n in many],
        {f"k{n}": "y" for n in range(size // 12)},
    )
    yield case(
        "a missing path of its own for each rule",
        [{"data": {f"k{n}": [{"exists": False}], "a": [f"{n}"]}} for n in many],
        {"a": texts},
    )
    yield case(
        "a path spelled in many ways",
        [{"data": _deep(20 + n % 10, [f"x{n}"])} for n in many],
        _spelled(size),
    )
    yield case(
        "crowded by conditions that all hold",
        [
            {
                "type": ["t"],
                "data": {
                    "a": [f"{n}", "x", "y", "z", "w"],
                    "b": [f"{n}", "x", "y", "z", "w"],
                    "c": [f"{n}", 1, 2, 3, 4, 5],
                },
            }
            for n in many
        ],
        {"a": "x", "b": ["x"] * 100, "c": texts},
    )


def _elements(case: Callable[[str, list[Pattern], Any], Case], rules: int, size: int) -> Iterator[Case]:
    """Conditions on one array element that hold only on different ones."""
    many = range(rules)
    items = [{"sku": f"s{n}", "count": n % 7} for n in range(size // 25)]
    yield case(
        "each element leads to a rule that another condition on it fails",
        [{"data": {"items": {"sku": [f"s{n}"], "count": [n % 7 + 1]}}} for n in many],
        {"items": items},
    )
    yield case(
        "the same with missing fields",
        [{"data": {"items": {"sku": [f"s{n}"], "count": [{"exists": False}]}}} for n in many],
        {"items": items},
    )
    yield case(
        "elements that meet one of two weak conditions each",
        [
            {"data": {"items": {"sku": [{"prefix": "s"}, f"{n}"], "count": [9, {"numeric": [">", n + 100]}]}}}
            for n in many
        ],
        {"items": [*items, {"count": 9}]},
    )
    yield case(
        "elements inside elements",
        [{"data": {"orders": {"id": [n], "items": {"sku": ["x"], "count": [n % 7]}}}} for n in many],
        {
            "orders": [
                {"id": n, "items": [{"sku": "x", "count": 8}, {"sku": "y", "count": n % 7}]}
                for n in range(size // 70)
            ]
        },
    )
    yield case(
        "two arrays at one path",
        [{"data": {"p": {"a": {"x": [1], "y": [1], "z": [n + 5, 0]}}}} for n in many],
        {"p": {"a": [{"x": 1, "z": 1}] * (size // 30)}, "p.a": [{"y": 1, "z": 2}] * (size // 30)},
    )
    left, right = [{"x": 1, "z": 1}] * (size // 30), [{"y": 1, "z": 2}] * (size // 30)
    yield case(
        "two arrays at one path of an element",
        [{"data": {"q": {"p": {"a": {"x": [1], "y": [1], "z": [n + 5, 0]}}}}} for n in many],
        {"q": [{"p": {"a": [*left, {"z": 0}]}, "p.a": right}]},
    )
    yield case(
        "two arrays at one path, and something missing",
        [{"data": {"p": {"a": {"x": [1], "y": [1], "z": [n + 5, {"exists": False}]}}}} for n in many],
        {"p": {"a": left}, "p.a": right},
    )


def _deep(levels: int, alternatives: list[Any]) -> Any:
    pattern: Any = alternatives
    for _ in range(levels):
        pattern = {"a": pattern}
    return pattern


def _spelled(size: int) -> Any:
    def below(levels: int) -> Any:
        return (
            1
            if levels < 1
            else {"a": below(levels - 1), "a.a": below(levels - 2), "a.a.a": below(levels - 3)}
        )

    levels = 5
    while len(json.dumps(below(levels), separators=(",", ":"))) < size / 2:
        levels += 1
    return below(levels)
