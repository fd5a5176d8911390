"""Reads the catalog out of the database for the exporters: seven queries, whatever the size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db.models import F, Q, QuerySet

from catalog import models
from catalog.exports.description import (
    Bus,
    Catalog,
    Deprecation,
    Domain,
    Lifecycle,
    Source,
    Team,
    Type,
    Version,
)


def readable(bus: models.Bus | None) -> QuerySet[models.EventType]:
    """The event types one may read about who is bound to `bus`: those emitted on it, and those no source is named for.

    All of them when `bus` is None.
    """
    types = models.EventType.objects.all()
    if bus is None:
        return types
    emitted = models.EventType.sources.through.objects.values("eventtype_id")
    return types.filter(Q(pk__in=emitted.filter(source__bus=bus)) | ~Q(pk__in=emitted))


def described(url: str, bus: models.Bus | None = None, source: models.Source | None = None) -> Catalog:
    """The catalog as reached at `url`, as far as `bus` lets one read; with `source`, only what that source emits.

    What is retired (buses, sources) is left out, but for the source that was asked for.
    """
    types = readable(bus)
    sources = models.Source.objects.select_related("bus", "team").order_by("name")
    buses = models.Bus.objects.order_by("name")
    if source is not None:
        types = types.filter(sources=source)
        sources = sources.filter(pk=source.pk)
        buses = buses.filter(pk=source.bus_id)
    else:
        sources = sources.filter(retired_at=None)
        buses = buses.filter(retired_at=None)
        if bus is not None:
            sources, buses = sources.filter(bus=bus), buses.filter(pk=bus.pk)
    catalog = Catalog(
        url=url.rstrip("/"),
        buses=tuple(Bus(one.name, one.description, one.open_publishing) for one in buses),
        sources=tuple(_source(one) for one in sources),
        types=tuple(_types(types)),
        teams=tuple(Team(one.slug, one.name) for one in models.Team.objects.order_by("slug")),
        domains=tuple(
            Domain(one.slug, one.name, one.team.slug if one.team else "")
            for one in models.Domain.objects.select_related("team").order_by("slug")
        ),
    )
    return catalog if bus is None and source is None else catalog.without_strangers()


def _types(types: QuerySet[models.EventType]) -> Iterator[Type]:
    """In three queries that name no row one by one: SQLite counts the parameters of a statement."""
    versions: dict[int, list[Version]] = {}
    columns = ("event_type_id", "number", "schema", "created_at", "example", "examples", "notes", "lifecycle")
    rows = models.SchemaVersion.objects.filter(event_type__in=types.order_by().values("pk"))
    for kind, *fields in rows.order_by("number").values_list(*columns):
        versions.setdefault(kind, []).append(_version(*fields))
    sources: dict[int, list[str]] = {}
    through = models.EventType.sources.through.objects.filter(eventtype__in=types.order_by().values("pk"))
    pairs = through.order_by("source__name").values_list("eventtype_id", "source__slug")
    for kind, slug in pairs:
        sources.setdefault(kind, []).append(slug)
    whole = types.select_related("domain", "team").order_by("name")
    described = whole.annotate(heir=F("successor__name"), chosen=F("default_version__number"))
    for row in described.iterator(chunk_size=1000):
        yield _type(row, sources.get(row.pk, []), versions.get(row.pk, []))


def _source(row: models.Source) -> Source:
    return Source(row.slug, row.name, row.uri, row.bus.name, row.team.slug, row.created_at, row.description)


def _type(row: Any, sources: list[str], versions: list[Version]) -> Type:
    deprecation = None
    if row.lifecycle in (Lifecycle.DEPRECATED, Lifecycle.RETIRED):
        deprecation = Deprecation(row.deprecated_at, row.ends_on, row.heir or "", row.farewell)
    return Type(
        name=row.name,
        summary=row.summary,
        docs=row.docs,
        domain=row.domain.slug,
        team=row.team.slug,
        created_at=row.created_at,
        sources=tuple(sources),
        tags=_texts(row.tags),
        lifecycle=Lifecycle(row.lifecycle),
        deprecation=deprecation,
        compatibility=row.compatibility,
        personal=_texts(row.personal),
        default=row.chosen,
        versions=tuple(versions),
    )


def _version(
    number: int, schema: str, created_at: datetime, example: str, more: list[Any], notes: str, lifecycle: str
) -> Version:
    further = [one["data"] for one in more if isinstance(one, dict) and isinstance(one.get("data"), str)]
    examples = tuple(text for text in (example, *further) if text)
    return Version(number, schema, created_at, examples, notes, Lifecycle(lifecycle))


def _texts(values: Iterable[Any]) -> tuple[str, ...]:
    return tuple(str(value) for value in values)
