"""Events, entries, rules and targets as tests of the log and the runner need them."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from delivery.cloudevents import decode_structured
from delivery.log.entry import Entry, Versions, entry_of

if TYPE_CHECKING:
    from rules.models import Rule, Target


def an_entry(
    event_id: str,
    subject: str = "A",
    *,
    bus: int = 1,
    versions: Versions = Versions(0, 0),  # noqa: B008
    targets: Sequence[int] = (),
    received_at: int | None = None,
    data: object = None,
    valid: int | None = None,
) -> Entry:
    """The entry of an event with this id and subject from /test."""
    event = {
        "specversion": "1.0",
        "id": event_id,
        "source": "/test",
        "type": "test.happened",
        "subject": subject,
    }
    raw = json.dumps({**event, "data": data}).encode()
    at = time.time_ns() // 1000 if received_at is None else received_at
    return entry_of(decode_structured(raw), bus, at, versions, targets, None, valid)


def current_versions() -> Versions:
    """The stamps as the database has them."""
    from catalog.models import Stamp
    from catalog.stamps import CATALOG, RULES

    found = dict(Stamp.objects.values_list("name", "version"))
    return Versions(found.get(CATALOG, 0), found.get(RULES, 0))


def a_bus(name: str = "city", retention_days: int = 30) -> Any:
    """A bus, made if there is none of this name."""
    from catalog.models import Bus

    return Bus.objects.get_or_create(name=name, defaults={"retention_days": retention_days})[0]


def a_rule(name: str = "everything", pattern: dict[str, Any] | None = None) -> Rule:
    """A rule on the bus "city" without a target, not saved yet."""
    from catalog.models import Team
    from rules.models import Rule

    team = Team.objects.get_or_create(slug="crew", defaults={"name": "Crew"})[0]
    return Rule(name=name, bus=a_bus(), team=team, pattern=pattern or {})


def a_target(url: str = "http://127.0.0.1:9/", rule: Rule | None = None, **values: Any) -> Target:
    """A saved HTTP target with quick retries; `values` are fields of Target."""
    from rules.models import Target
    from rules.revisions import save_rule, save_target

    fields: dict[str, Any] = {
        "name": "sink",
        "connector": "http",
        "config": {"url": url},
        "transform": {"kind": "complete"},
        "first_delay": 0.05,
        "longest_delay": 0.2,
    }
    rule = rule or save_rule(a_rule())
    return save_target(Target(rule=rule, **(fields | values)))
