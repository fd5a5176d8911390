"""One event type: what it carries, who listens, its versions, how to publish it, deleting it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.access import needs
from catalog.facts import facts
from catalog.models import EventType
from catalog.ownership import refusal
from catalog.schemas.dialects import DIALECTS, dialect_of
from catalog.schemas.fields import fields_of, rows_of
from catalog.schemas.text import NotJson, parse
from catalog.snippets import Snippets
from catalog.traffic import traffic

LANGUAGES = (("curl", "curl"), ("python", "Python"), ("javascript", "JavaScript"))


def _found(name: str) -> EventType:
    return get_object_or_404(EventType.objects.select_related("domain", "team", "created_by"), name=name)


@needs("catalog.view_eventtype")
@require_safe
def event_type(request: HttpRequest, name: str) -> HttpResponse:
    """The page of one type. `?version=` shows an older one, `?show=schema` its text, `?with=` the language to publish in."""
    found = _found(name)
    versions = list(found.versions.select_related("created_by").order_by("-number")[:100])
    asked = request.GET.get("version", "")
    version = next((one for one in versions if str(one.number) == asked), versions[0] if versions else None)
    try:
        schema = parse(version.schema) if version else {}
    except NotJson:
        schema = {}
    language = request.GET.get("with", "curl")
    language = language if language in dict(LANGUAGES) else "curl"
    snippets = Snippets.of(request, found, None)
    sources = list(found.sources.select_related("bus"))
    recent = facts().recent(found.name, 1)
    dialect = dialect_of(schema)
    context = {
        "type": found,
        "versions": versions,
        "version": version,
        "rows": rows_of(fields_of(schema)),
        "dialect": DIALECTS[dialect][0] if dialect else "",
        "show": "schema" if request.GET.get("show") == "schema" else "fields",
        "traffic": traffic([found.name])[found.name],
        "recent": recent[0] if recent else None,
        "listeners": facts().listeners(found.name),
        "sources": sources,
        "retention": max((source.bus.retention_days for source in sources), default=None),
        "language": language,
        "languages": LANGUAGES,
        "snippet": getattr(snippets, language)(),
        "token": snippets.token,
    }
    return render(request, "catalog/event_type.html", context)


@needs("catalog.delete_eventtype")
def delete(request: HttpRequest, name: str) -> HttpResponse:
    """Asks, saying who depends on the type, and deletes it with its versions; events, rules and sources stay."""
    found = _found(name)
    why_not = refusal(request.user, found.team, "catalog.delete_eventtype")
    if request.method == "POST" and not why_not:
        found.delete()
        messages.success(request, _("%(name)s is off the shelf.") % {"name": name})
        return redirect("marketplace")
    context = {
        "type": found,
        "why_not": why_not,
        "listeners": facts().listeners(found.name),
        "sources": found.sources.select_related("team"),
        "traffic": traffic([found.name])[found.name],
        "versions": found.versions.count(),
    }
    status = 403 if request.method == "POST" else 200
    return render(request, "catalog/delete_type.html", context, status=status)
