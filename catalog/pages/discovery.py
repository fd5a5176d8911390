"""Discovery: what was seen and nobody registered, and where events and registered schemas disagree."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from catalog import discovery as found
from catalog import drifting
from catalog.access import needs
from catalog.forms.event_types import name_problem
from catalog.models import EventType, Ignored

IN_LIST = 25


@needs("catalog.view_eventtype")
@require_safe
def discovery(request: HttpRequest) -> HttpResponse:
    """Unregistered types that were seen, the busiest first. `?show=ignored`: those that are proposed no longer."""
    ignored = request.GET.get("show") == "ignored"
    query = request.GET.get("q", "").strip()[:200]
    page = Paginator(found.strangers(ignored, query), IN_LIST).get_page(request.GET.get("page"))
    names = [one["type_name"] for one in page]
    where, registered = found.places(names), found.registered_names()
    rows = [
        {
            **one,
            "places": where[one["type_name"]],
            "near": registered.near(one["type_name"]),
            "fields": found.fields_said(found.newest_shape(one["type_name"])),
        }
        for one in page
    ]
    context = {
        "page": page,
        "rows": rows,
        "query": query,
        "ignored": ignored,
        "ignored_count": Ignored.objects.count(),
        "buses": found.bus_policies(),
    }
    return render(request, "catalog/discovery/list.html", context)


@needs("catalog.view_eventtype")
@require_safe
def discovered(request: HttpRequest) -> HttpResponse:
    """`?name=`: one unregistered type, what was seen of it and the schema it is proposed to have."""
    name = request.GET.get("name", "")
    if EventType.objects.filter(name=name).exists():
        return redirect("event-type", name=name)
    context = {
        "stranger": _stranger(name),
        "problem": name_problem(name),
        "ignored": Ignored.objects.filter(type_name=name).first(),
    }
    return render(request, "catalog/discovery/type.html", context)


def _stranger(name: str) -> found.Stranger:
    seen = found.stranger(name[:255])
    if seen is None:
        raise Http404
    return seen


@needs("catalog.add_eventtype")
@require_POST
def draft(request: HttpRequest) -> HttpResponse:
    """Makes a draft of the type `name`, or finds the one begun, and opens it in the form. Registers nothing."""
    made, new = found.make_draft(_stranger(request.POST.get("name", "")), request.user)
    if new:
        messages.success(request, _("Kept as a draft. Say what the event means, then register it."))
    else:
        messages.info(request, _("You have begun this draft already."))
    return redirect(f"{reverse('register-type')}?draft={made.pk}")


@needs("catalog.add_eventtype")
@require_POST
def ignore(request: HttpRequest) -> HttpResponse:
    """Proposes the type `name` no longer; with `undo`, again."""
    name = _stranger(request.POST.get("name", "")).name
    if "undo" in request.POST:
        found.propose_again(name)
        messages.success(request, _("%(name)s is proposed again.") % {"name": name})
        return redirect("discovery")
    found.ignore(name, request.user)
    messages.success(
        request,
        _("%(name)s is ignored. It is listed under “Ignored”, where you can take that back.")
        % {"name": name},
    )
    return redirect("discovery")


@needs("catalog.view_eventtype")
@require_safe
def drift(request: HttpRequest) -> HttpResponse:
    """Registered types whose events differ from their schema, the busiest first, from place `?after=` on."""
    asked = request.GET.get("after", "")
    after = int(asked) if asked.isdigit() and len(asked) < 7 else 0
    look = drifting.look(after)
    return render(request, "catalog/discovery/drift.html", {"look": look, "after": after})


@needs("catalog.view_eventtype")
@require_safe
def type_drift(request: HttpRequest, name: str) -> HttpResponse:
    """How the events of one type differ from its schema: a part of its page for htmx, a page of its own else."""
    context: dict[str, Any] = {"drifting": drifting.drifting(_type(name)), "days": drifting.DAYS}
    part = (
        "catalog/type/drift_found.html"
        if request.headers.get("HX-Request")
        else "catalog/discovery/of_type.html"
    )
    return render(request, part, context)


@needs("catalog.add_schemaversion")
@require_POST
def draft_version(request: HttpRequest, name: str) -> HttpResponse:
    """Makes a draft of the next version that takes in what was seen, and opens it in the form, which judges it."""
    event_type = _type(name)
    made, new = drifting.make_version_draft(drifting.drifting(event_type), request.user)
    if made is None:
        messages.info(request, _("The newest version says all that was seen already."))
        return redirect("type-drift", name=event_type.name)
    if new:
        messages.success(request, _("Kept as a draft. Look at what it would break before you register it."))
    else:
        messages.info(request, _("You have begun this draft already."))
    return redirect(f"{reverse('register-version', args=[event_type.name])}?draft={made.pk}")


def _type(name: str) -> EventType:
    return get_object_or_404(EventType.objects.select_related("domain", "team", "default_version"), name=name)
