"""Furnishes a town so that every page has something to show, with names and values of the test's choice.

    with furnished(console, Words(subject="…")) as places:  # a receiver answers meanwhile
        for shown in paths(places): …

Rows that forms make are written past the forms' checks, events go the way of all events.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from delivery.tracking.words import State
from tests.integration.receiver import Answer, Request
from tests.integration.threaded_receiver import Threaded
from tests.processes import Town, eventually

EVENTS = 12
REFUSED = "refused"


@dataclass(frozen=True)
class Words:
    """What a person or a program can write. As long as names get, unless a test says otherwise."""

    type: str = "order.placed"
    other_type: str = "com.example.integration.platform.purchaseorderacknowledgement.received"
    ending: str = "order.committed"
    unregistered: str = "cart.abandoned"
    ignored: str = "cart.emptied"
    wished: str = "invoice.overdue"
    summary: str = "A customer committed to buy."
    docs: str = "# Docs\n\nOf it."
    why: str = "Reminders with the amount."
    notes: str = "Adds the channel."
    farewell: str = "Listen to the other."
    tag: str = "nightly"
    domain: str = "Orders"
    badge: str = "OR"
    team: str = "Purchasing and supplier relations"
    person: str = "maximiliane.von-der-northern-warehouse@purchasing.example.com"
    source: str = "Shop"
    uri: str = "/integration/shop/checkout/eu-north-1"
    bus: str = "For trying things out."
    token: str = "Box office"
    rule: str = "Orders of the northern warehouse to Billing"
    description: str = "An invoice for each order."
    target: str = "Billing"
    bin: str = "Parcel watch"
    field: str = "purchaseOrderAcknowledgementDocumentReferenceIdentifier"
    meaning: str = "The shop's own number"
    value: str = "6c84fb90-12c4-51e1-840d-725eee7b5a3c-of-the-northern-warehouse"
    id: str = "order"
    subject: str = "order"
    extension: str = "eu-north-1"
    answer: str = "invoice_ref is longer than 20 characters"
    word: str = "order"


@contextmanager
def furnished(console: Town, words: Words) -> Iterator[dict[str, str]]:
    """What the places of tests/pages.py stand for, once all of it has come about."""

    def answer(request: Request) -> Answer:
        status = 422 if request.headers.get("ce-outcome") == REFUSED else 200
        return Answer(status, words.answer.encode(), {"content-type": "text/html"})

    with Threaded(answer) as receiver:
        given = json.dumps(
            {"words": asdict(words), "receiver": receiver.url("/v2/invoices"), "web": console.url}
        )
        code = f"from tests.browser.furnishing import write; write({given!r})"
        places: dict[str, str] = json.loads(console.manage("shell", "-v0", "-c", code).splitlines()[-1])
        for number in range(EVENTS):
            for kind in (words.type, words.other_type, words.unregistered, words.ignored):
                publish(console, event(words, kind, number))
        seq = publish(console, event(words, words.type, EVENTS))
        dead = publish(console, event(words, words.type, EVENTS + 1) | {"outcome": REFUSED})
        state = "SELECT state FROM runner_exception WHERE target = %s AND seq = %s"
        eventually(
            lambda: console.query(state, int(places["target"]), dead) == [(int(State.DEAD),)],
            "the refused event is a dead letter",
        )
        # A value that came more than once is drawn with its share once the observer has looked.
        looked = "SELECT SUM(sampled) FROM catalog_observation WHERE type_name = %s"
        eventually(
            lambda: console.query(looked, words.other_type) == [(EVENTS,)], "every event was looked into"
        )
        yield places | {"seq": str(seq), "dead": str(dead)}


def event(words: Words, kind: str, number: int) -> dict[str, Any]:
    """The event of that number; every fourth is not what its schema says, and four are about one subject."""
    order = number if number % 4 == 3 else f"order-{number // 3}-{words.value}"
    return {
        "specversion": "1.0",
        "id": f"{words.id}-{kind}-{number}",
        "source": words.uri,
        "type": kind,
        "subject": f"{words.subject}-{number // 4}",
        "region": words.extension,
        "data": {
            "order_id": order,
            "customer": {"id": words.value, "email": f"{words.value}@example.com"},
            "total": {"amount": 12.5},
            words.field: words.value,
        },
    }


def publish(console: Town, what: dict[str, Any]) -> int:
    """The seq of an event that was taken."""
    headers = {"content-type": "application/cloudevents+json"}
    answer = console.request("POST", "/v1/buses/main/events", json.dumps(what), headers)
    assert answer.status == 202, answer.body
    return int(answer.json()["accepted"][0]["seq"])  # type: ignore[index]


def write(given: str) -> None:
    """Inside the town (`manage.py shell`): writes the rows of the JSON text `given` and prints the places."""
    from datetime import date

    from django.contrib.auth import get_user_model
    from django.utils import timezone

    from catalog import importing
    from catalog.models import (
        Approval,
        AuditRecord,
        Bus,
        Domain,
        Draft,
        EventType,
        Follow,
        Ignored,
        Source,
        Team,
        Token,
        Wanted,
    )  # fmt: skip
    from delivery.models import RequestBin
    from rules.models import Rule, Target
    from rules.revisions import save_rule, subscribe

    asked = json.loads(given)
    words = Words(**asked["words"])
    me, team, bus = get_user_model().objects.get(), Team.objects.get(), Bus.objects.get()
    Bus.objects.update(open_publishing=True, description=words.bus)
    other = Team.objects.create(name=words.team, slug="purchasing")
    domain = Domain.objects.create(name=words.domain, slug="orders", badge=words.badge, hue=0, team=team)
    source = Source.objects.create(
        name=words.source, slug="shop", uri=words.uri, description=words.description, bus=bus, team=team
    )
    old = Source.objects.create(
        name=f"Old {words.source}", slug="old", uri="/old", bus=bus, team=team, retired_at=timezone.now()
    )
    Bus.objects.create(name="spare", description=words.bus)
    for name in (words.type, words.other_type):
        made = EventType.objects.create(
            name=name, summary=words.summary, docs=words.docs, domain=domain, team=team, tags=[words.tag],
            personal=["customer.email"], validation="warn",
        )  # fmt: skip
        made.sources.add(source)
        _version(made, 1, words, {})
    placed = EventType.objects.get(name=words.type)
    _version(placed, 2, words, {"channel": {"enum": ["app", "web", "store"]}})
    ending = EventType.objects.create(
        name=words.ending, summary=words.summary, domain=domain, team=team, lifecycle="deprecated",
        ends_on=date(2100, 3, 31), successor=placed, farewell=words.farewell,
    )  # fmt: skip
    Wanted.objects.create(name=words.wished, why=words.why, created_by=me)
    Ignored.objects.create(type_name=words.ignored, by=me)
    Follow.objects.create(user=me, kind="type", key=words.type)
    Approval.objects.create(event_type=placed, team=other, reason=words.why, asked_by=me)
    Token.issue(name=words.token, bus=bus, team=team)
    somebody = get_user_model().objects.create_user(words.person, first_name=words.team)
    other.members.add(somebody)
    AuditRecord.objects.create(
        by=words.person, via="console", address="2001:db8:85a3::8a2e:370:7334", action="changed", kind="event-type",
        key=words.type, name=words.type, before={"summary": words.summary * 10}, after={"summary": words.docs},
    )  # fmt: skip
    AuditRecord.objects.create(
        via="api",
        action="deleted",
        kind="target",
        key="77",
        name=words.target,
        before={"name": words.target},
        note=words.why,
    )
    content = {"name": words.wished, "summary": words.summary, "docs": words.docs, "tags": words.tag}
    draft = Draft.objects.create(name=words.wished, content=content, created_by=me)
    one = json.dumps(event(words, words.unregistered, 0))
    run = importing.start(me, one, [0], {"team": team.pk, "domain": domain.pk}, True, words.wished)

    def to(name: str, url: str, **more: Any) -> Target:
        return Target(name=name, connector="http", config={"url": url}, **more)

    rule = Rule(
        name=words.rule, description=words.description, bus=bus, team=team, pattern={"type": [words.type]}
    )
    subscribe(rule, to(words.target, asked["receiver"], after_dead_letter="continue"), me)
    rule.pattern = {"type": [words.type], "data": {"total": {"amount": [{"numeric": [">=", 5]}]}}}
    save_rule(rule, me)
    watch = RequestBin.objects.create(name=words.bin, team=team)
    another = Rule(
        name=words.bin, bus=bus, team=team, pattern={"type": [words.other_type], "region": [words.extension]}
    )
    subscribe(another, to(words.bin, f"{asked['web']}/bin/{watch.address}/"), me)
    nobody = Rule(name=f"{words.rule} as well", bus=bus, team=team, pattern={"type": [words.type]})
    subscribe(nobody, to(f"{words.target} as well", "http://127.0.0.1:9/v2/invoices"), me)
    places = {
        "type": words.type, "ending": ending.name, "unregistered": words.unregistered, "wished": words.wished,
        "domain": domain.slug, "draft": draft.pk, "run": run.pk, "source": source.slug, "retired": old.slug,
        "bus": bus.name, "rule": rule.pk, "target": rule.targets.get().pk, "bin": watch.pk,
        "subject": f"{words.subject}-0", "word": words.word, "team": other.slug, "person": somebody.get_username(),
    }  # fmt: skip
    print(json.dumps({name: str(value) for name, value in places.items()}))


def _version(event_type: Any, number: int, words: Words, more: dict[str, Any]) -> None:
    """A schema version of what `_event` says, but for `more` properties."""
    text: dict[str, Any] = {"type": "string"}
    properties = {
        "order_id": text | {"description": words.meaning},
        "customer": {"type": "object", "properties": {"id": text, "email": text}},
        "total": {"type": "object", "properties": {"amount": {"type": "number"}}},
        words.field: text | {"title": words.meaning, "examples": [words.value]},
    }
    schema = {"type": "object", "required": ["order_id"], "properties": properties | more}
    example = event(words, event_type.name, 0)["data"]
    event_type.versions.create(
        number=number, schema=json.dumps(schema), example=json.dumps(example), notes=words.notes
    )
