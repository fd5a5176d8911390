"""Reading below the floor, seeking by time, and what retention keeps, the same on both databases."""

from __future__ import annotations

import time

import pytest
from django.db import connection

from delivery.log.entry import Accepted, BelowFloor, Versions
from delivery.log.interface import open_log
from delivery.log.retention import needed_from, retain_all
from delivery.runner import attempts
from delivery.runner.database import Database as Rows
from delivery.tracking.read import rows
from delivery.tracking.words import Outcome
from tests import recorded
from tests.databases import Database
from tests.events import a_bus, a_rule, a_target, an_entry, current_versions
from tests.integration import rows as write

NONE = Versions(0, 0)
DAY = 86_400_000_000


def execute(sql: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {table}")
        return int(cursor.fetchone()[0])


def test_reading_below_the_floor_says_so_and_where_to_begin(log_database: Database) -> None:
    log = open_log()
    log.append([[an_entry(f"e{n}", received_at=n) for n in range(10)]], NONE)
    assert log.retain(bus=1, before=6, keep_above=2**62, limit=4) == 4
    assert log.retain(bus=1, before=6, keep_above=2**62, limit=4) == 2
    for after in (0, 5):
        with pytest.raises(BelowFloor) as below:
            log.read(after, 10)
        assert below.value.floor == 6
    assert [stored.seq for stored in log.read(6, 10)] == [7, 8, 9, 10]


def test_the_floor_of_one_bus_does_not_stop_readers_of_another(log_database: Database) -> None:
    log = open_log()
    log.append([[an_entry("a", received_at=1), an_entry("b", bus=2, received_at=1)]], NONE)
    log.retain(bus=1, before=100, keep_above=2**62, limit=10)
    assert [stored.seq for stored in log.read(0, 10, bus=2)] == [2]
    with pytest.raises(BelowFloor):
        log.read(0, 10, bus=1)
    with pytest.raises(BelowFloor):
        log.read(0, 10)


def test_the_floor_never_sinks(log_database: Database) -> None:
    log = open_log()
    log.append([[an_entry("a", received_at=500), an_entry("b", received_at=1)]], NONE)
    log.retain(bus=1, before=100, keep_above=2**62, limit=10)
    log.retain(bus=1, before=1000, keep_above=2**62, limit=10)
    with pytest.raises(BelowFloor) as below:
        log.read(1, 10)
    assert below.value.floor == 2


@pytest.mark.parametrize(
    ("at", "seq"), [(0, 0), (1000, 0), (1001, 1), (1500, 5), (2000, 10), (2001, 20), (9999, 20)]
)
def test_seeking_by_time_finds_the_seq_before_the_first_event_from_then_on(
    log_database: Database, at: int, seq: int
) -> None:
    times = [1000 + 100 * n for n in range(10)] + [2000] * 10
    open_log().append([[an_entry(f"e{n}", received_at=time) for n, time in enumerate(times)]], NONE)
    assert open_log().seek(at) == seq


def test_seeking_in_a_log_that_is_empty_or_was_emptied(log_database: Database) -> None:
    log = open_log()
    assert log.seek(5) == 0
    log.append([[an_entry(f"e{n}", received_at=n) for n in range(6)]], NONE)
    log.retain(bus=1, before=3, keep_above=2**62, limit=10)
    assert log.seek(0) == 3
    log.retain(bus=1, before=100, keep_above=2**62, limit=10)
    assert log.seek(0) == 6


def test_a_dropped_event_is_no_repeat_any_more(log_database: Database) -> None:
    log = open_log()
    log.append([[an_entry("a", received_at=1)]], NONE)
    log.retain(bus=1, before=100, keep_above=2**62, limit=10)
    assert count("log_duplicate") == 0
    assert log.append([[an_entry("a")]], NONE) == [[Accepted(2)]]


def test_retention_drops_what_is_old_and_keeps_what_a_target_still_needs(log_database: Database) -> None:
    bus = a_bus(retention_days=1)
    target = a_target(rule=None)
    old = time.time_ns() // 1000 - 2 * DAY
    entries = [an_entry(f"e{n}", "A", bus=bus.pk, received_at=old, targets=(target.pk,)) for n in range(6)]
    entries += [an_entry(f"new{n}", "A", bus=bus.pk) for n in range(2)]
    open_log().append([[entry._replace(rules_version=1) for entry in entries]], current_versions())
    assert needed_from(bus.pk) == 1
    assert retain_all() == 0

    slot, position = divmod(entries[0].lane, 8)
    execute(
        f"INSERT INTO runner_slot (target, lanes, fence, until, c{position}) VALUES (%s, %s, 1, 0, 4)",
        target.pk,
        slot,
    )
    assert needed_from(bus.pk) == 5
    assert retain_all() == 4
    assert [stored.seq for stored in open_log().read(4, 10)] == [5, 6, 7, 8]

    execute(f"UPDATE runner_slot SET c{position} = 6")
    assert retain_all() == 2
    # The young stay, also when nobody needs them.
    assert [stored.seq for stored in open_log().read(6, 10)] == [7, 8]


def test_a_target_of_another_bus_keeps_nothing(log_database: Database) -> None:
    other = a_bus("other", retention_days=1)
    target = a_target()
    old = time.time_ns() // 1000 - 2 * DAY
    open_log().append(
        [[an_entry("a", bus=other.pk, received_at=old), an_entry("b", bus=a_bus().pk, targets=(target.pk,))]],
        current_versions(),
    )
    assert retain_all() == 1


def test_exceptions_outlive_their_event_and_attempts_do_not(log_database: Database) -> None:
    bus = a_bus(retention_days=1)
    target = a_target()
    entry = an_entry("a", bus=bus.pk, received_at=1)
    open_log().append([[entry]], current_versions())
    execute(
        "INSERT INTO runner_exception (target, seq, lane, key, state, blocks, attempts, redriven, received_at, first_at, raw) "
        "VALUES (%s, 1, %s, %s, 3, 1, 8, 0, 1, 1, %s)",
        target.pk, entry.lane, entry.key, entry.raw,
    )  # fmt: skip
    write.attempt(target.pk, 1, Outcome.REJECTED)
    assert retain_all() == 1
    assert (count("log_event"), count("attempt"), count("runner_exception")) == (0, 0, 1)


def test_attempts_are_dropped_with_their_events_and_packs_with_their_last(log_database: Database) -> None:
    """Of two buses, one keeps its events; a target of either, and one that was deleted."""
    from rules.revisions import delete_rule, save_rule

    short, long = a_bus(retention_days=1), a_bus("long", retention_days=3650)
    mine = a_target(rule=save_rule(a_rule()))
    on_long = a_rule("long")
    on_long.bus = long
    theirs = a_target(rule=save_rule(on_long))
    gone = a_target(rule=save_rule(a_rule("gone")))
    targets = {"mine": mine.pk, "theirs": theirs.pk, "gone": gone.pk}
    delete_rule(gone.rule)
    recent = time.time_ns() // 1000
    buses = {"mine": short.pk, "theirs": long.pk, "gone": short.pk}
    entries = [
        an_entry(f"{name}{n}", bus=buses[name], received_at=recent if n > 4500 else recent - 100 * DAY)
        for n in range(1, 4701)
        for name in ("mine", "theirs")
    ]
    open_log().append([entries], current_versions())
    # Odd seqs are mine, even ones theirs; those of the deleted target were odd ones.
    database = Rows()
    with database.transaction():
        for name, pk in targets.items():
            seqs = range(2 if name == "theirs" else 1, 9401, 2)
            made = [(pk, seq, 1, 1, 1, 1, 200, 1, None, None, None) for seq in seqs]
            failed = [(pk, seq, 1, 1, 1, 2, 503, 1, "no", None, None) for seq in seqs[::10]]
            for at in range(0, len(made), 100):
                attempts.record(database, made[at : at + 100], "a shift")
            attempts.record(database, failed, "a shift")
    assert retain_all() == 4500
    found = recorded.attempts(rows)
    by_target = {name: [one for one in found if one.target == pk] for name, pk in targets.items()}
    assert len(by_target["theirs"]) == 4700 + 470
    assert len([one for one in by_target["mine"] if one.outcome == 2]) == 20
    assert min(one.seq for one in by_target["mine"] if one.outcome == 2) == 9001
    assert {one.seq for one in by_target["mine"]} >= set(range(9001, 9401, 2))
    # The pack that the floor lies in is kept whole.
    assert len(by_target["mine"]) <= 20 + 200 + 128
    # The other bus keeps its first event, seq 2, so nobody can tell that the deleted target's are too old, but for one.
    assert len(by_target["gone"]) == 4700 + 469
    execute("DELETE FROM log_event WHERE seq <= 9000")
    retain_all()
    left = [one for one in recorded.attempts(rows) if one.target == gone.pk]
    assert len(left) <= 20 + 200 + 128


def test_old_counts_are_dropped_and_recent_ones_kept(
    log_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("delivery.log.retention.ROWS", 7)
    minute = time.time_ns() // 60_000_000_000
    for ago in (0, 30 * 1440, 32 * 1440, 300 * 1440, 400 * 1440):
        for target in range(20):
            write.count_minute(target, minute - ago, delivered=1)
    retain_all()
    assert (count("rollup_delivered"), count("rollup_delivered_slot")) == (40, 80)


def test_what_deleted_targets_left_behind_is_dropped(log_database: Database) -> None:
    from rules.revisions import delete_rule, save_rule

    kept = a_target()
    gone = a_target(rule=save_rule(a_rule("other")))
    open_log().append([[an_entry("a", bus=a_bus().pk, targets=(kept.pk, gone.pk))]], current_versions())
    gone_id = gone.pk
    delete_rule(gone.rule)
    retain_all()
    for table in ("log_route", "log_ready"):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT target FROM {table}")
            assert cursor.fetchall() == [(kept.pk,)], gone_id
