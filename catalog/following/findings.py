"""What traffic shows of registered types: drift from the schema, and quality that drops. Told once a day at most."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db.models import Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from catalog import changes
from catalog.drifting import drifting
from catalog.models import Change, EventType, Lifecycle, Observation, SchemaVersion, Violation
from catalog.schemas.shape import Drift

logger = logging.getLogger(__name__)

STAY = 1.0  # seconds of one look
# Fewer events say nothing.
LEAST = 20
# A share of misfits from which on quality counts as dropped, and how many times the share of the days before it must be.
WORRYING, TIMES = 0.05, 2.0
DAYS_BEFORE = 7
# What was told is not told again for so long while it lasts under the same version.
QUIET = timedelta(days=7)
CAUSES = 20


class Looked(NamedTuple):
    """How far a look came: the id of the last type, and whether there are more."""

    upto: int
    more: bool


def look(day: date, after: int = 0, limit: int = 50, stay: float = STAY) -> Looked:
    """Looks at the next types by id above `after` that had events on `day` (UTC), and records what it finds.

    At most `limit` of them, for about `stay` seconds. What cannot be looked at is logged and passed over.
    """
    ends = time.monotonic() + stay
    came = Observation.objects.filter(day=day).order_by().values("type_name")
    refused = Violation.objects.filter(day=day).order_by().values("type_name")
    types = list(
        EventType.objects.filter(pk__gt=after)
        .exclude(lifecycle__in=(Lifecycle.DRAFT, Lifecycle.RETIRED))
        .exclude(name__startswith=changes.PREFIX)
        .filter(Q(name__in=came) | Q(name__in=refused))
        .select_related("team", "default_version")
        .order_by("pk")[:limit]
    )
    looked = []
    for event_type in types:
        try:
            tell_drift(event_type, day)
        except Exception:
            # One shape or schema that nobody thought of must not keep all the types after it from being looked at.
            logger.exception("The drift of %s could not be found.", event_type.name)
        looked.append(event_type)
        if time.monotonic() > ends:
            break
    if looked:
        qualities([one for one in looked if one.validation != EventType.Validation.OFF], day)
    return Looked(looked[-1].pk if looked else after, len(looked) < len(types) or len(types) == limit)


def tell_drift(event_type: EventType, day: date) -> Change | None:
    """Records what the day's events hold against the schema, when there is anything that was not told of late."""
    one = drifting(event_type, day, days=1)
    version, found = one.version, one.drift
    if version is None or found.samples < LEAST:
        return None
    with override(settings.LANGUAGE_CODE):
        causes = dict(_causes(found))
    new = {key: said for key, said in causes.items() if key not in _told(event_type, version)}
    if not new:
        return None
    return changes.record(
        "type.drifting",
        event_type=event_type,
        detail={
            "version": version.number,
            "causes": list(new.values())[:CAUSES],
            "keys": list(new)[: changes.ENTRIES],
        },
        once=_once("type.drifting", event_type.name, day, sorted(new)[: changes.ENTRIES]),
    )


def qualities(event_types: Iterable[EventType], day: date) -> list[Change]:
    """Records for each type whether clearly more of its events than in the days before do not fit the schema."""
    by_name = {one.name: one for one in event_types}
    today, before = (
        _counts(by_name, day, day),
        _counts(by_name, day - timedelta(days=DAYS_BEFORE), day - timedelta(days=1)),
    )
    made = []
    for name, counted in today.items():
        share, usual = counted.share, before[name].share if name in before else 0.0
        if counted.events < LEAST or share < WORRYING or share < TIMES * usual:
            continue
        worst = _worst(name, day)
        change = changes.record(
            "type.quality_dropped",
            event_type=by_name[name],
            detail={"share": round(share, 4), "before": round(usual, 4), "causes": worst},
            once=_once("type.quality_dropped", name, day, []),
        )
        made += [change] if change is not None else []
    return made


@dataclass
class Counted:
    """Events of a type, refused ones included, and how many of them did not fit."""

    stored: int = 0
    warned: int = 0
    refused: int = 0

    @property
    def events(self) -> int:
        """All that were sent."""
        return self.stored + self.refused

    @property
    def share(self) -> float:
        """Of them that did not fit, 0 to 1. What is counted twice a little apart cannot give more than 1."""
        return min((self.warned + self.refused) / self.events, 1.0) if self.events else 0.0


def _counts(names: Iterable[str], first: date, last: date) -> dict[str, Counted]:
    found: dict[str, Counted] = defaultdict(Counted)
    within = {"type_name__in": list(names), "day__gte": first, "day__lte": last}
    for name, events in (
        Observation.objects.filter(**within).order_by().values_list("type_name").annotate(Sum("events"))
    ):
        found[name].stored = events
    misfits = (
        Violation.objects.filter(**within)
        .order_by()
        .values_list("type_name", "rejected")
        .annotate(Sum("count"))
    )
    for name, rejected, count in misfits:
        if rejected:
            found[name].refused = count
        else:
            found[name].warned = count
    return dict(found)


def _worst(name: str, day: date) -> list[str]:
    ways = (
        Violation.objects.filter(type_name=name, day=day)
        .order_by()
        .values_list("pointer", "message")
        .annotate(n=Sum("count"))
        .order_by("-n")[:5]
    )
    return [f"{pointer or 'data'}: {message}" for pointer, message, _count in ways]


def _causes(found: Drift) -> Iterator[tuple[str, str]]:
    """A key that stays the same while the cause lasts, and the cause in words. No value of an event is in either."""
    for one in found.undeclared:
        yield f"undeclared {one.pointer}", _("%(place)s is sent and not declared") % {"place": one.pointer}
    for other in found.mistyped:
        words = {"place": other.pointer, "seen": ", ".join(other.seen), "declared": ", ".join(other.declared)}
        yield f"mistyped {other.pointer}", _("%(place)s is %(seen)s, declared as %(declared)s") % words
    for value in found.values:
        if value.new:
            said = _("%(place)s has values that its list does not name") % {"place": value.pointer}
            yield f"values {value.pointer}", said


def _told(event_type: EventType, version: SchemaVersion) -> set[str]:
    """The keys that were told of late about this version."""
    past = Change.objects.filter(
        kind="type.drifting", type_name=event_type.name, at__gte=timezone.now() - QUIET
    ).values_list("detail", flat=True)
    return {
        key for detail in past if detail.get("version") == version.number for key in detail.get("keys", ())
    }


def _once(kind: str, name: str, day: date, causes: Iterable[str]) -> str:
    text = "\n".join([kind, name, day.isoformat(), *causes])
    return hashlib.sha256(text.encode()).hexdigest()
