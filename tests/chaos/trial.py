"""One run: a town with a bus and four targets, load on it, faults, and waiting until everything has arrived."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import time
from bisect import bisect
from collections.abc import Callable, Iterator, Set
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Protocol, cast

from delivery.supervision.parent import TOO_SLOW
from delivery.tracking.words import Outcome
from tests.chaos.load import Load
from tests.chaos.servers import Servers
from tests.chaos.sink import Sink
from tests.chaos.verify import Database, Findings, so_far, verify
from tests.integration.brokers import Broker
from tests.processes import Town, alive, eventually

# Generous: a machine that runs tests is busy. Nothing is asserted on how long it takes.
ARRIVES_WITHIN = 120.0
# Seconds that one attempt may take at the fickle target, and at the others.
FICKLE_TIMEOUT, TIMEOUT = 2, 10
# So many must have gone the whole way after a kill before it counts as recovered.
NEW_EVENTS = 50
WRONG = re.compile(r"^.* (?:ERROR|CRITICAL) .*$", re.MULTILINE)
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
"""Sets the clock of one process; from Debian's package `faketime`."""
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
    config = {"url": url, "mode": mode, "timeout": %d if name == "fickle" else %d}
    target = Target(name=name, rule=rule, connector="http", config=config, order="key", after_dead_letter="block")
    # Nothing is given up, and what fails is tried again soon: what becomes a dead letter is a finding.
    target.retry_kind, target.first_delay, target.delay_step, target.longest_delay = "exponential", 0.05, 2.0, 1.0
    target.jitter, target.max_attempts, target.max_age, target.longest_asked = "half", 1000, 86400.0, 10.0
    target.breaker, target.breaker_failures = True, 10
    target.breaker_probe, target.breaker_longest_probe = 0.2, 1.0
    target.max_in_flight = 4 if name == "slow" else 64  # 200 a second at most: after a burst or a kill it has a queue
    if name == "fickle":
        target.classes = {"3xx": "retry"}
    targets[name] = save_target(target).pk
print(json.dumps({"targets": targets, "token": Token.issue(name="Chaos", bus=bus, team=team)[1]}))
"""


@dataclass(frozen=True)
class Kill:
    """One kill: who, the deliveries in flight there, how much had been acknowledged, and when (monotonic ns)."""

    victim: str
    in_flight: int
    acknowledged: frozenset[str]
    at: int


class Fault(Protocol):
    """What a trial undergoes (`faults.Fault`)."""

    @property
    def name(self) -> str: ...
    @property
    def happen(self) -> Callable[[Trial], object]: ...
    @property
    def blurs(self) -> bool: ...
    @property
    def breaks(self) -> bool: ...


class Trial:
    """Kills processes of `town` while `load` publishes and `sink` receives.

    `other`: a second worker runs beside `manage.py up`, as when scaled out.
    """

    def __init__(
        self,
        town: Town,
        sink: Sink,
        load: Load,
        targets: dict[str, int],
        dice: random.Random,
        other: bool,
        servers: Servers,
    ) -> None:
        self.town = town
        self.sink = sink
        self.load = load
        self.targets = targets
        self.dice = dice
        self.other = other
        self.servers = servers
        self.database = Database(town.environment)
        self.kills: list[Kill] = []
        self.stood_still: list[tuple[int, int]] = []  # from and to in microseconds since 1970
        self.expected_dead = 0
        self._excused_lapses = 0
        self._excused_unknown = 0
        self._broken: list[range] = []  # of the output: where errors are no finding

    @property
    def victims(self) -> list[str]:
        """Whom to kill, in turn."""
        return ["worker", "web", "parent", "other worker"] if self.other else ["worker", "web", "parent"]

    def has(self, what: str) -> bool:
        """Whether this town has that: "other worker", "sqlite", a server or disk of its own; "" for nothing special."""
        if what == "sqlite":
            return "DATABASE_URL" not in self.town.environment
        if what == "clock":
            return self.other and FAKETIME.exists()
        if what == "other worker":
            return self.other
        return not what or getattr(self.servers, what) is not None

    def server(self, name: str) -> Broker:
        """The RabbitMQ or Redis of this trial's own."""
        return cast(Broker, getattr(self.servers, name))

    def start(self) -> None:
        """Starts the processes and the load."""
        self.town.start("up", *(["worker"] if self.other else []))
        self.load.start()

    def pids(self, victim: str) -> list[int]:
        """The process ids of a victim; of "all" those of every process."""
        if victim == "other worker":
            return [self.town.processes["worker"].pid]
        if victim == "parent":
            return [self.town.processes["up"].pid]
        if victim == "all":
            return [pid for name in self.victims for pid in self.pids(name)]
        # The one before may have been killed a moment ago and not be started again yet.
        eventually(
            lambda: any(alive(pid) for name, pid in self.town.children().items() if name == victim),
            f"there is a {victim} child",
        )
        return [self.town.children()[victim]]

    def kill(self, victim: str) -> Kill:
        """SIGKILL to one process, or to "all" at once; they run again or are about to when this returns.

        The load goes on.
        """
        pids = self.pids(victim)
        acknowledged, at = frozenset(self.load.acknowledged), time.monotonic_ns()
        workers = [self.town.children()["worker"]] if victim == "parent" else pids
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        if victim == "parent":
            # Its children stop by themselves, within 4 s; a worker that has not ended what it sends by then is killed.
            pids += self.town.children().values()
        for process in self.town.processes.values():
            process.poll()
        eventually(lambda: not any(map(alive, pids)), f"{victim} is gone")
        in_flight = sum(map(self.database.in_flight, workers))
        self._start_what_ended()
        self.kills.append(Kill(victim, in_flight, acknowledged, at))
        return self.kills[-1]

    def _start_what_ended(self) -> None:
        """As a supervisor would: a worker of Celery also ends by itself when it loses its broker at the wrong moment."""
        for name, process in self.town.processes.items():
            if process.poll() is not None:
                self.town.start(name, ready=False)

    def undergo(self, fault: Fault, wait: bool = True) -> None:
        """Lets it happen; returns when all has arrived that was acknowledged before, and new events go the whole way.

        `wait=False`: returns when it is over; the next one hits the recovery. Not for one that blurs the numbers.
        """
        acknowledged = frozenset(self.load.acknowledged)
        before = self._lapses(), self._unknown(), len(self.town.output())
        fault.happen(self)
        self._start_what_ended()
        left = self._flights()
        if wait or fault.blurs or fault.breaks:
            self.wait_for_recovery(acknowledged, fault.name)
        if fault.blurs:
            eventually(
                lambda: not left & self._flights(),
                f"what was in flight after {fault.name} ended, or is known to be unknown",
                ARRIVES_WITHIN,
            )
            self._excused_lapses += self._lapses() - before[0]
            self._excused_unknown += self._unknown() - before[1]
        if fault.breaks:
            self._broken.append(range(before[2], len(self.town.output())))

    def wait_for_recovery(self, before: frozenset[str], name: str) -> None:
        """Returns when what was acknowledged `before` has arrived, and new events go the whole way again."""
        enough = len(before) + NEW_EVENTS
        eventually(
            lambda: len(self.load.acknowledged) >= enough,
            f"new events are accepted after {name}",
            within=ARRIVES_WITHIN,
        )
        self.wait_until_arrived(frozenset(list(self.load.acknowledged)[:enough]))

    def wait_for_others(self, left_out: Set[str], count: int) -> None:
        """Returns when `count` events more than now are acknowledged and arrived at all targets but those."""
        enough = len(self.load.acknowledged) + count
        eventually(
            lambda: len(self.load.acknowledged) >= enough, "new events are accepted", within=ARRIVES_WITHIN
        )
        self.wait_until_arrived(frozenset(list(self.load.acknowledged)[:enough]), left_out)

    def wait_until_arrived(self, acknowledged: frozenset[str], left_out: Set[str] = frozenset()) -> None:
        """Returns when every target but those left out took, or has as a dead letter, all of `acknowledged`."""
        expected = {
            seq: event for event, seq in self.load.acknowledged.copy().items() if event in acknowledged
        }
        missing = {name: set(expected.values()) for name in self.targets if name not in left_out}
        names = {number: name for name, number in self.targets.items()}
        looked = 0

        def arrived() -> bool:
            nonlocal looked
            time.sleep(0.1)
            arrivals = self.sink.read()
            for arrival in arrivals[looked:]:
                if arrival.accepted and arrival.target in missing:
                    missing[arrival.target].discard(arrival.event)
            looked = len(arrivals)
            if any(missing.values()):
                for target, seq in self.database.rows(
                    "SELECT target, seq FROM runner_exception WHERE state = 3"
                ):
                    missing.get(names[target], set()).discard(expected.get(seq, ""))
            return not any(missing.values())

        eventually(
            arrived, f"{len(acknowledged)} acknowledged events arrive at every target", within=ARRIVES_WITHIN
        )

    def state_of(self, target: str) -> str:
        """The state of a target by its name, as in rules.models."""
        asked = "SELECT state FROM rules_target WHERE id = %d"
        return str(self.database.rows(asked % self.targets[target])[0][0])

    def first_deliveries(self) -> list[float]:
        """For each kill, seconds from it until the first event acknowledged after it had arrived anywhere."""
        found = []
        arrivals = self.sink.read()
        times = [one.at for one in arrivals]
        for kill in self.kills:
            after = (
                one.at
                for one in islice(arrivals, bisect(times, kill.at), None)
                if one.accepted and one.event not in kill.acknowledged
            )
            at = next(after, None)
            # Where the next kill came first, it says nothing of this one.
            if at is not None and not any(kill.at < other.at < at for other in self.kills):
                found.append((at - kill.at) / 1e9)
        return found

    def _lapses(self) -> int:
        output = self.town.output()
        return sum(output.count(sentence) for sentence in LAPSED)

    def _flights(self) -> set[int]:
        return {number for (number,) in self.database.rows("SELECT id FROM runner_flight")}

    def _unknown(self) -> int:
        asked = "SELECT COUNT(*) FROM attempt WHERE outcome = %d"
        return int(self.database.rows(asked % Outcome.UNKNOWN)[0][0])

    def end(self) -> Findings:
        """Ends the load, waits until all has arrived, stops the processes, and says what was found."""
        try:
            self.load.stop(within=ARRIVES_WITHIN)
            self.wait_until_arrived(frozenset(self.load.acknowledged))
        except AssertionError as error:
            print(error, flush=True)  # What has not arrived is among the findings, by name.
        # Leases that lapsed before belong to nobody, though nobody may have needed their lanes since.
        stopping = time.time_ns() // 1000
        for name in list(self.town.processes):
            self.town.stop(name)
        findings = self._judge(partial(verify, stood_still=self.stood_still, stopping=stopping))
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
        found.first_delivery = max(self.first_deliveries(), default=0.0)
        found.lapses = self._lapses() - self._excused_lapses
        found.expected_dead = self.expected_dead
        found.excused = self._excused_unknown
        output = self.town.output()
        for line in WRONG.finditer(output):
            if not any(line.start() in broken for broken in self._broken):
                found.note("errors", line[0])
        return found


@contextmanager
def trial(
    town: Town, folder: Path, seed: int, rate: float, other: bool = False, servers: Servers | None = None
) -> Iterator[Trial]:
    """A trial on a migrated, empty town. `rate`: events per second; `servers`: what may be broken."""
    dice = random.Random(seed)
    with Sink(folder, seed) as sink:
        facts = json.loads(
            town.manage(
                "shell", "-v0", "-c", PREPARE % (json.dumps(sink.urls), FICKLE_TIMEOUT, TIMEOUT)
            ).splitlines()[-1]
        )
        load = Load(town.port, "chaos", facts["token"], rate, seed)
        yield Trial(town, sink, load, facts["targets"], dice, other, servers or Servers())
