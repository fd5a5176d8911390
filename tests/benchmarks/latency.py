"""From publishing to the target at 50 events a second, against one fsync of the same disk in the same minute."""

from __future__ import annotations

import http.client
import json
import os
import statistics
import time
from pathlib import Path

from tests.benchmarks.events import event
from tests.benchmarks.figures import figure, note
from tests.benchmarks.ingest import PATH
from tests.benchmarks.servers import sink
from tests.processes import Town, Towns

REPETITIONS = 5
RATE = 50
SECONDS = 4
PREPARE = """
from catalog.models import Bus, Team, Token
from rules.models import Rule, Target
from rules.revisions import subscribe
team = Team.objects.create(name="Bench", slug="bench")
bus = Bus.objects.create(name="main")
rule = Rule(name="Orders", bus=bus, team=team, pattern={{"type": ["shop.order.placed"]}})
subscribe(rule, Target(name="Sink", connector="http", config={{"url": "http://127.0.0.1:{port}/stamped"}}))
print("TOKEN", Token.issue(name="bench", bus=bus, team=team)[1])
"""


def run(towns: Towns) -> None:
    """Prints the figures of latency."""
    with sink() as port, towns.new() as town:
        token = town.manage("shell", "-c", PREPARE.format(port=port)).split("TOKEN ")[1].split()[0]
        town.start("web", "worker")
        publish(town, token, "warm", 2)
        time.sleep(1)
        half: list[float] = []
        most: list[float] = []
        fsyncs: list[float] = []
        for repetition in range(REPETITIONS):
            note(f"latency, {repetition + 1} of {REPETITIONS}")
            fsyncs.append(fsync(town.var))
            sent = publish(town, token, f"r{repetition}", SECONDS)
            time.sleep(0.5)
            arrived = get(port, "/arrivals")
            waits = sorted((arrived[name] - at) * 1000 for name, at in sent.items())
            half.append(waits[len(waits) // 2])
            most.append(waits[int(len(waits) * 0.99)])
        figure("publish to target, p50 at 50 events/s", half, fsyncs,
               "median of one fdatasync of 4 KiB on the same disk, just before", 2, "ms", at_most=True,
               p99_ms=round(statistics.median(most), 1))  # fmt: skip


def fsync(folder: Path) -> float:
    """Milliseconds of one fdatasync of 4 KiB, the median of 100."""
    path = folder / "fsync"
    times = []
    with path.open("wb", buffering=0) as file:
        for _ in range(100):
            file.write(os.urandom(4096))
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - started) * 1000)
    path.unlink()
    return statistics.median(times)


def publish(town: Town, token: str, prefix: str, seconds: int) -> dict[str, float]:
    """Open loop: one event each 1/RATE seconds, whatever the last one took. Returns when each was sent."""
    connection = http.client.HTTPConnection("127.0.0.1", town.port, timeout=10)
    headers = {"content-type": "application/cloudevents+json", "authorization": f"Bearer {token}"}
    sent: dict[str, float] = {}
    begun = time.time()
    for number in range(RATE * seconds):
        one = event(f"{prefix}-{number}", number)
        body = json.dumps(one)
        time.sleep(max(0.0, begun + number / RATE - time.time()))
        sent[str(one["id"])] = time.time()
        connection.request("POST", PATH, body, headers)
        answer = connection.getresponse()
        assert answer.status == 202, answer.read()
        answer.read()
    return sent


def get(port: int, path: str) -> dict[str, float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    arrivals: dict[str, float] = json.loads(connection.getresponse().read())
    return arrivals
