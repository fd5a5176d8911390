"""Delivery: a shift against one Celery task per delivery, a bare loop on the same target, and wrk."""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.benchmarks import backlog, wrk
from tests.benchmarks.figures import figure, note
from tests.benchmarks.servers import ROOT, sink
from tests.processes import Town, Towns

REPETITIONS = 3
EVENTS = 20_000
TASKS = 800
POOLS = {"prefork": 2, "threads": 8}
PUBLISH = """
from tests.benchmarks.reference.tasks import app, deliver
with app.producer_pool.acquire(block=True) as producer:
    for number in range({count}):
        deliver.apply_async(({target}, number + 1, {port}), producer=producer)
"""


def run(towns: Towns) -> None:
    """Prints the figures of delivery."""
    shifts: list[dict[str, float]] = []
    celery: list[float] = []
    bare: list[dict[str, float]] = []
    for repetition in range(REPETITIONS):
        note(f"delivery, {repetition + 1} of {REPETITIONS}")
        with sink() as port, towns.new(redis=True) as town:
            backlog.store(town, port, EVENTS)
            best = max(task_per_delivery(town, port, pool, size) for pool, size in POOLS.items())
            celery.append(best)
            town.manage(
                "shell",
                "-c",
                "from django.db import connection as c; c.cursor().execute('DELETE FROM attempt')",
            )
            shifts.append(backlog.delivered(town, EVENTS))
            bare.append(
                backlog.printed(["-m", "tests.benchmarks.reference.bare", str(port), "64", "2"], town)
            )
    rates = [one["rate"] for one in shifts]
    cpu = round(statistics.median(one["cpu_us"] for one in shifts), 1)
    figure("delivery, against Celery", rates, celery,
           "one Celery task per delivery, warm workers, consumption only, the better of prefork 2 and threads 8",
           50, "deliveries/s", gate=">= 30", cpu_us_per_delivery=cpu)  # fmt: skip
    figure("delivery, against a bare loop", rates, [one["rate"] for one in bare],
           "asyncio + httptools + uvloop posting the same bytes to the same target, 64 connections, recording nothing",
           0.4, "deliveries/s", cpu_us_per_delivery=cpu,
           reference_cpu_us=round(statistics.median(one["cpu_us"] for one in bare), 1))  # fmt: skip
    wrk.run(towns)


def task_per_delivery(town: Town, port: int, pool: str, size: int) -> float:
    """Deliveries per second of a warm worker with its backlog published before the clock starts."""
    environment = {**town.environment, "PYTHONPATH": str(ROOT), "SINK": str(port)}
    _shell(town, "from django.db import connection as c; c.cursor().execute('DELETE FROM attempt')")
    with _worker(environment, pool, size) as worker:
        _python(PUBLISH.format(count=40, target=1, port=port), environment)
        _wait(lambda: _count(town, 1) >= 40, "the worker is warm")
        os.killpg(worker.pid, signal.SIGSTOP)
        _python(PUBLISH.format(count=TASKS, target=2, port=port), environment)
        os.killpg(worker.pid, signal.SIGCONT)
        # Counting now and then costs the worker next to nothing; the rate comes from the attempts' own times.
        _wait(lambda: _count(town, 2) >= TASKS, "all tasks are done", pause=1.0)
    text = _shell(
        town,
        "from django.db import connection as c; k = c.cursor(); "
        "k.execute('SELECT COUNT(*), MIN(at), MAX(at + took) FROM attempt WHERE target = 2'); print('ROW', *k.fetchone())",
    )
    count, first, last = (int(word) for word in text.split("ROW ")[1].split()[:3])
    return count / ((last - first) / 1e6)


@contextmanager
def _worker(environment: dict[str, str], pool: str, size: int) -> Iterator[subprocess.Popen[bytes]]:
    options = [
        "-P",
        pool,
        "-c",
        str(size),
        "-l",
        "ERROR",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
    ]
    worker = subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "tests.benchmarks.reference.tasks", "worker", *options],
        cwd=ROOT,
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield worker
    finally:
        os.killpg(worker.pid, signal.SIGCONT)
        worker.terminate()
        try:
            worker.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


def _wait(true: object, sentence: str, pause: float = 0.2) -> None:
    assert callable(true)
    for _ in range(int(120 / pause)):
        if true():
            return
        time.sleep(pause)
    raise TimeoutError(f"Not within two minutes: {sentence}.")


def _count(town: Town, target: int) -> int:
    import sqlite3

    with sqlite3.connect(
        f"file:{town.var / 'signalbox.sqlite3'}?mode=ro", uri=True, timeout=20
    ) as connection:
        return int(
            connection.execute("SELECT COUNT(*) FROM attempt WHERE target = ?", (target,)).fetchone()[0]
        )


def _shell(town: Town, code: str) -> str:
    return town.manage("shell", "-c", code)


def _python(code: str, environment: dict[str, str]) -> None:
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
