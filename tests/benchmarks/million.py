"""A million events in the log: server time of every page and every list of the API, and the way from an id to its journey.

Server time is processor time, of the process that answers and of its connection to PostgreSQL: other work on the machine
does not count; `passed_ms` tells how long it took. With Django's test client, so no socket and no browser counts; each page
is asked for once before.
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
    found = json.loads(_shell(town, "walk", f"find({EVENTS}, {LOOKED_UP})"))
    # The 95th percentile: one person in twenty waits that long.
    busy, passed = (statistics.quantiles([pair[at] for pair in found], n=20)[-1] for at in (0, 1))
    _print(f"journey by id, p95, {name}", [busy], JOURNEY_LIMIT, passed)
    times, left = json.loads(_shell(town, "walk", f"visit({NAME!r})"))
    pages = {page: [[pair[at] for pair in pairs] for at in (0, 1)] for page, pairs in times.items()}
    for page, (took, waited) in sorted(pages.items(), key=lambda one: -statistics.median(one[1][0])):
        _print(f"{page}, {name}", took, LIMIT, statistics.median(waited))
    for page, reason in left.items():
        note(f"not measured: {page} ({reason})")


def _print(name: str, took: list[float], limit: float, waited: float) -> None:
    goal = [limit] * len(took)
    figure(f"million, {name}", took, goal, f"{limit:g} ms", 1, "ms", at_most=True, passed_ms=round(waited))


def _shell(town: Town, module: str, call: str) -> str:
    printed = town.manage("shell", "-c", f"from tests.benchmarks import {module}; {module}.{call}")
    return printed.partition("TIMES ")[2]
