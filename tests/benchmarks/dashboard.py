"""Deliveries over 90 days of 20 targets that had something every minute: server time of the page for each range, against 100 ms.

Server time is processor time, as in tests/benchmarks/million.py; `passed_ms` tells how long it took. With Django's test
client, so no socket counts. Rollups are made as shifts and upkeep leave them.
"""

from __future__ import annotations

import json
import statistics
import time

from tests.benchmarks.figures import figure, note
from tests.processes import Town, Towns

TARGETS, DAYS = 20, 90
REPETITIONS = 9
LIMIT = 100.0
RANGES = ("15m", "1h", "6h", "24h", "7d", "30d", "all")


def run(towns: Towns) -> None:
    """Prints the figures for SQLite and PostgreSQL."""
    for name, postgresql in (("SQLite", False), ("PostgreSQL", True)):
        note(f"{DAYS} days of {TARGETS} targets on {name} …")
        with towns.new(postgresql=postgresql) as town:
            measure(town, name)


def measure(town: Town, name: str) -> None:
    """Prints the figures of a town."""
    town.manage("shell", "-c", "from tests.benchmarks.dashboard import fill; fill()")
    printed = town.manage("shell", "-c", "from tests.benchmarks.dashboard import visit; visit()")
    times: dict[str, list[list[float]]] = json.loads(printed.split("TIMES ")[1])
    for page, took in times.items():
        busy, passed = ([pair[at] for pair in took] for at in (0, 1))
        figure(
            f"dashboard, {page}, {name}", busy, [LIMIT] * len(busy), f"{LIMIT:g} ms", 1, "ms", at_most=True,
            passed_ms=round(statistics.median(passed)),
        )  # fmt: skip


def visit() -> None:
    """Asks for the page of each range and prints the times. Runs inside `manage.py shell`."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    from tests.benchmarks.walk import Clock

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(get_user_model()._default_manager.get(username="bench"))
    ends, begins = (time.strftime("%Y-%m-%dT%H:%M", time.gmtime(time.time() - 86_400 * n)) for n in (53, 60))
    pages = {name: f"range={name}" for name in RANGES}
    pages |= {"a week of its own": f"from={begins}&to={ends}", "all as a table": "range=all&view=table"}
    times: dict[str, list[tuple[float, float]]] = {}
    for name, query in pages.items():
        times[name] = []
        for repetition in range(REPETITIONS + 1):
            clock = Clock()
            answer = client.get(f"/deliveries/?{query}")
            took = clock.passed()
            assert answer.status_code == 200
            assert "Throughput" in answer.content.decode()
            if repetition:
                times[name].append(took)
    print("TIMES", json.dumps(times))


def fill() -> None:
    """Makes the targets and their counts. Runs inside `manage.py shell`."""
    from django.contrib.auth import get_user_model
    from django.db import connection, transaction

    from catalog.models import Bus, Team
    from delivery.tracking.folding import fold_counts
    from delivery.tracking.read import MINUTE
    from rules.models import Rule, Target
    from rules.revisions import subscribe

    get_user_model()._default_manager.create_superuser("bench", password="bench")
    bus, team = Bus.objects.create(name="main"), Team.objects.create(name="Checkout", slug="checkout")
    for number in range(TARGETS):
        rule = Rule(name=f"Rule {number}", bus=bus, team=team, pattern={"type": ["order.placed"]})
        config = {"url": "http://127.0.0.1:9/"}
        subscribe(rule, Target(name=f"Target {number:02}", connector="http", config=config))
    at = int(time.time() * 1_000_000)
    last = at // MINUTE
    names = ("delivered", "retried", "dead", "l3", "l6", "l9", "d3", "d6")
    counts = "40 + m.n % 7, CASE WHEN m.n % 50 = 0 THEN 1 ELSE 0 END, CASE WHEN m.n % 999 = 0 THEN 1 ELSE 0 END, 30, 8, 2, 30, 10"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO rollup_delivered (target, minute, {', '.join(names)}) WITH RECURSIVE m(n) AS (SELECT "
            f"CAST({last - DAYS * 1440} AS bigint) UNION ALL SELECT n + 1 FROM m WHERE n < {last}) "
            f"SELECT t.id, m.n, {counts} FROM rules_target t CROSS JOIN m"
        )
        cursor.execute(
            f"INSERT INTO rollup_delivered_slot (target, slot, {', '.join(names)}) SELECT target, minute / 5, "
            f"{', '.join(f'SUM({name})' for name in names)} FROM rollup_delivered GROUP BY target, minute / 5"
        )
    began = time.monotonic()
    fold_counts(began + 600, at)
    note(f"counts per hour and day were added up in {time.monotonic() - began:.1f} s")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
