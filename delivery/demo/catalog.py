"""The town on paper: teams, domains, sources and event types. The types' schemas are the files in types/."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

TYPES = Path(__file__).parent / "types"

# slug → name
TEAMS = {
    "checkout": "Checkout",
    "billing": "Billing",
    "fulfilment": "Fulfilment",
    "city-data": "City data",
    "people": "People",
}


# Events that nobody emits yet: name, what it is wanted for, the team that asks.
WANTED = (
    ("invoice.overdue", "Reminders to customers, with the amount and the days it is late.", "checkout"),
    ("customer.consent.changed", "To stop letters the moment somebody says no.", "people"),
)


@dataclass(frozen=True)
class Shelf:
    """A domain: its name, its badge, the number of its colour (0 to 11) and the team that keeps it."""

    name: str
    badge: str
    hue: int
    team: str


DOMAINS = {
    "orders": Shelf("Orders", "OR", 0, "checkout"),
    "payments": Shelf("Payments", "PA", 1, "billing"),
    "shipping": Shelf("Shipping", "SH", 2, "fulfilment"),
    "city-traffic": Shelf("City traffic", "TR", 6, "city-data"),
    "people": Shelf("People", "PE", 5, "people"),
}


@dataclass(frozen=True)
class Emitter:
    """A source: its name, the CloudEvents source it sends, its team, and a sentence about it."""

    name: str
    uri: str
    team: str
    description: str


SOURCES = {
    "checkout": Emitter(
        "Checkout", "/shop/checkout", "checkout", "The web shop and the app, from cart to receipt."
    ),
    "tills": Emitter(
        "Tills", "/shop/tills", "checkout", "The tills of the stores. They order for delivery, too."
    ),
    "payments": Emitter("Payments", "/payments/gateway", "billing", "The payment provider's gateway."),
    "warehouse": Emitter(
        "Warehouse", "/warehouse", "fulfilment", "Where parcels are packed and leave the building."
    ),
    "carriers": Emitter("Carriers", "/carriers", "fulfilment", "What the carriers report on the way."),
    "signals": Emitter(
        "Street signals", "/city/signals", "city-data", "The city's signal controllers, open data."
    ),
    "roads": Emitter("Roads", "/city/roads", "city-data", "Loop detectors and road works, open data."),
    "people-system": Emitter(
        "People system", "/people", "people", "Who works here, from the first day to the last."
    ),
}


@dataclass(frozen=True)
class Version:
    """A schema version of a type: JSON Schema and an example, decoded, and what changed."""

    notes: str
    schema: dict[str, Any]
    example: dict[str, Any]
    lifecycle: str = "active"


@dataclass(frozen=True)
class Kind:
    """An event type, as its file in types/ says; `domain`, `team` and `sources` are slugs."""

    name: str
    summary: str
    docs: str
    domain: str
    team: str
    sources: tuple[str, ...]
    versions: tuple[Version, ...]
    validation: str = "reject"
    personal: tuple[str, ...] = ()


@cache
def kinds() -> tuple[Kind, ...]:
    """All event types of the town, in the order of the domains."""
    order = list(DOMAINS)
    return tuple(sorted(_read(), key=lambda kind: (order.index(kind.domain), kind.name)))


def _read() -> Iterator[Kind]:
    for file in TYPES.glob("*.json"):
        found = json.loads(file.read_text())
        versions = tuple(Version(**version) for version in found.pop("versions"))
        sources, personal = tuple(found.pop("sources")), tuple(found.pop("personal", ()))
        yield Kind(name=file.stem, sources=sources, versions=versions, personal=personal, **found)
