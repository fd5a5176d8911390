"""The catalog's rows as the API shows them. `shapes` has the JSON Schema of each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.urls import reverse

from catalog.following.telling import told
from catalog.models import (
    Approval,
    Bus,
    Change,
    Domain,
    Draft,
    EventType,
    SchemaVersion,
    Source,
    Team,
    Wanted,
)
from catalog.schemas.text import NotJson, parse


def moment(at: datetime | None) -> str | None:
    """A time as RFC 3339 in UTC."""
    return None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def team(row: Team) -> dict[str, Any]:
    """A team."""
    return {"slug": row.slug, "name": row.name}


def domain(row: Domain) -> dict[str, Any]:
    """A domain with the team that keeps it."""
    return {
        "slug": row.slug,
        "name": row.name,
        "badge": row.badge,
        "hue": row.hue,
        "team": row.team.slug if row.team else None,
    }


def bus(row: Bus) -> dict[str, Any]:
    """A bus; `publish` is where events are sent."""
    return {
        "name": row.name,
        "description": row.description,
        "retention_days": row.retention_days,
        "limit_days": row.limit_days,
        "unregistered": row.unregistered,
        "open_publishing": row.open_publishing,
        "team": row.team.slug if row.team else None,
        "created_at": moment(row.created_at),
        "retired_at": moment(row.retired_at),
        "publish": f"/v1/buses/{quote(row.name)}/events",
    }


def source(row: Source) -> dict[str, Any]:
    """A source, with its bus and its team."""
    return {
        "slug": row.slug,
        "name": row.name,
        "uri": row.uri,
        "prefix": row.prefix,
        "description": row.description,
        "bus": row.bus.name,
        "team": row.team.slug,
        "created_at": moment(row.created_at),
        "retired_at": moment(row.retired_at),
        "asyncapi": reverse("source-asyncapi-json", args=(row.slug,)),
    }


def event_types(rows: Sequence[EventType]) -> list[dict[str, Any]]:
    """Event types, in three queries however many."""
    pks = [row.pk for row in rows]
    sources: dict[int, list[str]] = {}
    through = EventType.sources.through.objects.filter(eventtype__in=pks).order_by("source__slug")
    for pk, slug in through.values_list("eventtype_id", "source__slug"):
        sources.setdefault(pk, []).append(slug)
    numbers: dict[int, list[int]] = {}
    versions = SchemaVersion.objects.filter(event_type__in=pks).order_by("number")
    for pk, number in versions.values_list("event_type_id", "number"):
        numbers.setdefault(pk, []).append(number)
    others = EventType.objects.filter(pk__in={row.successor_id for row in rows if row.successor_id})
    heirs = dict(others.values_list("pk", "name"))
    chosen = dict(
        SchemaVersion.objects.filter(
            pk__in={row.default_version_id for row in rows if row.default_version_id}
        ).values_list("pk", "number")
    )
    return [
        _event_type(
            row,
            sources.get(row.pk, []),
            numbers.get(row.pk, []),
            heirs.get(row.successor_id or 0),
            chosen.get(row.default_version_id or 0),
        )
        for row in rows
    ]


def event_type(row: EventType) -> dict[str, Any]:
    """One event type."""
    return event_types([row])[0]


def _event_type(
    row: EventType, sources: list[str], versions: list[int], successor: str | None, default: int | None
) -> dict[str, Any]:
    name = quote(row.name)
    return {
        "name": row.name,
        "summary": row.summary,
        "docs": row.docs,
        "domain": row.domain.slug,
        "team": row.team.slug,
        "sources": sources,
        "tags": [str(tag) for tag in row.tags],
        "personal": [str(path) for path in row.personal],
        "validation": row.validation,
        "compatibility": row.compatibility,
        "policy": row.policy,
        "accept_cautions": row.accept_cautions,
        "lifecycle": row.lifecycle,
        "deprecated_at": moment(row.deprecated_at),
        "ends_on": row.ends_on.isoformat() if row.ends_on else None,
        "successor": successor,
        "farewell": row.farewell,
        "default_version": default,
        "versions": versions,
        "created_at": moment(row.created_at),
        "links": {
            "self": f"/api/v1/event-types/{name}",
            "versions": f"/api/v1/event-types/{name}/versions",
            "schema": f"/schemas/{name}",
            "page": f"/events/{name}/",
        },
    }


def versions(rows: Iterable[SchemaVersion]) -> list[dict[str, Any]]:
    """Schema versions without their schemas and examples."""
    return [_version(row) for row in rows]


def version(row: SchemaVersion) -> dict[str, Any]:
    """A schema version, with its schema and its examples as JSON. `dataschema` has the text as it was registered."""
    return {
        **_version(row),
        "schema": _json(row.schema),
        "example": _json(row.example) if row.example else None,
        "examples": [
            {"name": str(one.get("name", "")), "data": _json(str(one.get("data", "")))}
            for one in row.examples
            if isinstance(one, dict)
        ],
        "verdict": row.verdict or None,
    }


def _version(row: SchemaVersion) -> dict[str, Any]:
    verdict = row.verdict if isinstance(row.verdict, dict) else {}
    name = quote(row.event_type.name)
    return {
        "number": row.number,
        "notes": row.notes,
        "origin": row.origin,
        "lifecycle": row.lifecycle,
        "ends_on": row.ends_on.isoformat() if row.ends_on else None,
        "outcome": verdict.get("outcome"),
        "override": row.override,
        "digest": row.digest,
        "created_at": moment(row.created_at),
        "dataschema": f"/schemas/{name}/{row.number}",
    }


def _json(text: str) -> Any:
    try:
        return parse(text)
    except NotJson:
        return text


def draft(row: Draft) -> dict[str, Any]:
    """A draft; `content` holds the register form's fields as they were typed, `page` is where a person goes on."""
    return {
        "id": row.pk,
        "name": row.name,
        "event_type": row.event_type.name if row.event_type else None,
        "origin": row.origin,
        "content": row.content,
        "created_at": moment(row.created_at),
        "changed_at": moment(row.changed_at),
        "page": (f"/events/{quote(row.event_type.name)}/versions/new/" if row.event_type else "/events/new/")
        + f"?draft={row.pk}",
    }


def wanted(row: Wanted) -> dict[str, Any]:
    """What people ask for, and how many of them (catalog.wanted.open_wishes counts)."""
    return {
        "id": row.pk,
        "name": row.name,
        "why": row.why,
        "people": row.people,  # type: ignore[attr-defined]
        "teams": row.teams,  # type: ignore[attr-defined]
        "mine": row.mine,  # type: ignore[attr-defined]
        "created_at": moment(row.created_at),
    }


def approval(row: Approval) -> dict[str, Any]:
    """A wish for personal data, and what its owner answered."""
    return {
        "id": row.pk,
        "event_type": row.event_type.name,
        "owner": row.event_type.team.slug,
        "team": row.team.slug,
        "reason": row.reason,
        "state": row.state,
        "answer": row.answer,
        "asked_by": row.asked_by.get_username() if row.asked_by else None,
        "asked_at": moment(row.asked_at),
        "decided_by": row.decided_by.get_username() if row.decided_by else None,
        "decided_at": moment(row.decided_at),
    }


def changes(rows: Sequence[Change]) -> list[dict[str, Any]]:
    """What changed, with the sentence that the page says of it, in three queries however many."""
    return [
        {
            "id": str(one.change.key),
            "kind": one.change.kind,
            "at": moment(one.change.at),
            "title": one.title,
            "event_type": one.change.type_name or None,
            "source": one.change.source or None,
            "bus": one.change.bus or None,
            "team": one.change.team or None,
            "by": one.change.by or None,
            "detail": {name: value for name, value in one.change.detail.items() if name != "keys"},
            "page": one.path,
        }
        for one in told(rows)
    ]
