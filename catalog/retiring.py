"""Retiring sources and buses and bringing them back. What is retired is kept for what it was, and offered nowhere."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import changes
from catalog.facts import BusRule, facts
from catalog.models import Bus, Source


class NotPossible(ValueError):
    """It cannot be done; the sentence says why and what to do."""


def users_of(bus: Bus) -> tuple[list[BusRule], list[Source]]:
    """The rules that listen on `bus` and the sources that publish there: what stops when it is retired."""
    return facts().rules_on(bus.name), list(bus.sources.offered().select_related("team"))


def retire_source(source: Source, by: Any) -> None:
    """Offers `source` no more. Events that it still sends are taken as before."""
    if source.retired_at is None:
        with transaction.atomic():
            source.retired_at = timezone.now()
            source.save(update_fields=["retired_at"])
            changes.record("source.retired", source=source, by=by)


def restore_source(source: Source, by: Any) -> None:
    """Offers `source` again. Raises NotPossible while its bus is retired."""
    if source.bus.retired_at is not None:
        raise NotPossible(
            _("Its bus %(bus)s is retired. Bring the bus back first, or edit the source and choose another.")
            % {"bus": source.bus.name}
        )
    if source.retired_at is not None:
        with transaction.atomic():
            source.retired_at = None
            source.save(update_fields=["retired_at"])
            changes.record("source.changed", source=source, by=by, detail={"restored": True})


def retire_bus(bus: Bus, by: Any) -> None:
    """Lets `bus` take no more events, from the next one on. What it holds stays, and what waits is delivered."""
    if bus.retired_at is None:
        with transaction.atomic():
            bus.retired_at = timezone.now()
            bus.save(update_fields=["retired_at"])
            changes.record("bus.retired", bus=bus, by=by)


def restore_bus(bus: Bus, by: Any) -> None:
    """Lets `bus` take events again."""
    if bus.retired_at is not None:
        with transaction.atomic():
            bus.retired_at = None
            bus.save(update_fields=["retired_at"])
            changes.record("bus.changed", bus=bus, by=by, detail={"restored": True})
