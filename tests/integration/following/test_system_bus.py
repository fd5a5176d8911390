"""Changes of the catalog on the bus "system", on both databases."""

from __future__ import annotations

import json
from typing import Any

import pytest

from catalog import changes, system
from catalog.facts import PublishRefused, facts
from catalog.models import (
    Bus,
    Change,
    EventType,
    SchemaVersion,
    Source,
    Token,
)  # fmt: skip
from catalog.schemas.validator import compile_schema
from delivery import announcing
from delivery.ingest import pipeline
from delivery.log.writer import Unavailable
from delivery.tracking.read import rows
from rules.models import Rule
from rules.revisions import save_rule
from tests.databases import in_thread
from tests.events import a_target
from tests.integration.following.town import follower, on_the_bus, register
from tests.integration.sink import a_sink, on_duty


def test_a_change_is_an_event_that_fits_its_registered_schema(placed: EventType) -> None:
    (event,) = on_the_bus()
    news = Change.objects.get()
    assert event["id"] == str(news.key)
    assert (event["type"], event["source"], event["subject"]) == (
        "dev.signalbox.type.registered", "/signalbox/catalog", "order.placed",
    )  # fmt: skip
    assert event["data"]["title"] == "order.placed is on the shelf."
    assert event["data"]["link"].endswith("/events/order.placed/")
    kind = EventType.objects.get(name=event["type"])
    assert kind.domain.name == "Signalbox"
    assert compile_schema(kind.versions.get().schema).errors(event["data"]) == []
    assert rows("SELECT valid FROM log_event") == [(1,)]


def test_the_schema_of_every_kind_takes_its_example() -> None:
    for kind in changes.KINDS:
        assert compile_schema(json.dumps(system.schema_of(kind))).errors(system.example_of(kind)) == []


def test_a_new_version_says_how_its_schema_differs(placed: EventType) -> None:
    wider = {"type": "object", "properties": {"order": {"type": "integer"}, "gift": {"type": "boolean"}}}
    SchemaVersion.objects.create(event_type=placed, number=2, schema=json.dumps(wider), notes="Gifts.")
    announcing.publish_changes()
    detail = on_the_bus()[-1]["data"]["detail"]
    assert detail["version"] == 2
    assert detail["notes"] == "Gifts."
    assert "gift" in detail["changes"][0]


def test_every_kind_of_change_is_taken_by_the_bus(placed: EventType) -> None:
    source = Source.objects.create(
        name="Till", slug="till", uri="/till", bus=Bus.objects.get(name="main"), team=placed.team
    )
    for kind, about in changes.KINDS.items():
        subject = {"type": {"event_type": placed}, "source": {"source": source}, "bus": {"bus": source.bus}}
        changes.record(
            kind,
            **subject[about.subject],
            detail={"version": 1, "causes": ["x"], "share": 7, "own": 1, "ends_on": None},
        )
    assert announcing.publish_changes() == len(changes.KINDS)
    assert not Change.objects.exclude(refusal="").exists()
    assert "share" not in on_the_bus()[-1]["data"]["detail"], "what is not as described is left out"
    assert {event["type"] for event in on_the_bus()} == {
        system.event_type_name(kind) for kind in changes.KINDS
    }


def test_a_change_is_published_once_whoever_was_killed_or_came_too(placed: EventType) -> None:
    changes.record("type.changed", event_type=placed)
    announcing.publish_changes()
    Change.objects.update(published_at=None)  # killed between the log's commit and its own
    ended = [in_thread(announcing.publish_changes) for _ in range(2)]
    assert sum(end() for end in ended) >= 2
    assert announcing.publish_changes() == 0
    assert len(on_the_bus()) == 2


def test_what_is_not_committed_is_not_published(placed: EventType) -> None:
    from django.db import transaction

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        changes.record("type.changed", event_type=placed)
        raise ZeroDivisionError
    assert announcing.publish_changes() == 0


def test_publishing_waits_for_a_log_that_does_not_answer_and_passes_what_is_refused(
    placed: EventType, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes.record("type.changed", event_type=placed)

    def unavailable(bus: str, body: bytes) -> None:
        raise Unavailable("The database does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(announcing, "publish", unavailable)
        assert announcing.publish_changes() == 0
    monkeypatch.setattr(announcing, "event_of", lambda change: b'{"specversion": "1.0"}')
    assert announcing.publish_changes() == 0
    assert "is missing" in Change.objects.get(kind="type.changed").refusal
    assert not Change.objects.filter(published_at=None).exists()


def test_the_bus_is_made_when_there_is_another_and_what_is_missing_of_it_again() -> None:
    register("order.placed")
    EventType.objects.filter(domain__slug=changes.OWN).delete()
    for model in (Source, Bus):
        model.objects.all().delete()
    assert announcing.publish_changes() == 0
    assert not Bus.objects.exists(), "the first bus, which pages propose, is somebody's own"
    Bus.objects.create(name="main")
    assert announcing.publish_changes() == 1
    EventType.objects.filter(name="dev.signalbox.type.retired").delete()
    assert not Change.objects.filter(published_at=None).exists(), (
        "what describes itself makes no news: no loops"
    )
    changes.record("type.changed", event_type="order.placed")
    announcing.publish_changes()
    assert EventType.objects.filter(name="dev.signalbox.type.retired").exists()
    assert announcing.publish_changes() == 0


def test_nobody_else_publishes_on_the_bus(placed: EventType) -> None:
    token, _text = Token.issue(name="all", team=placed.team)
    snapshot = pipeline.pipeline().directory.refresh()
    for shown in (token.public_id, None):
        with pytest.raises(pipeline.Denied) as denied:
            pipeline.admit(snapshot, "system", shown)
        assert denied.value.status == 403
    with pytest.raises(PublishRefused, match="Signalbox alone"):
        facts().publish("system", b"{}")


def test_a_rule_on_the_bus_sends_news_to_a_webhook(placed: EventType, quick_looks: None) -> None:
    rule = Rule(
        name="News", bus=Bus.objects.get(name="system"), team=placed.team,
        pattern={"type": ["dev.signalbox.version.registered"], "subject": ["order.placed"]},
    )  # fmt: skip
    with a_sink() as sink:
        a_target(sink.url, save_rule(rule))
        SchemaVersion.objects.create(event_type=placed, number=2, schema="{}")
        changes.record("type.changed", event_type=placed)
        with on_duty():
            announcing.publish_changes()
            sink.wait_for(1)
        assert sink.taken == [str(Change.objects.get(kind="version.registered").key)]
        assert sink.seen[0].subject == "order.placed"


def test_the_editor_is_filled_in_for_one_type(placed: EventType, client: Any) -> None:
    client.force_login(follower())
    page = client.get("/changes/?type=order.placed")
    address = page.context["rule_url"]
    draft = client.get(address).context["draft"]
    assert draft.filter.pattern == {"type": ["dev.signalbox.version.registered"], "subject": ["order.placed"]}
    assert client.get(address).context["rule_form"].instance.bus.name == "system"
