"""A database with a million events: 100 targets, their attempts, exceptions and dead letters, and a week of counts.

Runs inside `manage.py shell`. Rows are written as ingest and shifts write them, past both, or it would take an hour.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from tests.benchmarks.crowd import FIELDS, WORDS, fill

TYPES, TARGETS = 1000, 100
DEAD, RETRYING, WAITING = 5_000, 1_000, 4_000
BEHIND = 10_000  # events that each of three paused targets has not been sent
DAYS = 7
MINUTE = 60_000_000  # microseconds
BATCH = 20_000
REASONS = [
    "It answers 422.",
    "It answers 500.",
    "It did not answer within 10 s.",
    "It answers 400: no such customer.",
]


def build(events: int, first: str) -> None:
    """Fills an empty, migrated database with `events` events; one type is called `first`."""
    fill(TYPES, first, rules=0, minutes=())
    world = _World(events)
    world.subscribe()
    world.store_events()
    world.store_attempts()
    world.store_exceptions()
    world.store_counts()
    world.store_requests()
    world.analyze()


class _World:
    def __init__(self, events: int) -> None:
        from catalog.models import Bus, EventType, SchemaVersion, Source, Team

        self.events = events
        self.draw = random.Random(2)
        self.bus = Bus.objects.get(name="main")
        self.team = Team.objects.get()
        self.types = list(EventType.objects.order_by("pk").values_list("name", flat=True))
        versions = dict(SchemaVersion.objects.values_list("event_type__name", "pk"))
        self.versions = [versions[name] for name in self.types]
        self.sources = list(Source.objects.order_by("pk").values_list("uri", flat=True))
        self.targets: list[int] = []
        self.now = int(time.time() * 1_000_000)
        self.start = self.now - DAYS * 24 * 60 * MINUTE

    def received_at(self, seq: int) -> int:
        """Evenly over the days, the last one a second ago."""
        return self.start + (self.now - self.start - 1_000_000) * seq // self.events

    def target_of(self, seq: int) -> int:
        """The target whose rule names the type; the last target takes everything."""
        return self.targets[self.type_of(seq) % (TARGETS - 1)]

    def type_of(self, seq: int) -> int:
        return seq % TYPES

    def key_of(self, seq: int) -> tuple[int, int, str]:
        """(lane, key, subject): 20,000 subjects, each of several sources."""
        subject = f"customer-{(seq * 7919) % 20_000:05}"
        return *_place(self.sources[seq % len(self.sources)], subject), subject

    def subscribe(self) -> None:
        """Rules for the types in turn, and one for everything."""
        from rules.models import Rule, Target
        from rules.revisions import subscribe

        for number in range(TARGETS):
            named: list[Any] = [name for at, name in enumerate(self.types) if at % (TARGETS - 1) == number]
            pattern = {"type": named} if number < TARGETS - 1 else {"source": [{"exists": True}]}
            rule = Rule(name=f"Rule {number:02}", bus=self.bus, team=self.team, pattern=pattern)
            target = Target(
                name=f"Target {number:02}", connector="http", config={"url": "http://127.0.0.1:9/"}
            )
            target.state = "paused" if number < 3 else "running"
            subscribe(rule, target)
            self.targets.append(target.pk)

    def store_events(self) -> None:
        """Events, their names among the repeats, and the routes that paused targets have not passed."""
        from rules.models import RuleRevision

        rules = max(RuleRevision.objects.values_list("rules_version", flat=True))
        data = {f"{self.draw.choice(WORDS)}_{n}": f"value-{n}" for n in range(FIELDS)}

        def event(seq: int) -> tuple[Any, ...]:
            kind, (lane, key, subject) = self.type_of(seq), self.key_of(seq)
            source = self.sources[seq % len(self.sources)]
            raw = json.dumps(
                {
                    "specversion": "1.0", "id": f"evt-{seq:08}", "source": source, "type": self.types[kind],
                    "subject": subject, "data": data | {"total": {"amount": seq % 977}},
                }
            ).encode()  # fmt: skip
            return (
                seq, self.bus.pk, lane, key, source, self.types[kind], subject, f"evt-{seq:08}", None,
                self.received_at(seq), self.versions[kind], rules, 1, raw,
            )  # fmt: skip

        every = range(1, self.events + 1)
        _load(
            "log_event",
            "seq, bus, lane, key, source, type, subject, ce_id, time, received_at, schema_version, rules_version, valid, raw",
            map(event, every),
        )
        _load(
            "log_duplicate",
            "bus, ce_id, source, seq, digest",
            ((self.bus.pk, f"evt-{seq:08}", seq % len(self.sources), seq, seq) for seq in every),
        )
        _run("UPDATE log_head SET seq = %s", [self.events])
        _run("INSERT INTO log_follower (name, seq, due_at) VALUES ('observer', %s, 0)", [self.events])
        cursors = ", ".join(f"c{n}" for n in range(8))
        slots = []
        for target in self.targets:
            passed = self.events - BEHIND * (TARGETS - 1) if target in self.targets[:3] else self.events
            slots += [(target, slot, 1, 0, "key", *[max(0, passed)] * 8) for slot in range(8)]
        _load("runner_slot", f"target, lanes, fence, until, mode, {cursors}", slots)
        _load(
            "log_ready",
            "target, lanes, seq",
            ((t, slot, self.events) for t in self.targets for slot in range(8)),
        )
        first = max(1, self.events - BEHIND * (TARGETS - 1) + 1)
        paused = set(self.targets[:3])
        _load(
            "log_route",
            "target, lanes, seq, lane",
            (
                (target, self.key_of(seq)[0] // 8, seq, self.key_of(seq)[0])
                for seq in range(first, self.events + 1)
                if (target := self.target_of(seq)) in paused
            ),
        )

    def store_attempts(self) -> None:
        """Plain successes in packs of up to 50, as commits make them; failures follow with the exceptions."""
        from delivery.http import Timings
        from delivery.tracking import packing

        last_sent = self.events - BEHIND * (TARGETS - 1)
        timings = Timings(first_byte=0.003, reused=True)

        def packs() -> Iterator[tuple[Any, ...]]:
            open_: dict[int, list[packing.Plain]] = {target: [] for target in self.targets}
            paused = set(self.targets[:3])
            for seq in range(1, self.events + 1):
                at = self.received_at(seq) + 2000
                for target in (self.target_of(seq), self.targets[-1]):
                    if target in paused and seq > last_sent:
                        continue
                    made = open_[target]
                    made.append(packing.Plain(seq, at, 3000 + seq % 900, 200, timings))
                    if len(made) == 50:
                        yield from ((target, p.hi, p.lo, p.body) for p in packing.pack(made, 1, "host-1-a"))
                        made.clear()
            for target, made in open_.items():
                yield from ((target, p.hi, p.lo, p.body) for p in packing.pack(made, 1, "host-1-a"))

        _load("attempt_pack", "target, hi, lo, body", packs())

    def store_exceptions(self) -> None:
        """Dead letters, retries and what waits, spread over 20 targets, each with the attempts that led there."""
        from delivery.tracking.words import Outcome, State

        seqs = sorted(
            self.draw.sample(range(1, self.events + 1), min(self.events, DEAD + RETRYING + WAITING))
        )
        states = [State.DEAD] * DEAD + [State.RETRY] * RETRYING + [State.WAITING] * WAITING
        self.draw.shuffle(states)
        later = self.now + 3600 * 1_000_000
        held, tried = [], []
        for seq, state in zip(seqs, states, strict=False):
            lane, key, _ = self.key_of(seq)
            target, at, reason = (
                self.targets[3 + seq % 20],
                self.received_at(seq),
                REASONS[seq % len(REASONS)],
            )
            times = {State.DEAD: 3, State.RETRY: 2, State.WAITING: 0}[state]
            held.append(
                (
                    target, seq, lane, key, int(state), 1, times, 0, at, at if times else 0,
                    later if state == State.RETRY else None, 500 if times else None, reason if times else None,
                    b'{"specversion":"1.0"}',
                )
            )  # fmt: skip
            for number in range(1, times + 1):
                outcome = Outcome.REJECTED if state == State.DEAD and number == times else Outcome.RETRY
                began = at + number * 10_000_000
                tried.append(
                    (target, seq, number, began, 40_000, int(outcome), 500, 1, reason, "no", "host-1-a")
                )
        _load(
            "runner_exception",
            "target, seq, lane, key, state, blocks, attempts, redriven, received_at, first_at, due_at, status, reason, raw",
            held,
        )
        _load(
            "attempt",
            "target, seq, number, at, took, outcome, status, revision, reason, response, worker",
            tried,
        )

    def store_counts(self) -> None:
        """What was received, by type, source and version, and delivered, by target: for every minute of the week."""
        first, last = self.start // MINUTE, self.now // MINUTE
        each = "WITH RECURSIVE m(n) AS (SELECT CAST({} AS bigint) UNION ALL SELECT n + {} FROM m WHERE n + {} <= {}) "
        bus = self.bus.pk
        # A type has an event every ten minutes, each in another of them: a million rows for a million events.
        _run(
            "INSERT INTO rollup_received (bus, type, minute, events, invalid, bytes) "
            + each.format(first // 10, 1, 1, last // 10)
            + f"SELECT {bus}, t.name, m.n * 10 + t.id % 10, 1, 0, 600 FROM m CROSS JOIN catalog_eventtype t"
        )
        _run(
            "INSERT INTO rollup_version (type, hour, version, events) "
            + each.format(first // 60, 1, 1, last // 60)
            + "SELECT t.name, m.n, v.id, 6 FROM m CROSS JOIN catalog_eventtype t "
            "JOIN catalog_schemaversion v ON v.event_type_id = t.id"
        )
        _run(
            "INSERT INTO rollup_source (source, type, slot, events, first_at, last_at) "
            + each.format(first // 10, 1, 1, last // 10)
            + f"SELECT s.uri, t.name, m.n, 1, m.n * {10 * MINUTE}, m.n * {10 * MINUTE} + 1000 FROM m "
            "CROSS JOIN catalog_eventtype t "
            "JOIN catalog_source s ON s.id = t.id % 60 + (SELECT MIN(id) FROM catalog_source)"
        )
        _run(
            "INSERT INTO rollup_delivered (target, minute, delivered, retried, dead, bytes, l2, l3, d1, d2) "
            + each.format(first, 1, 1, last)
            + "SELECT t.id, m.n, 2, CASE WHEN m.n % 50 = 0 THEN 1 ELSE 0 END, CASE WHEN m.n % 200 = 0 THEN 1 ELSE 0 END, "
            "1200, 1, 1, 1, 1 FROM m CROSS JOIN rules_target t"
        )
        names = ("delivered", "retried", "dead", "bytes", "l2", "l3", "d1", "d2")
        sums = ", ".join(f"SUM({name})" for name in names)
        _run(
            f"INSERT INTO rollup_delivered_slot (target, slot, {', '.join(names)}) SELECT target, minute / 5, {sums} "
            "FROM rollup_delivered GROUP BY target, minute / 5"
        )

    def store_requests(self) -> None:
        """A request bin that has received a lot."""
        from delivery.models import BinRequest, RequestBin

        bin_ = RequestBin.objects.create(name="Everything", team=self.team)
        BinRequest.objects.bulk_create(
            [
                BinRequest(bin=bin_, method="POST", headers=[["a", "b"]], body="{}" * 200, size=400)
                for _ in range(5000)
            ],
            batch_size=500,
        )

    def analyze(self) -> None:
        """What PostgreSQL does by itself within a minute."""
        from django.db import connection

        if connection.vendor == "postgresql":
            _run("VACUUM ANALYZE")


@lru_cache(maxsize=100_000)
def _place(source: str, subject: str) -> tuple[int, int]:
    from delivery.log.entry import key_number, lane_of, subject_key

    key = subject_key(source, subject)
    return lane_of(key), key_number(key)


def _run(sql: str, values: Sequence[Any] = ()) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)


def _load(table: str, columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """Many rows at once: in large transactions on SQLite, by COPY on PostgreSQL."""
    from django.db import connection, transaction

    connection.ensure_connection()
    if connection.vendor == "postgresql":
        with (
            connection.connection.cursor() as cursor,
            cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)
        return
    insert = f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * (columns.count(',') + 1))})"
    left = iter(rows)
    while part := list(islice(left, BATCH)):
        with transaction.atomic():
            connection.connection.executemany(insert, part)
