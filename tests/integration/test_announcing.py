"""Changes of the catalog on the bus "system", by mail and found in traffic, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core import mail as outbox
from django.utils import timezone

from catalog import changes, system
from catalog.facts import PublishRefused, facts
from catalog.following import findings, follows, mail
from catalog.models import (
    Bus,
    Change,
    Domain,
    EventType,
    Follow,
    Notice,
    Observation,
    Reader,
    SchemaVersion,
    Source,
    Team,
    Token,
    Violation,
)  # fmt: skip
from catalog.schemas.shape import Shape
from catalog.schemas.validator import compile_schema
from delivery import announcing
from delivery.ingest import pipeline
from delivery.log.writer import Unavailable
from delivery.tracking.read import rows
from rules.models import Rule
from rules.revisions import save_rule
from tests.databases import Database, default_database, in_thread
from tests.events import a_target
from tests.integration.rows import empty, execute
from tests.integration.sink import a_sink, on_duty
from tests.processes import Towns

ORDER = {"type": "object", "properties": {"order": {"type": "integer"}}}


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service("postgresql"))]
)
def database(request: pytest.FixtureRequest, towns: Towns, django_db_blocker: Any) -> Iterator[Database]:
    """SQLite, then PostgreSQL, for all tests of this file."""
    postgresql = request.param == "postgresql"
    with (
        towns.new(postgresql=postgresql) as town,
        django_db_blocker.unblock(),
        default_database(town) as found,
    ):
        yield found


@pytest.fixture(autouse=True)
def catalog(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty catalog and log, a pipeline of its own, mail kept in memory."""
    from rules.models import Target

    empty()
    for model in (Notice, Follow, Reader, Observation, Violation, Target, Rule):
        model.objects.all().delete()
    # What Signalbox keeps of itself is made once for all tests: it takes a while.
    EventType.objects.exclude(domain__slug=changes.OWN).delete()
    Domain.objects.exclude(slug=changes.OWN).delete()
    Token.objects.all().delete()
    Source.objects.exclude(slug=changes.OWN).delete()
    Bus.objects.exclude(name=changes.SYSTEM).delete()
    Team.objects.exclude(slug=changes.OWN).delete()
    Change.objects.all().delete()  # of what was deleted
    get_user_model().objects.all().delete()
    monkeypatch.setattr(pipeline, "_pipeline", None)
    monkeypatch.setattr(outbox, "outbox", [], raising=False)
    yield
    pipeline.pipeline().close()


@pytest.fixture
def placed() -> EventType:
    """An event type at version 1, whose registration was published before."""
    Bus.objects.create(name="main")
    found = register("order.placed")
    assert announcing.publish_changes() == 1
    Change.objects.update(told_at=timezone.now())
    return found


def register(name: str, schema: Any = ORDER, **fields: Any) -> EventType:
    team = Team.objects.get_or_create(name="Shop", slug="shop")[0]
    domain = Domain.objects.get_or_create(name="Orders", slug="orders", defaults={"badge": "OR"})[0]
    found = EventType.objects.create(name=name, team=team, domain=domain, summary="…", **fields)
    SchemaVersion.objects.create(event_type=found, number=1, schema=json.dumps(schema))
    return found


def follower(name: str = "mara", key: str = "order.placed", **fields: Any) -> Any:
    values = {"email": f"{name}@example.com", "is_superuser": True} | fields
    user = get_user_model().objects.create(username=name, **values)
    follows.start("type", key, user=user)
    return user


def on_the_bus() -> list[dict[str, Any]]:
    found = rows("SELECT raw FROM log_event WHERE bus = %s ORDER BY seq", [Bus.objects.get(name="system").pk])
    return [json.loads(bytes(raw)) for (raw,) in found]


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


def test_followers_get_one_mail_for_what_came_together(placed: EventType, settings: Any) -> None:
    settings.PUBLIC_URL = "https://signalbox.example"
    mara, jonas = follower("mara"), follower("jonas")
    follows.start("type", "order.placed", user=jonas, mail=False)
    follower("nobody", email="")
    follower("gone", is_active=False)
    follower("elsewhere", key="order.paid")
    SchemaVersion.objects.create(
        event_type=placed, number=2, schema="{}", notes="Anything\r\nBcc: all@example.com"
    )
    changes.record("type.deprecated", event_type=placed, detail={"successor": "order.placed.v2"})
    changes.record("type.changed", event_type=placed)  # is news in the console, not by mail
    assert mail.note() == 3
    assert mail.note() == 0
    assert mail.send() == 1
    (message,) = outbox.outbox
    assert message.to == ["mara@example.com"]
    assert message.subject == "[Signalbox] 2 changes in the catalog: order.placed has a new version, 2."
    assert "Use order.placed.v2 in its place." in message.body
    assert "https://signalbox.example/events/order.placed/" in message.body
    assert "was changed" not in message.body
    assert not Notice.objects.filter(user=mara).exists()


def test_a_person_gets_no_second_mail_within_five_minutes(placed: EventType) -> None:
    follower()
    for number in range(3):
        changes.record("type.deprecated", event_type=placed, detail={"farewell": str(number)})
        mail.note()
        mail.send()
    assert len(outbox.outbox) == 1
    Reader.objects.update(mail_after=timezone.now() - timedelta(seconds=1))
    assert mail.send() == 1
    assert outbox.outbox[1].subject.startswith("[Signalbox] 2 changes")


def test_who_changes_it_is_not_mailed_and_members_are_for_what_their_team_follows(placed: EventType) -> None:
    mara = follower()
    jonas = get_user_model().objects.create(username="jonas", email="j@example.com", is_superuser=True)
    crew = Team.objects.create(name="Crew", slug="crew")
    crew.members.add(jonas, mara)
    follows.start("team", "shop", team=crew)
    changes.record("type.retired", event_type=placed, by=mara)
    announcing.announce()
    mail.send()
    assert [message.to for message in outbox.outbox] == [["j@example.com"]]


def test_a_mail_server_that_fails_delays_mail_and_nothing_else(
    placed: EventType, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    follower()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_HOST_PASSWORD = "127.0.0.1", 9, "pass-word-9"
    changes.record("type.retired", event_type=placed)
    assert announcing.announce() == 1
    assert mail.send() == 0
    reader = Reader.objects.get()
    assert reader.mail_trouble.startswith("ConnectionRefusedError")
    assert reader.mail_tries == 1
    assert "pass-word-9" not in caplog.text
    assert mail.send() == 0, "not again at once"
    assert Reader.objects.get().mail_tries == 1
    changes.record("type.reactivated", event_type=placed)
    assert announcing.announce() == 1
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    Reader.objects.update(mail_after=None)
    assert mail.send() == 1
    assert "2 changes" in outbox.outbox[0].subject
    assert Reader.objects.get().mail_trouble == ""


def test_two_workers_send_a_digest_once(placed: EventType) -> None:
    for number in range(6):
        follower(f"p{number}")
    changes.record("type.retired", event_type=placed)
    mail.note()
    ended = [in_thread(mail.send) for _ in range(2)]
    assert sum(end() for end in ended) == 6
    assert sorted(message.to[0] for message in outbox.outbox) == [f"p{n}@example.com" for n in range(6)]


def observed(name: str, *data: Any, day: Any = None, events: int | None = None) -> None:
    shape = Shape()
    for one in data:
        shape.add(one)
    day = day or datetime.now(UTC).date()
    Observation.objects.create(
        type_name=name, day=day, source="/shop", bus="main", shape=shape.to_json(), events=events or len(data),
        sampled=len(data), first_at=timezone.now(), last_at=timezone.now(),
    )  # fmt: skip


def violated(name: str, count: int, rejected: bool = True, days_ago: int = 0) -> None:
    Violation.objects.create(
        type_name=name, version=1, day=datetime.now(UTC).date() - timedelta(days=days_ago), source="/shop",
        pointer="/order", message="Must be a number.", rejected=rejected, count=count, last_at=timezone.now(),
    )  # fmt: skip


def due() -> None:
    execute("UPDATE log_follower SET due_at = 0")


def test_drift_is_told_once_for_each_cause(placed: EventType) -> None:
    observed("order.placed", *({"order": n, "gift": True} for n in range(30)))
    announcing.find()
    (news,) = Change.objects.filter(kind="type.drifting")
    assert news.detail["causes"] == ["/gift is sent and not declared"]
    due()
    announcing.find()
    assert Change.objects.filter(kind="type.drifting").count() == 1
    Observation.objects.all().delete()
    observed("order.placed", *({"order": "text", "gift": True} for _ in range(30)))
    due()
    announcing.find()
    newest = Change.objects.filter(kind="type.drifting").first()
    assert newest.detail["causes"] == ["/order is string, declared as integer"]
    assert "text" not in json.dumps(newest.detail)


@pytest.mark.parametrize(
    ("lifecycle", "many"), [("active", findings.LEAST - 1), ("draft", 40), ("retired", 40)]
)
def test_few_events_drafts_and_what_is_retired_do_not_drift(lifecycle: str, many: int) -> None:
    register("order.placed", lifecycle=lifecycle)
    observed("order.placed", *({"gift": True} for _ in range(many)))
    findings.look(datetime.now(UTC).date())
    assert not Change.objects.filter(kind="type.drifting").exists()


@pytest.mark.parametrize(
    ("today", "before", "dropped"),
    [
        ((100, 0, 0), None, False),
        ((100, 0, 4), None, False),
        ((100, 0, 10), None, True),  # refused
        ((100, 10, 0), None, True),  # stored with a warning
        ((10, 0, 5), None, False),  # too few
        ((100, 0, 10), (100, 10), False),  # it was so before
        ((100, 0, 40), (100, 10), True),
        ((0, 0, 50), None, True),  # nothing came through at all
    ],
)
def test_quality_drops_when_clearly_more_than_before_does_not_fit(
    placed: EventType, today: tuple[int, int, int], before: tuple[int, int] | None, dropped: bool
) -> None:
    events, warned, refused = today
    if events:
        observed("order.placed", {"order": 1}, events=events)
    for count, rejected in ((warned, False), (refused, True)):
        if count:
            violated("order.placed", count, rejected)
    if before is not None:
        observed(
            "order.placed", {"order": 1}, events=before[0], day=datetime.now(UTC).date() - timedelta(days=2)
        )
        violated("order.placed", before[1], days_ago=2)
    for _ in range(2):
        due()
        announcing.find()
    found = Change.objects.filter(kind="type.quality_dropped")
    assert found.count() == dropped
    if dropped:
        assert found[0].detail["causes"] == ["/order: Must be a number."]


def test_two_workers_find_the_same_once(placed: EventType) -> None:
    observed("order.placed", *({"order": n, "gift": True} for n in range(30)))
    violated("order.placed", 30)
    day = datetime.now(UTC).date()
    ended = [in_thread(lambda: findings.look(day)) for _ in range(2)]
    for end in ended:
        end()
    assert sorted(Change.objects.exclude(kind="type.registered").values_list("kind", flat=True)) == [
        "type.drifting", "type.quality_dropped",
    ]  # fmt: skip


def test_many_types_are_looked_at_in_turns(placed: EventType) -> None:
    for number in range(4):
        register(f"order.n{number}")
        observed(f"order.n{number}", *({"gift": True} for _ in range(30)))
    day = datetime.now(UTC).date()
    first = findings.look(day, limit=3)
    assert first.more
    assert Change.objects.filter(kind="type.drifting").count() == 3
    assert not findings.look(day, first.upto, limit=3).more
    assert Change.objects.filter(kind="type.drifting").count() == 4


def test_a_type_that_cannot_be_looked_at_and_a_short_time_stop_no_other(
    placed: EventType, monkeypatch: pytest.MonkeyPatch
) -> None:
    register("order.paid")
    for name in ("order.placed", "order.paid"):
        observed(name, *({"gift": True} for _ in range(30)))
    real = findings.drift

    def drift(shape: Any, schema: Any) -> Any:
        monkeypatch.setattr(findings, "drift", real)
        raise RecursionError

    monkeypatch.setattr(findings, "drift", drift)
    first = findings.look(datetime.now(UTC).date(), stay=0)
    assert first == (placed.pk, True)
    assert not findings.look(datetime.now(UTC).date(), first.upto).more
    assert [change.type_name for change in Change.objects.filter(kind="type.drifting")] == ["order.paid"]


def test_the_editor_is_filled_in_for_one_type(placed: EventType, client: Any) -> None:
    client.force_login(follower())
    page = client.get("/changes/?type=order.placed")
    address = page.context["rule_url"]
    draft = client.get(address).context["draft"]
    assert draft.filter.pattern == {"type": ["dev.signalbox.version.registered"], "subject": ["order.placed"]}
    assert client.get(address).context["rule_form"].instance.bus.name == "system"
