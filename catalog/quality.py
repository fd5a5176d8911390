"""How well the events of a type fit their schema: violations per day, and by kind with an example of each."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Max, Q, Sum
from django.utils import timezone

from catalog.models import Violation
from catalog.personal import hide_data

DAYS, KINDS = 30, 10


@dataclass(frozen=True)
class Kind:
    """One way in which events did not fit: how often in DAYS days, and the newest such event.

    `sample`: its data, shortened, as JSON text without personal fields. `last_event`: its id; it was stored unless
    `rejected`. `version`: the schema version it was checked against, 0 for none.
    """

    pointer: str
    message: str
    rejected: bool
    count: int
    last_at: datetime
    version: int
    source: str
    sample: str
    last_event: str


@dataclass(frozen=True)
class Quality:
    """`days`: (day, refused, accepted all the same), oldest first, DAYS of them."""

    days: list[tuple[date, int, int]]
    kinds: list[Kind]
    more: int

    @property
    def total(self) -> int:
        """Violations in DAYS days; one event may be several."""
        return sum(refused + accepted for _, refused, accepted in self.days)


def quality_of(type_name: str, personal: Collection[str], now: datetime | None = None) -> Quality:
    """What was counted of a type; three queries."""
    today = (now or timezone.now()).date()
    first = today - timedelta(days=DAYS - 1)
    found = Violation.objects.filter(type_name=type_name, day__gte=first, day__lte=today).order_by()
    by_day = {
        day: (refused or 0, accepted or 0)
        for day, refused, accepted in found.values("day")
        .annotate(
            refused=Sum("count", filter=Q(rejected=True)), accepted=Sum("count", filter=Q(rejected=False))
        )
        .values_list("day", "refused", "accepted")
    }
    days = [(day, *by_day.get(day, (0, 0))) for day in (first + timedelta(days=n) for n in range(DAYS))]
    if not by_day:
        return Quality(days, [], 0)
    kinds = list(
        found.values("pointer", "message", "rejected")
        .annotate(total=Sum("count"), last=Max("last_at"))
        .order_by("-total", "-last", "pointer", "message")[: KINDS + 1]
    )
    newest: dict[tuple[str, str, bool], Violation] = {}
    for row in found.filter(last_at__in=[kind["last"] for kind in kinds[:KINDS]]):
        key = (row.pointer, row.message, row.rejected)
        if key not in newest or row.last_at > newest[key].last_at:
            newest[key] = row
    told = []
    for kind in kinds[:KINDS]:
        last = newest[kind["pointer"], kind["message"], kind["rejected"]]
        told.append(
            Kind(
                last.pointer, last.message, last.rejected, kind["total"], last.last_at, last.version,
                last.source, hide_data(last.sample, personal), last.last_event,
            )
        )  # fmt: skip
    more = (
        found.values("pointer", "message", "rejected").distinct().count() - KINDS if len(kinds) > KINDS else 0
    )
    return Quality(days, told, more)
