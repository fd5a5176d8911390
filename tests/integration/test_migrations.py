"""A database of the first version, with attempts on record, is taken through every migration: nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.core.management import call_command
from django.db import connection

from delivery.log.interface import open_log
from delivery.tracking import journey
from delivery.tracking.read import rows
from delivery.tracking.words import Outcome, State
from tests import recorded
from tests.databases import Database, default_database
from tests.integration import first_schema
from tests.integration.sink import execute
from tests.processes import Town

SECOND = 1_000_000
T0 = 1_780_000_000 * SECOND


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service("postgresql"))])
def empty_database(
    request: pytest.FixtureRequest, new_town: Callable[..., Town], django_db_blocker: object
) -> Iterator[Database]:
    """A database without any table, the default one of this process."""
    town = new_town(postgresql=request.param == "postgresql", migrated=False)
    with django_db_blocker.unblock(), default_database(town) as database:  # type: ignore[attr-defined]
        yield database


def first_version() -> None:
    """Migrates up to delivery 0002, with the tables as 0002 made them then."""
    call_command("migrate", "catalog", verbosity=0)  # whose search is filled after every migration
    call_command("migrate", "delivery", "0001", verbosity=0)
    call_command("migrate", "rules", "0001", verbosity=0)
    for statement in first_schema.create(connection.vendor):
        execute(statement)
    call_command("migrate", "delivery", "0002", fake=True, verbosity=0)


def store_events(bus: int, target: int) -> None:
    """Three events: taken at once; taken at the third try; a dead letter."""
    for seq in (1, 2, 3):
        raw = f'{{"specversion":"1.0","id":"e{seq}","source":"/shop","type":"order.placed","data":{seq}}}'.encode()
        execute(
            "INSERT INTO log_event (seq, bus, lane, key, source, type, ce_id, received_at, rules_version, raw) "
            "VALUES (%s, %s, %s, %s, '/shop', 'order.placed', %s, %s, 1, %s)",
            seq, bus, seq, seq, f"e{seq}", T0 + seq, raw,
        )  # fmt: skip
        execute("INSERT INTO log_route (target, lanes, seq, lane) VALUES (%s, 0, %s, %s)", target, seq, seq)
    execute("UPDATE log_head SET seq = 3")
    execute("INSERT INTO log_ready (target, lanes, seq) VALUES (%s, 0, 3)", target)
    execute(
        "INSERT INTO runner_slot (target, lanes, owner, fence, until, c1, c2, c3) VALUES (%s, 0, NULL, 4, 0, 3, 3, 3)",
        target,
    )
    execute(
        "INSERT INTO runner_exception (target, seq, lane, key, state, blocks, attempts, redriven, received_at, first_at, "
        "status, reason, raw, request, response) VALUES (%s, 3, 3, 3, %s, 1, 1, 0, %s, %s, 422, 'It answers 422.', %s, "
        "'{\"whole\": true}', 'no')",
        target, int(State.DEAD), T0 + 3, T0 + 9, b'{"specversion":"1.0","id":"e3","source":"/shop","type":"order.placed"}',
    )  # fmt: skip


ATTEMPTS = [
    (1, 1, Outcome.DELIVERED, 200, None, None),
    (2, 1, Outcome.RETRY, 503, "It answers 503.", "busy"),
    (2, 2, Outcome.UNKNOWN, None, "The shift ended while this was sent.", None),
    (2, 3, Outcome.DELIVERED, 204, None, None),
    (3, 1, Outcome.REJECTED, 422, "It answers 422.", "no"),
]


def shape(query: Callable[..., list[tuple[object, ...]]], vendor: str) -> dict[str, set[object]]:
    """The columns, keys and indexes of every table; where a column stands among the others does not count."""
    found: dict[str, set[object]] = {}
    if vendor == "postgresql":
        for table, *column in query(
            "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text, column_default::text "
            "FROM information_schema.columns WHERE table_schema = 'public'"
        ):
            found.setdefault(str(table), set()).add(tuple(column))
        for table, index in query(
            "SELECT tablename::text, indexdef::text FROM pg_indexes WHERE schemaname = 'public'"
        ):
            found[str(table)].add(index)
        return found
    tables = query("SELECT name FROM sqlite_master WHERE type = 'table' AND substr(name, 1, 7) <> 'sqlite_'")
    for (table,) in tables:
        columns = query(
            f"SELECT name, lower(type), \"notnull\", dflt_value, pk FROM pragma_table_info('{table}')"
        )
        found[str(table)] = set(columns)
    for table, sql in query(
        "SELECT tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    ):
        found[str(table)].add(" ".join(str(sql).split()))
    return found


def test_a_database_of_the_first_version_keeps_its_attempts_and_gets_the_tables_of_a_new_one(
    empty_database: Database, new_town: Callable[..., Town]
) -> None:
    first_version()
    bus, target = 1, 1
    store_events(bus, target)
    for number, (seq, nth, outcome, status, reason, response) in enumerate(ATTEMPTS):
        execute(
            "INSERT INTO attempt (target, seq, number, at, took, outcome, status, revision, reason, response) "
            "VALUES (%s, %s, %s, %s, 4000, %s, %s, 1, %s, %s)",
            target, seq, nth, T0 + number * SECOND, int(outcome), status, reason, response,
        )  # fmt: skip
    minutes = T0 // (60 * SECOND)
    for minute in range(7):
        execute(
            "INSERT INTO rollup_delivered (target, minute, delivered, retried, dead, l3) VALUES (%s, %s, 2, 1, 1, 2)",
            target, minutes + minute,
        )  # fmt: skip
    before = {
        name: rows(f"SELECT * FROM {name} ORDER BY 1, 2")
        for name in ("log_event", "log_route", "log_ready", "log_head")
    }

    call_command("migrate", verbosity=0)

    new = new_town(postgresql=connection.vendor == "postgresql")
    grown, made = shape(rows, connection.vendor), shape(new.query, connection.vendor)
    assert grown.keys() == made.keys()
    assert {"log_event", "attempt_pack", "runner_place", "rules_target"} <= grown.keys()
    for table in sorted(grown):
        assert grown[table] == made[table], table

    for name, had in before.items():
        assert rows(f"SELECT * FROM {name} ORDER BY 1, 2") == had, name
    kept = [
        (one.seq, one.number, one.outcome, one.status, one.reason, one.response)
        for one in recorded.attempts(rows)
    ]
    assert kept == ATTEMPTS
    assert rows("SELECT fence, c1, c2, c3, wanted FROM runner_slot") == [(4, 3, 3, 3, 0)]
    assert rows("SELECT seq, state, status, request, told FROM runner_exception") == [
        (3, 3, 422, '{"whole": true}', 0)
    ]
    assert rows("SELECT SUM(delivered), SUM(retried), SUM(dead), SUM(l3) FROM rollup_delivered_slot") == [
        (14, 7, 7, 14)
    ]

    a_rule_with_target(bus, target)
    shown = {seq: journey.of(seq) for seq in (1, 2, 3)}
    for seq, state in ((1, "delivered"), (2, "delivered"), (3, "dead")):
        found = shown[seq]
        assert found is not None
        [stop] = found.stops
        assert stop.state == state
        assert [(one.number, one.outcome, one.status) for one in stop.attempts] == [
            (nth, outcome, status) for at, nth, outcome, status, _, _ in ATTEMPTS if at == seq
        ]
    # What comes next is written and read beside what was there.
    assert [stored.seq for stored in open_log().read(0, 10)] == [1, 2, 3]


def a_rule_with_target(bus: int, target: int) -> None:
    from catalog.models import Bus, Team
    from rules.models import Rule, Target
    from rules.revisions import save_rule, save_target

    team = Team.objects.create(slug="crew", name="Crew")
    rule = save_rule(Rule(name="all", bus=Bus.objects.create(pk=bus, name="city"), team=team, pattern={}))
    save_target(
        Target(pk=target, name="sink", rule=rule, connector="http", config={"url": "http://127.0.0.1:9/"})
    )
