"""A catalog with many event types, their rules and their traffic, and visits to its pages. Runs inside `manage.py shell`."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Sequence
from typing import Any

WORDS = [
    "order", "refund", "parcel", "invoice", "customer", "signal", "stock", "payment", "address", "price", "route", "claim",
]  # fmt: skip
DOMAINS, SOURCES, RULES = 40, 60, 300
# Minutes ago that had traffic: each of the last hour, every tenth of the day before it.
MINUTES = [*range(-1, 61), *range(70, 24 * 60, 10)]
FIELDS = 15


def fill(types: int, first: str, rules: int = RULES, minutes: Sequence[int] = MINUTES) -> None:
    """Makes `types` event types, one of them called `first`, each with a schema and an example, and some rules.

    `minutes`: how long ago, in minutes, each had traffic.
    """
    from django.contrib.auth import get_user_model
    from django.db import connection, transaction

    from catalog.indexing import index_all
    from catalog.models import Bus, Domain, EventType, SchemaVersion, Source, Team
    from rules.models import Rule, Target
    from rules.revisions import subscribe

    draw = random.Random(1)
    user = get_user_model()._default_manager.create_superuser("bench", password="bench")
    team = Team.objects.create(name="Checkout", slug="checkout")
    team.members.add(user)
    bus = Bus.objects.create(name="main")
    domains = [
        Domain.objects.create(name=f"Domain {n:02}", slug=f"domain-{n}", badge="DO", hue=n % 12, team=team)
        for n in range(DOMAINS)
    ]
    sources = [
        Source.objects.create(name=f"Source {n:02}", slug=f"source-{n}", uri=f"/s/{n}", bus=bus, team=team)
        for n in range(SOURCES)
    ]
    names = [f"{draw.choice(WORDS)}.{draw.choice(WORDS)}.{number:05}.happened" for number in range(types)]
    names[1] = first
    with transaction.atomic():
        EventType.objects.bulk_create(
            [
                EventType(
                    name=name,
                    summary=f"Something about a {draw.choice(WORDS)} happened to a {draw.choice(WORDS)}.",
                    docs="What it means, and when it is sent. " * 8,
                    domain=domains[number % DOMAINS],
                    team=team,
                )
                for number, name in enumerate(names)
            ],
            batch_size=500,
        )
        made = list(EventType.objects.order_by("pk"))
        EventType.sources.through._default_manager.bulk_create(
            [
                EventType.sources.through(eventtype_id=one.pk, source_id=draw.choice(sources).pk)
                for one in made
            ],
            batch_size=500,
        )
        SchemaVersion.objects.bulk_create(
            [_version(SchemaVersion, one, draw) for one in made], batch_size=500
        )
    index_all()
    for number in range(min(rules, types)):
        rule = Rule(name=f"Rule {number}", bus=bus, team=team, pattern={"type": [draw.choice(names)]})
        subscribe(
            rule,
            Target(
                name=f"Target {number}",
                connector="http",
                config={"url": "http://127.0.0.1:9/"},
                state="paused",
            ),
        )
    now = int(time.time() // 60)
    with transaction.atomic(), connection.cursor() as cursor:
        for name in names:
            cursor.executemany(
                "INSERT INTO rollup_received (bus, type, minute, events, invalid, bytes) VALUES (%s, %s, %s, %s, 0, 1000)",
                [(bus.pk, name, now - ago, draw.randrange(1, 50)) for ago in minutes],
            )


def _version(model: Any, event_type: Any, draw: random.Random) -> Any:
    fields = {
        f"{draw.choice(WORDS)}_{draw.randrange(400)}": {
            "type": draw.choice(["string", "integer", "number"]),
            "description": f"The {draw.choice(WORDS)} it is about",
        }
        for _ in range(FIELDS)
    }
    amount = {"type": "object", "properties": {"amount": {"type": "number"}}}
    schema = {"type": "object", "properties": fields | {"total": amount}}
    example = {name: f"value-{draw.randrange(100_000)}" for name in fields}
    return model(
        event_type=event_type,
        number=1,
        schema=json.dumps(schema),
        example=json.dumps(example),
        digest="0" * 64,
    )


def visit(wanted: str, repetitions: int) -> None:
    """Asks for each page of `wanted` (JSON: name → url, text it must show, whether by htmx) and prints the times."""
    from django.contrib.auth import get_user_model
    from django.test import Client

    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(get_user_model()._default_manager.get(username="bench"))
    times: dict[str, list[float]] = {}
    for name, (url, shows, by_htmx) in json.loads(wanted).items():
        headers = {"HX-Request": "true"} if by_htmx else {}
        times[name] = []
        for repetition in range(repetitions + 1):
            before = time.perf_counter()
            answer = client.get(url, headers=headers)
            took = (time.perf_counter() - before) * 1000
            assert answer.status_code == 200, (url, answer.status_code)
            assert shows in answer.content.decode(), (url, shows)
            if repetition:
                times[name].append(took)
    print("TIMES", json.dumps(times))
