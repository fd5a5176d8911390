"""How much one machine takes from publisher to target, and how it does at half of that.

Single HTTP publishes, a filter on the data, a template, one HTTP target, every attempt on record; SQLite, one web process
and one worker. The publisher and the target are on the same machine, so its capacity is more without them.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

from tests.benchmarks import backlog
from tests.benchmarks.figures import figure, note
from tests.benchmarks.ingest import PATH
from tests.benchmarks.latency import get
from tests.benchmarks.servers import ROOT, sink
from tests.benchmarks.usage import processor_time
from tests.processes import Town, Towns, eventually

REPETITIONS = 5
SATURATED = 4.0  # seconds for which publishers send as fast as they are answered
CONNECTIONS = 32
SECONDS = 8.0  # at half of that
BUDGET = 250.0  # microseconds of server CPU for one event from end to end


def run(towns: Towns) -> None:
    """Prints the figures of capacity."""
    capacity, half, most, full_cpu, half_cpu = [], [], [], [], []
    for repetition in range(REPETITIONS):
        note(f"capacity, {repetition + 1} of {REPETITIONS}")
        with sink() as port, towns.new() as town:
            backlog.store(
                town,
                port,
                0,
                pattern=backlog.FILTER,
                transform=backlog.TRANSFORM,
                mode="binary",
                path="/stamped",
            )
            token = publishing_token(town)
            town.start("web", "worker")
            _saturate(town, port, token, "warm", 1.0)
            rate, cpu = _saturate(town, port, token, "full", SATURATED)
            capacity.append(rate)
            full_cpu.append(cpu)
            waits, cpu = _at(town, port, token, rate / 2)
            half.append(waits[len(waits) // 2])
            most.append(waits[int(len(waits) * 0.99)])
            half_cpu.append(cpu)
    told = {"capacity_events_per_s": round(statistics.median(capacity)),
            "ratios_of_capacity": [round(one) for one in capacity]}  # fmt: skip
    figure("p99 from publish to target at half of capacity", most, half, "p50 of the same events", 5, "ms",
           at_most=True, **told)  # fmt: skip
    for when, spent in (("half of", half_cpu), ("full", full_cpu)):
        figure(f"server CPU of an event from end to end, at {when} capacity", spent, [BUDGET] * len(spent),
               f"{BUDGET:g} us", 1, "us of CPU, web and worker", at_most=True, **told)  # fmt: skip


def publishing_token(town: Town) -> str:
    """For the bus of backlog.py."""
    code = (
        "from catalog.models import Bus, Team, Token; "
        "print('TOKEN', Token.issue(name='bench', bus=Bus.objects.get(name='main'), team=Team.objects.get(slug='bench'))[1])"
    )
    return town.manage("shell", "-c", code).split("TOKEN ")[1].split()[0]


def _saturate(town: Town, port: int, token: str, prefix: str, seconds: float) -> tuple[float, float]:
    """Events per second from the first publish to the last arrival, and microseconds of server CPU for each."""
    before, arrived, began = _servers(town), count(port), time.time()
    said = _run("load", town, PATH, prefix, CONNECTIONS, seconds, 1, token)
    assert set(said["statuses"]) == {"202"}, said
    assert said["left"], "The load generator ran out of requests: the figure would be too low."
    taken = said["statuses"]["202"]
    _wait(port, arrived + taken)
    spent = _servers(town) - before
    stamps = [at for name, at in get(port, "/arrivals").items() if name.startswith(f"bench-{prefix}-")]
    assert len(stamps) == taken, (len(stamps), taken)
    # Not from when the generator was started: it makes its requests first. What it sent first arrived a moment later.
    assert min(stamps) > began
    return taken / (max(stamps) - min(stamps)), spent / taken * 1e6


def _at(town: Town, port: int, token: str, rate: float) -> tuple[list[float], float]:
    """Milliseconds from when each event was due to its arrival, the shortest first, and microseconds of server CPU."""
    before = _servers(town)
    said = _run("open_loop", town, PATH, "half", rate, SECONDS, token)
    due = {f"bench-half-{number}": said["begun"] + number / rate for number in range(said["events"])}
    _wait(port, 0, due.keys())
    spent = _servers(town) - before
    arrivals = get(port, "/arrivals")
    return sorted((arrivals[name] - at) * 1000 for name, at in due.items()), spent / len(due) * 1e6


def _wait(port: int, expected: int, names: object = ()) -> None:
    def all_arrived() -> bool:
        time.sleep(0.1)
        return count(port) >= expected and (not names or names <= get(port, "/arrivals").keys())  # type: ignore[operator]

    eventually(all_arrived, "every event arrives", within=300)


def _servers(town: Town) -> float:
    return processor_time(*(process.pid for process in town.processes.values()))


def count(port: int) -> int:
    """How many events the sink has taken."""
    return int(get(port, "/count"))  # type: ignore[call-overload]


def _run(module: str, town: Town, *arguments: object) -> dict:
    command = [sys.executable, "-m", f"tests.benchmarks.{module}", str(town.port), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))
