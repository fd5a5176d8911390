"""Connectors: the kinds of system that this installation delivers to, and how the targets of each are."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.access import needs
from delivery.connectors import registry as found
from delivery.tracking import breakers, status
from delivery.tracking.read import rows
from delivery.tracking.status import Status
from delivery.tracking.waiting import Waiting
from delivery.tracking.words import State
from rules.models import Target

# The worst first.
ORDER = ("bad", "warn", "busy", "idle", "ok")


class Line(NamedTuple):
    """A connector. `trouble`: why it cannot be used here, "" when it can. `health`: how many targets are how."""

    name: str
    label: str
    icon: str
    origin: str
    says: str
    trouble: str
    settings: int
    batches: bool
    targets: int
    health: list[tuple[Status, int]]


@needs("rules.view_target")
@require_safe
def connectors(request: HttpRequest) -> HttpResponse:
    """Those that are installed, and those that targets name and nobody installed."""
    health = _health()
    lines = [_line(name, entry, health.pop(name, Counter())) for name, entry in found.registry().items()]
    for name, counts in sorted(health.items()):
        why = _("It is not installed here. Its targets cannot send until the package that brings it is.")
        lines.append(Line(name, name, "plug", "", "", why, 0, False, counts.total(), _sorted(counts)))
    return render(request, "delivery/connectors.html", {"lines": lines})


def _line(name: str, entry: found.Registered, counts: Counter[Status]) -> Line:
    try:
        target = entry.load()
    except found.ConnectorUnavailable as error:
        return Line(
            name, name, "plug", entry.origin, "", str(error), 0, False, counts.total(), _sorted(counts)
        )
    says = (target.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")
    return Line(
        name,
        target.label,
        target.icon,
        entry.origin,
        " ".join(says.split()),
        "",
        len(target.Config.schema().get("properties", {})),
        target.max_batch > 1,
        counts.total(),
        _sorted(counts),
    )


def _sorted(counts: Counter[Status]) -> list[tuple[Status, int]]:
    return sorted(counts.items(), key=lambda one: (ORDER.index(one[0].kind), -one[1]))


def _health() -> dict[str, Counter[Status]]:
    """How the targets of each connector are, in three queries however many there are."""
    open_breakers = breakers.every()
    owed: dict[int, dict[int, bool]] = {}
    for target, state, answered in rows(
        "SELECT target, state, max(CASE WHEN status IS NOT NULL OR request IS NULL THEN 1 ELSE 0 END) "
        "FROM runner_exception WHERE state IN (%s, %s) GROUP BY 1, 2",
        [int(State.DEAD), int(State.RETRY)],
    ):
        owed.setdefault(int(target), {})[int(state)] = bool(answered)
    counts: dict[str, Counter[Status]] = {}
    for pk, connector, state, enabled in Target.objects.order_by().values_list(
        "pk", "connector", "state", "rule__enabled"
    ):
        of_one = owed.get(pk, {})
        owes = Waiting(
            retrying=int(State.RETRY in of_one),
            dead=int(State.DEAD in of_one),
            breaker=open_breakers.get(pk),
            answered=int(of_one.get(int(State.DEAD), False)),
        )
        counts.setdefault(connector, Counter())[status.of_state(state, enabled, owes)] += 1
    return counts
