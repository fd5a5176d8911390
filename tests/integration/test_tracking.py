"""What tracking reads out of the data plane's tables, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from delivery.tracking.words import Outcome, State
from tests.databases import Database, in_thread
from tests.integration import rows as write

pytestmark = pytest.mark.usefixtures("town_rows")


@pytest.fixture
def town_rows(log_database: Database) -> SimpleNamespace:
    """A bus, a rule for large orders with two targets, and a rule that listens to something else."""
    from catalog.models import Bus, Team
    from rules.models import Rule, Target
    from rules.revisions import save_rule, save_target, subscribe

    bus, team = Bus.objects.create(name="main"), Team.objects.create(name="Shop", slug="shop")
    large = Rule(name="Swedish orders", bus=bus, team=team)
    large.pattern = {"type": ["order.placed"], "data": {"currency": ["SEK"]}}
    billing = Target(
        name="Billing",
        connector="http",
        config={"url": "http://127.0.0.1:9/"},
        transform={"kind": "complete"},
    )
    subscribe(large, billing)
    stock = save_target(Target(name="Stock", rule=large, connector="http", transform={"kind": "complete"}))
    other = save_rule(Rule(name="Parcels", bus=bus, team=team, pattern={"type": ["parcel.sent"]}))
    return SimpleNamespace(bus=bus.pk, large=large, billing=billing, stock=stock, other=other)


def order(town: SimpleNamespace, currency: str = "SEK", **attributes: object) -> int:
    targets = (town.billing.pk, town.stock.pk) if currency == "SEK" else ()
    return write.store(town.bus, targets, data={"currency": currency}, **attributes)


def test_waiting_counts_what_lies_above_the_cursor_of_its_lane(town_rows: SimpleNamespace) -> None:
    from delivery.tracking import waiting

    seqs = [order(town_rows, subject=f"order-{number}") for number in range(30)]
    for seq in seqs[:10]:
        write.pass_cursor(town_rows.billing.pk, seq)
    owed = waiting.of_targets([town_rows.billing.pk, town_rows.stock.pk])
    assert owed[town_rows.stock.pk].queued == 30
    passed = set(seqs[:10]) | _below(town_rows.billing.pk, seqs)
    assert owed[town_rows.billing.pk].queued == 30 - len(passed)
    assert owed[town_rows.stock.pk].oldest is not None
    assert waiting.total(owed.values()).queued == 60 - len(passed)


def _below(target: int, seqs: list[int]) -> set[int]:
    """The seqs at or below their own lane's cursor, found one by one."""
    from delivery.log.schema import CURSORS, LANES_PER_SLOT
    from delivery.tracking.read import rows

    found = set()
    for seq in seqs:
        lane = rows("SELECT lane FROM log_event WHERE seq = %s", [seq])[0][0]
        slot, position = divmod(lane, LANES_PER_SLOT)
        cursor = rows(
            f"SELECT {CURSORS[position]} FROM runner_slot WHERE target = %s AND lanes = %s", [target, slot]
        )
        if cursor and seq <= cursor[0][0]:
            found.add(seq)
    return found


def test_waiting_tells_exceptions_by_state(town_rows: SimpleNamespace) -> None:
    from delivery.tracking import waiting

    first, second, third = (order(town_rows, subject=f"order-{number}") for number in range(3))
    due = write.now() + 5 * write.SECOND
    write.hold(town_rows.billing.pk, first, State.DEAD)
    write.hold(town_rows.billing.pk, second, State.RETRY, due_at=due)
    write.hold(town_rows.billing.pk, third, State.WAITING)
    owed = waiting.of_targets([town_rows.billing.pk])[town_rows.billing.pk]
    assert (owed.dead, owed.retrying, owed.behind, owed.next_due) == (1, 1, 1, due)


def test_a_journey_says_who_took_it_who_refused_and_why_others_did_not(town_rows: SimpleNamespace) -> None:
    from delivery.tracking import journey

    seq = order(town_rows, subject="order-1")
    write.attempt(town_rows.stock.pk, seq, Outcome.DELIVERED)
    write.pass_cursor(town_rows.stock.pk, seq)
    write.attempt(town_rows.billing.pk, seq, Outcome.REJECTED, status=422, reason="It answers 422: too long.")
    write.hold(town_rows.billing.pk, seq, State.DEAD, reason="It answers 422: too long.")
    found = journey.of(seq)
    assert found is not None
    assert (found.looked, found.delivered) == (2, 1)
    assert {stop.name: stop.state for stop in found.stops} == {"Billing": "dead", "Stock": "delivered"}
    assert next(stop for stop in found.stops if stop.name == "Billing").reason == "It answers 422: too long."
    assert [one.rule for one in found.passed] == ["Parcels"]
    assert found.passed[0].failed is not None
    assert found.passed[0].failed.path == "type"


@pytest.mark.parametrize(
    ("state", "outcome", "seen"),
    [
        (State.RETRY, Outcome.RETRY, "retrying"),
        (State.WAITING, None, "behind"),
        (State.DISCARD, Outcome.REJECTED, "dead"),
        (None, Outcome.DISCARDED, "discarded"),
        (None, None, "queued"),
    ],
)
def test_a_journey_tells_where_an_event_stands(
    town_rows: SimpleNamespace, state: State | None, outcome: Outcome | None, seen: str
) -> None:
    from delivery.tracking import journey

    seq = order(town_rows)
    if outcome is not None:
        write.attempt(town_rows.billing.pk, seq, outcome)
        write.pass_cursor(town_rows.billing.pk, seq)
    if state is not None:
        write.hold(town_rows.billing.pk, seq, state)
    found = journey.of(seq)
    assert found is not None
    assert next(stop for stop in found.stops if stop.name == "Billing").state == seen


def test_a_journey_is_explained_by_the_rules_of_its_time(town_rows: SimpleNamespace) -> None:
    from delivery.tracking import journey
    from rules.revisions import delete_rule, save_rule

    before = order(town_rows, "EUR")
    town_rows.large.pattern = {"type": ["order.placed"]}
    save_rule(town_rows.large)
    delete_rule(town_rows.other)
    after = write.store(town_rows.bus, (town_rows.billing.pk,), data={"currency": "EUR"})
    old, new = journey.of(before), journey.of(after)
    assert old is not None
    assert new is not None
    assert (old.looked, [rule.name for rule in old.took]) == (2, [])
    failed = {one.rule: one.failed for one in old.passed}["Swedish orders"]
    assert failed is not None
    assert (failed.path, failed.seen) == ("data.currency", "EUR")
    assert (new.looked, [rule.name for rule in new.took]) == (1, ["Swedish orders"])


def test_nothing_is_told_of_an_event_that_is_not_there() -> None:
    from delivery.tracking import journey

    assert journey.of(4711) is None


def test_an_event_is_found_by_id_and_by_number(town_rows: SimpleNamespace) -> None:
    from delivery.tracking import events

    first = order(town_rows, id="order-88190", source="/shop")
    second = order(town_rows, id="order-88190", source="/app")
    assert [line.seq for line in events.find("order-88190")] == [second, first]
    assert [line.seq for line in events.find(str(first))] == [first]
    assert events.find("order-8819") == []
    assert events.find("") == []


def test_the_story_of_a_subject_crosses_sources_in_order(town_rows: SimpleNamespace) -> None:
    from delivery.tracking import events

    seqs = [order(town_rows, subject="order-7", source=source) for source in ("/shop", "/pay", "/shop")]
    order(town_rows, subject="order-8")
    event = events.at(seqs[1])
    assert event is not None
    assert [line.seq for line in events.about(event)] == seqs


def test_a_story_finds_what_known_sources_tell_far_away_and_others_nearby(town_rows: SimpleNamespace) -> None:
    from delivery.log.interface import open_log
    from delivery.tracking import events
    from tests.events import an_entry, current_versions

    for source in ("/pay", "/ship"):
        write.execute(
            "INSERT INTO rollup_source (source, type, slot, events, first_at, last_at) VALUES (%s, 't', 1, 1, 1, 1)",
            source,
        )
    lost = order(town_rows, subject="order-7", source="/shop", partitionkey="mine")
    far = order(town_rows, subject="order-7", source="/ship")
    open_log().append(
        [[an_entry(f"x{n}", f"s{n}", bus=town_rows.bus) for n in range(700)]], current_versions()
    )
    near = order(town_rows, subject="order-7", source="/shop", partitionkey="mine")
    seq = order(town_rows, subject="order-7", source="/pay")
    event = events.at(seq)
    assert event is not None
    assert [line.seq for line in events.about(event)] == [far, near, seq]
    assert lost not in [line.seq for line in events.about(event)]
    assert [line.seq for line in events.about(event, limit=2)] == [near, seq]


def test_the_latest_of_some_types_come_newest_first(town_rows: SimpleNamespace) -> None:
    from delivery.tracking import events

    placed = [order(town_rows) for _ in range(3)]
    sent = write.store(town_rows.bus, type="parcel.sent")
    write.store(town_rows.bus, type="other")
    found = events.latest(town_rows.bus, ["order.placed", "parcel.sent"], 3)
    assert [event.seq for event in found] == [sent, placed[2], placed[1]]
    assert len(events.latest(town_rows.bus, [], 50)) == 5
    assert events.latest(town_rows.bus + 1, ["order.placed"], 5) == []


def test_rollups_are_added_up_per_step_and_target(town_rows: SimpleNamespace) -> None:
    from delivery.tracking import rates

    billing, stock = town_rows.billing.pk, town_rows.stock.pk
    write.count_minute(billing, 100, delivered=3, l2=3)
    write.count_minute(billing, 101, delivered=2, dead=1, l3=2)
    write.count_minute(stock, 103, delivered=5, retried=4, l0=5)
    write.count_minute(stock, 104, delivered=9)
    slots = rates.delivered(100, 103, 2)
    assert [(slot.delivered, slot.retried, slot.dead) for slot in slots] == [(5, 0, 1), (5, 4, 0)]
    assert rates.delivered(100, 103, 1, [billing])[3] == rates.NOTHING
    assert rates.delivered_by_target(100, 103, [billing, stock])[stock].latency[0] == 5
    assert rates.lines_by_target(100, 103, 2, [billing, stock]) == {billing: [5, 0], stock: [0, 5]}


def test_a_type_is_not_silent_in_its_first_minute(town_rows: SimpleNamespace) -> None:
    from delivery.tracking import rates

    at = 100 * 60 * write.SECOND + 30 * write.SECOND
    write.store(town_rows.bus, at=at)
    assert rates.received_by_type(["order.placed"], at)["order.placed"].minutes == [0] * 59 + [1]
    write.store(town_rows.bus, at=at - 60 * write.SECOND)
    write.store(town_rows.bus, at=at - 120 * write.SECOND)
    assert rates.received_by_type(["order.placed"], at)["order.placed"].minutes == [0] * 58 + [1, 1]


def test_facts_answer_the_catalog(town_rows: SimpleNamespace) -> None:
    from delivery.tracking.facts import LogFacts
    from rules.revisions import save_rule

    facts = LogFacts()
    write.store(town_rows.bus, type="order.placed", at=write.now() - 3600 * write.SECOND, valid=0)
    seq = order(town_rows)
    found = facts.types(["order.placed", "parcel.sent", "never.seen"])
    assert (found["order.placed"].day, found["order.placed"].invalid_day) == (2, 1)
    assert {name: one.listeners for name, one in found.items()} == {
        "order.placed": 1,
        "parcel.sent": 1,
        "never.seen": 0,
    }
    assert found["never.seen"].last_seen is None
    last = found["order.placed"].last_seen
    assert last is not None
    assert abs(last.astimezone(UTC).timestamp() * 1e6 - write.now()) < 120 * write.SECOND
    assert len(found["order.placed"].minutes) == 60
    assert facts.recent("order.placed", 5)[0].seq == seq
    assert {listener.target for listener in facts.listeners("order.placed")} == {"Billing", "Stock"}
    town_rows.large.enabled = False
    save_rule(town_rows.large)
    assert facts.listeners("order.placed") == []
    assert facts.totals().day == 2


def test_signalboxs_own_events_are_no_traffic_unless_asked_for(town_rows: SimpleNamespace) -> None:
    from catalog import system
    from delivery.tracking.facts import LogFacts

    own = system.ensure().pk
    write.store(own, type="dev.signalbox.type.registered", at=write.now() - 25 * 3600 * write.SECOND)
    order(town_rows)
    write.store(own, type="dev.signalbox.type.registered")
    facts = LogFacts()
    assert facts.totals() == (1, 1)
    assert facts.totals(own=True) == (2, 2)


def test_the_newest_event_of_each_type_is_found_whatever_its_bus(town_rows: SimpleNamespace) -> None:
    from catalog.models import Bus
    from delivery.tracking import events

    second = Bus.objects.create(name="second")
    at = write.now()
    write.store(town_rows.bus, type="a", at=at - 5)
    write.store(second.pk, type="a", at=at - 3)
    write.store(town_rows.bus, type="b", at=at - 4)
    many = [f"none.{number}" for number in range(events.AT_ONCE)]
    with CaptureQueriesContext(connection) as asked:
        assert events.newest([*many, "a", "b"]) == {"a": at - 3, "b": at - 4}
    assert events.newest([]) == {}
    if connection.vendor == "sqlite":
        # Joined to the names, the log was walked from end to end: half a minute where a million events are stored.
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + asked[0]["sql"].replace("%", "%%"))
            plan = [row[3] for row in cursor.fetchall() if "log_event" in row[3]]
        assert plan
        assert all(step.startswith("SEARCH") for step in plan), plan


def test_dead_letters_are_grouped_by_target_and_reason(town_rows: SimpleNamespace) -> None:
    from delivery.deadletters import listing
    from delivery.deadletters.chosen import Chosen, in_order

    seqs = [order(town_rows) for _ in range(4)]
    for seq in seqs[:3]:
        write.hold(town_rows.billing.pk, seq, State.DEAD, reason="It answers 422: a.")
    write.hold(town_rows.billing.pk, seqs[3], State.DEAD, reason=None)
    write.hold(town_rows.stock.pk, seqs[0], State.RETRY, due_at=write.now())
    found = listing.groups()
    assert [(group.target, group.example, group.size, group.last_seq) for group in found] == [
        (town_rows.billing.pk, "It answers 422: a.", 3, seqs[2]),
        (town_rows.billing.pk, "", 1, seqs[3]),
    ]
    chosen = Chosen(target=town_rows.billing.pk, cause=found[0].id)
    assert [letter.seq for letter in in_order(chosen, (0, 0), 100)[0]] == seqs[:3]
    assert [letter.seq for letter in listing.of_target(town_rows.billing.pk, 1)] == [seqs[3]]
    assert listing.count() == 4


def test_the_summary_tells_what_is_wrong_on_either_database(town_rows: SimpleNamespace) -> None:
    from delivery.pages.stretch import RANGES, named
    from delivery.pages.summary import summary
    from delivery.tracking.rates import minute_of

    dead, late = order(town_rows), order(town_rows)
    write.hold(town_rows.billing.pk, dead, State.DEAD)
    write.hold(town_rows.stock.pk, late, State.RETRY, due_at=write.now() + write.SECOND)
    write.count_minute(town_rows.stock.pk, minute_of(write.now()), delivered=3, l4=3)
    for name in RANGES:
        found = summary(named(name, write.now()))
        assert [(need.kind, need.target.name, need.dead) for need in found["needs"]] == [
            ("bad", "Billing", 1),
            ("warn", "Stock", 0),
        ]
        assert (found["dead"], found["owes"].retrying, found["whole"].delivered) == (1, 1, 3)


def test_the_tail_tells_everything_once(town_rows: SimpleNamespace) -> None:
    from delivery.models import BinRequest, RequestBin
    from delivery.tracking.tail import Reader

    order(town_rows)
    reader = Reader()
    assert reader.news().nothing
    seq = order(town_rows)
    write.attempt(town_rows.billing.pk, seq, Outcome.RETRY)
    write.attempt(town_rows.stock.pk, seq, Outcome.DELIVERED)
    bin_ = RequestBin.objects.create(name="bin", team=town_rows.large.team)
    request = BinRequest.objects.create(bin=bin_, method="POST", body="x")
    news = reader.news()
    assert news.events == (seq, seq)
    assert [(one.target, one.delivered) for one in news.attempts] == [
        (town_rows.billing.pk, False),
        (town_rows.stock.pk, True),
    ]
    assert news.requests == {bin_.pk: [request.pk]}
    assert reader.news().nothing


def test_an_attempt_that_commits_after_a_later_one_is_told_too(
    town_rows: SimpleNamespace, log_database: Database
) -> None:
    from django.db import transaction

    from delivery.tracking.tail import Reader

    if log_database.vendor == "sqlite":
        pytest.skip("SQLite has one writer: attempts are numbered in commit order")
    seq = order(town_rows)
    reader = Reader()
    with transaction.atomic():
        write.attempt(town_rows.billing.pk, seq, Outcome.RETRY)
        in_thread(lambda: write.attempt(town_rows.stock.pk, seq, Outcome.DELIVERED))()
        assert [one.target for one in in_thread(reader.news)().attempts] == [town_rows.stock.pk]
    assert [one.target for one in reader.news().attempts] == [town_rows.billing.pk]
    assert reader.news().nothing
