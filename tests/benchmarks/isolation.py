"""What trouble costs those who have none: keys beside poison keys, targets beside one that hangs. Ratios in one run."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Sequence

from tests.benchmarks.events import event
from tests.benchmarks.figures import figure, note
from tests.benchmarks.ingest import PATH
from tests.benchmarks.latency import RATE, get, publish
from tests.benchmarks.servers import sink
from tests.processes import Town, Towns, eventually

REPETITIONS = 3
EVENTS, KEYS, BATCH = 12_000, 1000, 200
POISONED = 100  # one key in so many
TARGETS = 10
SECONDS = 6
PREPARE = """
from catalog.models import Bus, Team, Token
from rules.models import Rule, Target
from rules.revisions import save_rule, save_target
team = Team.objects.create(name="Bench", slug="bench")
bus = Bus.objects.create(name="main")
rule = save_rule(Rule(name="Orders", bus=bus, team=team, pattern={{"type": ["shop.order.placed"]}}))
for name, path in {paths}:
    config = {{"url": "http://127.0.0.1:{port}" + path, "timeout": 40.0}}
    save_target(Target(name=name, rule=rule, connector="http", config=config))
print("TOKEN", Token.issue(name="bench", bus=bus, team=team)[1])
"""


def run(towns: Towns) -> None:
    """Prints the figures of isolation."""
    beside, without = [], []
    for repetition in range(REPETITIONS):
        note(f"isolation, poison keys, {repetition + 1} of {REPETITIONS}")
        without.append(_rate(towns, poison=False))
        beside.append(_rate(towns, poison=True))
    figure("rate of healthy keys beside 1 % poison keys", beside, without, "the same keys without poison, same run",
           0.95, "events/s")  # fmt: skip
    beside, without = [], []
    for repetition in range(REPETITIONS):
        note(f"isolation, one target hangs, {repetition + 1} of {REPETITIONS}")
        without.append(_p99(towns, hangs=False))
        beside.append(_p99(towns, hangs=True))
    figure("p99 at nine targets beside one that hangs for 30 s", beside, without,
           "the same nine beside one that does not, same run", 1.2, "ms", at_most=True)  # fmt: skip


def _rate(towns: Towns, poison: bool) -> float:
    """Events per second that a worker delivers of the keys that are never poison, from a backlog of EVENTS."""
    with sink() as port, towns.new() as town:
        token = _prepare(town, port, [("only", "/stamped")])
        town.start("web")
        healthy = _store(town, token, poison)
        town.start("worker")
        arrived: dict[str, float] = {}

        def all_arrived() -> bool:
            time.sleep(0.2)
            arrived.update(get(port, "/arrivals"))
            return healthy <= arrived.keys()

        eventually(all_arrived, "every event of a healthy key arrives", within=300)
        # Without the first tenth, in which the worker starts, and the last, in which lanes run dry.
        times = sorted(arrived[name] for name in healthy)
        first, last = len(times) // 10, len(times) * 9 // 10
        return (last - first) / (times[last] - times[first])


def _store(town: Town, token: str, poison: bool) -> set[str]:
    """Publishes the backlog; returns the ids of the healthy keys' events."""
    connection = http.client.HTTPConnection("127.0.0.1", town.port, timeout=60)
    headers = {
        "content-type": "application/cloudevents-batch+json",
        "authorization": f"Bearer {token}",
    }
    healthy = set()
    for first in range(0, EVENTS, BATCH):
        made = []
        for number in range(first, first + BATCH):
            one = event(number, number % KEYS)
            if number % KEYS % POISONED:
                healthy.add(str(one["id"]))
            elif poison:
                one["subject"] = f"poison-{number % KEYS}"
            made.append(one)
        connection.request("POST", PATH, json.dumps(made), headers)
        answer = connection.getresponse()
        said = answer.read()
        assert answer.status == 202, said
    connection.close()
    return healthy


def _p99(towns: Towns, hangs: bool) -> float:
    """Milliseconds from publishing to nine targets at RATE events a second, beside a tenth."""
    with sink() as port, towns.new() as town:
        nine = [(f"t{n}", f"/stamped/t{n}") for n in range(1, TARGETS)]
        token = _prepare(town, port, [*nine, ("tenth", "/hang" if hangs else "/stamped/tenth")])
        town.start("web", "worker")
        publish(town, token, "warm", 3)
        sent = publish(town, token, "r", SECONDS)
        wanted = {f"{name} {one}": at for name, _ in nine for one, at in sent.items()}
        arrived: dict[str, float] = {}

        def all_arrived() -> bool:
            arrived.update(get(port, "/arrivals"))
            return wanted.keys() <= arrived.keys()

        eventually(all_arrived, f"{RATE} events a second arrive at nine targets", within=60)
        waits = sorted((arrived[name] - at) * 1000 for name, at in wanted.items())
        return waits[int(len(waits) * 0.99)]


def _prepare(town: Town, port: int, paths: Sequence[tuple[str, str]]) -> str:
    """Makes the rule and its targets; returns a token."""
    printed = town.manage("shell", "-c", PREPARE.format(port=port, paths=list(paths)))
    return printed.split("TOKEN ")[1].split()[0]
