"""A million events in the log: server time of every page and every list of the API, and the way from an id to its journey.

In one process with Django's test client, so no socket and no browser counts; each page is asked for once before.
"""

from __future__ import annotations

import json
import os
import statistics
import time

from tests.benchmarks.figures import figure, note
from tests.processes import Town, Towns

EVENTS = int(os.environ.get("EVENTS", "1000000"))
LIMIT, JOURNEY_LIMIT = 150.0, 100.0
LOOKED_UP = 100
NAME = "order.refund.00001.happened"


def run(towns: Towns) -> None:
    """Prints the figures for SQLite and PostgreSQL, the slowest page first."""
    for name, postgresql in (("SQLite", False), ("PostgreSQL", True)):
        note(f"{EVENTS:,} events on {name} …")
        with towns.new(postgresql=postgresql) as town:
            began = time.monotonic()
            _shell(town, "multitude", f"build({EVENTS}, {NAME!r})")
            note(f"made in {time.monotonic() - began:.0f} s")
            measure(town, name)


def measure(town: Town, name: str) -> None:
    """Prints the figures for a town that has the events."""
    searches, journeys = json.loads(_shell(town, "walk", f"find({EVENTS}, {LOOKED_UP})"))
    # The 95th percentile: one person in twenty waits that long.
    whole = [search + journey for search, journey in zip(searches, journeys, strict=True)]
    slow = statistics.quantiles(whole, n=20)[-1]
    figure(
        f"million, journey by id, p95, {name}",
        [slow],
        [JOURNEY_LIMIT],
        f"{JOURNEY_LIMIT:g} ms",
        1,
        "ms",
        at_most=True,
    )
    times, left = json.loads(_shell(town, "walk", f"visit({NAME!r})"))
    worst_first = sorted(times.items(), key=lambda one: -statistics.median(wall for wall, _ in one[1]))
    for page, pairs in worst_first:
        took, cpu = ([pair[at] for pair in pairs] for at in (0, 1))
        goal = [LIMIT] * len(took)
        busy = round(statistics.median(cpu), 1)
        figure(f"million, {page}, {name}", took, goal, f"{LIMIT:g} ms", 1, "ms", at_most=True, cpu_ms=busy)
    for page, reason in left.items():
        note(f"not measured: {page} ({reason})")


def _shell(town: Town, module: str, call: str) -> str:
    printed = town.manage("shell", "-c", f"from tests.benchmarks import {module}; {module}.{call}")
    return printed.partition("TIMES ")[2]
