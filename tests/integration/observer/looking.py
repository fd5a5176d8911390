"""What tests of the observer share: looking at once, and what was noted."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

from catalog.models import Domain, EventType, Observation, Team
from delivery.observer.work import observe
from delivery.tracking.read import rows
from tests.integration.rows import execute

TODAY = datetime.now(UTC).date
HOUR = 3_600_000_000


def again() -> int:
    """Lets the observer look at once, whenever it looked last."""
    execute("UPDATE log_follower SET due_at = 0")
    return observe(chance=random.Random(1))


def observed(name: str = "order.placed") -> list[tuple[str, int, int]]:
    """(source, events, sampled) of the rows of a type."""
    found = Observation.objects.filter(type_name=name).order_by("source")
    return list(found.values_list("source", "events", "sampled"))


def register(name: str = "order.placed", **fields: Any) -> EventType:
    team = Team.objects.get_or_create(name="Shop", slug="shop")[0]
    domain = Domain.objects.get_or_create(name="Orders", slug="orders", defaults={"badge": "OR"})[0]
    return EventType.objects.create(name=name, team=team, domain=domain, **fields)


def position() -> int:
    return int(rows("SELECT seq FROM log_follower")[0][0])
