"""The page of one event type: what it carries and what was really seen, who emits, who listens, its versions, quality."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.access import needs
from catalog.display.spread import by_day
from catalog.facts import RecentEvent, facts
from catalog.models import EventType, Lifecycle, SchemaVersion, Source
from catalog.ownership import owns
from catalog.personal import Hidden, hidden_from, hide
from catalog.quality import quality_of
from catalog.schemas.bindings import pydantic_models, typed_dicts, typescript
from catalog.schemas.dialects import DIALECTS, dialect_of
from catalog.schemas.documents import as_openapi
from catalog.schemas.fields import fields_of, rows_of
from catalog.schemas.text import NotJson, parse
from catalog.seen import Emitter, field_rows, never_declared, seen_of
from catalog.snippets import Snippets
from catalog.traffic import traffic
from catalog.verdicts import Told, told

LANGUAGES = (("curl", "curl"), ("python", "Python"), ("javascript", "JavaScript"))
BINDINGS: dict[str, tuple[str, Callable[[Any, str], str], str]] = {
    "typescript": ("TypeScript", typescript, "ts"),
    "typeddict": ("TypedDict", typed_dicts, "py"),
    "pydantic": ("pydantic", pydantic_models, "py"),
}
SHOWS = ("fields", "schema", "openapi")
VERSIONS, RECENT = 100, 10
# What is shown before somebody asks for all: a page of 500 fields takes longer to write than to work out.
FIELDS_AT_FIRST, VERSIONS_AT_FIRST = 60, 5


def found_type(name: str) -> EventType:
    """The event type called `name` with its owners; 404 without."""
    types = EventType.objects.select_related("domain", "team", "created_by", "successor", "default_version")
    return get_object_or_404(types, name=name)


class VersionLine(NamedTuple):
    """A version in the list: its share (0 to 1) of the day's events, None without traffic."""

    version: SchemaVersion
    events: int
    share: float | None
    verdict: Told | None
    is_default: bool


class Speaker(NamedTuple):
    """Who emits: a registered source, what was seen of it, or both."""

    source: Source | None
    seen: Emitter | None

    @property
    def bus(self) -> str:
        """The name of the bus it sends to."""
        return self.source.bus.name if self.source else self.seen.bus if self.seen else ""


@dataclass
class _Page:
    """What is asked of the page, read from the address; each part is worked out once."""

    request: HttpRequest
    type: EventType

    @cached_property
    def versions(self) -> list[SchemaVersion]:
        """The newest versions without their texts, of which there may be a hundred large ones."""
        return list(
            self.type.versions.select_related("created_by")
            .defer("schema", "example", "examples")
            .order_by("-number")[:VERSIONS]
        )

    @cached_property
    def default(self) -> SchemaVersion | None:
        """The version that counts for events that name none; as EventType.current, from what is read already."""
        chosen = self.type.default_version
        if chosen is not None and chosen.lifecycle != Lifecycle.RETIRED:
            return next((one for one in self.versions if one.pk == chosen.pk), chosen)
        gone = (Lifecycle.RETIRED, Lifecycle.DRAFT)
        return next((one for one in self.versions if one.lifecycle not in gone), None)

    @cached_property
    def version(self) -> SchemaVersion | None:
        """The version that is shown: the one asked for, else the default, else the newest; with its texts."""
        asked = self.request.GET.get("version", "")
        shown = next((one for one in self.versions if str(one.number) == asked), None)
        shown = shown or self.default or (self.versions[0] if self.versions else None)
        if shown is None:
            return None
        return SchemaVersion.objects.select_related("created_by").get(pk=shown.pk)

    @cached_property
    def schema(self) -> Any:
        return _parsed(self.version.schema) if self.version else {}

    @cached_property
    def last(self) -> tuple[int, str] | None:
        """Number and schema of the version before the one shown; None for a first one."""
        if self.version is None:
            return None
        return (
            self.type.versions.filter(number__lt=self.version.number)
            .exclude(lifecycle=Lifecycle.DRAFT)
            .order_by("-number")
            .values_list("number", "schema")
            .first()
        )

    @cached_property
    def before(self) -> set[tuple[str, ...]] | None:
        """The paths of the version before the one shown; None for a first one."""
        return (
            None if self.last is None else {field.path for field in rows_of(fields_of(_parsed(self.last[1])))}
        )

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """One of `choices` that the address asks for by `name`, else the first."""
        asked = self.request.GET.get(name, "")
        return asked if asked in choices else choices[0]

    @cached_property
    def counts(self) -> dict[int, int]:
        """The day's events by version number; 0 is none."""
        return facts().versions(self.type.name)

    def version_lines(self) -> list[VersionLine]:
        """The versions as they are listed, newest first."""
        most = VERSIONS if self.request.GET.get("versions") == "all" else VERSIONS_AT_FIRST
        counts = self.counts
        total = sum(counts.values())
        return [
            VersionLine(
                one,
                counts.get(one.number, 0),
                counts.get(one.number, 0) / total if total else None,
                told(one),
                one == self.default,
            )
            for one in self.versions[:most]
        ]

    def shown_schema(self, show: str) -> str:
        """The text under "What is inside": as registered, or as a component of OpenAPI."""
        if self.version is None or show == "fields":
            return ""
        if show == "schema":
            return self.version.schema
        return openapi_text(self.schema, self.type.name, self.version.number)

    def examples(self) -> list[tuple[str, str]]:
        """The written examples of the version: name and JSON text."""
        if self.version is None:
            return []
        written = self.version.examples if isinstance(self.version.examples, list) else []
        further = [one for one in written if isinstance(one, dict) and isinstance(one.get("data"), str)]
        found = [("", self.version.example)] if self.version.example else []
        return found + [(str(one.get("name", "")), one["data"]) for one in further]


def _parsed(text: str) -> Any:
    try:
        return parse(text)
    except NotJson:
        return {}


def openapi_text(schema: Any, name: str, number: int) -> str:
    """The schema as an OpenAPI document, as text to copy."""
    return json.dumps(as_openapi(schema, name, number), indent=2, ensure_ascii=False)


@needs("catalog.view_eventtype")
@require_safe
def event_type(request: HttpRequest, name: str) -> HttpResponse:
    """The page of one type.

    `?version=` shows another version, `?show=` fields, schema or openapi, `?with=` the language to publish in,
    `?types=` the one that types are shown in, `?event=` which of the last real events (0 is the newest), `?fields=all`
    and `?versions=all` all of them.
    """
    page = _Page(request, found_type(name))
    found = page.type
    hidden = hidden_from(request.user, [found.name]).get(found.name, ())
    personal = tuple(path for path in found.personal if isinstance(path, str))
    show = page.choice("show", SHOWS)
    what = seen_of(found.name, personal, shapes=show == "fields")
    fields = rows_of(fields_of(page.schema)) if show == "fields" else []
    at_first = None if request.GET.get("fields") == "all" else FIELDS_AT_FIRST
    language = page.choice("with", [code for code, _label in LANGUAGES])
    binding = page.choice("types", list(BINDINGS))
    snippets = Snippets.of(request, found, None)
    sources = list(found.sources.select_related("bus", "team"))
    dialect = dialect_of(page.schema)
    measured = traffic([found.name])[found.name]
    lines, quality = page.version_lines(), quality_of(found.name, personal)
    context = {
        "type": found,
        "owner": owns(request.user, found),
        "version": page.version,
        "verdict": told(page.version) if page.version else None,
        "default": page.default,
        "versions": page.versions,
        "lines": lines,
        "older": len(page.versions) - len(lines),
        "unversioned": page.counts.get(0, 0) if lines else 0,
        "undo": _undo(request, page),
        "rows": field_rows(fields[:at_first], what, personal, page.before),
        "before_number": page.last[0] if page.last else None,
        "more_fields": max(len(fields) - at_first, 0) if at_first else 0,
        "undeclared": never_declared(what, page.schema) if show == "fields" and page.version else [],
        "seen": what,
        "dialect": DIALECTS[dialect][0] if dialect else "",
        "show": show,
        "shows": (("fields", _("Fields")), ("schema", "JSON Schema"), ("openapi", "OpenAPI 3")),
        "schema_text": page.shown_schema(show),
        "traffic": measured,
        "quality": quality,
        "quality_chart": by_day(quality.days, _("Violations per day in the last 30 days")),
        "listeners": facts().listeners(found.name),
        "speakers": speakers(sources, what.emitters),
        "retention": max((source.bus.retention_days for source in sources), default=None),
        "wishes": _wishes(found),
        "examples": page.examples(),
        "language": language,
        "languages": LANGUAGES,
        "snippet": getattr(snippets, language)(),
        "token": snippets.token,
        "binding": binding,
        "bindings": [(code, word) for code, (word, _made, _ending) in BINDINGS.items()],
        "binding_text": BINDINGS[binding][1](page.schema, found.name) if page.version else "",
        **_real(request, found.name, hidden),
    }
    return render(request, "catalog/event_type.html", context)


def _real(request: HttpRequest, name: str, hidden: Sequence[str]) -> dict[str, Any]:
    """One of the last real events, and which one comes after it when another is wanted."""
    events: list[RecentEvent] = facts().recent(name, RECENT)
    asked = request.GET.get("event", "")
    at = int(asked) if asked.isdecimal() and len(asked) < 4 else 0
    if not events:
        return {"recent": None}
    at %= len(events)
    shown: Hidden = hide(events[at].raw, hidden)
    return {
        "recent": events[at],
        "recent_text": shown.text,
        "hidden": shown.fields,
        "another": (at + 1) % len(events) if len(events) > 1 else None,
    }


def speakers(sources: Sequence[Source], emitters: Sequence[Emitter]) -> list[Speaker]:
    """The sources that are named with what was seen of them, then those that nobody named."""
    seen = {one.uri: one for one in reversed(emitters)}
    named = [Speaker(source, seen.pop(source.uri, None)) for source in sources]
    return named + [Speaker(None, one) for one in emitters if seen.get(one.uri) is one]


def _wishes(found: EventType) -> QuerySet[Any]:
    return found.wishes.annotate(
        people=Count("wishes", distinct=True), teams=Count("wishes__team", distinct=True)
    )


def _undo(request: HttpRequest, page: _Page) -> dict[str, Any] | None:
    """After the default was changed: what it was, so that one press brings it back. "" is the newest."""
    was = request.GET.get("was")
    if was is None or not (was == "" or was.isdecimal()):
        return None
    return {"number": was}


@needs("catalog.view_eventtype")
@require_safe
def download_openapi(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """A version as an OpenAPI document, to be saved."""
    version = SchemaVersion.objects.filter(event_type__name=name, number=number).first()
    if version is None:
        raise Http404(f"no version {number} of {name}")
    answer = HttpResponse(
        openapi_text(_parsed(version.schema), name, number), content_type="application/vnd.oai.openapi+json"
    )
    answer["Content-Disposition"] = (
        f'attachment; filename="{slugify(name) or "event"}-v{number}.openapi.json"'
    )
    return answer


@needs("catalog.view_eventtype")
@require_safe
def download_types(request: HttpRequest, name: str, number: int, binding: str) -> HttpResponse:
    """A version as types of a programming language, to be saved."""
    version = SchemaVersion.objects.filter(event_type__name=name, number=number).first()
    if version is None or binding not in BINDINGS:
        raise Http404(f"no {binding} of version {number} of {name}")
    _word, made, ending = BINDINGS[binding]
    answer = HttpResponse(made(_parsed(version.schema), name), content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{slugify(name) or "event"}-v{number}.{ending}"'
    return answer
