"""Retiring sources and buses, and deleting event types, over the API."""

from __future__ import annotations

import pytest

from catalog import system
from catalog.facts import BusRule, TypeFacts
from catalog.models import Bus, Change, EventType, Source
from tests.integration.catalog.calls import call
from tests.integration.catalog.test_api_event_types import visitor

pytestmark = pytest.mark.django_db
BUS, SOURCE, TYPE = "/buses/main/lifecycle", "/sources/shop/lifecycle", "/event-types/order.placed"


def places(problem):
    return [one["pointer"] for one in problem["errors"]]


def test_a_source_is_retired_and_brought_back_and_both_are_news(client, person, town, log):
    assert call(client, "PUT", SOURCE, {"lifecycle": "retired"})["retired_at"]
    again = call(client, "PUT", SOURCE, {"lifecycle": "retired"})
    assert again == call(client, "GET", "/sources/shop")
    assert call(client, "PUT", SOURCE, {"lifecycle": "active"})["retired_at"] is None
    told = Change.objects.filter(source="shop").exclude(kind="source.registered").order_by("pk")
    assert list(told.values_list("kind", "by")) == [("source.retired", "mara"), ("source.changed", "mara")]


def test_a_bus_in_use_is_retired_by_its_name_alone(client, person, town, log):
    problem = call(client, "PUT", BUS, {"lifecycle": "retired"}, 422)
    assert places(problem) == ["/confirm"]
    assert Bus.objects.get().retired_at is None
    assert call(client, "PUT", BUS, {"lifecycle": "retired", "confirm": "main"})["retired_at"]
    call(client, "PUT", SOURCE, {"lifecycle": "retired"})
    assert places(call(client, "PUT", SOURCE, {"lifecycle": "active"}, 422)) == ["/lifecycle"]
    assert call(client, "PUT", BUS, {"lifecycle": "active"})["retired_at"] is None
    Source.objects.all().delete()
    log.on_bus["main"] = [BusRule(1, "Orders", "Checkout")]
    assert places(call(client, "PUT", BUS, {"lifecycle": "retired"}, 422)) == ["/confirm"]
    log.on_bus.clear()
    assert call(client, "PUT", BUS, {"lifecycle": "retired"})["retired_at"], "nobody uses it"


@pytest.mark.parametrize(
    ("url", "body", "wrong"),
    [
        (BUS, {}, ["/lifecycle"]),
        (BUS, {"lifecycle": "deprecated"}, ["/lifecycle"]),
        (SOURCE, {"lifecycle": "gone"}, ["/lifecycle"]),
        (SOURCE, {"lifecycle": "retired", "confirm": "shop"}, ["/confirm"]),
    ],
)
def test_what_cannot_be_is_refused_at_its_place(client, person, town, log, url, body, wrong):
    assert places(call(client, "PUT", url, body, 422)) == wrong
    assert not Bus.objects.exclude(retired_at=None).exists()
    assert not Source.objects.exclude(retired_at=None).exists()


def test_only_owners_retire_and_delete(client, town, log):
    Bus.objects.filter(name="main").update(team=town.team)
    visitor(client, "view_eventtype", "change_source", "change_bus", "delete_eventtype")
    for url in (BUS, SOURCE):
        assert "Checkout" in call(client, "PUT", url, {"lifecycle": "retired"}, 403)["detail"]
    assert "Checkout" in call(client, "DELETE", TYPE, status=403)["detail"]
    assert EventType.objects.filter(name="order.placed").exists()


def test_what_somebody_else_changed_meanwhile_is_not_ended(client, person, town, log):
    for url, shown in ((BUS, "/buses/main"), (SOURCE, "/sources/shop")):
        etag = client.get(f"/api/v1{shown}")["ETag"]
        Bus.objects.update(description=url)
        Source.objects.update(description=url)
        call(client, "PUT", url, {"lifecycle": "retired"}, 412, **{"If-Match": etag})
    call(client, "DELETE", TYPE, status=412, **{"If-Match": '"old"'})
    assert EventType.objects.filter(name="order.placed").exists()


def test_a_type_in_use_is_deleted_by_its_name_alone(client, person, town, log):
    log.traffic = {"order.placed": TypeFacts([0] * 60, 9, 0, 3, None)}
    problem = call(client, "DELETE", TYPE, status=422)
    assert "3 subscriptions, 9 events a day still use it" in problem["detail"]
    call(client, "DELETE", f"{TYPE}?confirm=order", status=422)
    assert EventType.objects.filter(name="order.placed").exists()
    call(client, "DELETE", f"{TYPE}?confirm=order.placed", status=204)
    assert not EventType.objects.filter(name="order.placed").exists()
    assert Change.objects.get(kind="type.deleted").by == "mara"
    call(client, "DELETE", TYPE, status=404)


def test_what_signalbox_keeps_of_itself_stays(client, person, town, log):
    system.ensure()
    call(client, "PUT", "/buses/system/lifecycle", {"lifecycle": "retired", "confirm": "system"}, 403)
    call(client, "PUT", "/sources/signalbox/lifecycle", {"lifecycle": "retired"}, 403)
    name = "dev.signalbox.type.retired"
    call(client, "DELETE", f"/event-types/{name}?confirm={name}", status=403)
    assert EventType.objects.filter(name=name).exists()
