"""Registering, editing and deleting an event type, and registering its versions."""

from __future__ import annotations

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from catalog.access import needs
from catalog.facts import facts
from catalog.forms.event_types import EditForm, RegisterForm, VersionForm, name_problem
from catalog.models import Bus, EventType
from catalog.traffic import traffic

FIRST_SCHEMA = """{
  "type": "object",
  "required": ["id"],
  "properties": {
    "id": { "type": "string", "description": "What the event is about" }
  }
}"""


def _found(name: str) -> EventType:
    return get_object_or_404(EventType.objects.select_related("domain", "team", "created_by"), name=name)


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
    form = EditForm(request.POST or None, user=request.user, event_type=found)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("%(name)s is saved.") % {"name": found})
        return redirect("event-type", name=found.name)
    return render(request, "catalog/edit_type.html", {"form": form, "type": found})


@needs("catalog.delete_eventtype")
def delete(request: HttpRequest, name: str) -> HttpResponse:
    """Asks, saying who depends on the type, and deletes it with its versions; events, rules and sources stay."""
    found = _found(name)
    if request.method == "POST":
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
