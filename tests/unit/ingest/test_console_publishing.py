"""`publish`: the console's test event goes the way of every other."""

from __future__ import annotations

import json

import pytest

from catalog.models import Bus, Domain, EventType, SchemaVersion, Team
from delivery.cloudevents import Refused
from delivery.ingest.pipeline import publish
from tests.unit.ingest.calling import Caller, event, stored

pytestmark = pytest.mark.usefixtures("caller")


def test_it_stores_the_event_and_tells_its_place(bus: Bus, caller: Caller) -> None:
    published = publish("orders", json.dumps(event(data={"a": 1})).encode())
    [row] = stored(bus)
    assert (published.id, published.source, published.accepted.seq) == ("1", "/shop", row["seq"])
    assert row["raw"]["data"] == {"a": 1}
    # It is the same log that HTTP writes.
    again = caller.structured(event(data={"a": 1}))
    assert again.json()["accepted"][0] == {"id": "1", "source": "/shop", "seq": row["seq"], "duplicate": True}


def test_it_is_checked_like_every_other(bus: Bus, domain: Domain) -> None:
    kind = EventType.objects.create(name="shop.order.placed", domain=domain, team=Team.objects.get())
    SchemaVersion.objects.create(event_type=kind, number=1, schema='{"required": ["total"]}')
    with pytest.raises(Refused) as caught:
        publish("orders", json.dumps(event(data={})).encode())
    assert (caught.value.status, caught.value.attribute, caught.value.index) == (422, "data", None)
    with pytest.raises(Refused) as caught:
        publish("orders", json.dumps(event(type=None)).encode())
    assert (caught.value.status, caught.value.attribute) == (400, "type")
    assert stored(bus) == []


def test_a_bus_that_does_not_exist_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        publish("nowhere", json.dumps(event()).encode())
