"""`manage.py reconcile`: each fault that is planted is found where it is and mended; a healthy Signalbox has none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from delivery.models import Reconciliation
from delivery.reconcile.checking import LONG_AGO
from delivery.reconcile.work import CHECKS, run, work
from delivery.tracking import packing
from delivery.tracking.read import MINUTE, now
from delivery.tracking.words import Outcome, State
from tests import recorded
from tests.databases import Database
from tests.events import a_target
from tests.integration.sink import Sink, a_sink, exceptions, execute, on_duty, publish, rows
from tests.processes import eventually


@pytest.fixture
def sink() -> Iterator[Sink]:
    with a_sink() as found:
        yield found


@pytest.fixture
def target(log_database: Database, sink: Sink) -> Any:
    """A target that has delivered forty events, holds one back, with two behind it, and has one dead letter."""
    found = a_target(sink.url, first_delay=3000.0, longest_delay=3000.0)
    sink.answer = lambda path, name, subject, times: {"late": 503, "dead": 422}.get(name, 200)
    publish([found.pk], *[(f"e{n}", f"s{n}") for n in range(40)])
    publish([found.pk], ("late", "L"), ("behind", "L"), ("further", "L"), ("dead", "D"))
    with on_duty():
        sink.wait_for(40)
        eventually(lambda: len(exceptions(found.pk)) == 4, "four are exceptions")
        eventually(lambda: rows("SELECT * FROM runner_flight") == [], "nothing is in flight")
    held = [state for _, state in sorted(exceptions(found.pk).items())]
    assert held == [State.RETRY, State.WAITING, State.WAITING, State.DEAD]
    assert run(fix=False) == []
    return found


def seq_of(name: str) -> int:
    return int(rows("SELECT seq FROM log_event WHERE ce_id = %s", name)[0][0])


def found_by(name: str) -> list[dict[str, int]]:
    """The places that this check finds, and that no other check finds anything."""
    findings = run(fix=False)
    assert [finding.check.name for finding in findings] == [name]
    assert findings[0].count == len(findings[0].sample)
    return findings[0].sample


def mended() -> None:
    findings = run(fix=True)
    assert [finding.left for finding in findings] == [0] * len(findings)
    assert run(fix=False) == []


def a_fault(name: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    FAULTS.add(name)
    return lambda test: test


FAULTS: set[str] = set()


@a_fault("exception-without-content")
def test_an_exception_without_content_gets_it_back_from_the_log(target: Any) -> None:
    late = seq_of("late")
    before = rows("SELECT raw FROM runner_exception WHERE seq = %s", late)
    execute("UPDATE runner_exception SET raw = %s WHERE seq = %s", b"", late)
    assert found_by("exception-without-content") == [{"target": target.pk, "seq": late}]
    mended()
    after = rows("SELECT raw FROM runner_exception WHERE seq = %s", late)
    assert bytes(after[0][0]) == bytes(before[0][0])


def test_content_that_the_log_has_dropped_cannot_be_mended_and_is_said_each_time(target: Any) -> None:
    late = seq_of("late")
    execute("DELETE FROM log_event WHERE seq = %s", late)
    execute("UPDATE runner_exception SET raw = %s WHERE seq = %s", b"", late)
    for _ in range(2):
        (finding,) = run(fix=True)
        assert (finding.check.name, finding.count, finding.mended) == ("exception-without-content", 1, 0)


@a_fault("exception-without-reason")
@pytest.mark.parametrize("reason", [None, ""])
def test_a_dead_letter_and_a_retry_without_reason_get_that_of_their_attempt(
    target: Any, reason: str | None
) -> None:
    before = rows("SELECT seq, reason FROM runner_exception WHERE reason IS NOT NULL ORDER BY seq")
    assert len(before) == 2
    execute("UPDATE runner_exception SET reason = %s WHERE reason IS NOT NULL", reason)
    assert [place["seq"] for place in found_by("exception-without-reason")] == [seq for seq, _ in before]
    mended()
    assert rows("SELECT seq, reason FROM runner_exception WHERE reason IS NOT NULL ORDER BY seq") == before


@a_fault("retry-without-time")
def test_a_retry_without_a_time_is_due_and_delivered(target: Any, sink: Sink) -> None:
    execute("UPDATE runner_exception SET due_at = NULL WHERE state = %s", int(State.RETRY))
    assert found_by("retry-without-time") == [{"target": target.pk, "seq": seq_of("late")}]
    mended()
    sink.answer = lambda path, name, subject, times: 200
    with on_duty():
        sink.wait_for(43)
    assert sink.taken_of("L") == ["late", "behind", "further"]


@a_fault("dead-letter-with-time")
def test_a_dead_letter_is_not_sent_by_a_time_that_it_should_not_have(target: Any) -> None:
    execute("UPDATE runner_exception SET due_at = %s WHERE state = %s", now() + 10**9, int(State.DEAD))
    assert found_by("dead-letter-with-time") == [{"target": target.pk, "seq": seq_of("dead")}]
    mended()
    assert rows("SELECT due_at FROM runner_exception WHERE state = %s", int(State.DEAD)) == [(None,)]


@a_fault("waiting-for-nothing")
@pytest.mark.parametrize("order", ["key", "all", "none"])
def test_what_waits_behind_one_that_is_gone_is_freed_in_its_order(
    target: Any, sink: Sink, order: str
) -> None:
    late = seq_of("late")
    execute("DELETE FROM runner_exception WHERE seq = %s", late)
    if order != "key":
        execute('UPDATE rules_target SET "order" = %s', order)
        execute("UPDATE runner_slot SET mode = %s", order)
        execute("UPDATE runner_exception SET blocks = 0 WHERE state = %s", int(State.DEAD))
    execute("DELETE FROM log_route WHERE seq = %s", late)
    heads = ["behind", "further"] if order == "none" else ["behind"]
    assert [place["seq"] for place in found_by("waiting-for-nothing")] == [seq_of(name) for name in heads]
    mended()
    with on_duty():
        sink.wait_for(42)
    if order != "none":
        assert sink.taken_of("L") == ["behind", "further"]


@a_fault("head-below-log")
def test_a_head_below_the_newest_event_is_raised_before_a_number_is_given_twice(target: Any) -> None:
    newest = rows("SELECT MAX(seq) FROM log_event")[0][0]
    execute("UPDATE log_head SET seq = %s", newest - 3)
    found = {finding.check.name for finding in run(fix=False)}
    assert found == {"head-below-log", "cursor-above-head"}
    mended()
    assert rows("SELECT seq FROM log_head") == [(newest,)]
    publish([target.pk], ("new", "N"))
    assert seq_of("new") == newest + 1


@a_fault("cursor-above-head")
def test_a_cursor_above_the_head_does_not_swallow_what_comes(target: Any, sink: Sink) -> None:
    execute("UPDATE runner_slot SET c3 = 1000000 WHERE lanes = 2")
    assert found_by("cursor-above-head") == [{"target": target.pk, "lanes": 2}]
    mended()
    publish([target.pk], *[(f"n{n}", f"s{n}") for n in range(100)])
    with on_duty():
        sink.wait_for(140)


@a_fault("lease-beyond-time")
def test_a_lease_without_end_is_ended_and_its_holder_notices(target: Any, sink: Sink) -> None:
    execute("UPDATE runner_slot SET owner = 'nobody', until = %s WHERE lanes = 1", now() + 10**12)
    assert found_by("lease-beyond-time") == [{"target": target.pk, "lanes": 1}]
    fence = rows("SELECT fence FROM runner_slot WHERE lanes = 1")[0][0]
    mended()
    assert rows("SELECT owner, until, fence FROM runner_slot WHERE lanes = 1") == [(None, 0, fence + 1)]
    publish([target.pk], *[(f"n{n}", f"s{n}") for n in range(100)])
    with on_duty():
        sink.wait_for(140)


@a_fault("hint-missing")
@pytest.mark.parametrize("how", ["DELETE FROM log_ready", "UPDATE log_ready SET seq = 1"])
def test_events_without_a_hint_are_found_by_shifts_again(target: Any, sink: Sink, how: str) -> None:
    publish([target.pk], ("n1", "s1"), ("n2", "s1"))
    hints = rows("SELECT lanes, seq FROM log_ready WHERE seq >= %s", seq_of("n1"))
    execute(how)
    assert [(place["lanes"], place["seq"]) for place in found_by("hint-missing")] == hints
    mended()
    with on_duty():
        sink.wait_for(42)


@a_fault("flight-of-dead-shift")
def test_what_a_dead_shift_had_in_flight_is_recorded_as_unknown(target: Any, sink: Sink) -> None:
    publish([target.pk], ("n1", "s1"))
    seq = seq_of("n1")
    lane = rows("SELECT lane FROM log_event WHERE seq = %s", seq)[0][0]
    execute(
        "INSERT INTO runner_flight (target, owner, at, seqs) VALUES (%s, 'dead', %s, %s)",
        target.pk,
        now() - LONG_AGO - 1,
        json.dumps([[lane, seq, 1], [lane, 1, 1]]),
    )
    assert [place["target"] for place in found_by("flight-of-dead-shift")] == [target.pk]
    mended()
    assert rows("SELECT * FROM runner_flight") == []
    assert rows("SELECT number, outcome FROM attempt WHERE seq = %s", seq) == [(1, Outcome.UNKNOWN)]
    assert [(one.number, one.outcome) for one in recorded.attempts(rows) if one.seq == 1] == [
        (1, Outcome.DELIVERED)
    ]
    assert rows("SELECT 1 FROM runner_slot WHERE until > 0") == []
    with on_duty():
        sink.wait_for(41)


def test_what_a_living_shift_has_in_flight_is_left_alone(target: Any, sink: Sink) -> None:
    sink.answer = lambda path, name, subject, times: (200, 1.0)
    publish([target.pk], ("n1", "s1"))
    with on_duty():
        eventually(lambda: len(rows("SELECT * FROM runner_flight")) == 1, "it is in flight")
        execute("UPDATE runner_flight SET at = 1")
        assert run(fix=False) == []


@a_fault("passed-over")
def test_what_a_cursor_passed_without_a_trace_is_sent(target: Any, sink: Sink) -> None:
    publish([target.pk], ("lost", "s1"))
    seq = seq_of("lost")
    lane = rows("SELECT lane FROM log_event WHERE seq = %s", seq)[0][0]
    execute(
        f"UPDATE runner_slot SET c{lane % 8} = %s WHERE target = %s AND lanes = %s", seq, target.pk, lane // 8
    )
    assert found_by("passed-over") == [{"target": target.pk, "seq": seq}]
    mended()
    with on_duty():
        sink.wait_for(41)
        eventually(lambda: seq not in exceptions(target.pk), "it is no exception any more")
    assert "lost" in sink.taken


@a_fault("route-without-event")
def test_a_route_whose_event_is_gone_is_dropped(target: Any) -> None:
    publish([target.pk], ("n1", "s1"))
    seq = seq_of("n1")
    execute("DELETE FROM log_event WHERE seq = %s", seq)
    assert [place["seq"] for place in found_by("route-without-event")] == [seq]
    mended()
    assert rows("SELECT 1 FROM log_route WHERE seq = %s", seq) == []


@a_fault("target-gone")
def test_rows_of_a_deleted_target_go(target: Any) -> None:
    execute("INSERT INTO log_route (target, lanes, seq, lane) VALUES (990, 0, 1, 0), (991, 0, 1, 0)")
    execute("INSERT INTO log_ready (target, lanes, seq) VALUES (990, 0, 1)")
    execute("INSERT INTO runner_suspect (target, seq, lane, number, deaths) VALUES (992, 1, 0, 1, 1)")
    assert found_by("target-gone") == [{"target": 990}, {"target": 991}, {"target": 992}]
    mended()
    assert rows("SELECT 1 FROM log_route WHERE target > 900") == []


@a_fault("counts-differ")
def test_counts_that_differ_from_the_attempts_are_counted_again(target: Any) -> None:
    minutes_ago = 6
    # As if the last minutes were some minutes ago: the newest are still being counted.
    execute(f"UPDATE attempt SET at = at - {minutes_ago * MINUTE}")
    for pk, lo, body in rows("SELECT id, lo, body FROM attempt_pack"):
        worker, revision = packing.maker_of(body)
        earlier = [
            packing.Plain(one.seq, one.at - minutes_ago * MINUTE, one.took, one.status, None)
            for one in packing.unpack(lo, body)
        ]
        (packed,) = packing.pack(earlier, revision, worker)
        execute("UPDATE attempt_pack SET body = %s WHERE id = %s", packed.body, pk)
    execute(f"UPDATE rollup_delivered SET minute = minute - {minutes_ago}")
    execute(
        "INSERT INTO attempt (target, seq, number, at, took, outcome, revision) VALUES (%s, 1, 0, %s, 0, %s, 0)",
        target.pk + 1,
        now() - 20 * MINUTE,
        int(Outcome.UNKNOWN),
    )
    # The first attempt of all bounds what can be compared: it has to be older than the others.
    execute("UPDATE attempt SET id = id + 1000")
    execute("UPDATE attempt SET id = 1 WHERE number = 0")
    assert run(fix=False) == []
    before = rows(
        "SELECT SUM(delivered), SUM(retried), SUM(dead), SUM(l0 + l1 + l2 + l3 + l4 + l5 + l6 + l7 + l8 + l9 + l10 + l11 + l12 + l13 + l14) FROM rollup_delivered"
    )
    execute("UPDATE rollup_delivered SET delivered = delivered + 5, retried = 0")
    assert [place["target"] for place in found_by("counts-differ")] == [target.pk]
    mended()
    assert (
        rows(
            "SELECT SUM(delivered), SUM(retried), SUM(dead), SUM(l0 + l1 + l2 + l3 + l4 + l5 + l6 + l7 + l8 + l9 + l10 + l11 + l12 + l13 + l14) FROM rollup_delivered"
        )
        == before
    )


def test_each_check_has_a_fault_that_is_planted() -> None:
    assert {check.name for check in CHECKS} == FAULTS


def reconcile(*arguments: str) -> tuple[int, str]:
    """Exit status and output."""
    out = StringIO()
    try:
        call_command("reconcile", *arguments, stdout=out)
    except SystemExit as error:
        return int(str(error.code)), out.getvalue()
    return 0, out.getvalue()


def test_the_command_says_what_is_wrong_and_ends_with_a_status(target: Any) -> None:
    status, said = reconcile()
    assert (status, said.startswith(f"All is well: {len(CHECKS)} checks")) == (0, True)
    execute("UPDATE runner_exception SET due_at = NULL WHERE state = %s", int(State.RETRY))
    status, said = reconcile("--since", "2h")
    assert status == 1
    assert "retry-without-time: 1 found" in said
    assert f"target {target.pk}, seq {seq_of('late')}" in said
    assert "--fix makes them due now" in said
    status, said = reconcile("--json")
    document = json.loads(said)
    assert (status, document["ok"], [finding["name"] for finding in document["findings"]]) == (
        1,
        False,
        ["retry-without-time"],
    )
    status, said = reconcile("--fix", "--json")
    assert (status, json.loads(said)["ok"], json.loads(said)["findings"][0]["mended"]) == (0, True, 1)
    assert reconcile("--fix")[0] == 0


def test_the_hourly_look_mends_and_keeps_what_it_found_and_is_done_by_one_worker(target: Any) -> None:
    Reconciliation.objects.all().delete()
    execute("UPDATE runner_exception SET due_at = NULL WHERE state = %s", int(State.RETRY))
    assert work()
    assert not work(), "another had its turn less than an hour ago"
    (kept,) = Reconciliation.objects.all()
    assert [(one["name"], one["count"], one["mended"]) for one in kept.found] == [
        ("retry-without-time", 1, 1)
    ]
    execute("UPDATE log_follower SET due_at = 1 WHERE name = 'reconcile'")
    assert work()
    assert Reconciliation.objects.latest("pk").found == []


def test_a_shift_at_work_is_no_finding(target: Any, sink: Sink) -> None:
    sink.answer = lambda path, name, subject, times: 503 if times == 1 and name.endswith("7") else (200, 0.01)
    with on_duty(600, 600):
        for part in range(10):
            publish([target.pk], *[(f"p{part}-{n}", f"k{n % 20}") for n in range(60)])
            assert run(fix=True) == []


def test_the_metrics_are_read_on_both_databases(target: Any) -> None:
    from django.test import RequestFactory

    from delivery.pages.metrics import metrics

    work()
    publish([target.pk], ("new", "N"))
    text = metrics(RequestFactory().get("/metrics")).content.decode()
    named = f'{{target="{target.pk}",name="{target.name}"}}'
    assert "signalbox_received_total 45\n" in text
    assert f"signalbox_waiting{named} 4\n" in text
    assert f"signalbox_dead_letters{named} 1\n" in text
    assert re.search(rf"^signalbox_waiting_oldest_seconds{re.escape(named)} [0-9.]+$", text, re.MULTILINE)
    assert text.count("signalbox_reconcile_findings{") == len(CHECKS)
