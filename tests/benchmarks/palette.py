"""The command palette of a catalog of 10,000 event types: server time of what is typed into it, against 100 ms.

Server time is processor time, as in tests/benchmarks/million.py. In one process with Django's test client.
"""

from __future__ import annotations

import json
import statistics

from tests.benchmarks.figures import figure, note
from tests.processes import Town, Towns

TYPES = 10_000
REPETITIONS = 9
LIMIT = 100.0
NAME = "order.refund.00001.happened"
# What is typed, and what must be found by it ("" for nothing).
TYPED = {
    "a letter": ("r", "refund"),
    "two letters": ("re", "refund"),
    "a word": ("refund", "refund"),
    "two words": ("order refund", "order.refund"),
    "a name": (NAME, NAME),
    "a field": ("amount", "amount"),
    "a value": ("value-77", "value-77"),
    "an action": ("subscribe refund", "refund"),
    "a target": ("target 77", "Target 77"),
    "an id": ("3f2b8a54-5d0c-4a0e-9d51-6f4b7e1c2a90", ""),
    "what is not there": ("zzqqzz", ""),
}


def run(towns: Towns) -> None:
    """Prints the figures for SQLite and PostgreSQL."""
    for name, postgresql in (("SQLite", False), ("PostgreSQL", True)):
        note(f"a palette of {TYPES:,} event types on {name} …")
        with towns.new(postgresql=postgresql) as town:
            measure(town, name)


def measure(town: Town, name: str) -> None:
    """Prints the figures of a town."""
    town.manage(
        "shell", "-c", f"from tests.benchmarks.crowd import fill; fill({TYPES}, {NAME!r}, minutes=range(3))"
    )
    printed = town.manage("shell", "-c", "from tests.benchmarks.palette import visit; visit()")
    times: dict[str, list[list[float]]] = json.loads(printed.split("TIMES ")[1])
    for typed, took in times.items():
        busy, passed = ([pair[at] for pair in took] for at in (0, 1))
        figure(
            f"palette, {typed}, {name}", busy, [LIMIT] * len(busy), f"{LIMIT:g} ms", 1, "ms", at_most=True,
            passed_ms=round(statistics.median(passed)),
        )  # fmt: skip


def visit() -> None:
    """Asks the palette for everything and prints the times. Runs inside `manage.py shell`."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    from tests.benchmarks.walk import Clock

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(get_user_model()._default_manager.get(username="bench"))
    times: dict[str, list[tuple[float, float]]] = {}
    for name, (typed, shows) in TYPED.items():
        times[name] = []
        for repetition in range(REPETITIONS + 1):
            clock = Clock()
            answer = client.get("/palette/", {"q": typed})
            took = clock.passed()
            assert answer.status_code == 200, answer.status_code
            page = answer.content.decode().replace("<mark>", "").replace("</mark>", "")
            assert shows in page, (typed, shows)
            if repetition:
                times[name].append(took)
    print("TIMES", json.dumps(times))
