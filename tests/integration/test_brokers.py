"""The same deliveries over every broker, and without: a message is a doorbell, whatever becomes of it."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from delivery.runner.shift import STAY
from delivery.supervision.queues import DUTIES, QUEUES, schedule, task_of
from delivery.tracking.words import Outcome
from tests import recorded
from tests.databases import default_database
from tests.events import a_target
from tests.integration.brokers import Broker, a_broker, send_rubbish
from tests.integration.sink import Sink, a_sink, leases, publish, rows
from tests.processes import Town, eventually

REDIS = pytest.param("redis", marks=pytest.mark.service("redis-server"))
# Seconds in which a worker that ended is there again, on a machine that runs other tests too.
AGAIN = 180.0
RABBITMQ = pytest.param("rabbitmq", marks=pytest.mark.service("rabbitmq", "rabbitmqctl"))


@pytest.fixture
def sink() -> Iterator[Sink]:
    with a_sink() as found:
        yield found


@pytest.fixture
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    with a_broker(request.param, tmp_path) as found:
        yield found


@pytest.fixture
def at(new_town: Callable[..., Town], django_db_blocker: Any) -> Iterator[Callable[..., Town]]:
    """A function that makes a town with settings, whose database is this process's own."""
    from contextlib import ExitStack

    with ExitStack() as stack, django_db_blocker.unblock():

        def made(**environment: str) -> Town:
            town = new_town(environment=environment)
            stack.enter_context(default_database(town))
            return town

        yield made


def named(first: int, last: int) -> list[tuple[str, str]]:
    return [(f"e{n}", f"s{n % 20}") for n in range(first, last)]


def url_of(broker: Broker) -> dict[str, str]:
    return {"CELERY_BROKER_URL": broker.url} if broker.url else {}


def each_once(sink: Sink, count: int) -> None:
    assert sorted(sink.taken) == sorted(f"e{n}" for n in range(count))
    for subject, taken in sink.by_subject().items():
        assert taken == [name for name, s in named(0, count) if s == subject]


@pytest.mark.parametrize("broker", ["memory", REDIS, RABBITMQ], indirect=True)
def test_everything_is_delivered_once_while_the_broker_forgets_is_filled_with_rubbish_and_away(
    at: Callable[..., Town], broker: Broker, sink: Sink
) -> None:
    town = at(**url_of(broker))
    target = a_target(sink.url)
    town.start("work")
    publish([target.pk], *named(0, 50))
    sink.wait_for(50)
    broker.flush()
    publish([target.pk], *named(50, 100))
    sink.wait_for(100)
    if broker.url:
        send_rubbish(broker, 100)
    publish([target.pk], *named(100, 150))
    sink.wait_for(150, AGAIN)
    broker.kill()
    for part in range(150, 200, 10):
        publish([target.pk], *named(part, part + 10))
        sink.wait_for(part + 10, AGAIN)
    broker.start()
    publish([target.pk], *named(200, 250))
    sink.wait_for(250, AGAIN)
    assert town.stop("work") == 0
    each_once(sink, 250)
    assert leases() == []
    assert rows("SELECT 1 FROM attempt WHERE outcome = %s", int(Outcome.UNKNOWN)) == []


@pytest.mark.parametrize("broker", [RABBITMQ], indirect=True)
def test_two_workers_of_one_machine_are_two_to_the_broker(at: Callable[..., Town], broker: Broker) -> None:
    """Under one name the second would end: "cannot obtain exclusive access to locked queue"."""
    town = at(**url_of(broker))
    town.start("work", "worker")
    eventually(lambda: len(set(re.findall(r"(\S+@\S+) ready\.", town.output()))) == 2, "two are ready")
    assert "RESOURCE_LOCKED" not in town.output()


@pytest.mark.parametrize("broker", [REDIS], indirect=True)
def test_a_worker_that_starts_without_its_broker_works(
    at: Callable[..., Town], broker: Broker, sink: Sink
) -> None:
    town = at(**url_of(broker))
    target = a_target(sink.url)
    broker.kill()
    town.start("work", ready=False)
    publish([target.pk], *named(0, 50))
    sink.wait_for(50)
    broker.start()
    town.wait_until_ready("work")
    assert town.stop("work") == 0
    each_once(sink, 50)


@pytest.mark.parametrize("broker", [REDIS], indirect=True)
def test_a_broker_that_stands_still_keeps_nobody_from_working(
    at: Callable[..., Town], broker: Any, sink: Sink
) -> None:
    """For longer than a shift: the next one begins without a doorbell, and the one before ends what it sends."""
    town = at(**url_of(broker))
    target = a_target(sink.url)
    sink.answer = lambda path, name, subject, times: (200, 0.2)
    town.start("work")
    publish([target.pk], *named(0, 10))
    sink.wait_for(10)
    shifts = {rows("SELECT id FROM runner_shift")[0][0]}
    broker.stop(signal.SIGSTOP)
    count = 10
    ends = time.monotonic() + STAY + 10
    while time.monotonic() < ends or len(shifts) < 2:
        publish([target.pk], *named(count, count + 10))
        count += 10
        sink.wait_for(count)
        shifts |= {shift for (shift,) in rows("SELECT id FROM runner_shift")}
        assert time.monotonic() < ends + AGAIN
        time.sleep(1)
    broker.stop(signal.SIGCONT)
    assert town.stop("work") == 0
    each_once(sink, count)
    assert rows("SELECT 1 FROM attempt WHERE outcome = %s", int(Outcome.UNKNOWN)) == []


@pytest.mark.parametrize("broker", [REDIS], indirect=True)
def test_a_worker_works_when_beat_is_dead(at: Callable[..., Town], broker: Broker, sink: Sink) -> None:
    """A plain Celery worker with a broker that others could reach has no beat, and nobody else runs one."""
    town = at(**url_of(broker))
    target = a_target(sink.url)
    town.start("celery")
    for part in range(0, 60, 20):
        publish([target.pk], *named(part, part + 20))
        sink.wait_for(part + 20)
    eventually(
        lambda: bool(rows("SELECT 1 FROM log_follower WHERE name = 'observer' AND seq = 60")),
        "the other duties are done too",
    )
    each_once(sink, 60)


def test_a_worker_serves_the_queues_it_is_told_to_and_a_worker_that_is_killed_comes_back(
    at: Callable[..., Town], sink: Sink
) -> None:
    town = at()
    target = a_target(sink.url)
    town.start("work", arguments=("--queues", "delivery,sources"))
    publish([target.pk], *named(0, 20))
    sink.wait_for(20)
    shifts = "SELECT DISTINCT pid FROM runner_shift"
    eventually(lambda: len(rows(shifts)) == 1, "a shift is on duty")
    worker = rows(shifts)[0][0]
    assert worker != town.processes["work"].pid
    os.kill(worker, signal.SIGKILL)
    publish([target.pk], *named(20, 40))
    sink.wait_for(40, AGAIN)
    assert "The worker process ended" in town.output()
    assert "It is started again in" in town.output()
    assert rows("SELECT 1 FROM log_follower") == [], "upkeep is not this worker's"
    assert town.stop("work") == 0


def test_a_worker_without_the_delivery_queue_delivers_nothing(at: Callable[..., Town], sink: Sink) -> None:
    town = at()
    target = a_target(sink.url)
    publish([target.pk], *named(0, 20))
    town.start("work", arguments=("--queues", "upkeep"))
    eventually(
        lambda: bool(rows("SELECT 1 FROM log_follower WHERE name = 'observer' AND seq = 20")),
        "it does what is its own",
    )
    assert sink.seen == []
    assert rows("SELECT 1 FROM runner_shift") == []


def test_sigterm_lets_sends_end_and_leaves_nothing_leased_or_unknown(
    at: Callable[..., Town], sink: Sink
) -> None:
    town = at(SIGNALBOX_DRAIN="20")
    target = a_target(sink.url)
    sink.answer = lambda path, name, subject, times: (200, 2.0)
    town.start("work")
    publish([target.pk], *named(0, 100))
    eventually(lambda: len(sink.seen) >= 10, "some are being sent")
    assert town.stop("work") == 0
    assert leases() == []
    assert rows("SELECT 1 FROM runner_flight") == []
    assert rows("SELECT 1 FROM runner_shift") == []
    tried = [attempt for _, *attempt in recorded.named(rows)]
    assert sorted(tried) == sorted([seen.id, 1, Outcome.DELIVERED] for seen in sink.seen)
    assert 10 <= len(tried) < 100
    assert "Traceback" not in town.output()


@pytest.mark.parametrize(
    ("names", "said"), [("delivery,mail", "there is no queue 'mail'"), (",", "name at least one")]
)
def test_a_queue_that_does_not_exist_is_refused_with_those_that_do(names: str, said: str) -> None:
    with pytest.raises(CommandError, match=said) as refused:
        call_command("work", "--queues", names)
    assert "delivery, sources, replay, archive, upkeep" in str(refused.value)


def test_every_duty_has_a_task_a_queue_and_a_place_in_beat(settings: Any) -> None:
    from celery import current_app

    from delivery import tasks

    assert tasks
    for name, rung in DUTIES.items():
        assert task_of(name) in current_app.tasks
        assert rung.queue in QUEUES
        assert settings.CELERY_TASK_ROUTES[task_of(name)] == {"queue": rung.queue}
        assert settings.CELERY_BEAT_SCHEDULE[name]["schedule"] == rung.every
    assert set(schedule(frozenset({"replay"}))) == {"backfill", "letters"}
