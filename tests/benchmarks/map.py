"""The map of a catalog of 10,000 event types that all flow: server time of each view, against 150 ms and a catalog of 100.

In one process with Django's test client, as tests/benchmarks/pages.py. What is registered is read before; rates are not.
"""

from __future__ import annotations

import json
import random
import time

from tests.benchmarks.figures import figure, note
from tests.processes import Town, Towns

LARGE, SMALL = 10_000, 100
REPETITIONS = 9
LIMIT = 150.0
NAME = "order.refund.00001.happened"
# What is measured → its address, and what it must show.
VIEWS = {
    "whole": ("/map/", "event types one by one"),
    "focus on a type": (f"/map/?focus=type:{NAME}", NAME),
    "focus on a source": ("/map/?focus=source:source-7", "Source 07"),
    "one domain": ("/map/?domain=domain-3", "Domain 03"),
    "as a table": ("/map/?view=table", "Sent per minute"),
    "as a file": ("/map/map.svg", "<svg"),
}


def run(towns: Towns) -> None:
    """Prints the figures for SQLite."""
    note(f"a map of {LARGE:,} event types …")
    with towns.new() as town:
        large = measured(town, LARGE)
    with towns.new() as town:
        small = measured(town, SMALL)
    for name, took in large.items():
        figure(
            f"map, {name}, {LARGE:,} types", took, [LIMIT] * len(took), f"{LIMIT:g} ms", 1, "ms", at_most=True
        )
        against = f"the same view of {SMALL} types"
        figure(f"map, {name}, {LARGE:,} types to {SMALL}", took, small[name], against, 10, "ms", at_most=True)


def measured(town: Town, types: int) -> dict[str, list[float]]:
    """Per view its times in milliseconds, in a process of its own on the town's database."""
    town.manage("shell", "-c", f"from tests.benchmarks.crowd import fill; fill({types}, {NAME!r})")
    town.manage("shell", "-c", "from tests.benchmarks.map import count; count()")
    views = VIEWS if types > SMALL else VIEWS | {"whole": ("/map/", "Map")}
    wanted = json.dumps({name: (url, shows, False) for name, (url, shows) in views.items()})
    printed = town.manage(
        "shell", "-c", f"from tests.benchmarks.crowd import visit; visit({wanted!r}, {REPETITIONS})"
    )
    times: dict[str, list[float]] = json.loads(printed.split("TIMES ")[1])
    return times


def count() -> None:
    """Counts events per source and per target as the observer and the shifts do. Runs inside `manage.py shell`."""
    from django.db import connection, transaction

    from catalog.models import EventType
    from rules.models import Target

    draw = random.Random(2)
    now = int(time.time() * 1_000_000)
    pairs = list(EventType.sources.through._default_manager.values_list("source__uri", "eventtype__name"))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO rollup_source (source, type, slot, events, first_at, last_at) VALUES (%s, %s, %s, %s, %s, %s)",
            [
                (uri, name, now // 600_000_000 - ago, draw.randrange(1, 500), now, now)
                for uri, name in pairs
                for ago in (0, 1, 2)
            ],
        )
        cursor.executemany(
            "INSERT INTO rollup_delivered (target, minute, delivered, retried, dead) VALUES (%s, %s, %s, 0, 0)",
            [
                (target, now // 60_000_000 - ago, draw.randrange(1, 500))
                for target in Target.objects.values_list("pk", flat=True)
                for ago in range(60)
            ],
        )
