"""What must be true after every kill, computed from three witnesses: the publisher, the sink's file, the database.

I1 nothing acknowledged is lost: each target took it, or has it as a dead letter with a reason, or waits for one.
I2 nothing arrives that was not published, and it arrives as it was published.
I3 order: of a key, an event is first sent to a target when that target has taken every earlier one.
I4 every request the sink saw has its attempt on record (a crash leaves "unknown", never "unrecorded").
I6 repeats are bounded by what was in flight at the kills, and have the same delivery id.
I7 when everything has stopped, no lease is held and nothing is in flight.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from delivery.tracking.words import RESENT, Outcome, State
from tests import recorded
from tests.chaos.load import Event
from tests.chaos.sink import ASKED, FOLLOWED, Arrival

EXAMPLES = 5
# Seconds. No attempt has more than 10; the rest is for a machine that does other things, too. One without a deadline
# would take for ever.
LONGEST = 20.0


class Database:
    """Reads a town's database: PostgreSQL by its URL, else the SQLite file in its folder."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._url = environment.get("DATABASE_URL", "")
        self._path = Path(environment["SIGNALBOX_VAR"]) / "signalbox.sqlite3"

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query, read on a connection of its own."""
        if self._url:
            import psycopg

            with psycopg.connect(self._url) as connection:
                return connection.execute(sql.encode()).fetchall()
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=30)) as file:
            return file.execute(sql).fetchall()

    def in_flight(self, pid: int) -> int:
        """How many deliveries process `pid` had recorded as in flight and not yet as ended."""
        done = {(one.target, one.seq, one.number) for one in recorded.attempts(self.rows)}
        return sum(
            (target, seq, number) not in done
            for target, owner, seqs in self.rows("SELECT target, owner, seqs FROM runner_flight")
            # A shift's name is host-pid-number.
            if owner.rsplit("-", 2)[1] == str(pid)
            for _, seq, number in json.loads(seqs)
        )


@dataclass
class Findings:
    """The numbers of a run. `examples`: some ids for each number that should be 0."""

    acknowledged: int = 0
    requests: int = 0
    attempts: int = 0
    unknown: int = 0
    dead: int = 0
    repeats: int = 0
    kills: int = 0
    in_flight: int = 0  # at the kills, summed
    lapses: int = 0  # leases lost without a kill or a fault that lets them lapse
    excused: int = 0  # unknown attempts of such faults
    first_delivery: float = (
        0.0  # seconds: the longest from a kill to the first delivery of what came after it
    )
    not_stored: int = 0
    lost: int = 0
    phantoms: int = 0
    altered: int = 0
    inversions: int = 0
    redriven: int = 0  # sent again by a person's wish, and marked: out of turn, and no inversion
    unrecorded: int = 0
    unexplained_repeats: int = 0
    leases: int = 0
    flights: int = 0
    answers: int = 0  # of the ingest that broke a promise
    followed: int = 0  # requests to where a redirect pointed
    early: int = 0  # attempts before the time that Retry-After had asked for
    overdue: int = 0  # attempts that took longer than their deadline, or less than no time
    expected_dead: int = 0
    stuck: int = 0  # faults after which things did not go on
    errors: int = 0  # that the processes reported: a kill of one is no error of another
    examples: dict[str, list[str]] = field(default_factory=dict)

    def note(self, name: str, example: str) -> None:
        """Counts one breach of `name`."""
        setattr(self, name, getattr(self, name) + 1)
        examples = self.examples.setdefault(name, [])
        if len(examples) < EXAMPLES:
            examples.append(example)

    def problems(self) -> list[str]:
        """What is wrong, as sentences; empty when every promise was kept."""
        found = [f"{name} {getattr(self, name)}: {', '.join(some)}" for name, some in self.examples.items()]
        if self.dead != self.expected_dead:
            found.append(f"{self.dead} dead letters, though {self.expected_dead} were to come")
        if not self.lapses and self.unknown - self.excused > self.in_flight:
            found.append(
                f"{self.unknown - self.excused} attempts are unknown, though only {self.in_flight} were in flight at the kills"
            )
        if self.acknowledged == 0:
            found.append("nothing was acknowledged: this run proves nothing")
        return found

    def line(self) -> str:
        """All numbers as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)


def verify(
    published: Mapping[str, Event],
    acknowledged: Mapping[str, int],
    arrivals: Sequence[Arrival],
    targets: Mapping[str, int],
    database: Database,
    stood_still: Sequence[tuple[int, int]] = (),
    stopping: int = 0,
) -> Findings:
    """Judges a run that is over: the load has ended and no process runs. `targets`: id by name.

    `stood_still`: when processes were stopped, from and to in microseconds since 1970; attempts then take their time.
    `stopping`: when the processes were told to stop, likewise; leases that had lapsed by then were held by nobody.
    """
    findings = Findings(acknowledged=len(acknowledged), requests=len(arrivals))
    names = {number: name for name, number in targets.items()}
    _check_log(findings, published, acknowledged, database)
    excused = _dead_and_waiting(findings, names, database)
    taken = _check_arrivals(findings, published, acknowledged, arrivals, targets, excused)
    for name, counted in taken.items():
        for event_id, seq in acknowledged.items():
            if not counted[event_id] and seq not in excused[name]:
                findings.note("lost", f"{event_id} ({seq}) at {name}")
    _check_records(findings, acknowledged, arrivals, names, database, stood_still)
    for target, lanes, owner in database.rows(
        f"SELECT target, lanes, owner FROM runner_slot WHERE owner IS NOT NULL AND until >= {stopping}"
    ):
        findings.note("leases", f"{names[target]} {lanes} by {owner}")
    for number, owner, seqs in database.rows("SELECT id, owner, seqs FROM runner_flight"):
        findings.note("flights", f"{number} by {owner}: {seqs[:80]}")
    return findings


def so_far(
    published: Mapping[str, Event],
    acknowledged: Mapping[str, int],
    arrivals: Sequence[Arrival],
    targets: Mapping[str, int],
    database: Database,
) -> Findings:
    """Judges the order and counts the repeats of a run that goes on; what is under way is left for the end."""
    findings = Findings(acknowledged=len(acknowledged), requests=len(arrivals))
    excused = _dead_and_waiting(findings, {number: name for name, number in targets.items()}, database)
    settled = [arrival for arrival in arrivals if arrival.event in acknowledged]
    _check_arrivals(findings, published, acknowledged, settled, targets, excused)
    return findings


def _check_log(
    findings: Findings, published: Mapping[str, Event], acknowledged: Mapping[str, int], database: Database
) -> None:
    """The log holds each acknowledged event once, at its seq, and no other; seq follows the order of each key."""
    stored = Counter(database.rows("SELECT ce_id, seq FROM log_event"))
    for event_id, seq in acknowledged.items():
        if stored.pop((event_id, seq), 0) != 1:
            findings.note("not_stored", f"{event_id} at {seq}")
    for event_id, seq in stored:
        findings.note("phantoms", f"{event_id} stored at {seq}")
    last: dict[str, int] = {}
    for event in sorted(published.values(), key=lambda one: one.number):
        seq = acknowledged.get(event.id, 0)
        if seq and seq < last.get(event.key, 0):
            findings.note("inversions", f"{event.id} stored before its predecessor")
        last[event.key] = max(seq, last.get(event.key, 0))


def _dead_and_waiting(
    findings: Findings, names: Mapping[int, str], database: Database
) -> defaultdict[str, set[int]]:
    """Per target the seqs that need not have arrived: dead letters with a reason, and what waits behind one."""
    excused: defaultdict[str, set[int]] = defaultdict(set)
    dead_keys = set()
    for target, seq, key, state, reason in database.rows(
        "SELECT target, seq, key, state, reason FROM runner_exception ORDER BY target, seq"
    ):
        if state == State.DEAD and reason:
            findings.dead += 1
            dead_keys.add((target, key))
            excused[names[target]].add(seq)
        elif state == State.WAITING and (target, key) in dead_keys:
            excused[names[target]].add(seq)
    return excused


def _check_arrivals(
    findings: Findings,
    published: Mapping[str, Event],
    acknowledged: Mapping[str, int],
    arrivals: Sequence[Arrival],
    targets: Mapping[str, int],
    excused: defaultdict[str, set[int]],
) -> dict[str, Counter[str]]:
    """Order, phantoms and content; returns how often each target took each event."""
    taken: dict[str, Counter[str]] = {name: Counter() for name in targets}
    # The events of each key in the order they must arrive, and how far each target has come.
    order: dict[str, list[str]] = defaultdict(list)
    place: dict[str, int] = {}
    for event in sorted(
        (published[one] for one in acknowledged if one in published), key=lambda one: one.number
    ):
        place[event.id] = len(order[event.key])
        order[event.key].append(event.id)
    # What was a dead letter once holds nobody up, and comes when a person wants it to.
    redriven = {(one.target, one.event) for one in arrivals if one.redriven}
    reached: Counter[tuple[str, str]] = Counter()
    deliveries: dict[tuple[str, str], str] = {}
    for arrival in arrivals:
        name = arrival.target
        if name == FOLLOWED:
            findings.note("followed", arrival.event)
            continue
        if arrival.event not in published or arrival.event not in acknowledged:
            findings.note("phantoms", f"{arrival.event} at {name}")
            continue
        event = published[arrival.event]
        if arrival.data != event.data:
            findings.note("altered", f"{event.id} at {name}: {arrival.data}")
        if deliveries.setdefault((name, event.id), arrival.delivery) != arrival.delivery:
            findings.note("altered", f"{event.id} at {name} under another delivery id")
        keys, at = order[event.key], reached[name, event.key]
        while at < place[event.id] and (
            taken[name][keys[at]] or acknowledged[keys[at]] in excused[name] or (name, keys[at]) in redriven
        ):
            at += 1
        reached[name, event.key] = at
        if arrival.redriven:
            findings.redriven += 1
        elif at < place[event.id]:
            findings.note("inversions", f"{event.id} at {name} before {keys[at]}")
        if arrival.accepted:
            taken[name][event.id] += 1
    findings.repeats = sum(counted.total() - len(counted) for counted in taken.values())
    return taken


def _check_records(
    findings: Findings,
    acknowledged: Mapping[str, int],
    arrivals: Iterable[Arrival],
    names: Mapping[int, str],
    database: Database,
    stood_still: Sequence[tuple[int, int]],
) -> None:
    """Per target and event: requests seen ≤ attempts on record, and each repeat has an attempt whose end is unknown."""
    seen: Counter[tuple[str, int]] = Counter()
    taken: Counter[tuple[str, int]] = Counter()
    throttled: dict[tuple[str, int], Arrival] = {}
    early = []
    for arrival in arrivals:
        at = (arrival.target, acknowledged.get(arrival.event, 0))
        if at in throttled and arrival.at - throttled[at].at < ASKED * 1e9:
            early.append((at, throttled[at].attempt))
        throttled.pop(at, None)
        if arrival.status == 429:
            throttled[at] = arrival
        seen[at] += 1
        taken[at] += arrival.accepted
    attempts: Counter[tuple[str, int]] = Counter()
    again: Counter[tuple[str, int]] = Counter()
    unknown: Counter[tuple[str, int]] = Counter()
    tried = recorded.attempts(database.rows)
    for one in tried:
        attempts[names[one.target], one.seq] += 1
        # The number of attempts stays what it is; this one may have been two requests.
        again[names[one.target], one.seq] += (one.reason or "").endswith(RESENT)
        still = any(one.at < till and since < one.at + one.took for since, till in stood_still)
        findings.unknown += one.outcome == Outcome.UNKNOWN
        # Who stood still beyond its deadline could not read the answer that had come: as good as unknown.
        if one.outcome == Outcome.UNKNOWN or (still and one.outcome == Outcome.RETRY and one.status is None):
            unknown[names[one.target], one.seq] += 1
        if not still and not 0 <= one.took <= LONGEST * 1_000_000:
            findings.note("overdue", f"{one.seq} at {names[one.target]}: {one.took / 1e6:.1f} s")
    # Who died before it wrote down that it was asked to wait could not know.
    forgotten = {(names[one.target], one.seq, one.number) for one in tried if one.outcome == Outcome.UNKNOWN}
    for (name, seq), number in early:
        if (name, seq, number) not in forgotten:
            findings.note("early", f"{seq} at {name} after attempt {number}")
    findings.attempts = attempts.total()
    for (name, seq), count in seen.items():
        if count > attempts[name, seq] + again[name, seq]:
            findings.note("unrecorded", f"{seq} at {name}: {count} requests, {attempts[name, seq]} attempts")
    for (name, seq), count in taken.items():
        if count > 1 + unknown[name, seq]:
            told = [one for one in tried if one.seq == seq and names[one.target] == name]
            findings.note("unexplained_repeats", f"{seq} at {name}: taken {count} times, attempts {told}")
