"""What the log promises when it stores, the same on both databases."""

from __future__ import annotations

import pytest
from django.db import DataError, connection

from delivery.log.entry import Accepted, StaleVersions, Versions
from delivery.log.interface import open_log
from rules.revisions import save_rule
from tests.databases import Database, in_thread
from tests.events import a_rule, an_entry, current_versions

NONE = Versions(0, 0)


def rows(table: str, columns: str = "*", order: str = "1, 2, 3") -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {table} ORDER BY {order}")
        return [tuple(row) for row in cursor.fetchall()]


def test_each_event_gets_the_next_seq_over_groups_and_buses(log_database: Database) -> None:
    log = open_log()
    first = log.append([[an_entry("a"), an_entry("b", bus=2)], [an_entry("c")]], NONE)
    second = log.append([[an_entry("d", bus=2)]], NONE)
    assert first == [[Accepted(1), Accepted(2)], [Accepted(3)]]
    assert second == [[Accepted(4)]]
    assert log.head() == 4
    assert [stored.seq for stored in log.read(0, 10)] == [1, 2, 3, 4]
    assert [stored.seq for stored in log.read(0, 10, bus=2)] == [2, 4]
    assert [stored.seq for stored in log.read(1, 2)] == [2, 3]


def test_what_is_read_is_what_was_stored(log_database: Database) -> None:
    entry = an_entry("a", "Zürich 🚦", received_at=1_700_000_000_123_456, data={"speed": 50})
    open_log().append([[entry]], NONE)
    (stored,) = open_log().read(0, 10)
    assert stored == (1, 1, entry.lane, entry.key, 1_700_000_000_123_456, entry.raw)
    assert rows(
        "log_event", "source, type, subject, ce_id, time, schema_version, rules_version, valid", "1"
    ) == [("/test", "test.happened", "Zürich 🚦", "a", None, None, 0, None)]


@pytest.mark.parametrize("size", [1, 2, 63, 64, 65, 1000])
def test_a_batch_of_any_size_is_stored_whole_and_in_order(log_database: Database, size: int) -> None:
    entries = [an_entry(f"e{n}", f"s{n % 7}", targets=(5, 9)) for n in range(size)]
    (answers,) = open_log().append([entries], NONE)
    assert [answer.seq for answer in answers] == list(range(1, size + 1))
    assert [bytes(stored.raw) for stored in open_log().read(0, 2000)] == [entry.raw for entry in entries]
    assert len(rows("log_route")) == 2 * size
    # Every one of them is known again.
    again = open_log().append([list(reversed(entries))], NONE)
    assert again == [[Accepted(seq, True, False) for seq in range(size, 0, -1)]]
    assert open_log().head() == size


def test_an_empty_request_among_others_is_answered_with_nothing(log_database: Database) -> None:
    assert open_log().append([[], [an_entry("a")]], NONE) == [[], [Accepted(1)]]


def test_repeats_answer_the_stored_seq_and_change_nothing(log_database: Database) -> None:
    log = open_log()
    log.append([[an_entry("a", data=1, targets=(5,)), an_entry("b")]], NONE)
    before = {table: rows(table) for table in ("log_event", "log_route", "log_duplicate", "rollup_received")}
    answers = log.append([[an_entry("a", data=1, targets=(5, 6))], [an_entry("a", data=2)]], NONE)
    assert answers == [[Accepted(1, True, False)], [Accepted(1, True, True)]]
    assert {table: rows(table) for table in before} == before
    assert log.head() == 2


def test_a_repeat_within_a_group_and_within_a_batch_has_the_place_of_the_first(
    log_database: Database,
) -> None:
    groups = [
        [an_entry("a", data=1), an_entry("a", data=1), an_entry("b")],
        [an_entry("a", data=9), an_entry("c")],
    ]
    assert open_log().append(groups, NONE) == [
        [Accepted(1), Accepted(1, True, False), Accepted(2)],
        [Accepted(1, True, True), Accepted(3)],
    ]


def test_the_same_id_on_another_bus_is_another_event(log_database: Database) -> None:
    assert open_log().append([[an_entry("a"), an_entry("a", bus=2)]], NONE) == [[Accepted(1), Accepted(2)]]


def test_routes_hints_and_counts_are_in_the_same_commit(log_database: Database) -> None:
    entries = [
        an_entry("a", "A", targets=(5, 7)),
        an_entry("b", "A", targets=(5,)),
        an_entry("c", "B", valid=0),
    ]
    entries = [entry._replace(received_at=60_000_000 * 10 + n) for n, entry in enumerate(entries)]
    open_log().append([entries], NONE)
    lane = entries[0].lane
    assert rows("log_route", "target, lane, seq") == [(5, lane, 1), (5, lane, 2), (7, lane, 1)]
    assert rows("log_ready", "target, lanes, seq") == [(5, lane // 8, 2), (7, lane // 8, 1)]
    assert rows("rollup_received") == [
        (1, "test.happened", 10, 3, 1, sum(len(entry.raw) for entry in entries))
    ]
    open_log().append([[entries[0]._replace(ce_id="another")]], NONE)
    assert rows("log_ready", "target, lanes, seq") == [(5, lane // 8, 4), (7, lane // 8, 4)]
    assert rows("rollup_received", "events, invalid", "1") == [(4, 1)]


def test_nothing_of_a_commit_that_fails_is_stored(log_database: Database) -> None:
    bad = an_entry("b", targets=(5,))._replace(received_at="yesterday", raw=None)  # type: ignore[arg-type]
    with pytest.raises(Exception, match=r"(?i)null|integer|cannot|expected|int"):
        open_log().append([[an_entry("a", targets=(5,))], [bad]], NONE)
    for table in ("log_event", "log_route", "log_ready", "log_duplicate", "rollup_received"):
        assert rows(table, "*", "1") == []
    assert open_log().head() == 0
    assert open_log().append([[an_entry("a")]], NONE) == [[Accepted(1)]]


def test_entries_matched_against_older_rules_are_not_stored(log_database: Database) -> None:
    before = current_versions()
    save_rule(a_rule())
    with pytest.raises(StaleVersions) as stale:
        open_log().append([[an_entry("a")]], before)
    assert stale.value.current == current_versions() != before
    assert open_log().head() == 0
    assert open_log().append([[an_entry("a")]], stale.value.current) == [[Accepted(1)]]


def test_a_rule_that_is_being_saved_keeps_events_out_until_it_is_saved(log_database: Database) -> None:
    """Whoever saves holds the log's lock from the stamp to the commit, so no event slips in between."""
    from django.db import transaction

    from catalog import stamps

    save_rule(a_rule())
    before = current_versions()
    with transaction.atomic():
        stamps.bump(stamps.RULES)
        ended = in_thread(lambda: open_log().append([[an_entry("a")]], before))
    with pytest.raises(StaleVersions):
        ended()
    assert open_log().head() == 0


def test_seq_never_repeats_after_the_log_was_emptied(log_database: Database) -> None:
    log = open_log()
    log.append([[an_entry(f"e{n}", received_at=n) for n in range(5)]], NONE)
    assert log.retain(bus=1, before=100, keep_above=2**62, limit=100) == 5
    assert log.read(5, 10) == []
    connection.close()
    assert open_log().append([[an_entry("new")]], NONE) == [[Accepted(6)]]


def test_an_id_as_long_as_an_attribute_may_be_is_stored_and_known_again(log_database: Database) -> None:
    import hashlib

    long = "".join(hashlib.sha256(str(n).encode()).hexdigest() for n in range(64))[:4000]
    assert open_log().append([[an_entry(long)]], NONE) == [[Accepted(1)]]
    assert open_log().append([[an_entry(long)], [an_entry(long + "x")]], NONE) == [
        [Accepted(1, True)],
        [Accepted(2)],
    ]


@pytest.mark.service("postgresql")
def test_postgresql_refuses_a_text_with_nul(postgresql_log: Database) -> None:
    import psycopg

    with pytest.raises((psycopg.DataError, DataError)):
        open_log().append([[an_entry("a")._replace(subject="a\0b")]], NONE)


@pytest.mark.service("postgresql")
def test_the_log_is_back_after_postgresql_ended_its_connection(postgresql_log: Database) -> None:
    from django.db import OperationalError

    log = open_log()
    log.append([[an_entry("a")]], NONE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]

    def end() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])

    in_thread(end)()
    with pytest.raises(OperationalError):
        log.append([[an_entry("b")]], NONE)
    assert log.append([[an_entry("b")]], NONE) == [[Accepted(2)]]


@pytest.mark.service("postgresql")
def test_a_reader_is_back_after_postgresql_ended_its_connection(postgresql_log: Database) -> None:
    from django.db import OperationalError

    log = open_log()
    log.append([[an_entry("a")]], NONE)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]

    def end() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])

    in_thread(end)()
    with pytest.raises(OperationalError):
        log.read(0, 10)
    assert [stored.seq for stored in log.read(0, 10)] == [1]
