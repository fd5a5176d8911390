"""What tests of the catalog's pages share: a schema, a log that knows what it is told, filled forms."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

from catalog.facts import SILENT, Listener, Published, Pulse, RecentEvent, Totals

SCHEMA = json.dumps(
    {
        "type": "object",
        "required": ["order_id"],
        "properties": {
            "order_id": {"type": "string", "description": "The shop's own number"},
            "total": {"type": "object", "properties": {"amount": {"type": "number"}}},
        },
    },
    indent=1,
)

EXAMPLE = '{"order_id": "order-1", "total": {"amount": 12.5}}'


class FakeLog:
    """A log that knows what a test tells it."""

    def __init__(self):
        self.traffic, self.stored, self.refusal, self.asked = {}, [], None, 0
        self.ours, self.rates = set(), {}
        self.by_version, self.first, self.sent, self.on_bus = {}, {}, {}, {}

    def types(self, names):
        self.asked += 1
        return {name: self.traffic[name] for name in names if name in self.traffic}

    def recent(self, type_name, limit):
        return [event for event in reversed(self.stored) if event.type == type_name][:limit]

    def listeners(self, type_name):
        return [Listener(3, "Orders to billing", 4, "Billing API", "bad", "refusing", "Billing")]

    def listened(self, names, teams=None):
        self.asked += 1
        known = {name for name, facts in self.traffic.items() if facts.listeners}
        return (known if teams is None else self.ours) & set(names)

    def busy(self):
        return self.rates

    def heard(self):
        return {name for name, facts in self.traffic.items() if facts.day}

    def versions(self, type_name):
        return self.by_version

    def has_event(self, text):
        return text in {event.id for event in self.stored}

    def totals(self, own=False):
        return Totals(1_930_000, 1340) if own else Totals(1_920_000, 1334)

    def first_seen(self, source_uri):
        return self.first.get(source_uri)

    def per_source(self, source_uri):
        return self.sent.get(source_uri, SILENT)

    def pulses(self, source_uris):
        return {
            uri: Pulse(self.sent[uri].rate, self.sent[uri].last_seen)
            for uri in source_uris
            if uri in self.sent
        }

    def rules_on(self, bus):
        return self.on_bus.get(bus, [])

    def publish(self, bus, body):
        if self.refusal:
            raise self.refusal
        event, now = json.loads(body), datetime.now(UTC)
        seq = len(self.stored) + 41
        self.stored.append(
            RecentEvent(seq, event["id"], event["type"], event["source"], event.get("subject"), now, body)
        )
        return Published(event["id"], seq)


def text_of(response):
    """What a person reads of a page, in one line."""
    whole = response.content.decode().replace("<wbr>", "")
    page = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", whole, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


PAGES = [
    "/",
    "/?view=table",
    "/?q=order",
    "/?q=nothing-like-it",
    "/?show=quiet",
    "/?show=new",
    "/?domain=orders",
    "/?show=ours",
    "/?show=busy",
    "/?show=silent&view=table",
    "/?show=deprecated",
    "/wanted/",
    "/wanted/?name=order.lost",
    "/events/order.placed/",
    "/events/order.placed/?show=schema&with=python&version=1",
    "/events/order.placed/?show=openapi&types=pydantic&event=3",
    "/events/order.placed/diff/",
    "/events/order.placed/edit/",
    "/events/order.placed/delete/",
    "/events/order.placed/lifecycle/",
    "/events/order.placed/lifecycle/?version=1",
    "/events/order.placed/lifecycle/readiness/",
    "/events/order.placed/lifecycle/successors/?successor=order",
    "/events/order.placed/versions/new/",
    "/events/order.placed/publish/",
    "/events/order.placed/publish/?as=json",
    "/events/new/",
    "/events/new/check/?name=order.placed",
    "/changes/",
    "/changes/?show=followed",
    "/changes/?type=order.placed",
    "/changes/?type=nothing.like.it",
    "/following/",
    "/events/new/tags/?tags=a",
    "/drafts/",
    "/export/",
    "/discovery/",
    "/discovery/?show=ignored",
    "/discovery/drift/",
    "/events/order.placed/drift/",
    "/import/",
    "/api/v1/docs/",
    "/api/v1/docs/?open=listTeams",
    "/sources/",
    "/sources/?q=nowhere",
    "/sources/new/",
    "/sources/shop/",
    "/sources/shop/edit/",
    "/settings/tokens/",
    "/settings/buses/",
    "/settings/buses/new/",
    "/settings/buses/main/",
]

ADMINISTRATOR = {
    "username": "mara",
    "password1": "signal-box-9",
    "password2": "signal-box-9",
    "team": "Checkout",
}


def names(response):
    """The event types that the marketplace shows, in order."""
    shown = re.findall(r'good-n">(.+?)</b>', response.content.decode())
    return [name.replace("<wbr>", "") for name in shown]


def more(town, *names, **fields):
    """More event types of `town`'s domain and team."""
    from catalog.models import EventType

    made = {"summary": "…", "domain": town.domain, "team": town.team} | fields
    return [EventType.objects.create(name=name, **made) for name in names]


def registration(town, **changes):
    """The form that registers an event type, filled in."""
    return {
        "name": "order.cancelled",
        "summary": "An order was withdrawn.",
        "domain": town.domain_id,
        "team": town.team_id,
        "sources": [source.pk for source in town.sources.all()],
        "schema": SCHEMA,
        "example": EXAMPLE,
        "validation": "reject",
        "compatibility": "forward",
        "policy": "evolution",
    } | changes


def published(client, url="/events/order.placed/publish/", **changes):
    """The answer to the publishing form, sent as it came but for `changes`."""
    form = client.get(url).context["form"]
    data = {name: form.get_initial_for_field(field, name) or "" for name, field in form.fields.items()}
    return client.post(url, data | {"source": "/shop/checkout", "subject": "order-1"} | changes)
