"""One run: a town with a bus and three targets, load on it, kills, and waiting until everything has arrived."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from delivery.supervision.parent import TOO_SLOW
from tests.chaos.load import Load
from tests.chaos.sink import Sink
from tests.chaos.verify import Database, Findings, so_far, verify
from tests.processes import Town, alive, eventually

# Generous: a machine that runs tests is busy. Nothing is asserted on how long it takes.
ARRIVES_WITHIN = 120.0
# So many must have gone the whole way after a kill before it counts as recovered.
NEW_EVENTS = 50
LAPSED = ("a lease lapsed before it was renewed", "the lease was taken over")

PREPARE = """
import json
from catalog.models import Bus, Team, Token
from rules.models import Rule, Target
from rules.revisions import save_rule, save_target
bus = Bus.objects.create(name="chaos")
team = Team.objects.create(name="Chaos", slug="chaos")
rule = save_rule(Rule(name="Everything", bus=bus, team=team, pattern={}))
targets = {}
for name, url in json.loads(%r).items():
    mode = "structured" if name == "healthy" else "binary"
    target = Target(name=name, rule=rule, connector="http", config={"url": url, "mode": mode}, order="key")
    target.first_delay = 0.05
    if name == "slow":
        target.max_in_flight = 4  # 200 a second at most: after a burst or a kill it has a queue
    targets[name] = save_target(target).pk
print(json.dumps({"targets": targets, "token": Token.issue(name="Chaos", bus=bus, team=team)[1]}))
"""


@dataclass(frozen=True)
class Kill:
    """One kill: who, the deliveries in flight there, and how much had been acknowledged."""

    victim: str
    in_flight: int
    acknowledged: frozenset[str]


class Trial:
    """Kills processes of `town` while `load` publishes and `sink` receives.

    `other`: a second worker runs beside `manage.py up`, as when scaled out.
    """

    def __init__(
        self, town: Town, sink: Sink, load: Load, targets: dict[str, int], dice: random.Random, other: bool
    ) -> None:
        self.town = town
        self.sink = sink
        self.load = load
        self.targets = targets
        self.dice = dice
        self.other = other
        self.database = Database(town.environment)
        self.kills: list[Kill] = []

    @property
    def victims(self) -> list[str]:
        """Whom to kill, in turn."""
        return ["worker", "web", "parent", "other worker"] if self.other else ["worker", "web", "parent"]

    def start(self) -> None:
        """Starts the processes and the load."""
        self.town.start("up", *(["worker"] if self.other else []))
        self.load.start()

    def kill(self, victim: str) -> Kill:
        """SIGKILL to one process, which is running again or about to when this returns. The load goes on."""
        acknowledged = frozenset(self.load.acknowledged)
        if victim == "other worker":
            pid = self.town.processes["worker"].pid
            self.town.kill("worker")
            in_flight = self.database.in_flight(pid)
            self.town.start("worker", ready=False)
        elif victim == "parent":
            children = self.town.children()
            self.town.kill("up")
            # They stop by themselves, within 4 s; a worker that has not ended what it sends by then is killed.
            eventually(lambda: not any(map(alive, children.values())), "the children of a killed parent end")
            in_flight = self.database.in_flight(children["worker"]) if "worker" in children else 0
            self.town.start("up", ready=False)
        else:
            # The one before may have been killed a moment ago and not be started again yet.
            eventually(
                lambda: any(alive(pid) for name, pid in self.town.children().items() if name == victim),
                f"there is a {victim} child to kill",
            )
            acknowledged = frozenset(self.load.acknowledged)
            pid = self.town.kill_child(victim)
            eventually(lambda: not alive(pid), f"the {victim} child is gone")
            in_flight = self.database.in_flight(pid) if victim == "worker" else 0
        self.kills.append(Kill(victim, in_flight, acknowledged))
        return self.kills[-1]

    def wait_for_recovery(self, kill: Kill) -> None:
        """Returns when what was acknowledged before the kill has arrived, and new events go the whole way again."""
        enough = len(kill.acknowledged) + NEW_EVENTS
        eventually(
            lambda: len(self.load.acknowledged) >= enough,
            f"new events are accepted after a kill of the {kill.victim}",
            within=ARRIVES_WITHIN,
        )
        self.wait_until_arrived(frozenset(list(self.load.acknowledged)[:enough]))

    def wait_until_arrived(self, acknowledged: frozenset[str]) -> None:
        """Returns when every target took, or has as a dead letter, all of `acknowledged`."""
        expected = {seq: event for event, seq in self.load.acknowledged.items() if event in acknowledged}

        def arrived() -> bool:
            time.sleep(0.2)
            missing = {name: set(expected.values()) for name in self.targets}
            for arrival in self.sink.read():
                if arrival.accepted:
                    missing[arrival.target].discard(arrival.event)
            if any(missing.values()):
                names = {number: name for name, number in self.targets.items()}
                for target, seq in self.database.rows(
                    "SELECT target, seq FROM runner_exception WHERE state = 3"
                ):
                    missing[names[target]].discard(expected.get(seq, ""))
            return not any(missing.values())

        eventually(
            arrived, f"{len(acknowledged)} acknowledged events arrive at every target", within=ARRIVES_WITHIN
        )

    def end(self) -> Findings:
        """Ends the load, waits until all has arrived, stops the processes, and says what was found."""
        try:
            self.load.stop(within=ARRIVES_WITHIN)
            self.wait_until_arrived(frozenset(self.load.acknowledged))
        except AssertionError as error:
            print(error, flush=True)  # What has not arrived is among the findings, by name.
        for name in list(self.town.processes):
            self.town.stop(name)
        findings = self._judge(verify)
        if TOO_SLOW in self.town.output():
            # On a busy machine the parent kills a worker that does not stop in time; its leases lapse by themselves.
            findings.lapses += 1
            for excused in ("leases", "flights"):
                findings.examples.pop(excused, None)
        for problem in self.load.problems:
            findings.note("answers", problem)
        return findings

    def so_far(self) -> Findings:
        """Order and repeats up to now, while everything goes on."""
        return self._judge(so_far)

    def _judge(self, judge: Callable[..., Findings]) -> Findings:
        # In this order: what has arrived was stored, but perhaps not answered yet.
        arrivals = self.sink.read()
        found = judge(
            self.load.published, dict(self.load.acknowledged), arrivals, self.targets, self.database
        )
        found.kills = len(self.kills)
        found.in_flight = sum(kill.in_flight for kill in self.kills)
        output = self.town.output()
        found.lapses = sum(output.count(sentence) for sentence in LAPSED)
        for line in output.splitlines():
            if " ERROR " in line or " CRITICAL " in line:
                found.note("errors", line)
        return found


@contextmanager
def trial(town: Town, folder: Path, seed: int, rate: float, other: bool = False) -> Iterator[Trial]:
    """A trial on a migrated, empty town. `rate`: events per second."""
    dice = random.Random(seed)
    with Sink(folder, seed) as sink:
        facts = json.loads(
            town.manage("shell", "-v0", "-c", PREPARE % json.dumps(sink.urls)).splitlines()[-1]
        )
        load = Load(town.port, "chaos", facts["token"], rate, seed)
        yield Trial(town, sink, load, facts["targets"], dice, other)
