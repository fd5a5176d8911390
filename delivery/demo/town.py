"""Makes the demo town: a bus, people, a catalog, rules and targets, through the same code as the console's forms."""

from __future__ import annotations

import json
import secrets
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.contrib.auth.models import User
from django.db import models, transaction

from catalog.models import Bus, Domain, EventType, SchemaVersion, Source, Team, Token, Wanted, Wish
from delivery.demo import catalog, welcome
from delivery.demo.words import readable_password
from delivery.models import RequestBin, Switch
from rules import revisions
from rules.models import Rule, Target

BUS = "demo-bus"
USER = "demo"
GENERATOR = "demo-generator"
BIN = "Parcel watch"
# Billing allows 20 characters for invoice_ref; the numbers of store orders are longer. That is the demo's riddle.
INVOICE = """{
  "kind": "order",
  "invoice_ref": "${data.order_id}",
  "amount": "${data.total.amount}",
  "currency": "${data.total.currency}",
  "payer": "${data.customer.id}",
  "placed_at": "${time}"
}"""

Row = TypeVar("Row", bound=models.Model)


def is_empty() -> bool:
    """Whether nobody has used this Signalbox yet: no user and no bus."""
    return not User.objects.exists() and not Bus.objects.exists()


def load() -> welcome.Facts:
    """Makes what is missing of the demo and leaves the rest as it is; returns how to sign in and publish.

    Raises ValidationError when something of the same name is there already and is something else.
    """
    kept = welcome.banner_facts()
    facts = kept or _new_facts()
    user = User.objects.filter(username=facts["user"]).first() or _new_user(facts["user"])
    if user.pk is None or kept is None:
        # Before the transaction: hashing a password takes half a second, and the log would wait for it.
        user.set_password(facts["password"])
    with transaction.atomic():
        user.save()
        bus = _made(
            Bus(
                name=BUS,
                description="The demo's events. Anybody on this machine may publish here.",
                open_publishing=True,
                retention_days=2,
            ),
            "name",
        )
        teams = {slug: _made(Team(name=name, slug=slug), "slug") for slug, name in catalog.TEAMS.items()}
        for team in teams.values():
            team.members.add(user)
        _make_token(facts["token"], bus, teams["checkout"])
        _make_catalog(bus, teams, user)
        _make_rules(bus, teams, user)
        Switch.objects.get_or_create(name=GENERATOR)
        # Before the commit: a crash between the two must not leave a user whose password nobody knows.
        welcome.remember(facts)
    return facts


def token_of(facts: welcome.Facts) -> Token | None:
    """The row of the token in `facts`; None when it was deleted. It works unless it has `revoked_at`."""
    text = facts["token"]
    found = Token.objects.filter(public_id=text.split("_", 2)[1]).first() if text.count("_") >= 2 else None
    return found if found is not None and found.fits(text) else None


def renew_token() -> bool:
    """Makes a new token when the demo's was revoked or deleted; returns whether it did.

    It cannot when the demo is not loaded here, or its bus or every team is gone.
    """
    facts = welcome.banner_facts()
    if facts is None:
        return False
    kept = token_of(facts)
    bus = Bus.objects.filter(name=facts["bus"]).first()
    team = Team.objects.filter(slug="checkout").first() or Team.objects.first()
    if (kept is not None and kept.revoked_at is None) or bus is None or team is None:
        return False
    facts["token"] = _new_text()
    with transaction.atomic():
        _make_token(facts["token"], bus, team)
        welcome.remember(facts)
    return True


def follow_address() -> int:
    """Points the demo's receivers to where the web process listens now; returns how many had to be changed.

    Its bin follows with all bins (delivery/bins/following.py).
    """
    places = _places()
    moved = 0
    for target in Target.objects.filter(rule__bus__name=BUS, connector="http", name__in=places):
        url = str(target.config.get("url", ""))
        place = places[target.name]
        # Only host and port: a target that somebody pointed elsewhere stays there.
        if url != place and urlsplit(url).path == urlsplit(place).path:
            target.config = {**target.config, "url": place}
            revisions.save_target(target)
            moved += 1
    return moved


def _places() -> dict[str, str]:
    """The URL of each of the demo's receivers, by the name of its target."""
    base = welcome.base_url()
    return {
        "Warehouse": f"{base}/demo/receivers/warehouse",
        "Billing": f"{base}/demo/receivers/billing",
        "Route planner": f"{base}/demo/receivers/route-planner",
    }


def _new_facts() -> welcome.Facts:
    return welcome.Facts(user=USER, password=readable_password(), token=_new_text(), bus=BUS)


def _new_text() -> str:
    return f"{Token.PREFIX}_{secrets.token_hex(6)}_{secrets.token_urlsafe(32)}"


def _new_user(name: str) -> User:
    user = User(username=name, first_name="Demo", is_staff=True, is_superuser=True)
    user.full_clean(exclude=["password"])
    return user


def _made(row: Row, *lookup: str) -> Row:
    """The row of the same `lookup` fields when there is one, else `row`, checked and saved."""
    model = type(row)
    found = model._default_manager.filter(**{name: getattr(row, name) for name in lookup}).first()
    if found is not None:
        return found
    row.full_clean()
    row.save()
    return row


def _make_token(text: str, bus: Bus, team: Team) -> None:
    public_id = text.split("_", 2)[1]
    if not Token.objects.filter(public_id=public_id).exists():
        Token.objects.create(
            name="Demo town", public_id=public_id, digest=Token.digest_of(text), bus=bus, team=team
        )


def _make_catalog(bus: Bus, teams: dict[str, Team], user: User) -> None:
    domains = {
        slug: _made(
            Domain(name=shelf.name, slug=slug, badge=shelf.badge, hue=shelf.hue, team=teams[shelf.team]),
            "slug",
        )
        for slug, shelf in catalog.DOMAINS.items()
    }
    sources = {
        slug: _made(
            Source(
                name=emitter.name,
                slug=slug,
                uri=emitter.uri,
                description=emitter.description,
                bus=bus,
                team=teams[emitter.team],
            ),
            "slug",
        )
        for slug, emitter in catalog.SOURCES.items()
    }
    for kind in catalog.kinds():
        if EventType.objects.filter(name=kind.name).exists():
            continue
        event_type = _made(
            EventType(
                name=kind.name,
                summary=kind.summary,
                docs=kind.docs,
                domain=domains[kind.domain],
                team=teams[kind.team],
                validation=kind.validation,
                personal=list(kind.personal),
                created_by=user,
            ),
            "name",
        )
        event_type.sources.add(*(sources[slug] for slug in kind.sources))
        for number, version in enumerate(kind.versions, 1):
            _made(
                SchemaVersion(
                    event_type=event_type,
                    number=number,
                    schema=json.dumps(version.schema, indent=2, ensure_ascii=False),
                    example=json.dumps(version.example, indent=2, ensure_ascii=False),
                    notes=version.notes,
                    lifecycle=version.lifecycle,
                    created_by=user,
                ),
                "event_type",
                "number",
            )
    for name, why, asking in catalog.WANTED:
        if not Wanted.objects.filter(name=name).exists():
            wanted = Wanted.objects.create(name=name, why=why, created_by=user)
            Wish.objects.create(wanted=wanted, user=user, team=teams[asking])


def _make_rules(bus: Bus, teams: dict[str, Team], user: User) -> None:
    watch = _made(RequestBin(name=BIN, team=teams["fulfilment"]), "name")
    places = _places() | {BIN: f"{welcome.base_url()}/bin/{watch.address}/"}
    complete = {"kind": "complete"}

    def to(name: str, transform: dict[str, Any] = complete, **policy: Any) -> Target:
        config = {"url": places[name], "mode": "binary"}
        return Target(name=name, connector="http", config=config, transform=transform, **policy)

    _subscribe(
        Rule(
            name="Pick and pack",
            description="Every word about an order, so that the warehouse can pack it, change it or stop.",
            bus=bus,
            team=teams["fulfilment"],
            pattern={"type": [{"prefix": "order."}]},
        ),
        to("Warehouse"),
        user,
    )
    _subscribe(
        Rule(
            name="Orders to Billing",
            description="An invoice for each order, in the form that Billing asks for.",
            bus=bus,
            team=teams["billing"],
            pattern={"type": ["order.placed"]},
        ),
        to(
            "Billing",
            {"kind": "template", "template": INVOICE},
            after_dead_letter=Target.AfterDeadLetter.BLOCK,
        ),
        user,
    )
    _subscribe(
        Rule(
            name="Replan around red lights",
            description="The vans' route planner looks for another way when a signal turns red.",
            bus=bus,
            team=teams["city-data"],
            pattern={"type": ["signal.changed"], "data": {"colour": ["red"]}},
        ),
        to("Route planner", max_in_flight=8),
        user,
    )
    _subscribe(
        Rule(
            name=BIN,
            description="Everything that happens to a parcel, to look at in a request bin.",
            bus=bus,
            team=teams["fulfilment"],
            pattern={"type": [{"prefix": "parcel."}]},
        ),
        to(BIN),
        user,
    )


def _subscribe(rule: Rule, target: Target, user: User) -> None:
    if Rule.objects.filter(bus=rule.bus, name=rule.name).exists():
        return
    rule.created_by = user
    rule.full_clean()
    target.full_clean(exclude=["rule"])
    revisions.subscribe(rule, target, user)
