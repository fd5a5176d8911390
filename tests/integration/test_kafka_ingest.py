"""Events that a broker takes in: 202 when it has them safe, 503 when it is away, delivered like all others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests import kafka
from tests.integration.sink import Sink, a_sink
from tests.integration.test_ingest_http import STRUCTURED, event, make
from tests.processes import Answer, Town, eventually

RULE = """
from catalog.models import Bus, Team
from rules.models import Rule, Target
from rules.revisions import save_rule, save_target
rule = save_rule(Rule(name="all", bus=Bus.objects.get(name="orders"), team=Team.objects.get(), pattern={}))
save_target(Target(rule=rule, name="sink", connector="http", config={"url": "%s"}, transform={"kind": "complete"}))
"""
REVOKE = "from catalog.models import Token; from django.utils import timezone; from catalog import stamps; Token.objects.update(revoked_at=timezone.now()); stamps.bump(stamps.CATALOG)"


@pytest.fixture
def sink() -> Iterator[Sink]:
    with a_sink() as found:
        yield found


def a_town(new_town: Callable[..., Town], servers: str, postgresql: bool = False) -> Town:
    return new_town(
        postgresql=postgresql, environment={"SIGNALBOX_LOG_URL": f"kafka://{servers}/here?partitions=4"}
    )


def post(town: Town, token: str, sent: dict[str, object]) -> Answer:
    headers = {"authorization": f"Bearer {token}", "content-type": STRUCTURED}
    return town.request("POST", "/v1/buses/orders/events", json.dumps(sent), headers)


@pytest.mark.service("kafka-tansu")
@pytest.mark.parametrize(
    "postgresql",
    [False, pytest.param(True, marks=pytest.mark.service("postgresql"))],
    ids=["sqlite", "postgresql"],
)
def test_what_a_broker_takes_in_is_delivered_once_and_in_order(
    new_town: Callable[..., Town], sink: Sink, postgresql: bool
) -> None:
    with kafka.servers_of("tansu") as servers:
        town = a_town(new_town, servers, postgresql)
        token = make(town)
        town.manage("shell", "--no-imports", "-c", RULE % sink.url)
        town.start("web", "worker")
        for n in range(60):
            answer = post(town, token, event(n, subject=f"s{n % 5}"))
            assert answer.status == 202, answer
            assert answer.json() == {"accepted": [{"id": str(n), "source": "/load", "seq": None}]}
        for n in range(0, 60, 10):  # as a publisher who got no answer
            assert post(town, token, event(n, subject=f"s{n % 5}")).status == 202
        sink.wait_for(60)
        eventually(
            lambda: town.query("SELECT SUM(next) FROM log_partition") == [(66,)], "repeats are read too"
        )
        town.stop("worker")
        town.stop("web")
    assert sorted(map(int, sink.taken)) == list(range(60))
    for subject, found in sink.by_subject().items():
        assert found == [str(n) for n in range(60) if f"s{n % 5}" == subject]
    assert town.query("SELECT COUNT(*), MAX(seq) FROM log_event") == [(60, 60)]


@pytest.mark.service("kafka-noida")
def test_a_broker_that_is_away_is_said_to_be_and_loses_nothing(
    new_town: Callable[..., Town], sink: Sink
) -> None:
    with kafka.broker("noida") as broker:
        town = a_town(new_town, broker.servers)
        token = make(town)
        town.manage("shell", "--no-imports", "-c", RULE % sink.url)
        town.start("web")
        assert [post(town, token, event(n)).status for n in range(5)] == [202] * 5
        broker.freeze()
        answer = post(town, token, event("away"))
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) > 0
        assert "Send it again" in str(answer.json())
        broker.thaw()
        eventually(
            lambda: post(town, token, event("away")).status == 202, "it is taken when the broker is back"
        )
        town.start("worker")
        sink.wait_for(6)
        town.stop("worker")
        town.stop("web")
        assert sorted(sink.taken) == ["0", "1", "2", "3", "4", "away"]


@pytest.mark.service("kafka-tansu")
def test_a_token_that_was_revoked_is_refused_within_a_moment(new_town: Callable[..., Town]) -> None:
    with kafka.servers_of("tansu") as servers:
        town = a_town(new_town, servers)
        token = make(town)
        town.start("web")
        assert post(town, token, event("a")).status == 202
        town.manage("shell", "--no-imports", "-c", REVOKE)
        eventually(lambda: post(town, token, event("b")).status == 401, "it is refused", 10)
