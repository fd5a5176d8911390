"""What tests of targets that start in the past share: events, a target that starts there, what it took."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from delivery.backfill import start
from delivery.models import Backfill
from rules import registry
from rules.models import Target
from rules.revisions import subscribe
from tests.events import a_rule
from tests.integration.sink import Sink, rows

SUBJECTS = [f"s{n}" for n in range(20)]

ODD = {"subject": [f"s{n}" for n in range(1, 20, 2)]}


def named(first: int, last: int) -> list[tuple[str, str]]:
    return [(f"e{n}", SUBJECTS[n % len(SUBJECTS)]) for n in range(first, last)]


def subscribed(
    since: registry.Since,
    url: str = "http://127.0.0.1:9/",
    pattern: dict[str, Any] | None = None,
    **values: Any,
) -> Target:
    """A new rule and target that start at `since`, saved as the editor does: all in one transaction."""
    rule = a_rule(pattern=pattern or {})
    target = Target(
        name="sink",
        connector="http",
        config={"url": url},
        transform={"kind": "complete"},
        first_delay=0.05,
        **values,
    )
    with transaction.atomic():
        subscribe(rule, target)
        start(target, since)
    return target


def routed(target: Target) -> list[int]:
    return [seq for (seq,) in rows("SELECT seq FROM log_route WHERE target = %s ORDER BY seq", target.pk)]


def the_job() -> Backfill:
    return Backfill.objects.get()


def in_order(sink: Sink, names: list[tuple[str, str]]) -> None:
    """Exactly these were taken, each once, and each subject's in the order they were published."""
    assert sorted(sink.taken) == sorted(name for name, _ in names)
    for subject, taken in sink.by_subject().items():
        assert taken == [name for name, s in names if s == subject]
