"""Memory of the worker over a million deliveries: what it holds at the end against what it held after the first fifth.

Events are stored while it delivers, as ingest would, through a filter on the data and a template. Counted is the process's
own memory: SQLite's file, of which up to 256 MiB are mapped, is the system's. It is to be the same; TOLERANCE is for what
is no leak: a shift is over after 30 s and the next one has other events in hand when it is looked at, and freed memory
goes back to the system in pieces. On SQLite each thread's connection keeps up to 2 MiB of the file's
pages, which fill as the file grows; on PostgreSQL there is no such thing. DELIVERIES=200000 in the environment asks for fewer.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

from tests.benchmarks import backlog
from tests.benchmarks.capacity import count
from tests.benchmarks.figures import figure, note
from tests.benchmarks.servers import ROOT, sink
from tests.benchmarks.usage import resident
from tests.processes import Town, Towns

DELIVERIES = int(os.environ.get("DELIVERIES", "1000000"))
FIRST = 0.2  # of them: by then everything that grows once has grown
AHEAD = 100_000  # events that may be stored and not delivered
TOLERANCE = 1.05
EACH = 0.5  # seconds between looks
PATIENCE = 60.0  # seconds without a delivery


def run(towns: Towns) -> None:
    """Prints the figures of memory."""
    for database, postgresql in (("SQLite", False), ("PostgreSQL", True)):
        note(f"memory, {DELIVERIES:,} deliveries on {database}")
        with sink() as port, towns.new(postgresql=postgresql) as town:
            backlog.store(town, port, 0, pattern=backlog.FILTER, transform=backlog.TRANSFORM, mode="binary")
            town.start("worker")
            began = time.monotonic()
            seen = _watch(town, port)
            took = time.monotonic() - began
        early = [one for one in seen if DELIVERIES * FIRST <= one[0] <= DELIVERIES * FIRST * 1.5]
        late = [one for one in seen if one[0] >= DELIVERIES * (1 - FIRST / 2)]
        whole, own = ([statistics.median(one[at] for one in part) for part in (late, early)] for at in (1, 2))
        figure(f"memory of the worker after {DELIVERIES:,} deliveries, {database}", own[:1], own[1:],
               f"the same process after {DELIVERIES * FIRST:,.0f}", TOLERANCE, "MiB of its own", at_most=True,
               highest=round(max(one[2] for one in seen), 1), resident=round(whole[0], 1),
               reference_resident=round(whole[1], 1), deliveries_per_s=round(DELIVERIES / took))  # fmt: skip


def _watch(town: Town, port: int) -> list[tuple[int, float, float]]:
    """(deliveries so far, MiB resident, of them its own), again and again until all are delivered."""
    worker = town.processes["worker"]
    seen: list[tuple[int, float, float]] = []
    moved = time.monotonic()
    storing = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-c",
         f"from tests.benchmarks import memory; memory.publish({port}, {DELIVERIES})"],
        cwd=ROOT, env=town.environment, stdout=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        while not seen or seen[-1][0] < DELIVERIES:
            time.sleep(EACH)
            assert storing.poll() in (None, 0), "storing the events failed"
            assert worker.poll() is None, f"the worker ended:\n{town.output()}"
            made = count(port)
            if not seen or made > seen[-1][0]:
                moved = time.monotonic()
            assert time.monotonic() - moved < PATIENCE, f"nothing more is delivered after {made:,}"
            seen.append((made, *resident(worker.pid)))
    finally:
        storing.terminate()
        storing.wait()
    return seen


def publish(port: int, events: int) -> None:
    """Runs inside `manage.py shell`: stores the events, never more than AHEAD before their deliveries."""
    from delivery.cloudevents import decode_batch
    from delivery.ingest.pipeline import CONSOLE, pipeline

    way = pipeline()
    way.directory.refresh()
    for first in range(0, events, backlog.BATCH):
        while first - count(port) > AHEAD:
            time.sleep(EACH)
        body = backlog.batch(first, min(first + backlog.BATCH, events))
        way.writer.submit(way.request("main", CONSOLE, decode_batch(body))).result()
    way.close()
