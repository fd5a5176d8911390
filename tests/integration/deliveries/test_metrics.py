"""/metrics: who may read it, and that its figures are those of the database."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from catalog.models import Team, Token
from delivery.models import Reconciliation
from delivery.pages.metrics import Totals
from delivery.reconcile.work import CHECKS
from delivery.tracking.rates import minute_of
from delivery.tracking.read import now, rows
from delivery.tracking.words import State
from tests.events import a_bus, a_target
from tests.integration import rows as write
from tests.integration.sink import execute, publish

LINE = re.compile(r"^signalbox_([a-z_]+)(?:\{(.*)\})? ([-+0-9.e]+)$")


def figures(text: str) -> dict[tuple[str, str], float]:
    """(name, labels) -> value; each line is a comment or a sample."""
    found = {}
    for line in text.splitlines():
        if line.startswith("# "):
            assert line.split()[1] in ("HELP", "TYPE")
            continue
        matched = LINE.match(line)
        assert matched, line
        found[matched[1], matched[2] or ""] = float(matched[3])
    return found


@pytest.fixture(autouse=True)
def _fresh_totals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("delivery.pages.metrics._totals", Totals())


@pytest.fixture
def reader(db: Any) -> Client:
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("operator"))
    return client


def issued(**fields: Any) -> dict[str, str]:
    team = Team.objects.get_or_create(slug="crew", defaults={"name": "Crew"})[0]
    return {"Authorization": f"Bearer {Token.issue(name='scraper', team=team, **fields)[1]}"}


def test_a_session_or_a_token_for_every_bus_that_reads_may_and_nobody_else(
    reader: Client, settings: Any
) -> None:
    stranger = Client()
    assert reader.get("/metrics").status_code == 200
    assert stranger.get("/metrics").status_code == 401
    assert stranger.get("/metrics", headers=issued(reads=True)).status_code == 200
    assert stranger.get("/metrics", headers=issued(reads=False)).status_code == 403
    assert stranger.get("/metrics", headers=issued(reads=True, bus=a_bus())).status_code == 403
    settings.PUBLIC_METRICS = True
    assert stranger.get("/metrics").status_code == 200


def test_the_figures_are_those_of_the_database(reader: Client) -> None:
    target = a_target(name='the "billing" \\ sink')
    idle = a_target(rule=target.rule, name="idle")
    before = rows("SELECT seq FROM log_head")[0][0]  # other tests' events: seq never repeats
    publish([target.pk], *[(f"e{n}", f"s{n}") for n in range(7)])
    execute("UPDATE log_event SET received_at = %s WHERE seq = %s", now() - 90_000_000, before + 1)
    lane, key, seq = rows("SELECT lane, key, seq FROM log_event WHERE seq = %s", [before + 2])[0]
    hold = (
        "INSERT INTO runner_exception (target, seq, lane, key, state, blocks, attempts, redriven, received_at, first_at, due_at, "
        "reason, raw) VALUES (%s, %s, %s, %s, %s, 0, 1, 0, %s, 1, %s, 'no', %s)"
    )
    execute(hold, target.pk, seq, lane, key, int(State.DEAD), now(), None, b"{}")
    execute(hold, idle.pk, seq, lane, key, int(State.RETRY), now() - 30_000_000, now(), b"{}")
    write.count_minute(target.pk, 1000, delivered=5, retried=2, dead=1)
    write.count_minute(target.pk, minute_of(now()), delivered=4, retried=0, dead=0)
    found = figures(reader.get("/metrics").content.decode())
    named = f'target="{target.pk}",name="the \\"billing\\" \\\\ sink"'
    assert found["received_total", ""] == before + 7
    assert found["deliveries_total", f'target="{target.pk}",outcome="delivered"'] == 9
    assert found["deliveries_total", f'target="{target.pk}",outcome="retried"'] == 2
    assert found["deliveries_total", f'target="{target.pk}",outcome="dead"'] == 1
    assert found["waiting", named] == 7
    assert found["dead_letters", named] == 1
    assert 90 <= found["waiting_oldest_seconds", named] < 200
    assert 30 <= found["waiting_oldest_seconds", f'target="{idle.pk}",name="idle"'] < 90
    assert found["targets", 'state="running"'] == 2
    assert found["shifts", ""] == 0
    assert found["ingest_queue", ""] == 0
    assert not any(name.startswith("broker_") for name, _ in found)


def test_what_a_broker_has_and_the_log_has_not_is_among_them(reader: Client) -> None:
    partition = "INSERT INTO log_partition (bus, partition, next, ends, skipped, owner, until) VALUES (%s, %s, %s, %s, %s, %s, %s)"
    bus, alive = a_bus(), now() + 60_000_000
    execute(partition, bus.pk, 0, 10, 17, 1, "router", alive)
    execute(partition, bus.pk, 1, 5, 4, 2, "router", alive)  # one that tells one less than there are
    execute(partition, bus.pk, 2, 3, 6, 0, "gone", 1)
    found = figures(reader.get("/metrics").content.decode())
    of = f'bus="{bus.name}"'
    assert found["broker_behind", of] == 10
    assert found["broker_skipped_total", of] == 3
    assert found["broker_partitions_left", of] == 1


def test_totals_grow_with_what_is_counted_and_settled_minutes_are_read_once(reader: Client) -> None:
    totals = Totals()
    write.count_minute(3, 1000, delivered=5, retried=0, dead=0)
    assert totals.read() == {3: [5, 0, 0]}
    execute("DELETE FROM rollup_delivered WHERE minute = 1000")
    write.count_minute(3, minute_of(now()), delivered=2, retried=0, dead=1)
    assert totals.read() == {3: [7, 0, 1]}
    assert totals.read() == {3: [7, 0, 1]}


def test_what_reconciling_found_is_told_and_before_it_nothing_is(reader: Client) -> None:
    assert "reconcile" not in reader.get("/metrics").content.decode()
    one = {"name": "hint-missing", "count": 3, "mended": 1, "sample": [], "targets": [1]}
    Reconciliation.objects.create(at=now() - 60_000_000, took=1, found=[one])
    found = figures(reader.get("/metrics").content.decode())
    assert found["reconcile_findings", 'check="hint-missing"'] == 3
    assert found["reconcile_left", 'check="hint-missing"'] == 2
    assert found["reconcile_findings", 'check="target-gone"'] == 0
    assert sum(name == "reconcile_findings" for name, _ in found) == len(CHECKS)
    assert 60 <= found["reconcile_age_seconds", ""] < 120


@pytest.mark.parametrize(
    ("found", "age", "said", "not_said"),
    [
        ([], 0, "Records agree.", "contradiction"),
        (
            [("retry-without-time", 2, 1)],
            0,
            "1 contradiction in the records could not be mended.",
            "Records agree",
        ),
        (
            [("retry-without-time", 2, 2)],
            0,
            "2 contradictions in the records were found and mended.",
            "Records agree",
        ),
        ([("target-gone", 2, 2)], 0, "Records agree.", "contradiction"),
        ([("target-gone", 2, 0)], 0, "2 contradictions in the records could not be mended.", "Records agree"),
        ([], 4, "Nobody compares the records any more.", "Records agree"),
    ],
)
def test_the_pages_are_quiet_when_all_is_well_and_loud_when_not(
    reader: Client, found: list[tuple[str, int, int]], age: int, said: str, not_said: str
) -> None:
    target = a_target()
    other = a_target(rule=target.rule, name="other")
    Reconciliation.objects.create(
        at=now() - age * 3_600_000_000, took=1,
        found=[
            {"name": name, "count": count, "mended": mended, "sample": [], "targets": [target.pk]}
            for name, count, mended in found
        ],
    )  # fmt: skip
    for url in ("/deliveries/", f"/targets/{target.pk}/"):
        page = reader.get(url).content.decode()
        assert said in page, url
        assert not_said not in page, url
    assert "contradiction" not in reader.get(f"/targets/{other.pk}/").content.decode()
