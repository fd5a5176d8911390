"""Deleting an event type."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from catalog import lifecycle
from catalog.access import needs
from catalog.facts import facts
from catalog.models import EventType
from catalog.ownership import refusal
from catalog.pages.kept import kept_by_us
from catalog.traffic import traffic


def _found(name: str) -> EventType:
    return get_object_or_404(EventType.objects.select_related("domain", "team", "created_by"), name=name)


@needs("catalog.delete_eventtype")
def delete(request: HttpRequest, name: str) -> HttpResponse:
    """Asks, saying who depends on the type, and deletes it with its versions; events, rules and sources stay."""
    found = _found(name)
    if refused := kept_by_us(request, found):
        return refused
    why_not = refusal(request.user, found.team, "catalog.delete_eventtype")
    if request.method == "POST" and not why_not:
        lifecycle.delete(found, request.user)
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
