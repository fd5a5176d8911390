"""Sources: the systems that emit events."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from catalog import changes, retiring
from catalog.access import needs
from catalog.changes import OWN
from catalog.facts import facts
from catalog.forms.sources import SourceForm
from catalog.models import Bus, Source, Token
from catalog.ownership import refusal
from catalog.pages.issued import carried, carrying, taken
from catalog.search import with_version
from catalog.snippets import Snippets
from catalog.traffic import traffic

CHANGES = "catalog.change_source"


@needs("catalog.view_source")
def sources(request: HttpRequest) -> HttpResponse:
    """The list, with a search over names and source URIs; those that are retired last."""
    query = request.GET.get("q", "").strip()[:200]
    found = Source.objects.select_related("bus", "team").annotate(type_count=Count("event_types"))
    if query:
        found = found.filter(name__icontains=query) | found.filter(uri__icontains=query)
    ordered = found.order_by(F("retired_at").desc(nulls_first=True), "name")
    page = Paginator(ordered, 100).get_page(request.GET.get("page"))
    pulses = facts().pulses([one.uri for one in page])
    listed = [(one, pulses.get(one.uri)) for one in page]
    return render(request, "catalog/sources.html", {"page": page, "listed": listed, "query": query})


@needs("catalog.view_source")
@never_cache
@require_safe
def source(request: HttpRequest, slug: str) -> HttpResponse:
    """One source: what it emits, and a curl line that publishes as it. A token that was just made is shown here, once."""
    found = get_object_or_404(Source.objects.select_related("bus", "team"), slug=slug)
    types = list(with_version(found.event_types.all()).order_by("name")[:200])
    rates = traffic(event_type.name for event_type in types)
    for event_type in types:
        event_type.traffic = rates[event_type.name]  # type: ignore[attr-defined]
    first = types[0] if types else None
    snippets = Snippets.of(request, first, found)
    issued, text = carried(request)
    context: dict[str, Any] = {
        "source": found,
        "types": types,
        "curl": snippets.curl(),
        "why_not": refusal(request.user, found.team, CHANGES),
        "own": found.slug == OWN,
        "first_seen": facts().first_seen(found.uri),
        "sends": facts().per_source(found.uri),
    }
    if issued is not None and text:
        context |= {"issued": issued, "token_text": text, "curl": replace(snippets, token=True).curl()}
    return taken(request, render(request, "catalog/source.html", context), request.path)


@needs("catalog.view_source")
@require_safe
def first_event(request: HttpRequest, slug: str) -> HttpResponse:
    """For htmx, which asks every two seconds until it came: whether the source has sent its first event."""
    found = get_object_or_404(Source, slug=slug)
    context = {"source": found, "first_seen": facts().first_seen(found.uri)}
    return render(request, "catalog/first_event.html", context)


@needs("catalog.add_token")
@require_POST
def make_token(request: HttpRequest, slug: str) -> HttpResponse:
    """Makes a publishing token for the source's bus and team, which the source's page then shows once."""
    found = get_object_or_404(Source.objects.select_related("bus", "team"), slug=slug)
    if why_not := refusal(request.user, found.team, "catalog.add_token"):
        messages.error(request, why_not)
        return redirect("source", slug=slug)
    token, text = Token.issue(name=found.name, bus=found.bus, team=found.team, created_by=request.user)
    return carrying(request, redirect("source", slug=slug), token, text, reverse("source", args=[slug]))


@needs("catalog.add_source")
def register(request: HttpRequest) -> HttpResponse:
    """A form for a new source."""
    return _form(request, None)


@needs("catalog.change_source")
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """A form for an existing source."""
    found = get_object_or_404(Source.objects.select_related("team", "bus"), slug=slug)
    if changes.is_own(source=found):
        messages.warning(request, _("Signalbox keeps this source itself: it cannot be changed."))
        return redirect("source", slug=slug)
    return _form(request, found)


def _form(request: HttpRequest, found: Source | None) -> HttpResponse:
    why_not = refusal(request.user, found.team, CHANGES) if found is not None else ""
    form = SourceForm(request.POST or None, user=request.user, source=found)
    if request.method == "POST" and not why_not and form.is_valid():
        saved = form.save()
        messages.success(request, _("%(name)s is saved.") % {"name": saved})
        return redirect("source", slug=saved.slug)
    context = {
        "form": form,
        "source": found,
        "any_bus": Bus.objects.offered().exists(),
        "why_not": why_not,
    }
    status = 403 if request.method == "POST" and why_not else 200
    return render(request, "catalog/source_form.html", context, status=status)


@needs("catalog.change_source")
@require_POST
def retire(request: HttpRequest, slug: str) -> HttpResponse:
    """Offers a source no more."""
    found = get_object_or_404(Source.objects.select_related("team"), slug=slug)
    if why_not := refusal(request.user, found.team, CHANGES):
        messages.error(request, why_not)
    else:
        retiring.retire_source(found, request.user)
        messages.success(request, _("%(name)s is retired. Its page and its events stay.") % {"name": found})
    return redirect("source", slug=slug)


@needs("catalog.change_source")
@require_POST
def restore(request: HttpRequest, slug: str) -> HttpResponse:
    """Brings a retired source back."""
    found = get_object_or_404(Source.objects.select_related("team", "bus"), slug=slug)
    if why_not := refusal(request.user, found.team, CHANGES):
        messages.error(request, why_not)
        return redirect("source", slug=slug)
    try:
        retiring.restore_source(found, request.user)
    except retiring.NotPossible as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("%(name)s is back.") % {"name": found})
    return redirect("source", slug=slug)
