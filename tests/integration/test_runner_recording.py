"""What a shift commits: many attempts in few statements, and nothing at all without every lease."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from delivery.http import Timings
from delivery.log.schema import LATENCIES, LATENCY_BOUNDS
from delivery.runner import attempts
from delivery.runner.database import Database as Rows
from delivery.runner.items import Outbox
from delivery.runner.lease import LeaseLost
from delivery.runner.policy import Policy
from delivery.runner.store import Store
from delivery.tracking.words import Outcome
from tests import recorded
from tests.databases import Database
from tests.events import a_target
from tests.integration.sink import a_sink, execute, on_duty, publish, rows


@pytest.fixture
def store(log_database: Database) -> Iterator[Store]:
    found = Store(Rows(), "a shift")
    yield found
    found.database.close()


@pytest.mark.parametrize("count", [0, 1, 3, 17, 149, 300])
def test_any_number_of_attempts_is_recorded_as_it_is(store: Store, count: int) -> None:
    opened = Timings(0.001, 0.002, 0.0, 0.004, 0.01, False)
    made = [
        (
            7,
            n * 37,
            1,
            1_764_000_000_000_000 + n,
            5,
            int(Outcome.DELIVERED),
            200,
            1 + n % 2,
            None,
            None,
            opened,
        )
        if n % 3
        else (
            7,
            n * 37,
            2,
            1_764_000_000_000_000,
            0,
            int(Outcome.RETRY),
            None,
            0,
            "It says: ü.",
            "answer",
            None,
        )
        for n in range(count)
    ]
    with store.database.transaction():
        attempts.record(store.database, made, "a shift")
    found = recorded.attempts(rows)
    assert [one[:10] for one in found] == [row[:10] for row in made]
    assert {one.worker for one in found} <= {"a shift"}
    assert [one.phases for one in found] == [
        (1000, 2000, None, 4000) if row[2] == 1 else (None,) * 4 for row in made
    ]
    assert rows("SELECT COUNT(*) FROM attempt") == [(sum(row[2] == 2 for row in made),)]


def test_what_is_on_record_is_found_and_nothing_else(store: Store) -> None:
    """A crash is recovered from by these answers, whether an attempt has a row or is one of many in a pack."""
    delivered, retry, discarded = int(Outcome.DELIVERED), int(Outcome.RETRY), int(Outcome.DISCARDED)
    plain = [n for n in range(1, 20_000) if n % 97 == 5]
    again = [n for n in range(1, 20_000) if n % 97 == 6]
    made = [(7, n, 1, 10**15 + n, 5, delivered, 200, 1, None, None, None) for n in plain]
    made += [(7, n, 1, 10**15 + n, 5, retry, 503, 1, "no", None, None) for n in again]
    made += [(7, again[0], 2, 10**15, 5, delivered, 200, 1, None, None, None)]
    made += [(7, again[1], 2, 10**15, 0, discarded, None, 1, None, None, None)]
    with store.database.transaction():
        attempts.record(store.database, made, "a shift")
        # Another target's, over the same events: it is not to be mistaken for this one's.
        others = [(8, n, 1, 10**15, 5, delivered, 200, 1, None, None, None) for n in range(1, 20_000, 3)]
        attempts.record(store.database, others, "a shift")
    assert len(rows("SELECT * FROM attempt_pack WHERE target = 7")) < len(plain) / 8
    for seq in [*range(1, 400), *range(19_000, 20_000), 10**6]:
        assert attempts.is_recorded(store.database, 7, seq, 1) == (seq in plain or seq in again), seq
        assert attempts.is_recorded(store.database, 7, seq, 2) == (seq in plain or seq in again[:2]), seq
    for least in (0, 101, 5000, 30_000):
        tried, ended = attempts.above(store.database, 7, least)
        assert ended == {seq for seq in [*plain, *again[:2]] if seq > least}
        assert tried == {seq: 2 if seq in again[:2] else 1 for seq in again if seq > least}


def test_one_lease_that_was_taken_over_is_enough_to_record_nothing(store: Store) -> None:
    target = a_target()
    claimed = store.claim(target.pk, range(8), True, Policy())
    outbox = Outbox(target.pk, attempts=[(target.pk, 1, 1, 1, 1, 1, 200, 1, None, None, None)], latencies=[3])
    outbox.positions = [(one.slot, one.fence, [5] * 8) for one in claimed]
    execute("UPDATE runner_slot SET fence = fence + 1 WHERE lanes = 6")
    with pytest.raises(LeaseLost):
        store.commit([outbox], [])
    assert recorded.attempts(rows) == []
    assert rows("SELECT DISTINCT c0 FROM runner_slot") == [(0,)]
    execute("UPDATE runner_slot SET fence = fence - 1 WHERE lanes = 6")
    store.commit([outbox], [])
    assert len(recorded.attempts(rows)) == 1
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
                assert len(recorded.attempts(rows)) == 2000
        finally:
            module.perform = performed
    shared = [count for count in commits if count]
    assert sum(shared) == 2000
    assert len(shared) < 2000 / 8
