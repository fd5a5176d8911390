"""What changed in the catalog, told to whoever listens.

Kinds: type.registered, type.changed, version.registered, type.deprecated, type.reactivated, type.retired,
source.registered, source.changed, source.retired, bus.registered, bus.changed, bus.retired.
"""

from __future__ import annotations

from typing import Any

from django.dispatch import Signal

from catalog.models import Bus, EventType, Source, Team

changed = Signal()
"""Sent with kind, event_type, source, bus, team, by and detail, as `record` was called."""


def record(
    kind: str,
    *,
    event_type: EventType | None = None,
    source: Source | None = None,
    bus: Bus | None = None,
    team: Team | None = None,
    by: Any = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Tells that `kind` happened to what is named, in the caller's transaction. `detail` is JSON.

    type.deprecated, type.reactivated and type.retired have `version`, a number, when it is about that version alone.
    """
    changed.send(
        sender=record,
        kind=kind,
        event_type=event_type,
        source=source,
        bus=bus,
        team=team,
        by=by,
        detail=detail or {},
    )
