"""What routing adds to the deliveries it leads to, in processor time, where 1, 10 and 1,000 targets take an event.

Each target has a rule of its own that looks into the data. Routing is what ingest spends more on events that are routed
than on the same events where no rule is (matching them, recording their routes in the commit), and what a shift spends on
hearing of the routes and dropping them again. Of it, an event's share for one target, against the rest of a delivery.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

from tests.benchmarks import backlog
from tests.benchmarks.figures import figure, note
from tests.benchmarks.servers import sink
from tests.processes import Town, Towns

REPETITIONS = 5
EVENTS = {1: 30_000, 10: 4_000, 1000: 60}  # fan-out → events
ROUTES = 10_000  # in one commit, at most
ON_THE_WAY = (
    4_000  # deliveries at a time, of all targets: each has a connection, and a process may have so many files
)
GOAL = 0.10


def run(towns: Towns) -> None:
    """Prints the figures of routing."""
    for fan_out, events in EVENTS.items():
        routing: list[float] = []
        delivering: list[float] = []
        ingest: list[float] = []
        shift: list[float] = []
        for repetition in range(REPETITIONS):
            note(f"routing, fan-out {fan_out:,}, {repetition + 1} of {REPETITIONS}")
            with sink() as port, towns.new() as town:
                ingest.append(_store(town, port, fan_out, events) / (fan_out * events) * 1e6)
                found = backlog.delivered(town, fan_out * events, more=("pruned",))
                shift.append(found["routes_us"])
                routing.append(ingest[-1] + shift[-1])
                delivering.append(found["cpu_us"] - found["routes_us"])
        figure(f"what routing adds to a delivery, fan-out {fan_out:,}", routing, delivering,
               "the delivery itself, without what its shift does for routing", GOAL, "us of CPU", at_most=True,
               of_it_at_ingest=round(statistics.median(ingest), 2), of_it_in_the_shift=round(statistics.median(shift), 2))  # fmt: skip


def _store(town: Town, port: int, fan_out: int, events: int) -> float:
    """Seconds of processor time that the events cost more on a bus with rules than on one without."""
    code = f"from tests.benchmarks import routing; routing.fill({port}, {fan_out}, {events})"
    return float(town.manage("shell", "-c", code).split("MORE ")[1].split()[0])


def fill(port: int, fan_out: int, events: int) -> None:
    """Runs inside `manage.py shell`: stores the events on both buses by turns, so that nothing but rules differs."""
    from catalog.models import Bus, Team
    from delivery.cloudevents import decode_batch
    from delivery.ingest.pipeline import CONSOLE, pipeline
    from rules.models import Rule, Target
    from rules.revisions import subscribe

    team = Team.objects.create(name="Bench", slug="bench")
    plain, routed = (Bus.objects.create(name=name) for name in ("plain", "routed"))
    assert plain.pk != routed.pk
    most = min(64, ON_THE_WAY // fan_out)
    for number in range(fan_out):
        # Each rule asks for another number, as subscribers do; all of them take the event.
        pattern: dict[str, Any] = {
            "type": ["shop.order.placed"],
            "data": {"total": {"amount": [{"numeric": [">", number]}]}},
        }
        config = {"url": f"http://127.0.0.1:{port}/hook", "mode": "structured"}
        subscribe(
            Rule(name=f"Orders {number}", bus=routed, team=team, pattern=pattern),
            Target(name=f"Sink {number}", connector="http", config=config, max_in_flight=most),
        )
    way = pipeline()
    way.directory.refresh()
    size = max(1, min(500, ROUTES // fan_out))
    spent = {"plain": 0.0, "routed": 0.0}

    def store(bus: str, body: bytes) -> None:
        began = time.process_time()  # of all threads: the writer's too
        way.writer.submit(way.request(bus, CONSOLE, decode_batch(body))).result()
        spent[bus] += time.process_time() - began

    for first in range(0, events, size):
        body = backlog.batch(first, min(first + size, events))
        for bus in ("plain", "routed") if first // size % 2 else ("routed", "plain"):
            store(bus, body)
    way.close()
    print("MORE", spent["routed"] - spent["plain"])
