"""What a shift commits: many attempts in few statements, and nothing at all without every lease."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from delivery.log.schema import LATENCIES, LATENCY_BOUNDS
from delivery.runner import attempts
from delivery.runner.database import Database as Rows
from delivery.runner.lease import LeaseLost
from delivery.runner.policy import Policy
from delivery.runner.progress import Outbox
from delivery.runner.store import Store
from delivery.tracking.words import Outcome
from tests.databases import Database
from tests.events import a_target
from tests.integration.sink import a_sink, execute, on_duty, publish, rows

WHOLE = "SELECT target, seq, number, at, took, outcome, status, revision, reason, response FROM attempt ORDER BY seq"


@pytest.fixture
def store(log_database: Database) -> Iterator[Store]:
    found = Store(Rows(), "a shift")
    yield found
    found.database.close()


@pytest.mark.parametrize("count", [0, 1, 3, 17, 149, 300])
def test_any_number_of_attempts_is_recorded_as_it_is(store: Store, count: int) -> None:
    made = [
        (7, n, 1, 1_764_000_000_000_000 + n, 5, int(Outcome.DELIVERED), 200, 1, None, None)
        if n % 3
        else (7, n, 2, 1_764_000_000_000_000, 0, int(Outcome.RETRY), None, 0, "It says: ü.", "answer")
        for n in range(count)
    ]
    with store.database.transaction():
        attempts.record(store.database, made)
    assert rows(WHOLE) == made


def test_one_lease_that_was_taken_over_is_enough_to_record_nothing(store: Store) -> None:
    target = a_target()
    claimed = store.claim(target.pk, range(8), True, Policy())
    outbox = Outbox(target.pk, attempts=[(target.pk, 1, 1, 1, 1, 1, 200, 1, None, None)], latencies=[3])
    outbox.positions = [(one.slot, one.fence, [5] * 8) for one in claimed]
    execute("UPDATE runner_slot SET fence = fence + 1 WHERE lanes = 6")
    with pytest.raises(LeaseLost):
        store.commit([outbox], [])
    assert rows(WHOLE) == []
    assert rows("SELECT DISTINCT c0 FROM runner_slot") == [(0,)]
    execute("UPDATE runner_slot SET fence = fence - 1 WHERE lanes = 6")
    store.commit([outbox], [])
    assert len(rows(WHOLE)) == 1
    assert rows("SELECT DISTINCT c0 FROM runner_slot") == [(5,)]


def test_latencies_are_counted_at_their_bounds(store: Store) -> None:
    target = a_target()
    bounds = [edge for bound in LATENCY_BOUNDS for edge in (bound, bound + 1)]
    store.commit([Outbox(target.pk, latencies=[0, *bounds])], [])
    found = rows(f"SELECT {', '.join(LATENCIES)} FROM rollup_delivered")[0]
    expected = [0] * len(LATENCIES)
    for latency in [0, *bounds]:
        expected[sum(latency > bound for bound in LATENCY_BOUNDS)] += 1
    assert list(found) == expected


def test_outcomes_wait_for_each_other_and_share_commits(log_database: Database) -> None:
    from delivery.runner import shift as module

    commits: list[int] = []
    performed = module.perform

    def counted(store: object, cycle: module.Cycle) -> module.News:
        commits.extend(len(outbox.attempts) for outbox in cycle.outboxes)
        return performed(store, cycle)  # type: ignore[arg-type]

    with a_sink() as sink:
        target = a_target(sink.url)
        publish([target.pk], *[(f"e{n}", f"s{n}") for n in range(2000)])
        module.perform = counted
        try:
            with on_duty():
                sink.wait_for(2000)
                time.sleep(0.1)
                assert rows("SELECT COUNT(*) FROM attempt") == [(2000,)]
        finally:
            module.perform = performed
    shared = [count for count in commits if count]
    assert sum(shared) == 2000
    assert len(shared) < 2000 / 8
