"""Whatever the schemas are, an answer comes in time; too late means undecided, never a guess."""

from __future__ import annotations

import time

import pytest

from catalog.schemas.compatibility import Mode, Outcome, Policy, check
from tests.unit.compatibility.rechecked import assert_shown

SECONDS = 0.2
# One call of the prover or of the validator cannot be interrupted; each was measured far below this.
OVER = 0.25


def fields(members, **more):
    return {"type": "object", "properties": members, **more}


def levels(count, last, build):
    definitions = {"l0": last}
    for number in range(1, count):
        definitions[f"l{number}"] = build({"$ref": f"#/$defs/l{number - 1}"}, number)
    return {"$ref": f"#/$defs/l{count - 1}", "$defs": definitions}


def deep(count, last):
    for _ in range(count):
        last = fields({"a": last}, required=["a"])
    return last


TYPES = (
    "trade",
    "leg",
    "party",
    "price",
    "asset",
    "note",
    "account",
    "fee",
    "terms",
    "event",
    "link",
    "group",
)


def trade(limit):
    """Twelve types, each of which holds lists of five others and perhaps one more."""
    return {
        "$ref": "#/$defs/trade",
        "$defs": {
            name: fields(
                {
                    "id": {"type": "string"},
                    "amount": {"type": "number", "maximum": limit},
                    "kind": {"oneOf": [{"$ref": f"#/$defs/{TYPES[(at + 5) % 12]}"}, {"type": "null"}]},
                    **{
                        f"{TYPES[(at * 2 + by) % 12]}s": {
                            "type": "array",
                            "items": {"$ref": f"#/$defs/{TYPES[(at * 2 + by) % 12]}"},
                        }
                        for by in range(5)
                    },
                },
                required=["id"],
            )
            for at, name in enumerate(TYPES)
        },
    }


def text(limit):
    return {"type": "string", "maxLength": limit}


def number(limit):
    return {"type": "integer", "maximum": limit}


HOSTILE = {
    "200 required members": lambda n: fields({f"p{i}": text(n) for i in range(200)}, required=[f"p{i}" for i in range(200)]),
    "5,000 members": lambda n: fields({f"p{i}": text(n) for i in range(5000)}),
    "28 levels": lambda n: deep(28, text(n)),
    "95 levels": lambda n: deep(95, text(n)),
    "an enum of 4,000": lambda n: {"enum": [f"v{i}" for i in range(4000 + n)]},
    "an enum of 2,000 objects": lambda n: {"enum": [{"a": i, "b": [i]} for i in range(2000 + n)]},
    "16 pairs of alternatives in one allOf": lambda n: {
        "allOf": [
            {"anyOf": [{"required": [f"a{i}"]}, fields({f"b{i}": number(n)}, required=[f"b{i}"])]} for i in range(16)
        ]
    },
    "12 pairs of alternatives in a not": lambda n: {
        "not": {"allOf": [{"anyOf": [fields({f"x{i}": number(n)}), {"required": [f"z{i}"]}]} for i in range(12)]}
    },
    "100 alternatives that overlap": lambda n: {"oneOf": [fields({f"x{i}": number(n)}) for i in range(100)]},
    "200 alternatives told apart": lambda n: {
        "oneOf": [fields({"k": {"const": i}, f"x{i}": number(n)}, required=["k"]) for i in range(200)]
    },
    "40 conditions": lambda n: {
        "allOf": [
            {"if": {"properties": {"k": {"const": i}}, "required": ["k"]}, "then": fields({f"x{i}": number(n)})}
            for i in range(40)
        ]
    },
    "an allOf that doubles 30 times": lambda n: levels(30, text(n), lambda one, _: {"allOf": [one, one]}),
    "members that double 30 times": lambda n: levels(30, text(n), lambda one, _: fields({"a": one, "b": one})),
    "alternatives that double 30 times": lambda n: levels(
        30, text(n), lambda one, i: {"anyOf": [one, {"allOf": [one, {"minLength": i}]}]}
    ),
    "parts that double 30 times": lambda n: levels(
        30, text(n), lambda one, i: {"allOf": [fields({"a": one}), fields({"a": fields({f"c{i}": one})})]}
    ),
    "30 recursive alternatives": lambda n: {
        "$ref": "#/$defs/t",
        "$defs": {
            "t": {
                "oneOf": [
                    fields({"k": {"const": i}, "n": number(n), **{f"c{j}": {"$ref": "#/$defs/t"} for j in range(5)}})
                    for i in range(30)
                ]
            }
        },
    },
    "12 types that hold each other": trade,
    "a reference to itself": lambda n: {"$ref": "#/$defs/a", "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}, text(n)]}}},
    "a pattern that backtracks": lambda n: {"type": "string", "pattern": f"^(a+)+{'b' * n}$"},
    "a pattern that is large": lambda n: {"type": "string", "pattern": "(a{1,100}){1,100}" + "b" * n},
    "30 patterns in one allOf": lambda n: {
        "type": "string", "allOf": [{"pattern": f"(.*a){{{i + n}}}b[{chr(97 + i % 20)}-z]+"} for i in range(30)]
    },
    "40 divisors": lambda n: {"allOf": [{"multipleOf": i + n / 2} for i in range(2, 42)]},
    "a billion entries": lambda n: {"type": "array", "minItems": 10**9 + n, "items": {"type": "string"}},
    "numbers beyond a float": lambda n: {"type": "integer", "minimum": 10**400 + n},
    "a step near nothing": lambda n: {"type": "number", "maximum": 1e308, "multipleOf": (1 + n) * 1e-300},
    "20 schemas that depend on members": lambda n: {
        "dependentSchemas": {f"d{i}": fields({f"x{i}": number(n)}) for i in range(20)}
    },
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pair_is_answered_in_time(name):
    old, new = HOSTILE[name](3), HOSTILE[name](4)
    for mode, policy in ((Mode.BACKWARD, Policy.EVOLUTION), (Mode.FORWARD, Policy.STRICT)):
        began = time.thread_time()
        verdict = check(old, new, mode, policy, (), SECONDS, time.thread_time)
        assert time.thread_time() - began < SECONDS + OVER
        if verdict.outcome is Outcome.INCOMPATIBLE and "$defs" not in str(old)[:40]:
            assert_shown(old, new, verdict)


def test_the_twelve_types_are_decided():
    loosened = check(trade(10), trade(11), Mode.BACKWARD, Policy.STRICT, (), 5.0)
    assert loosened.outcome is Outcome.COMPATIBLE
    tightened = check(trade(11), trade(10), Mode.BACKWARD, Policy.STRICT, (), 5.0)
    assert tightened.outcome is Outcome.INCOMPATIBLE
    assert_shown(trade(11), trade(10), tightened)


def test_without_time_nothing_is_decided():
    verdict = check({"type": "string"}, {"type": "integer"}, Mode.FULL, Policy.STRICT, (), 0.0)
    assert verdict.outcome is Outcome.UNDECIDED
    assert {one.direction for one in verdict.undecided} == {"backward", "forward"}


def test_a_clock_that_jumps_ends_the_check():
    ticks = iter(range(10_000))
    verdict = check(trade(1), trade(2), Mode.BACKWARD, Policy.STRICT, (), 50.0, lambda: float(next(ticks)))
    assert verdict.outcome is Outcome.UNDECIDED


def test_values_that_are_no_json_are_refused_without_an_error():
    verdict = check({"maximum": float("inf")}, {"maximum": 5}, Mode.BACKWARD, Policy.STRICT)
    assert verdict.outcome is Outcome.UNDECIDED
