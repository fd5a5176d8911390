"""The verdict on a new schema version, against compiling the two schemas: what a form pays anyway. CPU time.

The schema is an order with references, formats, patterns and alternatives; each change is one an author makes.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from typing import Any

import jsonschema_rs

from catalog.schemas.compatibility import Mode, Outcome, Policy, check
from tests.benchmarks.figures import figure
from tests.processes import Towns

REPETITIONS = 9
ROUNDS = 5
PATIENT = 5.0
# At most this many times the compilation of both schemas.
GOAL_PROVED = 50
GOAL_REFUTED = 80

ORDER: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["id", "customer", "lines", "total", "payment"],
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "placed": {"type": "string", "format": "date-time"},
        "status": {"enum": ["new", "paid", "sent", "done"]},
        "customer": {"$ref": "#/definitions/customer"},
        "lines": {"type": "array", "minItems": 1, "maxItems": 200, "items": {"$ref": "#/definitions/line"}},
        "total": {"$ref": "#/definitions/money"},
        "payment": {
            "oneOf": [
                {
                    "type": "object",
                    "required": ["kind", "last4"],
                    "properties": {
                        "kind": {"const": "card"},
                        "last4": {"type": "string", "pattern": "^[0-9]{4}$"},
                    },
                },
                {
                    "type": "object",
                    "required": ["kind", "iban"],
                    "properties": {"kind": {"const": "bank"}, "iban": {"type": "string", "minLength": 15}},
                },
            ]
        },
        "notes": {"type": ["string", "null"], "maxLength": 2000},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "definitions": {
        "money": {
            "type": "object",
            "required": ["amount", "currency"],
            "properties": {
                "amount": {"type": "number", "minimum": 0},
                "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
            },
        },
        "line": {
            "type": "object",
            "required": ["sku", "quantity"],
            "properties": {
                "sku": {"type": "string", "maxLength": 40},
                "quantity": {"type": "integer", "minimum": 1},
                "price": {"$ref": "#/definitions/money"},
            },
        },
        "customer": {
            "type": "object",
            "required": ["email"],
            "properties": {
                "email": {"type": "string", "format": "email"},
                "name": {"type": "string"},
                "address": {
                    "type": "object",
                    "properties": {
                        "street": {"type": "string"},
                        "country": {"type": "string", "minLength": 2},
                    },
                },
            },
        },
    },
}


def changed(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """The order with one change."""
    schema = copy.deepcopy(ORDER)
    change(schema)
    return schema


SAFE = {
    "a field is added": changed(
        lambda s: s["definitions"]["line"]["properties"].update(weight={"type": "number"})
    ),
    "a limit is loosened": changed(lambda s: s["properties"]["notes"].update(maxLength=4000)),
    "an alternative is added": changed(
        lambda s: s["properties"]["payment"]["oneOf"].append(
            {"type": "object", "required": ["kind"], "properties": {"kind": {"const": "cash"}}}
        )
    ),
}
BREAKING = {
    "a field is required": changed(lambda s: s["definitions"]["line"]["required"].append("price")),
    "a limit is tightened": changed(lambda s: s["definitions"]["money"]["properties"]["amount"].update(maximum=1e6)),
    "a type changes": changed(lambda s: s["properties"]["payment"]["oneOf"][1]["properties"].update(iban={"type": "integer"})),
}  # fmt: skip


def _took(work: Callable[[], object]) -> float:
    """Milliseconds of CPU for one call."""
    began = time.process_time()
    for _ in range(ROUNDS):
        work()
    return (time.process_time() - began) * 1000 / ROUNDS


def _compile(*schemas: Any) -> None:
    for schema in schemas:
        jsonschema_rs.Draft7Validator(schema, validate_formats=True, offline=True)


def run(_: Towns) -> None:
    """Prints the figures."""
    for pairs, outcome, goal in (
        (SAFE, Outcome.COMPATIBLE, GOAL_PROVED),
        (BREAKING, Outcome.INCOMPATIBLE, GOAL_REFUTED),
    ):
        for name, new in pairs.items():
            verdict = check(ORDER, new, Mode.BACKWARD, Policy.EVOLUTION, (), PATIENT)
            assert verdict.outcome is outcome, (name, verdict)
            ours, reference = [], []
            for _repetition in range(REPETITIONS):
                ours.append(
                    _took(lambda new=new: check(ORDER, new, Mode.BACKWARD, Policy.EVOLUTION, (), PATIENT))
                )  # type: ignore[misc]
                reference.append(_took(lambda new=new: _compile(ORDER, new)))  # type: ignore[misc]
            figure(
                f"compatibility, verdict {outcome.value}, {name}",
                ours,
                reference,
                "compiling both schemas with jsonschema-rs",
                goal,
                "ms of CPU",
                at_most=True,
            )
