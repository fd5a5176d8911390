"""The shape of events: adding one, against genson doing less with the same values and against parsing the bytes.

One core, CPU time. genson is no dependency; where it is not installed, that is said and its figure is left out.
"""

from __future__ import annotations

import importlib
import json
import time
from collections.abc import Callable
from itertools import islice
from typing import Any

from catalog.schemas.shape import Shape
from tests.benchmarks.figures import figure, note
from tests.processes import Towns
from tests.unit.catalog.shape.orders import orders

EVENTS = 4000
REPETITIONS = 5


def _rate(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return EVENTS / (time.process_time() - began)


def _ours(values: list[Any]) -> object:
    shape = Shape(["/customer/email"])
    for value in values:
        shape.add(value)
    return shape.root


def _genson(module: Any, values: list[Any]) -> object:
    builder = module.SchemaBuilder()
    for value in values:
        builder.add_object(value)
    return builder


def run(towns: Towns) -> None:
    """The figures of shapes; about ten seconds."""
    raw = [json.dumps(order).encode() for order in islice(orders(1), EVENTS)]
    values = [json.loads(one) for one in raw]
    size = round(sum(map(len, raw)) / EVENTS)
    _ours(values)
    mine, parsing, theirs = [], [], []
    try:
        genson = importlib.import_module("genson")
    except ImportError as error:
        genson = None
        note(f"genson is not measured: {error}. Install genson into the environment to measure it.")
    for _ in range(REPETITIONS):
        mine.append(_rate(lambda: _ours(values)))
        parsing.append(_rate(lambda: [json.loads(one) for one in raw]))
        if genson is not None:
            theirs.append(_rate(lambda: _genson(genson, values)))
    unit = "events/s of one core"
    figure(
        "shapes, adding an event, against 20,000/s",
        mine,
        [20_000.0] * REPETITIONS,
        "20,000/s",
        1,
        unit,
        bytes=size,
    )
    figure("shapes, adding an event, against parsing it", mine, parsing, "json.loads", 0.3, unit, bytes=size)
    if genson is not None:
        figure(
            "shapes, adding an event, against genson",
            mine,
            theirs,
            "genson add_object",
            1.2,
            unit,
            bytes=size,
        )
