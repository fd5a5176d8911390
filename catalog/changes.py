"""What changed in the catalog: recorded with the change itself, told later on the bus "system", in feeds and by mail.

    changes.record("type.deprecated", event_type=found, by=request.user, detail={"ends_on": …})

Call it inside the transaction that makes the change. Registrations of event types and versions are noticed when their
rows are made; whoever records them too only adds to what is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.models import Bus, Change, EventType, Lifecycle, SchemaVersion, Source, Team

# The event type of a change on the bus "system" is PREFIX and its kind.
PREFIX = "dev.signalbox."
# Signalbox's own bus, and the slug of its own team, domain and source: what describes itself is no news.
SYSTEM = "system"
OWN = "signalbox"
# The bus of dead letters on their way to the targets that take them.
LETTERS = "dead-letters"
# Buses on which Signalbox alone publishes.
RESERVED = frozenset({SYSTEM, LETTERS})
# What is kept of a detail: texts, entries of a list or an object, levels.
TEXT, ENTRIES, LEVELS = 500, 50, 4


class Kind(NamedTuple):
    """A kind of change: what it says, what it is about (`subject`: type, source or bus) and whether it is mailed."""

    says: str | Promise
    subject: str
    mailed: bool = True


KINDS: dict[str, Kind] = {
    "type.registered": Kind(_("An event type was registered."), "type"),
    "type.changed": Kind(_("What an event type says about itself was changed."), "type", mailed=False),
    "version.registered": Kind(_("A new schema version of an event type was registered."), "type"),
    "type.deprecated": Kind(_("An event type, or a version of it, is to end."), "type"),
    "type.reactivated": Kind(_("An event type, or a version of it, is in use again."), "type"),
    "type.retired": Kind(_("An event type, or a version of it, takes no more events."), "type"),
    "type.deleted": Kind(_("An event type was deleted from the catalog."), "type"),
    "type.drifting": Kind(_("Events of a type hold what its schema does not say."), "type"),
    "type.quality_dropped": Kind(_("More events of a type than before do not fit its schema."), "type"),
    "source.registered": Kind(_("A source was registered."), "source"),
    "source.changed": Kind(_("A source was changed."), "source", mailed=False),
    "source.retired": Kind(_("A source was retired."), "source"),
    "bus.registered": Kind(_("A bus was made."), "bus", mailed=False),
    "bus.changed": Kind(_("A bus was changed."), "bus", mailed=False),
    "bus.retired": Kind(_("A bus was retired."), "bus"),
    "wanted.asked": Kind(_("Somebody asks for an event that nobody emits."), "type", mailed=False),
    "wanted.answered": Kind(_("An event that people asked for was registered."), "type"),
}
# Of these there is one for each subject; a second record adds to the first while that is not published.
ONCE = frozenset(
    {"type.registered", "version.registered", "source.registered", "bus.registered", "type.deleted"}
)
MERGED_WITHIN = timedelta(minutes=1)
ENDS = ("ends_on", "successor", "farewell")


@transaction.atomic
def record(
    kind: str,
    *,
    event_type: EventType | str | None = None,
    source: Source | None = None,
    bus: Bus | None = None,
    team: Team | None = None,
    by: Any = None,
    detail: Mapping[str, Any] | None = None,
    once: str | None = None,
) -> Change | None:
    """Writes the change and returns it; None for what is Signalbox's own, and for a second one with the same `once`.

    `event_type` may be the name of one that does not exist. `team`: who owns it, found by itself when not given. `by`: a
    user. `detail`: JSON, shortened where it is long; keys that are understood are those of catalog.system.DETAIL, and
    again (an end was announced before) and before (a lifecycle). Raises KeyError for no kind.
    """
    if kind not in KINDS:
        raise KeyError(f"{kind!r} is no kind of change; use one of {', '.join(KINDS)}.")
    if is_own(event_type, source, bus):
        return None
    given = _bounded(json.loads(json.dumps(detail or {}, cls=DjangoJSONEncoder)))
    given = {name: value for name, value in given.items() if value not in (None, "")}
    owner = team
    if isinstance(event_type, EventType):
        owner = owner or event_type.team
        if kind in ("type.deprecated", "type.retired") and "version" not in given:
            given = _ends(event_type) | given
    for holder in (source, bus):
        owner = owner or getattr(holder, "team", None)
    name = {"name": source.name} if source is not None else {}
    row = Change(
        kind=kind,
        type_name=str(event_type or ""),
        source=source.slug if source is not None else "",
        bus=bus.name if bus is not None else "",
        team=owner.slug if owner is not None else "",
        by=by.get_username() if by is not None else "",
        detail=name | given,
        once=once,
    )
    if kind in ONCE and (first := _first(row)) is not None:
        first.detail = first.detail | row.detail
        first.by, first.team = row.by or first.by, row.team or first.team
        first.save(update_fields=["detail", "by", "team"])
        return first
    if once is None:
        row.save()
        return row
    made = Change.objects.bulk_create([row], ignore_conflicts=True)[0]
    return Change.objects.filter(key=made.key).first()


def fields_changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """The names whose values differ, for `detail={"fields": …}`."""
    return [name for name in after if before.get(name) != after[name]]


def values_of(row: models.Model, names: Iterable[str]) -> dict[str, Any]:
    """The values of these fields of `row` as they are now; of relations the ids."""
    return {name: getattr(row, row._meta.get_field(name).attname) for name in names}  # type: ignore[union-attr]


def is_own(
    event_type: EventType | str | None = None, source: Source | None = None, bus: Bus | None = None
) -> bool:
    """Whether one of these is what Signalbox keeps of itself: its bus, its source, the types of its own events."""
    name = str(event_type or "")
    return (
        (name.startswith(PREFIX) and name.removeprefix(PREFIX) in KINDS)
        or (source is not None and source.slug == OWN)
        or (bus is not None and bus.name in RESERVED)
    )


def _ends(event_type: EventType) -> dict[str, Any]:
    found = {
        "ends_on": event_type.ends_on.isoformat() if event_type.ends_on else None,
        "successor": event_type.successor.name if event_type.successor else None,
        "farewell": event_type.farewell,
    }
    return {name: value for name, value in found.items() if value}


def _first(row: Change) -> Change | None:
    same = Change.objects.filter(
        kind=row.kind, type_name=row.type_name, source=row.source, bus=row.bus, published_at=None
    ).filter(at__gte=timezone.now() - MERGED_WITHIN)
    if row.kind == "version.registered" and "version" in row.detail:
        same = same.filter(detail__version=row.detail["version"])
    return same.select_for_update().first()


def _bounded(value: Any, level: int = 0) -> Any:
    if isinstance(value, str):
        return value if len(value) <= TEXT else value[: TEXT - 1] + "…"
    if level >= LEVELS:
        return _bounded(json.dumps(value, ensure_ascii=False)) if isinstance(value, list | dict) else value
    if isinstance(value, list):
        return [_bounded(one, level + 1) for one in value[:ENTRIES]]
    if isinstance(value, dict):
        return {str(name)[:100]: _bounded(one, level + 1) for name, one in list(value.items())[:ENTRIES]}
    return value


def _registered_type(sender: Any, instance: EventType, created: bool, **kwargs: Any) -> None:
    if created and not kwargs.get("raw"):
        record("type.registered", event_type=instance, by=instance.created_by)


@transaction.atomic
def _registered_version(sender: Any, instance: SchemaVersion, created: bool, **kwargs: Any) -> None:
    if not created or kwargs.get("raw") or instance.lifecycle == Lifecycle.DRAFT:
        return
    verdict = instance.verdict if isinstance(instance.verdict, dict) else {}
    told = {
        "version": instance.number,
        "notes": instance.notes,
        "verdict": verdict.get("outcome"),
        "override": instance.override,
        "origin": instance.origin,
    }
    detail = {name: value for name, value in told.items() if value}
    event_type = instance.event_type
    if instance.number == 1 and not is_own(event_type):
        # A type that is registered with its first version is one piece of news.
        new = Change.objects.filter(kind="type.registered", type_name=event_type.name, published_at=None)
        if (found := new.select_for_update().first()) is not None:
            found.detail = found.detail | detail
            found.save(update_fields=["detail"])
            return
    record("version.registered", event_type=event_type, by=instance.created_by, detail=detail)


def _deleted_type(sender: Any, instance: EventType, **kwargs: Any) -> None:
    record("type.deleted", event_type=instance)


def connect() -> None:
    """Records what is registered and deleted, whoever does it."""
    models.signals.post_save.connect(_registered_type, sender=EventType, dispatch_uid="change-type")
    models.signals.post_save.connect(_registered_version, sender=SchemaVersion, dispatch_uid="change-version")
    models.signals.pre_delete.connect(_deleted_type, sender=EventType, dispatch_uid="change-type-gone")
