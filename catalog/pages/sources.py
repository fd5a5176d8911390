"""Sources: the systems that emit events."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from catalog import changes
from catalog.access import needs
from catalog.forms.sources import SourceForm
from catalog.models import Bus, Source
from catalog.search import with_version
from catalog.snippets import Snippets
from catalog.traffic import traffic


@needs("catalog.view_source")
def sources(request: HttpRequest) -> HttpResponse:
    """The list, with a search over names and source URIs."""
    query = request.GET.get("q", "").strip()[:200]
    found = Source.objects.select_related("bus", "team").annotate(type_count=Count("event_types"))
    if query:
        found = found.filter(name__icontains=query) | found.filter(uri__icontains=query)
    page = Paginator(found.order_by("name"), 100).get_page(request.GET.get("page"))
    return render(request, "catalog/sources.html", {"page": page, "query": query})


@needs("catalog.view_source")
def source(request: HttpRequest, slug: str) -> HttpResponse:
    """One source: what it emits, and a curl line that publishes as it."""
    found = get_object_or_404(Source.objects.select_related("bus", "team"), slug=slug)
    types = list(with_version(found.event_types.all()).order_by("name")[:200])
    rates = traffic(event_type.name for event_type in types)
    for event_type in types:
        event_type.traffic = rates[event_type.name]  # type: ignore[attr-defined]
    first = types[0] if types else None
    snippets = Snippets.of(request, first, found)
    return render(request, "catalog/source.html", {"source": found, "types": types, "curl": snippets.curl()})


@needs("catalog.add_source")
def register(request: HttpRequest) -> HttpResponse:
    """A form for a new source."""
    return _form(request, None)


@needs("catalog.change_source")
def edit(request: HttpRequest, slug: str) -> HttpResponse:
    """A form for an existing source."""
    found = get_object_or_404(Source, slug=slug)
    if changes.is_own(source=found):
        messages.warning(request, _("Signalbox keeps this source itself: it cannot be changed."))
        return redirect("source", slug=slug)
    return _form(request, found)


def _form(request: HttpRequest, found: Source | None) -> HttpResponse:
    form = SourceForm(request.POST or None, user=request.user, source=found)
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        messages.success(request, _("%(name)s is saved.") % {"name": saved})
        return redirect("source", slug=saved.slug)
    return render(
        request, "catalog/source_form.html", {"form": form, "source": found, "any_bus": Bus.objects.exists()}
    )
