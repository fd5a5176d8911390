"""Past events for previews on both databases, and what trying a rule on them costs."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.db import connection, transaction

from catalog.models import Bus, Team
from delivery.pages import samples
from delivery.pages.past import LogPast
from rules.draft import Draft
from rules.engine import Filter
from rules.models import Rule, RuleRevision, Target
from rules.revisions import roll_back_rule, save_rule, subscribe
from rules.trying import try_on
from tests.databases import Database

COLUMNS = "seq, bus, lane, key, source, type, subject, ce_id, time, received_at, schema_version, rules_version, valid, raw"
ROWS = [
    ("data.total.amount", "number", "≥ 500"),
    ("data.total.currency", "is", "SEK, NOK"),
    ("data.customer.email", "not-suffix", "@meridian.test"),
    ("data.coupon", "absent", ""),
]


def fill(bus: int, count: int) -> None:
    """Orders of the last hours, as the log stores them."""
    now = time.time_ns() // 1000
    rows = []
    for number in range(1, count + 1):
        data = {
            "order_id": f"order-{number}",
            "customer": {
                "id": "b41e7c" * 6,
                "email": f"p{number}@{'meridian.test' if number % 9 else 'example.se'}",
            },
            "total": {"amount": number % 1500 + 0.9, "currency": ("SEK", "NOK", "EUR")[number % 3]},
            "lines": [
                {"sku": "24845", "quantity": 3, "price": 959.9},
                {"sku": "3", "quantity": 1, "price": 5},
            ],
            "channel": "app",
            "gift": False,
        }
        event = {
            "specversion": "1.0", "id": f"e{number}", "source": "/shop", "type": "order.placed",
            "subject": f"order-{number}", "datacontenttype": "application/json", "data": data,
        }  # fmt: skip
        at = now - (count - number) * 2_000_000
        rows.append(
            (number, bus, number % 64, number, "/shop", "order.placed", f"order-{number}", f"e{number}", None, at,
             None, 1, None, json.dumps(event).encode())
        )  # fmt: skip
    with transaction.atomic(), connection.cursor() as cursor:
        marks = ", ".join(["%s"] * 14)
        cursor.executemany(f"INSERT INTO log_event ({COLUMNS}) VALUES ({marks})", rows)
        cursor.execute("UPDATE log_head SET seq = %s", [count])


def draft(**values: Any) -> Draft:
    """A rule with four conditions."""
    from django.http import QueryDict

    form = QueryDict(mutable=True)
    form.setlist("type", ["order.placed"])
    for path, method, written in ROWS:
        form.appendlist("path", path)
        form.appendlist("method", method)
        form.appendlist("values", written)
    for name, value in values.items():
        form[name] = value
    return Draft.read(form)


def test_past_events_and_revisions_are_the_same_on_both_databases(log_database: Database) -> None:
    bus, team = Bus.objects.create(name="orders"), Team.objects.create(name="T", slug="t")
    fill(bus.pk, 300)
    for window, types in (("latest", ["order.placed"]), ("day", []), ("week", ["order.placed", "other"])):
        found = samples.take(bus.pk, types, window)
        assert [seen.seq for seen in found.events] == list(range(300, 0, -1))
    assert samples.take(bus.pk + 1, [], "day").events == []
    before = Filter({"type": ["order.placed"]})
    after = Filter({"type": ["order.placed"], "data": {"total": {"currency": ["SEK"]}}}, "EXISTS subject")
    found = LogPast().difference(bus.pk, before, after)
    assert (found.looked, found.kept, found.gained, found.lost) == (300, 100, 0, 200)

    rule = Rule(
        name="r",
        bus=bus,
        team=team,
        pattern=after.pattern,
        sql=after.sql,
        filters=[{"not": {"exact": {"a": "b"}}}],
    )
    rule.draft, rule.enabled = True, False
    subscribe(rule, Target(name="t", connector="http", contract={"schema": "{}"}))
    first = RuleRevision.objects.filter(rule_id=rule.pk).earliest("pk")
    assert (first.sql, first.filters, first.draft) == (rule.sql, rule.filters, True)
    rule.sql, rule.filters, rule.draft, rule.enabled = "", [], False, True
    save_rule(rule)
    roll_back_rule(rule, first)
    rule.refresh_from_db()
    assert (rule.sql, rule.filters, rule.enabled) == (first.sql, first.filters, True)


def test_a_draft_that_listens_cannot_be_stored(log_database: Database) -> None:
    from django.db import IntegrityError

    bus, team = Bus.objects.create(name="orders"), Team.objects.create(name="T", slug="t")
    with pytest.raises(IntegrityError), transaction.atomic():
        Rule.objects.create(name="r", bus=bus, team=team, draft=True, enabled=True)


def test_trying_a_rule_on_ten_thousand_events_costs_less_than_a_second(sqlite_database: Database) -> None:
    bus = Bus.objects.create(name="orders")
    fill(bus.pk, 10_000)
    written = draft()
    began = time.process_time()
    # Never seen before: read, decoded and matched.
    found = samples.take(bus.pk, ["order.placed"], "week")
    tried = try_on(written, [seen.event for seen in found.events])
    first = time.process_time() - began
    assert len(found.events) == 10_000
    assert tried.taken is not None
    assert sum(tried.taken) == sum(
        (number % 1500 + 0.9) >= 500 and number % 3 < 2 and number % 9 == 0 for number in range(1, 10_001)
    )
    assert sorted(tried.by_row) == [0, 1, 2, 3]
    began = time.process_time()
    found = samples.take(bus.pk, ["order.placed"], "latest")
    try_on(written, [seen.event for seen in found.events])
    again = time.process_time() - began
    assert first <= 1.0, f"{first:.3f} s of processor time for 10,000 events"
    assert again <= 0.2, f"{again:.3f} s of processor time for 2,000 events"
