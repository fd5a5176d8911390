"""One event type: what it carries, who listens, its versions, how to publish it; registering and editing it."""

from __future__ import annotations

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog import changes
from catalog.access import needs
from catalog.facts import facts
from catalog.forms.event_types import EditForm, RegisterForm, VersionForm, name_problem
from catalog.models import Bus, EventType
from catalog.schemas.dialects import DIALECTS, dialect_of
from catalog.schemas.fields import fields_of, rows_of
from catalog.schemas.text import NotJson, parse
from catalog.snippets import Snippets
from catalog.traffic import traffic

FIRST_SCHEMA = """{
  "type": "object",
  "required": ["id"],
  "properties": {
    "id": { "type": "string", "description": "What the event is about" }
  }
}"""
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


@needs("catalog.add_eventtype")
def register(request: HttpRequest) -> HttpResponse:
    """A form for a new event type with its first version."""
    initial = {
        "name": request.GET.get("name", "")[:255],
        "schema": FIRST_SCHEMA,
        "example": '{\n  "id": "order-1"\n}',
    }
    form = RegisterForm(request.POST or None, user=request.user, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            saved = form.save()
        except IntegrityError:
            form.add_error(
                "name", _("Somebody registered this name just now. Open that type, or choose another name.")
            )
        else:
            messages.success(request, _("%(name)s is on the shelf.") % {"name": saved})
            return redirect("event-type", name=saved.name)
    return render(request, "catalog/register.html", {"form": form, "any_bus": Bus.objects.exists()})


@needs("catalog.add_eventtype")
@require_safe
def check_name(request: HttpRequest) -> HttpResponse:
    """For htmx: whether `?name=` can be a new type's name."""
    name = request.GET.get("name", "").strip()
    context = {"name": name, "problem": name_problem(name) if name else None}
    return render(request, "catalog/name_check.html", context)


@needs("catalog.change_eventtype")
def edit(request: HttpRequest, name: str) -> HttpResponse:
    """A form for what a type says about itself."""
    found = _found(name)
    if refused := _kept_by_us(request, found):
        return refused
    form = EditForm(request.POST or None, user=request.user, event_type=found)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("%(name)s is saved.") % {"name": found})
        return redirect("event-type", name=found.name)
    return render(request, "catalog/edit_type.html", {"form": form, "type": found})


def _kept_by_us(request: HttpRequest, found: EventType) -> HttpResponse | None:
    """Back to the type's page for what Signalbox keeps itself, None for all other types."""
    if not changes.is_own(found):
        return None
    messages.warning(
        request, _("Signalbox keeps %(name)s itself: it cannot be changed or deleted.") % {"name": found}
    )
    return redirect("event-type", name=found.name)


@needs("catalog.delete_eventtype")
def delete(request: HttpRequest, name: str) -> HttpResponse:
    """Asks, saying who depends on the type, and deletes it with its versions; events, rules and sources stay."""
    found = _found(name)
    if refused := _kept_by_us(request, found):
        return refused
    if request.method == "POST":
        with transaction.atomic():
            changes.record("type.deleted", event_type=found, by=request.user)
            found.delete()
        messages.success(request, _("%(name)s is off the shelf.") % {"name": name})
        return redirect("marketplace")
    context = {
        "type": found,
        "listeners": facts().listeners(found.name),
        "sources": found.sources.select_related("team"),
        "traffic": traffic([found.name])[found.name],
        "versions": found.versions.count(),
    }
    return render(request, "catalog/delete_type.html", context)


@needs("catalog.add_schemaversion")
def register_version(request: HttpRequest, name: str) -> HttpResponse:
    """A form for the next version. Versions before it stay as they are."""
    found = _found(name)
    if refused := _kept_by_us(request, found):
        return refused
    form = VersionForm(request.POST or None, event_type=found)
    if request.method == "POST" and form.is_valid():
        try:
            saved = form.save(request.user)
        except IntegrityError:
            form.add_error(
                None, _("Somebody registered a version just now. Look at it before you register yours.")
            )
        else:
            messages.success(request, _("Version %(number)s is registered.") % {"number": saved.number})
            return redirect("event-type", name=found.name)
    last = found.latest
    context = {"form": form, "type": found, "number": (last.number if last else 0) + 1}
    return render(request, "catalog/register_version.html", context)
