"""The marketplace: every event type on the shelf of its domain, with search, facets and a table."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from catalog.access import needs
from catalog.changes import OWN
from catalog.facets import FACETS, facets
from catalog.facts import facts
from catalog.following.telling import told
from catalog.models import Change, Domain, EventType, FieldUse, Source
from catalog.search import did_you_mean, field_report, hints, matching, ranked, with_version
from catalog.traffic import traffic
from catalog.wanted import open_wishes

SHELVES = 12
ON_SHELF = 6
IN_DOMAIN = 60
IN_TABLE = 100
CHANGES = 4
WANTED = 3


@needs("catalog.view_eventtype")
@require_safe
@vary_on_headers("HX-Request")
def marketplace(request: HttpRequest) -> HttpResponse:
    """The whole page, or for htmx the results alone."""
    query = request.GET.get("q", "").strip()[:200]
    show = request.GET.get("show", "")
    show = show if show in FACETS else ""
    view = "table" if request.GET.get("view") == "table" else "shelves"
    everything = EventType.objects.all()
    total = everything.count()
    domain = Domain.objects.filter(slug=request.GET.get("domain", "")).first()
    teams = list(request.user.teams.values_list("pk", flat=True))  # type: ignore[union-attr]
    sides = facets(teams, show)
    found = matching(everything, query)
    for facet in sides:
        if facet.chosen:
            found = facet.narrow(found)
    if domain is not None:
        found = found.filter(domain=domain)

    context: dict[str, Any] = {
        "query": query,
        "show": show,
        "view": view,
        "domain": domain,
        "total": total,
        "facets": sides,
        "narrowed": bool(query or show or domain),
    }
    page = request.GET.get("page")
    if view == "table" or domain is not None:
        types = Paginator(ranked(found), IN_TABLE if view == "table" else IN_DOMAIN).get_page(page)
        context["page"], shown = types, list(types)
        context["shelves"] = [(domain, shown, types.paginator.count)] if view == "shelves" and shown else []
    else:
        context["page"], context["shelves"] = _shelves(found, page)
        shown = [event_type for _, goods, _ in context["shelves"] for event_type in goods]
    _describe(shown, query, teams)
    context["types"] = shown
    if query:
        context["field"] = field_report(query)
        context["event"] = not shown and facts().has_event(query)
        context["meant"] = None if shown or context["event"] else did_you_mean(query)
    if request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request"):
        return render(request, "catalog/marketplace.html#results", context)
    context |= {
        "sources": Source.objects.offered().count(),
        "totals": facts().totals(),
        "changes": told(Change.objects.all()[:CHANGES]),
        "wanted": open_wishes(request.user)[:WANTED],
        **_to_try(),
    }
    return render(request, "catalog/marketplace.html", context)


def _to_try() -> dict[str, str]:
    """A word and a field that the search finds, to show what it can be asked; nothing before there is a schema."""
    uses = FieldUse.objects.exclude(event_type__team__slug=OWN).filter(path__contains=".")
    found = uses.values_list("event_type__name", "path").first()
    return {"try_word": found[0].split(".")[0], "try_field": found[1]} if found else {}


def _describe(shown: list[EventType], query: str, teams: list[int]) -> None:
    """Gives each type of the page its traffic, whether we listen, and where the search found it."""
    names = [event_type.name for event_type in shown]
    rates = traffic(names)
    ours = facts().listened(names, teams) if teams else set()
    where = hints([event_type.pk for event_type in shown], query)
    for event_type in shown:
        event_type.traffic = rates[event_type.name]  # type: ignore[attr-defined]
        event_type.ours = event_type.name in ours  # type: ignore[attr-defined]
        event_type.hint = where.get(event_type.pk)  # type: ignore[attr-defined]


def _shelves(
    found: QuerySet[EventType], page: str | None
) -> tuple[Page[Domain], list[tuple[Domain, list[EventType], int]]]:
    """A page of domains, and for each its first types and how many it has. Four queries, whatever the size."""
    counts = dict(found.order_by().values_list("domain").annotate(Count("id")))
    domains = Paginator(Domain.objects.filter(pk__in=counts).select_related("team"), SHELVES).get_page(page)
    place = Window(RowNumber(), partition_by=F("domain_id"), order_by=["rank", "name"])
    # Ids first: ranking whole rows, docs and all, takes five times as long.
    first = dict(
        found.filter(domain__in=[domain.pk for domain in domains])
        .annotate(place=place)
        .filter(place__lte=ON_SHELF)
        .order_by()
        .values_list("pk", "place")
    )
    goods: dict[int, list[EventType]] = {}
    for event_type in sorted(
        with_version(EventType.objects.filter(pk__in=first)), key=lambda one: first[one.pk]
    ):
        goods.setdefault(event_type.domain_id, []).append(event_type)
    return domains, [(domain, goods.get(domain.pk, []), counts[domain.pk]) for domain in domains]
