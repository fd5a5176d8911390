"""Who tells whom is read alike from both databases."""

from __future__ import annotations

from typing import Any

import pytest

from tests.databases import Database
from tests.integration import rows as write


def test_what_flows_is_read_from_the_rollups(log_database: Database) -> None:
    from catalog.models import Bus, Domain, EventType, Source, Team
    from delivery.tracking.facts import LogFacts
    from delivery.tracking.topology import Reader
    from delivery.tracking.words import State
    from rules.models import Rule, Target
    from rules.revisions import subscribe

    bus, other = Bus.objects.create(name="main"), Bus.objects.create(name="other")
    team = Team.objects.create(name="Shop", slug="shop")
    domain = Domain.objects.create(name="Orders", slug="orders", badge="OR")
    source = Source.objects.create(name="Shop", slug="shop", uri="/shop", bus=bus, team=team)
    EventType.objects.create(name="order.placed", summary="One.", domain=domain, team=team).sources.add(
        source
    )
    rule = Rule(name="All", bus=bus, team=team, pattern={})
    target = Target(name="Lake", connector="http", config={"url": "http://127.0.0.1:9/"})
    subscribe(rule, target)
    subscribe(Rule(name="Elsewhere", bus=other, team=team, pattern={}), Target(name="No", connector="http"))
    for valid in (1, 1, 0, 1):
        seq = write.store(bus.pk, (target.pk,), valid=valid)
    write.store(bus.pk, type="parcel.lost", source="/van")
    slot = write.now() // 600_000_000
    for uri, name, at, events in (
        ("/shop", "order.placed", slot, 2),
        ("/shop", "order.placed", slot - 1, 1),
        ("/shop", "order.placed", slot - 2, 500),
        ("/till", "order.placed", slot, 1),
        ("/van", "parcel.lost", slot, 1),
    ):
        write.execute(
            "INSERT INTO rollup_source (source, type, slot, events, first_at, last_at) VALUES (%s, %s, %s, %s, 1, 1)",
            uri, name, at, events,
        )  # fmt: skip
    write.hold(target.pk, seq, State.DEAD)
    write.count_minute(target.pk, write.now() // 60_000_000, delivered=3, dead=1)

    found: Any = Reader(LogFacts().rules_by_name).read()

    assert found.types == {"order.placed": domain.pk, "parcel.lost": None}
    assert found.rate("order.placed") == pytest.approx(4 * found.rate("parcel.lost"))
    assert found.invalid == {"order.placed": pytest.approx(0.25)}
    assert dict(found.emitters["order.placed"]) == {"/shop": 0.75, "/till": 0.25}
    assert found.takers == {"order.placed": (rule.pk,), "parcel.lost": (rule.pk,)}
    assert found.passed([target.pk]) == pytest.approx(found.rate("order.placed"), rel=0.05)
    assert found.delivering[target.pk].status.word == "Refusing"
