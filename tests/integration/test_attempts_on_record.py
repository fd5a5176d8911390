"""What tracking tells of attempts, those in packs and those with rows, against a list of all; and what they cost."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import Any

import pytest
from django.db import connection

from delivery.http import Timings
from delivery.log.schema import LATENCIES, LATENCY_BOUNDS, OUTCOMES
from delivery.runner import attempts as runner
from delivery.runner.database import Database as Rows
from delivery.tracking import attempts, upkeep
from delivery.tracking.read import now, rows
from delivery.tracking.words import RESENT, Outcome
from tests import recorded
from tests.databases import Database
from tests.events import a_rule, a_target
from tests.integration.sink import Sink, a_sink, eventually, exceptions, on_duty, publish

DELIVERED, RETRY, REJECTED = int(Outcome.DELIVERED), int(Outcome.RETRY), int(Outcome.REJECTED)
HOUR = 3600 * 1_000_000
TARGETS = (3, 4, 5)


@pytest.fixture
def some(log_database: Database) -> list[recorded.Recorded]:
    """2,000 events at three targets, one in ten taken at the second try, one in fifty refused; in commits of any size."""
    draw = random.Random(4)
    for target in TARGETS:
        left = list(range(1, 2001))
        while left:
            size = draw.choice([1, 1, 2, 7, 60, 300])
            part, left = left[:size], left[size:]
            draw.shuffle(part)
            record([row for seq in part for row in made(target, seq, draw)])
    return recorded.attempts(rows)


def made(target: int, seq: int, draw: random.Random) -> list[runner.AttemptRow]:
    at = now() - 2 * HOUR + seq * 1000 + draw.randrange(500)
    fate = draw.random()
    if fate < 0.02:
        return [(target, seq, 1, at, 900, REJECTED, 422, 1, "no", "no", None)]
    if fate < 0.12:
        first = (target, seq, 1, at, 900, RETRY, 503, 1, "not now", None, None)
        return [first, (target, seq, 2, at + 3000, 900, DELIVERED, 200, 1, None, None, None)]
    return [(target, seq, 1, at, draw.randrange(9000), DELIVERED, 200, 1, None, None, None)]


def record(made: list[runner.AttemptRow], worker: str = "a shift") -> None:
    database = Rows()
    with database.transaction():
        runner.record(database, made, worker)


@pytest.mark.parametrize(("outcome", "reason"), [(DELIVERED, None), (RETRY, "no answer")])
def test_an_attempt_that_was_two_requests_says_so(
    log_database: Database, outcome: int, reason: str | None
) -> None:
    """A kept connection that closes without an answer is replaced once, and the target may have seen both."""
    status = 200 if outcome == DELIVERED else None
    record([(3, 1, 1, now(), 900, outcome, status, 1, reason, None, Timings(resent=True))])
    record([(3, 2, 1, now(), 900, outcome, status, 1, reason, None, Timings(reused=True))])
    first, second = recorded.attempts(rows)
    assert first.reason == (f"{reason} {RESENT}" if reason else RESENT)
    assert second.reason == reason


def told(one: attempts.Attempt | recorded.Recorded) -> tuple[Any, ...]:
    return (one.target, one.seq, one.number, one.at, one.took, one.outcome, one.status)


def test_the_attempts_of_an_event_are_found(some: list[recorded.Recorded]) -> None:
    for seq in [1, 2, 3, 777, 1999, 2000, 2001]:
        expected = sorted((told(one) for one in some if one.seq == seq), key=lambda one: (one[3], one[2]))
        assert [told(one) for one in attempts.of_event(seq, TARGETS)] == expected


def test_the_newest_of_a_target_and_of_all_are_found(some: list[recorded.Recorded]) -> None:
    for limit in (1, 7, 50, 200):
        mine = sorted(
            (one for one in some if one.target == 4), key=lambda one: (one.seq, one.number), reverse=True
        )
        assert [told(one) for one in attempts.of_target(4, limit)] == [told(one) for one in mine[:limit]]
    # The last target's were recorded last.
    newest = sorted((one for one in some if one.target == 5), key=lambda one: one.at + one.took, reverse=True)
    shown = {told(one) for one in attempts.newest(8)}
    assert len(shown) == 8
    assert shown <= {told(one) for one in newest[:330]}
    failed = attempts.newest(40, failed=True)
    assert len(failed) == 40
    assert not any(one.delivered for one in failed)


def test_events_that_were_taken_are_counted(some: list[recorded.Recorded]) -> None:
    taken = {one.seq for one in some if one.target == 3 and one.outcome == DELIVERED}
    draw = random.Random(5)
    for count in (0, 1, 20, 1500):
        seqs = draw.sample(range(1, 2100), count)
        assert attempts.delivered_among(3, seqs) == len(taken.intersection(seqs))
    for seq in (0, 1000, 1990, 5000):
        assert attempts.delivered_after(3, seq, 20_000) == (sum(one > seq for one in taken), True)
    assert not attempts.delivered_after(3, 0, 100)[1]


def test_small_packs_are_merged_and_nothing_else_changes(some: list[recorded.Recorded]) -> None:
    young = (3, 5000, 1, now(), 5, DELIVERED, 200, 1, None, None, None)
    record([young])
    before, packs = recorded.attempts(rows), len(rows("SELECT id FROM attempt_pack"))
    saved = upkeep.merge_packs(time.monotonic() + 20)
    assert saved > packs / 3
    assert len(rows("SELECT id FROM attempt_pack")) == packs - saved
    assert sorted(map(told, recorded.attempts(rows))) == sorted(map(told, before))
    database = Rows()
    for one in random.Random(6).sample(before, 300):
        assert runner.is_recorded(database, one.target, one.seq, one.number)
    assert not runner.is_recorded(database, 3, 2001, 1)
    assert upkeep.merge_packs(time.monotonic() + 20) == 0


@pytest.mark.parametrize(("together", "bytes_each"), [(250, 30), (20, 40)])
def test_a_plain_success_costs_few_bytes_with_its_indexes(
    log_database: Database, together: int, bytes_each: int
) -> None:
    """Ten targets in turn, `together` successes of one target in a commit."""
    before = _size()
    succeed(100_000, together)
    cost = (_size() - before) / 100_000
    assert cost <= bytes_each, f"{cost:.1f} bytes"


def test_successes_one_by_one_cost_few_bytes_once_they_are_merged(log_database: Database) -> None:
    succeed(1000, 1)  # the tables' first pages
    before = _size()
    succeed(3_000, 1)
    upkeep.merge_packs(time.monotonic() + 60)

    def cost() -> float:
        # What was freed is used again by those that come; here none do. PostgreSQL keeps it while a transaction that
        # began before is open: its own analysis of the table may be one.
        with connection.cursor() as cursor:
            cursor.execute("VACUUM FULL attempt_pack" if connection.vendor == "postgresql" else "VACUUM")
        return (_size() - before) / 3_000

    eventually(lambda: cost() <= 40, "each costs at most 40 bytes", 20)


def succeed(count: int, together: int) -> None:
    """Records `count` successes an hour ago."""
    at = now() - HOUR
    database = Rows()
    with database.transaction():
        for first in range(0, count, together * 10):
            for target in range(10):
                commit: list[runner.AttemptRow] = [
                    (
                        target,
                        first + n * 10 + target,
                        1,
                        at + n,
                        3000 + n,
                        DELIVERED,
                        200,
                        1,
                        None,
                        None,
                        None,
                    )
                    for n in range(together)
                ]
                runner.record(database, commit, "worker-7d9f8b6c5d-x2x4z-4711-0123abcd")


def _size() -> int:
    if connection.vendor == "postgresql":
        return int(
            rows("SELECT pg_total_relation_size('attempt') + pg_total_relation_size('attempt_pack')")[0][0]
        )
    return int(rows("PRAGMA page_count")[0][0]) * int(rows("PRAGMA page_size")[0][0])


def test_the_counts_are_what_happened(log_database: Database) -> None:
    """Three targets, answers at random, a dead letter that is dropped: every count against the attempts and events."""
    from rules.revisions import save_rule

    draw = random.Random(7)
    with a_sink() as sink:
        sink.answer = lambda path, name, subject, times: (
            draw.choices([200, 422, 503], [8, 1, 2])[0] if times < 3 else 200
        )
        targets = [
            a_target(
                f"{sink.url}{at}",
                rule=save_rule(a_rule(f"rule {at}")),
                order=order,
                after_dead_letter="continue",
                max_attempts=2,
            )
            for at, order in enumerate(("none", "key", "none"))
        ]
        names = [(f"e{n}", f"s{n % 40}") for n in range(150)]
        publish([target.pk for target in targets], *names)
        with on_duty():
            eventually(lambda: _is_quiet(targets, sink), "everything came to an end", 120)
            _discard_some(targets[0].pk)
            eventually(
                lambda: rows("SELECT 1 FROM runner_exception WHERE state = 4") == [], "they are dropped"
            )
    received = dict(rows("SELECT seq, received_at FROM log_event"))
    size = dict(rows("SELECT seq, raw FROM log_event"))
    made = recorded.attempts(rows)
    assert {one.outcome for one in made} >= {
        Outcome.DELIVERED,
        Outcome.RETRY,
        Outcome.REJECTED,
        Outcome.DISCARDED,
    }
    for target in targets:
        mine = [one for one in made if one.target == target.pk]
        outcomes = Counter(one.outcome for one in mine)
        counted = _counted(target.pk)
        assert counted["delivered"] == outcomes[Outcome.DELIVERED]
        assert counted["rejected"] == outcomes[Outcome.REJECTED]
        assert counted["discarded"] == outcomes[Outcome.DISCARDED]
        assert counted["unknown"] == outcomes[Outcome.UNKNOWN]
        assert counted["retried"] + counted["dead"] == outcomes[Outcome.RETRY] + outcomes[Outcome.REJECTED]
        gave_up = rows("SELECT COUNT(*) FROM runner_exception WHERE target = %s AND state = 3", [target.pk])[
            0
        ][0]
        assert counted["dead"] == gave_up + outcomes[Outcome.DISCARDED]
        sent = [one for one in mine if one.outcome not in (Outcome.DISCARDED, Outcome.UNKNOWN)]
        assert counted["bytes"] == sum(len(size[one.seq]) for one in sent)
        latencies = [
            max(0, one.at + one.took - received[one.seq]) // 1000 for one in mine if one.outcome == DELIVERED
        ]
        assert [counted[f"l{n}"] for n in range(len(LATENCIES))] == _histogram(latencies)
        assert [counted[f"d{n}"] for n in range(len(LATENCIES))] == _histogram(
            [one.took // 1000 for one in sent]
        )


def _is_quiet(targets: list[Any], sink: Sink) -> bool:
    ended = {(one.target, one.seq) for one in recorded.attempts(rows) if one.outcome == DELIVERED}
    dead = sum(len(exceptions(target.pk)) for target in targets)
    return len(ended) + dead == 450 and rows("SELECT 1 FROM runner_exception WHERE state <> 3 LIMIT 1") == []


def _discard_some(target: int) -> None:
    from unittest.mock import patch

    from delivery.deadletters import asking
    from delivery.deadletters.chosen import Chosen

    seqs = [
        seq for (seq,) in rows("SELECT seq FROM runner_exception WHERE target = %s AND state = 3", [target])
    ]
    letters = tuple((target, seq) for seq in seqs[:3])
    with patch.object(asking, "UNDO", 0):
        assert asking.ask("discard", Chosen(letters=letters), reason="a test").done == 3


def _counted(target: int) -> Counter[str]:
    names = ["delivered", "retried", "dead", *OUTCOMES, *LATENCIES, *(f"d{n}" for n in range(len(LATENCIES)))]
    sums = rows(
        f"SELECT {', '.join(f'SUM({name})' for name in names)} FROM rollup_delivered WHERE target = %s",
        [target],
    )
    return Counter(dict(zip(names, map(int, sums[0]), strict=True)))


def _histogram(milliseconds: list[int]) -> list[int]:
    counts = [0] * len(LATENCIES)
    for one in milliseconds:
        counts[sum(one > bound for bound in LATENCY_BOUNDS)] += 1
    return counts
