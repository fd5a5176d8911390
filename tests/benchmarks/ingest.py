"""Ingest: single events against DRF and against parsing alone, batches against bare sqlite3.executemany."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.events import event
from tests.benchmarks.figures import figure, note
from tests.benchmarks.servers import ROOT, asgi, process, wsgi
from tests.processes import Town, Towns
from tests.services import postgresql_database

REPETITIONS = 5
SECONDS = 2.5
PATH = "/v1/buses/main/events"
PREPARE = """
from catalog.models import Bus, Team, Token
from rules.models import Rule, Target
from rules.revisions import subscribe
team = Team.objects.create(name="Bench", slug="bench")
bus = Bus.objects.create(name="main")
rule = Rule(name="Orders", bus=bus, team=team, pattern={"type": ["shop.order.placed"]})
subscribe(rule, Target(name="Nowhere", connector="http", config={"url": "http://127.0.0.1:9/"}, state="paused"))
print("TOKEN", Token.issue(name="bench", bus=bus, team=team)[1])
"""


def prepared(town: Town) -> str:
    """A bus, a rule that takes every event, and the token to publish with."""
    return town.manage("shell", "-c", PREPARE).split("TOKEN ")[1].split()[0]


def load(port: int, path: str, prefix: str, connections: int, size: int, token: str = "") -> float:
    """Accepted requests per second."""
    arguments = [
        str(port),
        path,
        prefix,
        str(connections),
        str(SECONDS),
        str(size),
        *([token] if token else []),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.load", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(done.stdout)
    assert set(result["statuses"]) == {"202"}, result
    assert result["left"], "The load generator ran out of requests: the figure would be too low."
    return float(result["statuses"]["202"] / result["seconds"])


def run(towns: Towns) -> None:
    """Prints the figures of ingest."""
    with towns.new() as lite, towns.new(postgresql=True) as postgres, postgresql_database() as drf_url:
        tokens = {id(town): prepared(town) for town in (lite, postgres)}
        for town in (lite, postgres):
            town.start("web")
        drf = {"DATABASE_URL": drf_url}
        with process(
            ["-c", "import tests.benchmarks.reference.drf"], {**drf, "BENCHMARK_CREATE": "1"}
        ) as created:
            created.wait()
        environment = {**lite.environment, "PYTHONPATH": str(ROOT)}
        with (
            wsgi("tests.benchmarks.reference.drf:application", drf) as drf_port,
            asgi("tests.benchmarks.reference.parse_only:application", environment) as parse_port,
        ):
            rates: dict[str, list[float]] = {name: [] for name in ("lite", "postgres", "drf", "parse")}
            for repetition in range(REPETITIONS):
                note(f"single events, {repetition + 1} of {REPETITIONS}")
                name = f"s{repetition}"
                rates["parse"].append(load(parse_port, "/", name, 32, 1))
                rates["lite"].append(load(lite.port, PATH, name, 32, 1, tokens[id(lite)]))
                rates["postgres"].append(load(postgres.port, PATH, name, 32, 1, tokens[id(postgres)]))
                rates["drf"].append(load(drf_port, "/events", name, 32, 1))
        unit = "events/s"
        figure("single-event ingest, PostgreSQL", rates["postgres"], rates["drf"],
               "DRF view + serializer + ORM on PostgreSQL, granian WSGI, 8 threads", 10, unit)  # fmt: skip
        figure("single-event ingest, SQLite", rates["lite"], rates["parse"],
               "the same server parsing the same events, storing nothing", 0.5, unit)  # fmt: skip
        figure("single-event ingest, PostgreSQL, of parsing", rates["postgres"], rates["parse"],
               "the same server parsing the same events, storing nothing", 0.5, unit)  # fmt: skip
        ours, bare = [], []
        for repetition in range(REPETITIONS):
            note(f"batches of 100, {repetition + 1} of {REPETITIONS}")
            ours.append(100 * load(lite.port, PATH, f"b{repetition}", 4, 100, tokens[id(lite)]))
            bare.append(executemany(lite.var))
        figure("batch ingest of 100, SQLite", ours, bare,
               "sqlite3.executemany of the same rows, 100 a transaction, WAL, synchronous=FULL", 0.7, unit)  # fmt: skip


def executemany(folder: Path) -> float:
    """Rows per second of a bare loop over prepared rows: one table, one unique index, nothing else."""
    path = folder / f"bare-{time.time_ns()}.sqlite3"
    rows = []
    for number in range(int(SECONDS * 60_000)):
        one = event(f"bare-{number}", number % 1000)
        raw = json.dumps(one).encode()
        rows.append(
            (
                number + 1,
                1,
                3,
                5,
                one["source"],
                one["type"],
                one["subject"],
                one["id"],
                one["time"],
                0,
                None,
                1,
                None,
                raw,
            )
        )
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA wal_autocheckpoint=4000")
        connection.execute(
            "CREATE TABLE event (seq INTEGER PRIMARY KEY, bus INTEGER, lane INTEGER, key INTEGER, source TEXT, type TEXT, "
            "subject TEXT, ce_id TEXT, time TEXT, received_at INTEGER, schema_version INTEGER, rules_version INTEGER, "
            "valid INTEGER, raw BLOB, UNIQUE (source, ce_id))"
        )
        started, done = time.perf_counter(), 0
        while time.perf_counter() - started < SECONDS and done < len(rows):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                f"INSERT INTO event VALUES ({', '.join('?' * 14)})", rows[done : done + 100]
            )
            connection.execute("COMMIT")
            done += 100
        return done / (time.perf_counter() - started)
    finally:
        connection.close()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
