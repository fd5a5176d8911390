"""The proof can fail: every breach that a kill could cause is found by `verify`, and a clean run has none."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec import structs

from delivery.log import schema
from delivery.tracking.words import RESENT, Outcome, State
from tests.chaos.load import Event
from tests.chaos.sink import ASKED, FOLLOWED, Arrival
from tests.chaos.verify import Database, Findings, verify

TARGETS = {"healthy": 1, "slow": 2}


@dataclass
class Run:
    """Six events of two keys, published, acknowledged and delivered once to both targets, as the witnesses tell it."""

    path: Path
    connection: sqlite3.Connection
    published: dict[str, Event] = field(default_factory=dict)
    acknowledged: dict[str, int] = field(default_factory=dict)
    arrivals: list[Arrival] = field(default_factory=list)

    def __post_init__(self) -> None:
        for statement in schema.create("sqlite"):
            self.sql(statement)
        for seq in range(1, 7):
            key, number = f"k{seq % 2}", (seq - 1) // 2
            event = Event(f"{key}-{number}", "/test", key, number)
            self.published[event.id] = event
            self.acknowledged[event.id] = seq
            self.store(seq, event.id)
            for name in TARGETS:
                self.arrive(event.id, name)
                self.attempt(seq, name)

    def sql(self, statement: str, *values: object) -> None:
        self.connection.execute(statement, values)

    def store(self, seq: int, event_id: str) -> None:
        columns = "seq, bus, lane, key, source, type, ce_id, received_at, rules_version, raw"
        self.sql(
            f"INSERT INTO log_event ({columns}) VALUES (?, 1, 0, 0, '/test', 't', ?, 0, 0, x'')",
            seq,
            event_id,
        )

    def arrive(self, event_id: str, name: str, status: int = 200) -> None:
        event = self.published.get(event_id) or Event(event_id, "/test", "k9", 0)
        delivery = f"msg_{name}_{event_id}"
        self.arrivals.append(Arrival(len(self.arrivals), name, event_id, delivery, 1, status, event.data))

    def attempt(self, seq: int, name: str, outcome: Outcome = Outcome.DELIVERED) -> None:
        columns = "target, seq, number, at, took, outcome, revision"
        self.sql(f"INSERT INTO attempt ({columns}) VALUES (?, ?, 1, 0, 0, ?, 1)", TARGETS[name], seq, outcome)

    def drop_arrival(self, event_id: str, name: str) -> None:
        self.arrivals = [one for one in self.arrivals if (one.event, one.target) != (event_id, name)]

    def hold(self, seq: int, name: str, state: State, reason: str | None) -> None:
        columns = (
            "target, seq, lane, key, state, blocks, attempts, redriven, received_at, first_at, reason, raw"
        )
        self.sql(
            f"INSERT INTO runner_exception ({columns}) VALUES (?, ?, 0, ?, ?, 1, 1, 0, 0, 0, ?, x'')",
            TARGETS[name],
            seq,
            seq % 2,
            state,
            reason,
        )

    def findings(self, stood_still: Sequence[tuple[int, int]] = ()) -> Findings:
        database = Database({"SIGNALBOX_VAR": str(self.path.parent)})
        return verify(self.published, self.acknowledged, self.arrivals, TARGETS, database, stood_still)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    path = tmp_path / "signalbox.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        yield Run(path, connection)


def test_a_clean_run_has_no_problems(run: Run) -> None:
    findings = run.findings()
    assert findings.problems() == []
    assert (findings.acknowledged, findings.requests, findings.attempts) == (6, 12, 12)


def lose_an_arrival(run: Run) -> None:
    run.drop_arrival("k0-2", "slow")


def lose_the_last_answer(run: Run) -> None:
    run.drop_arrival("k0-2", "slow")
    run.arrive("k0-2", "slow", status=503)


def lose_a_stored_event(run: Run) -> None:
    run.sql("DELETE FROM log_event WHERE seq = 6")


def store_an_event_twice(run: Run) -> None:
    run.store(7, "k0-2")


def deliver_what_nobody_published(run: Run) -> None:
    run.arrive("k9-0", "slow")


def deliver_other_data(run: Run) -> None:
    run.arrivals[0] = Arrival(0, "healthy", "k1-0", "msg_healthy_k1-0", 1, 200, {"key": "k1"})


def deliver_a_repeat_under_another_name(run: Run) -> None:
    run.arrive("k0-2", "slow")
    run.arrivals[-1] = Arrival(99, "slow", "k0-2", "another", 2, 200, run.published["k0-2"].data)
    run.attempt(6, "slow", Outcome.UNKNOWN)


def overtake(run: Run) -> None:
    at = [one.event for one in run.arrivals if one.target == "slow"].index("k0-1")
    slow = [one for one in run.arrivals if one.target == "slow"]
    slow.insert(at + 3, slow.pop(at))
    run.arrivals = [one for one in run.arrivals if one.target == "healthy"] + slow


def send_before_the_earlier_one_was_taken(run: Run) -> None:
    refused = [
        Arrival(one.at, one.target, one.event, one.delivery, 1, 503, one.data)
        for one in run.arrivals
        if (one.target, one.event) == ("slow", "k0-0")
    ]
    taken = [one for one in run.arrivals if (one.target, one.event) == ("slow", "k0-0")]
    run.drop_arrival("k0-0", "slow")
    run.arrivals = [*refused, *run.arrivals, *taken]
    run.attempt(2, "slow", Outcome.RETRY)


def acknowledge_against_the_order(run: Run) -> None:
    run.acknowledged["k0-0"], run.acknowledged["k0-1"] = 4, 2
    run.sql("UPDATE log_event SET seq = 100 WHERE seq = 2")
    run.sql("UPDATE log_event SET seq = 2 WHERE seq = 4")
    run.sql("UPDATE log_event SET seq = 4 WHERE seq = 100")


def send_without_a_record(run: Run) -> None:
    run.sql("DELETE FROM attempt WHERE seq = 6 AND target = 2")


def repeat_without_a_crash(run: Run) -> None:
    run.arrive("k0-2", "slow")
    run.attempt(6, "slow")


def die_without_a_reason(run: Run) -> None:
    run.drop_arrival("k0-2", "slow")
    run.hold(6, "slow", State.DEAD, None)


def wait_for_nothing(run: Run) -> None:
    run.drop_arrival("k0-2", "slow")
    run.hold(6, "slow", State.WAITING, None)


def keep_a_lease(run: Run) -> None:
    run.sql("INSERT INTO runner_slot (target, lanes, owner, fence, until) VALUES (1, 0, 'host-1-a', 1, 0)")


def keep_a_flight(run: Run) -> None:
    run.sql("INSERT INTO runner_flight (target, owner, at, seqs) VALUES (1, 'host-1-a', 0, '[]')")


def follow_a_redirect(run: Run) -> None:
    run.arrivals.append(Arrival(99, FOLLOWED, "k0-2", "msg", 1, 200, {}))


def come_again_too_early(run: Run) -> None:
    at = next(n for n, one in enumerate(run.arrivals) if (one.target, one.event) == ("slow", "k0-2"))
    run.arrivals.insert(at, structs.replace(run.arrivals[at], status=429))
    run.attempt(6, "slow", Outcome.RETRY)


def hang_beyond_the_deadline(run: Run) -> None:
    run.sql("UPDATE attempt SET took = 60000000 WHERE seq = 6 AND target = 2")


def take_less_than_no_time(run: Run) -> None:
    run.sql("UPDATE attempt SET took = -1 WHERE seq = 6 AND target = 2")


@pytest.mark.parametrize(
    ("breach", "name"),
    [
        (lose_an_arrival, "lost"),
        (lose_the_last_answer, "lost"),
        (lose_a_stored_event, "not_stored"),
        (store_an_event_twice, "phantoms"),
        (deliver_what_nobody_published, "phantoms"),
        (deliver_other_data, "altered"),
        (deliver_a_repeat_under_another_name, "altered"),
        (overtake, "inversions"),
        (send_before_the_earlier_one_was_taken, "inversions"),
        (acknowledge_against_the_order, "inversions"),
        (send_without_a_record, "unrecorded"),
        (follow_a_redirect, "followed"),
        (come_again_too_early, "early"),
        (hang_beyond_the_deadline, "overdue"),
        (take_less_than_no_time, "overdue"),
        (repeat_without_a_crash, "unexplained_repeats"),
        (die_without_a_reason, "lost"),
        (wait_for_nothing, "lost"),
        (keep_a_lease, "leases"),
        (keep_a_flight, "flights"),
    ],
)
def test_a_breach_is_found(run: Run, breach: Callable[[Run], None], name: str) -> None:
    breach(run)
    findings = run.findings()
    assert getattr(findings, name) > 0
    assert any(problem.startswith(name) for problem in findings.problems())


def test_a_dead_letter_with_a_reason_excuses_itself_and_what_waits_behind_it(run: Run) -> None:
    for event_id in ("k0-1", "k0-2"):
        run.drop_arrival(event_id, "slow")
    run.hold(4, "slow", State.DEAD, "It answers 422.")
    run.hold(6, "slow", State.WAITING, None)
    findings = run.findings()
    assert findings.examples == {}
    assert findings.dead == 1
    assert findings.problems() == ["1 dead letters, though 0 were to come"]
    findings.expected_dead = 1
    assert findings.problems() == []


def test_who_asked_to_wait_and_was_left_in_peace_is_no_finding(run: Run) -> None:
    come_again_too_early(run)
    late = [structs.replace(one, at=one.at + int(ASKED * 1e9)) for one in run.arrivals]
    run.arrivals = [old if old.status == 429 else new for old, new in zip(run.arrivals, late, strict=True)]
    assert run.findings().problems() == []


def test_one_attempt_that_says_it_was_sent_twice_explains_two_requests(run: Run) -> None:
    run.arrivals.insert(0, structs.replace(run.arrivals[0], status=0))
    assert run.findings().unrecorded == 1
    run.sql("UPDATE attempt SET reason = ? WHERE seq = 1 AND target = 1", RESENT)
    assert run.findings().problems() == []


def test_attempts_may_take_long_while_processes_stand_still(run: Run) -> None:
    hang_beyond_the_deadline(run)
    assert run.findings([(1_000_000, 50_000_000)]).problems() == []


def test_who_stood_still_beyond_its_deadline_may_repeat_what_was_answered(run: Run) -> None:
    run.arrive("k0-2", "slow")
    run.attempt(6, "slow", Outcome.RETRY)
    assert run.findings().unexplained_repeats == 1
    run.sql("UPDATE attempt SET took = 13000000 WHERE outcome = ?", Outcome.RETRY)
    assert run.findings([(1_000_000, 12_000_000)]).problems() == []


def test_what_is_redriven_late_is_counted_apart_and_no_inversion(run: Run) -> None:
    overtake(run)
    assert run.findings().inversions == 1
    run.arrivals = [
        structs.replace(one, redriven=(one.target, one.event) == ("slow", "k0-1")) for one in run.arrivals
    ]
    findings = run.findings()
    assert (findings.inversions, findings.redriven) == (0, 1)


def test_a_repeat_after_a_crash_is_counted_and_explained(run: Run) -> None:
    run.arrive("k0-2", "slow")
    run.attempt(6, "slow", Outcome.UNKNOWN)
    findings = run.findings()
    assert (findings.repeats, findings.unknown, findings.unexplained_repeats) == (1, 1, 0)
    # Nothing was killed, so nothing may be unknown.
    assert findings.problems() == ["1 attempts are unknown, though only 0 were in flight at the kills"]


def test_what_was_in_flight_at_a_process_is_read_from_its_flights(run: Run) -> None:
    entries = json.dumps([[0, 6, 1], [0, 7, 1], [0, 8, 2]])  # the first one has its attempt on record
    flight = "INSERT INTO runner_flight (target, owner, at, seqs) VALUES (1, ?, 0, ?)"
    run.sql(flight, "some-host-77-abcdef01", entries)
    run.sql(flight, "some-host-78-abcdef01", entries)
    assert Database({"SIGNALBOX_VAR": str(run.path.parent)}).in_flight(77) == 2
