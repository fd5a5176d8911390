"""Pages of a catalog of 10,000 event types with traffic: server time of each, against 150 ms and a catalog of 100.

In one process with Django's test client, so no socket and no browser counts; each page is asked for once before.
"""

from __future__ import annotations

import json

from tests.benchmarks.figures import figure, note
from tests.processes import Town, Towns

LARGE, SMALL = 10_000, 100
REPETITIONS = 9
LIMIT, SEARCH_LIMIT = 150.0, 100.0
NAME = "order.refund.00001.happened"
# What is measured → its address, what it must show, and the most it may take, in milliseconds.
PAGES = {
    "marketplace": ("/", "Marketplace", LIMIT),
    "marketplace, as a table": ("/?view=table", "Marketplace", LIMIT),
    "marketplace, no listeners": ("/?show=quiet", "Marketplace", LIMIT),
    "event type": (f"/events/{NAME}/", NAME, LIMIT),
    "map": ("/map/", "Map", LIMIT),
}
# Typed into the search box: htmx asks for the results alone.
SEARCHES = {
    "search for a word": ("/?q=refund", "refund"),
    "search for a field": ("/?q=data.total.amount", "total.amount"),
    "search for a value": ("/?q=value-77", "value-77"),
    "search for two letters": ("/?q=re", "re"),
    "search for what is not there": ("/?q=zzqqzz", "zzqqzz"),
}


def run(towns: Towns) -> None:
    """Prints the figures for SQLite."""
    note(f"a catalog of {LARGE:,} event types …")
    with towns.new() as town:
        large = measured(town, LARGE)
    with towns.new() as town:
        small = measured(town, SMALL)
    for name, took in large.items():
        limit = SEARCH_LIMIT if name in SEARCHES else LIMIT
        figure(
            f"pages, {name}, {LARGE:,} types",
            took,
            [limit] * len(took),
            f"{limit:g} ms",
            1,
            "ms",
            at_most=True,
        )
        figure(
            f"pages, {name}, {LARGE:,} types to {SMALL}",
            took,
            small[name],
            f"the same page of {SMALL} types",
            3,
            "ms",
            at_most=True,
        )


def measured(town: Town, types: int) -> dict[str, list[float]]:
    """Per page its times in milliseconds, in a process of its own on the town's database."""
    wanted = {name: (url, shows, False) for name, (url, shows, _) in PAGES.items()}
    wanted |= {name: (url, shows, True) for name, (url, shows) in SEARCHES.items()}
    town.manage("shell", "-c", f"from tests.benchmarks.crowd import fill; fill({types}, {NAME!r})")
    printed = town.manage(
        "shell",
        "-c",
        f"from tests.benchmarks.crowd import visit; visit({json.dumps(wanted)!r}, {REPETITIONS})",
    )
    times: dict[str, list[float]] = json.loads(printed.split("TIMES ")[1])
    return times
