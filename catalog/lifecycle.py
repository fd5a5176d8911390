"""The life of event types and of their versions: draft, active, deprecated, retired, and the ways between.

Nothing ends by itself: a date is an announcement, and an owner retires what has ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog import changes
from catalog.display import words
from catalog.facts import Listener, facts
from catalog.models import EventType, Lifecycle, SchemaVersion

MOVES: dict[str, tuple[str, ...]] = {
    Lifecycle.DRAFT: (Lifecycle.ACTIVE,),
    Lifecycle.ACTIVE: (Lifecycle.DEPRECATED,),
    Lifecycle.DEPRECATED: (Lifecycle.RETIRED, Lifecycle.ACTIVE),
    Lifecycle.RETIRED: (Lifecycle.ACTIVE,),
}
"""From each state, where it may go from there."""

_KINDS = {
    Lifecycle.ACTIVE: "type.reactivated",
    Lifecycle.DEPRECATED: "type.deprecated",
    Lifecycle.RETIRED: "type.retired",
}


class NotPossible(ValueError):
    """The change cannot be made; the sentence says why and what to do."""


@dataclass(frozen=True)
class Farewell:
    """What is announced of a type that ends: its last day, what takes its place, why and what to do."""

    ends_on: date | None = None
    successor: EventType | None = None
    words: str = ""


@dataclass(frozen=True)
class Readiness:
    """What still uses a type, so that an owner knows what ending it breaks.

    `day`: events in the last 24 hours; `versions`: the same by version number, 0 for none; `subscriptions`: how many
    rules take it; `listeners`: their targets, the first hundred.
    """

    day: int
    versions: dict[int, int]
    subscriptions: int
    listeners: list[Listener]

    @property
    def used(self) -> bool:
        """Whether anybody sends or takes it."""
        return bool(self.day or self.subscriptions)

    @property
    def sentence(self) -> str:
        """`3 subscriptions, 1,204 events a day still use it`."""
        return self.of_version(None)

    def of_version(self, version: int | None) -> str:
        """The same of one version, with its number: `v1: …`. Whoever takes the type takes the events of each version."""
        events = self.day if version is None else self.versions.get(version, 0)
        said = {
            "subscriptions": ngettext("%(n)s subscription", "%(n)s subscriptions", self.subscriptions)
            % {"n": words.number(self.subscriptions)},
            "events": ngettext("%(n)s event a day", "%(n)s events a day", events)
            % {"n": words.number(events)},
        }
        if version is None:
            return _("%(subscriptions)s, %(events)s still use it") % said
        return _("v%(number)s: %(subscriptions)s, %(events)s still use it") % {"number": version, **said}

    @property
    def teams(self) -> list[tuple[str, list[Listener]]]:
        """The teams that take it, by name, each with one listener of each of its rules."""
        found: dict[str, dict[int, Listener]] = {}
        for one in self.listeners:
            found.setdefault(one.team, {}).setdefault(one.rule_id, one)
        return [(team, list(rules.values())) for team, rules in sorted(found.items())]


def readiness(event_type: EventType) -> Readiness:
    """What still uses `event_type`."""
    name = event_type.name
    known = facts().types([name]).get(name)
    versions, listeners = facts().versions(name), facts().listeners(name)
    rules = len({one.rule_id for one in listeners})
    day = max(known.day if known else 0, sum(versions.values()))
    return Readiness(day, versions, max(rules, known.listeners if known else 0), listeners)


def _move(now: str, to: str, what: str) -> None:
    if to not in MOVES[now]:
        states = {"what": what, "now": Lifecycle(now).label, "to": Lifecycle(to).label}
        raise NotPossible(
            _("%(what)s is %(now)s now, so it cannot become %(to)s. Load the page again.") % states
        )


def activate(event_type: EventType, by: Any) -> None:
    """Makes a draft active, or takes an ending back. Raises NotPossible."""
    with transaction.atomic():
        found = _locked(event_type)
        before = found.lifecycle
        _move(before, Lifecycle.ACTIVE, found.name)
        found.lifecycle, found.deprecated_at = Lifecycle.ACTIVE, None
        found.ends_on, found.successor, found.farewell = None, None, ""
        _save(found)
        changes.record("type.reactivated", event_type=found, by=by, detail={"before": before})
    event_type.refresh_from_db()


def deprecate(event_type: EventType, farewell: Farewell, by: Any) -> None:
    """Announces that an active type ends, or changes the announcement of one that is deprecated. Raises NotPossible."""
    with transaction.atomic():
        found = _locked(event_type)
        again = found.lifecycle == Lifecycle.DEPRECATED
        if not again:
            _move(found.lifecycle, Lifecycle.DEPRECATED, found.name)
        if wrong := successor_problem(found, farewell.successor):
            raise NotPossible(wrong)
        found.lifecycle = Lifecycle.DEPRECATED
        found.deprecated_at = found.deprecated_at or timezone.now()
        found.ends_on, found.successor, found.farewell = farewell.ends_on, farewell.successor, farewell.words
        _save(found)
        said = {
            "ends_on": farewell.ends_on.isoformat() if farewell.ends_on else None,
            "successor": farewell.successor.name if farewell.successor else None,
            "farewell": farewell.words,
            "again": again,
        }
        changes.record("type.deprecated", event_type=found, by=by, detail=said)
    event_type.refresh_from_db()


def retire(event_type: EventType, by: Any) -> None:
    """Ends a deprecated type: its events are refused from the next one on. Raises NotPossible."""
    with transaction.atomic():
        found = _locked(event_type)
        _move(found.lifecycle, Lifecycle.RETIRED, found.name)
        found.lifecycle = Lifecycle.RETIRED
        _save(found)
        changes.record("type.retired", event_type=found, by=by)
    event_type.refresh_from_db()


def delete(event_type: EventType, by: Any) -> None:
    """Takes a type off the shelf with its versions, in whatever state it is. Events, rules and sources stay."""
    with transaction.atomic():
        changes.record("type.deleted", event_type=event_type, by=by)
        event_type.delete()


def successor_problem(event_type: EventType, successor: EventType | None) -> str:
    """Why `successor` cannot take the place of `event_type`, in a sentence; "" when it can."""
    if successor is None:
        return ""
    if successor.pk == event_type.pk:
        return _("A type cannot take its own place. Name another one, or none.")
    if successor.lifecycle == Lifecycle.RETIRED:
        return _("%(name)s is retired itself. Name one that goes on.") % {"name": successor.name}
    seen, after = {successor.pk}, successor.successor
    while after is not None and after.pk not in seen:
        if after.pk == event_type.pk:
            return _("%(name)s is to be replaced by this type. Name one that goes on.") % {
                "name": successor.name
            }
        seen.add(after.pk)
        after = after.successor
    return ""


def going_on(event_type: EventType, but: SchemaVersion) -> list[SchemaVersion]:
    """The other active versions of a type, which may count in the place of `but`; the newest first."""
    return list(event_type.versions.filter(lifecycle=Lifecycle.ACTIVE).exclude(pk=but.pk).order_by("-number"))


def set_default(event_type: EventType, version: SchemaVersion | None, by: Any) -> None:
    """Makes `version` count for events that name none; None: the newest that is active."""
    with transaction.atomic():
        found = _locked(event_type)
        if found.default_version_id != (version.pk if version else None):
            found.default_version = version
            found.save(update_fields=["default_version"])
            _record_default(found, version, by)
    event_type.refresh_from_db()


def _record_default(event_type: EventType, version: SchemaVersion | None, by: Any) -> None:
    number = version.number if version else None
    changes.record(
        "type.changed",
        event_type=event_type,
        by=by,
        detail={"fields": ["default_version"], "version": number},
    )


def move_version(
    version: SchemaVersion,
    to: str,
    by: Any,
    instead: SchemaVersion | None = None,
    ends_on: date | None = None,
) -> None:
    """Moves one version to the state `to`, or mends what was announced of a deprecated one. Raises NotPossible.

    `instead`: the version that counts for events that name none from now on; it is needed when that is `version`.
    `ends_on`: the last day that is announced with `deprecated`.
    """
    with transaction.atomic():
        event_type = _locked(version.event_type)
        found = event_type.versions.select_for_update().get(pk=version.pk)
        before = found.lifecycle
        again = before == to == Lifecycle.DEPRECATED
        if not again:
            _move(before, to, str(found))
        if to != Lifecycle.ACTIVE:
            others = going_on(event_type, found)
            if not others:
                raise NotPossible(
                    _(
                        "No other version is active. Register the next one first, or end the whole type: then it says "
                        "what takes its place."
                    )
                )
            current = event_type.current
            if instead is not None and instead not in others:
                raise NotPossible(_("%(version)s does not go on. Choose another.") % {"version": instead})
            if instead is None and current is not None and current.pk == found.pk:
                raise NotPossible(
                    _("Events that name no version count for this one. Choose which one counts instead.")
                )
            if instead is not None and (current is None or current.pk != instead.pk):
                event_type.default_version = instead
                event_type.save(update_fields=["default_version"])
                _record_default(event_type, instead, by)
        found.lifecycle = to
        if to != Lifecycle.RETIRED:
            found.ends_on = ends_on if to == Lifecycle.DEPRECATED else None
        found.save(update_fields=SchemaVersion.LIFE)
        detail: dict[str, Any] = {"version": found.number, "before": before, "again": again}
        if to == Lifecycle.DEPRECATED and ends_on is not None:
            detail["ends_on"] = ends_on.isoformat()
        if instead is not None:
            detail["successor_version"] = instead.number
        changes.record(_KINDS[Lifecycle(to)], event_type=event_type, by=by, detail=detail)
    version.refresh_from_db()


def _locked(event_type: EventType) -> EventType:
    return EventType.objects.select_for_update().get(pk=event_type.pk)


def _save(event_type: EventType) -> None:
    event_type.save(update_fields=["lifecycle", "deprecated_at", "ends_on", "successor", "farewell"])
