"""What tests of following share: an event type, a follower, what is on the bus."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth import get_user_model

from catalog.following import follows
from catalog.models import (
    Bus,
    Domain,
    EventType,
    SchemaVersion,
    Team,
)  # fmt: skip
from delivery.tracking.read import rows

ORDER = {"type": "object", "properties": {"order": {"type": "integer"}}}


def register(name: str, schema: Any = ORDER, **fields: Any) -> EventType:
    team = Team.objects.get_or_create(name="Shop", slug="shop")[0]
    domain = Domain.objects.get_or_create(name="Orders", slug="orders", defaults={"badge": "OR"})[0]
    found = EventType.objects.create(name=name, team=team, domain=domain, summary="…", **fields)
    SchemaVersion.objects.create(event_type=found, number=1, schema=json.dumps(schema))
    return found


def follower(name: str = "mara", key: str = "order.placed", **fields: Any) -> Any:
    values = {"email": f"{name}@example.com", "is_superuser": True} | fields
    user = get_user_model().objects.create(username=name, **values)
    follows.start("type", key, user=user)
    return user


def on_the_bus() -> list[dict[str, Any]]:
    found = rows("SELECT raw FROM log_event WHERE bus = %s ORDER BY seq", [Bus.objects.get(name="system").pk])
    return [json.loads(bytes(raw)) for (raw,) in found]
