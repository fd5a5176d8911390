"""The marketplace: every event type on the shelf of its domain, with search, facets and a table."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from catalog.access import needs
from catalog.facts import facts
from catalog.models import Domain, EventType, SchemaVersion, Source
from catalog.search import did_you_mean, matching, ranked
from catalog.traffic import traffic

SHELVES = 12
ON_SHELF = 6
IN_DOMAIN = 60
IN_TABLE = 100
CHANGES = 4
NEW = timedelta(days=7)
# Above this many types, counting those without listeners would cost more than the number is worth.
COUNTED = 500


@needs("catalog.view_eventtype")
@require_safe
@vary_on_headers("HX-Request")
def marketplace(request: HttpRequest) -> HttpResponse:
    """The whole page, or for htmx the results alone."""
    query, show = request.GET.get("q", "").strip()[:200], request.GET.get("show", "")
    view = "table" if request.GET.get("view") == "table" else "shelves"
    everything = EventType.objects.all()
    total = everything.count()
    found = matching(everything, query)
    domain = Domain.objects.filter(slug=request.GET.get("domain", "")).first()
    if domain is not None:
        found = found.filter(domain=domain)
    if show == "new":
        found = found.filter(created_at__gte=timezone.now() - NEW)
    elif show == "quiet":
        found = found.filter(name__in=_quiet(found))

    context: dict[str, Any] = {
        "query": query,
        "show": show,
        "view": view,
        "domain": domain,
        "total": total,
        "new": everything.filter(created_at__gte=timezone.now() - NEW).count(),
        "quiet": len(_quiet(everything)) if 0 < total <= COUNTED else None,
        "narrowed": bool(query or show or domain),
    }
    page = request.GET.get("page")
    if view == "table" or domain is not None:
        ordered = ranked(found)
        context["page"] = types = Paginator(ordered, IN_TABLE if view == "table" else IN_DOMAIN).get_page(
            page
        )
        shown = list(types)
        context["shelves"] = [(domain, shown, types.paginator.count)] if view == "shelves" and shown else []
    else:
        context["page"], context["shelves"] = _shelves(found, page)
        shown = [event_type for _, goods, _ in context["shelves"] for event_type in goods]
    rates = traffic(event_type.name for event_type in shown)
    for event_type in shown:
        event_type.traffic = rates[event_type.name]  # type: ignore[attr-defined]
    context["types"] = shown
    if query and not shown:
        context["meant"] = did_you_mean(query)
    if request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request"):
        return render(request, "catalog/marketplace.html#results", context)
    changes = SchemaVersion.objects.select_related("event_type__domain", "created_by").order_by("-id")
    context |= {"sources": Source.objects.count(), "totals": facts().totals(), "changes": changes[:CHANGES]}
    return render(request, "catalog/marketplace.html", context)


def _quiet(types: QuerySet[EventType]) -> list[str]:
    """Names of those of `types` nobody listens to."""
    names = list(types.order_by().values_list("name", flat=True))
    known = facts().types(names)
    return [name for name in names if name not in known or not known[name].listeners]


def _shelves(
    found: QuerySet[EventType], page: str | None
) -> tuple[Page[Domain], list[tuple[Domain, list[EventType], int]]]:
    """A page of domains, and for each its first types and how many it has. Four queries, whatever the size."""
    counts = dict(found.order_by().values_list("domain").annotate(Count("id")))
    domains = Paginator(Domain.objects.filter(pk__in=counts).select_related("team"), SHELVES).get_page(page)
    place = Window(RowNumber(), partition_by=F("domain_id"), order_by=["rank", "name"])
    first = (
        found.filter(domain__in=[domain.pk for domain in domains])
        .annotate(place=place)
        .filter(place__lte=ON_SHELF)
    )
    goods: dict[int, list[EventType]] = {}
    for event_type in first.order_by("place"):
        goods.setdefault(event_type.domain_id, []).append(event_type)
    return domains, [(domain, goods.get(domain.pk, []), counts[domain.pk]) for domain in domains]
