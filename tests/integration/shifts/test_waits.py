"""When an event is tried again, when it is given up, and how fast it may go."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from delivery.deadletters.asking import redrive
from delivery.tracking.words import State
from rules.models import Target
from rules.revisions import grant_rate, set_state
from tests.events import a_target
from tests.integration.shifts.delivered import in_order, named, share, to_be_shared
from tests.integration.sink import SOON, Sink, exceptions, on_duty, publish, rows
from tests.processes import eventually
from tests.recorded import attempts


def test_no_attempt_comes_inside_the_window_that_the_target_asked_for(sink: Sink) -> None:
    target = a_target(sink.url)
    asked: list[float] = []

    def retry_after(times: int) -> str:
        asked.append(time.time())
        # A date has whole seconds: two from now is more than one away.
        return "1" if times == 1 else formatdate(int(time.time()) + 2, usegmt=True)

    sink.retry_after = retry_after
    sink.answer = lambda path, name, subject, times: 429 if times <= 2 else 200
    publish([target.pk], ("e0", "A"))
    with on_duty():
        sink.wait_for(1)
    came = [seen.at for seen in sink.seen]
    assert came[1] - asked[0] >= 1
    assert came[2] >= int(asked[1]) + 2
    assert came[2] - asked[0] < 8


def test_the_window_is_followed_up_to_the_ceiling_of_the_target(sink: Sink) -> None:
    target = a_target(sink.url, longest_asked=0.5)
    sink.retry_after = lambda times: "3600"
    sink.answer = lambda path, name, subject, times: 503 if times == 1 else 200
    publish([target.pk], ("e0", "A"))
    with on_duty():
        sink.wait_for(1)
    assert 0.5 <= sink.seen[1].at - sink.seen[0].at < 30


@pytest.mark.usefixtures("quick_looks")
def test_an_event_is_given_up_by_its_age_and_the_time_at_rest_does_not_count(sink: Sink) -> None:
    target = a_target(sink.url, max_age=1.5, max_attempts=1000, breaker=False)
    sink.answer = lambda path, name, subject, times: 503
    publish([target.pk], ("e0", "A"))
    with on_duty():
        eventually(lambda: exceptions(target.pk) == {1: State.RETRY}, "it is tried again")
        set_state(target, Target.State.PAUSED)
        time.sleep(2.0)
        target.refresh_from_db()
        set_state(target, Target.State.RUNNING)
        resumed = time.time()
        eventually(lambda: len(sink.seen) >= 2 and sink.seen[-1].at > resumed, "it is tried after its rest")
        assert exceptions(target.pk) == {1: State.RETRY}
        eventually(lambda: exceptions(target.pk) == {1: State.DEAD}, "it is given up")
    last = sink.seen[-1].at
    assert 0.8 < last - resumed < 1.6
    # What is redriven is as new.
    sink.answer = lambda path, name, subject, times: 503 if sink.seen[-1].at - last < 1 else 200
    with on_duty():
        assert redrive(target.pk) == 1
        eventually(lambda: sink.taken == ["e0"], "it is taken within another such time", 20)
    assert sink.seen[-1].redriven
    assert not sink.seen[0].redriven
    said = rows("SELECT reason FROM attempt WHERE target = %s ORDER BY number DESC LIMIT 1", target.pk)
    assert "Redriven" in said[0][0]


@pytest.mark.usefixtures("quick_looks")
def test_two_shifts_together_keep_the_rate(sink: Sink) -> None:
    target = a_target(sink.url, rate_limit=40)
    to_be_shared(target.pk)
    published = 0

    def more() -> None:
        nonlocal published
        publish([target.pk], *[(f"e{published + n}", f"s{n}") for n in range(50)])
        published += 50

    with on_duty(600, 600):
        share(target.pk, more)
        for _ in range(3):
            more()
        sink.wait_for(published)
    assert len(sink.seen) == published
    # When they were sent, not when they came: on a loaded machine a sink reads late, several at once.
    eventually(lambda: len(attempts(rows)) == published, "all are on record")
    came = sorted(one.at / 1_000_000 for one in attempts(rows))
    # A second's worth at once, then 40 a second; what comes late may come together, half a second of it.
    for index, at in enumerate(came):
        for window in (1.0, 2.0, 3.0):
            assert sum(at <= one < at + window for one in came[index:]) <= 40 * (window + 1.5) + 1
    assert came[-1] - came[0] >= (published - 40) / 40 - 0.5


@pytest.mark.usefixtures("quick_looks")
def test_the_rate_that_a_target_grants_itself_counts_and_may_change(sink: Sink) -> None:
    target = a_target(sink.url, rate_limit=1000)
    grant_rate(target, 120)
    publish([target.pk], *named(0, 60))
    with on_duty():
        sink.wait_for(4)
        time.sleep(1.5)
        assert len(sink.seen) <= 2 * 4 + 4
        grant_rate(target, None)
        before = time.time()
        sink.wait_for(60)
        assert time.time() - before < 15 + SOON
    in_order(sink, 60)
