"""Signalbox in its own catalog: the bus "system" and the event types that tell what changed in the catalog."""

from __future__ import annotations

import json
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import override

from catalog.changes import KINDS, OWN, PREFIX, RESERVED, SYSTEM
from catalog.models import HUES, Bus, Domain, EventType, SchemaVersion, Source, Team

SOURCE = "/signalbox/catalog"
RETENTION_DAYS = 90
# Language of what is written once for everybody: descriptions, titles in events.
LANGUAGE = "en"
_TEXT = {"type": "string"}
# What `detail` of an event may hold, and what each means.
DETAIL: dict[str, dict[str, Any]] = {
    "name": {"type": "string", "description": "The name that people read."},
    "version": {"type": "integer", "minimum": 1, "description": "Number of the schema version it is about."},
    "notes": {"type": "string", "description": "What its author says about the version."},
    "verdict": {"enum": ["compatible", "incompatible", "undecided"], "description": "What the compatibility check said."},
    "override": {"type": "string", "description": "Why it was saved although the check was against it."},
    "changes": {"type": "array", "items": _TEXT, "description": "How the schema differs from the version before."},
    "fields": {"type": "array", "items": _TEXT, "description": "What of it was changed."},
    "ends_on": {"type": "string", "format": "date", "description": "Its last day."},
    "successor": {"type": "string", "description": "The event type that takes its place."},
    "successor_version": {"type": "integer", "minimum": 1, "description": "The version that takes its place."},
    "farewell": {"type": "string", "description": "Why it ends, and what to do."},
    "causes": {"type": "array", "items": _TEXT, "description": "What events hold against the schema."},
    "share": {"type": "number", "minimum": 0, "maximum": 1, "description": "Share of events that did not fit."},
    "why": {"type": "string", "description": "What it is wanted for, or why it was done."},
}  # fmt: skip


def event_type_name(kind: str) -> str:
    """The event type that tells of changes of this kind."""
    return PREFIX + kind


def schema_of(kind: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of `data` of such an event."""
    subject = {"type": "type", "source": "source", "bus": "bus"}[KINDS[kind].subject]
    says = {"type": "Name of the event type.", "source": "Slug of the source.", "bus": "Name of the bus."}[
        subject
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["kind", "title", "link", "at", subject],
        "properties": {
            "kind": {"const": kind},
            "title": {"type": "string", "description": "The change in one sentence, in English."},
            "link": {"type": "string", "description": "Address of the page about it."},
            "at": {"type": "string", "format": "date-time", "description": "When it was changed."},
            subject: {"type": "string", "minLength": 1, "description": says},
            "team": {"type": "string", "description": "Slug of the team that owns it."},
            "by": {
                "type": "string",
                "description": "User name of who did it; missing when Signalbox found it.",
            },
            "detail": {"type": "object", "properties": DETAIL},
        },
    }


def example_of(kind: str) -> dict[str, Any]:
    """Data that fits `schema_of(kind)`."""
    subject = KINDS[kind].subject
    return {
        "kind": kind,
        "title": "Something about it was changed.",
        "link": "https://signalbox.example/",
        "at": "2026-11-26T12:00:00Z",
        subject: {"type": "order.placed", "source": "shop", "bus": "main"}[subject],
        "team": "checkout",
        "by": "mara",
        "detail": {},
    }


def is_wanted() -> bool:
    """Whether there is a bus of somebody's own: before that, the bus "system" would be the first, which pages propose."""
    return Bus.objects.exclude(name__in=RESERVED).exists()


def ensure() -> Bus:
    """The bus "system", made when it is missing, with the team, domain, source and event types that belong to it."""
    bus = Bus.objects.filter(name=SYSTEM).first()
    wanted = {event_type_name(kind) for kind in KINDS}
    source = Source.objects.filter(slug=OWN).first()
    there = set(EventType.objects.filter(name__in=wanted, sources=source).values_list("name", flat=True))
    if bus is not None and source is not None and there == wanted:
        return bus
    with override(LANGUAGE):
        return _made()


def _made() -> Bus:
    bus, domain, source = _frame()
    # One by one: the log waits while a transaction writes, and all of them take half a second.
    for kind in KINDS:
        _make_type(kind, domain, source)
    return bus


@transaction.atomic
def _frame() -> tuple[Bus, Domain, Source]:
    about = _("What changes in the catalog. Signalbox alone publishes here.")
    team, _new = Team.objects.get_or_create(slug=OWN, defaults={"name": _free_name(Team)})
    bus, _new = Bus.objects.get_or_create(
        name=SYSTEM, defaults={"description": about, "retention_days": RETENTION_DAYS, "team": team}
    )
    domain, _new = Domain.objects.get_or_create(
        slug=OWN, defaults={"name": _free_name(Domain), "badge": "SB", "hue": HUES - 1, "team": team}
    )
    source, _new = Source.objects.get_or_create(
        slug=OWN,
        defaults={
            "name": _free_name(Source),
            "uri": SOURCE,
            "bus": bus,
            "team": team,
            "prefix": PREFIX,
            "description": about,
        },
    )
    return bus, domain, source


@transaction.atomic
def _make_type(kind: str, domain: Domain, source: Source) -> None:
    found, made = EventType.objects.get_or_create(
        name=event_type_name(kind),
        defaults={
            "summary": str(KINDS[kind].says),
            "docs": _("Signalbox publishes it. `data.link` leads to the page about it."),
            "domain": domain,
            "team": source.team,
        },
    )
    found.sources.add(source)
    if made:
        SchemaVersion.objects.create(
            event_type=found,
            number=1,
            schema=json.dumps(schema_of(kind), indent=2),
            example=json.dumps(example_of(kind), indent=2),
            origin="signalbox",
        )


def _free_name(model: type[Team] | type[Domain] | type[Source]) -> str:
    names = ["Signalbox", "Signalbox itself", *(f"Signalbox {number}" for number in range(2, 100))]
    taken = set(model._default_manager.filter(name__in=names).values_list("name", flat=True))
    return next(name for name in names if name not in taken)
