"""The marketplace: every event type on the shelf of its domain, with search, facets and a table."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Q, QuerySet, Window
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
from catalog.search import called, did_you_mean, field_report, hints, matching, ranked, with_version
from catalog.stock import stock
from catalog.traffic import traffic
from catalog.wanted import open_wishes

SHELVES = 12
# Goods on a shelf: a row or two of them, as many as make a page of CARDS. To draw goods takes longer than to find them.
ROW, ROWS, CARDS = 3, 2, 36
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
    known = stock()
    slug = request.GET.get("domain", "")
    domain = Domain.objects.filter(slug=slug).first() if slug else None
    own = request.GET.get("own") == "1" or slug == OWN
    hidden = [] if own else known.own_ids
    teams = list(request.user.teams.values_list("pk", flat=True))  # type: ignore[union-attr]
    sides = facets(teams, show, own)
    found = matching(EventType.objects.all(), query)
    if hidden:
        found = found.exclude(Q(pk__in=hidden) & ~called(query))
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
        "total": len(known.names(own)),
        "own": own,
        "own_types": len(known.own),
        "facets": sides,
        "more_filters": any(not facet.near for facet in sides) or (known.own and not own and domain is None),
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
        context["field"] = field_report(query, hidden)
        context["event"] = not shown and facts().has_event(query)
        context["meant"] = None if shown or context["event"] else did_you_mean(query)
    if request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request"):
        return render(request, "catalog/marketplace.html#results", context)
    sources = Source.objects.offered()
    context |= {
        "sources": (sources if own else sources.exclude(slug=OWN)).count(),
        "totals": facts().totals(own),
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
    """A page of domains, and for each its first types and how many it has. Three queries, whatever the size."""
    # Ids first: ranking whole rows, docs and all, takes five times as long. Found and ranked once for all domains,
    # because to find takes longer than to count.
    first = (
        found.annotate(
            place=Window(RowNumber(), order_by=["rank", "name"], partition_by=F("domain_id")),
            goods=Window(Count("pk"), partition_by=F("domain_id")),
        )
        .filter(place__lte=ROW * ROWS)
        .order_by("place")
        .values_list("pk", "domain", "goods")
    )
    counts: dict[int, int] = {}
    placed: dict[int, list[int]] = {}
    for pk, domain, count in first:
        counts[domain] = count
        placed.setdefault(domain, []).append(pk)
    domains = Paginator(Domain.objects.filter(pk__in=counts).select_related("team"), SHELVES).get_page(page)
    on_shelf = ROW * min(max(CARDS // ROW // max(len(domains), 1), 1), ROWS)
    wanted = {domain: placed[domain.pk][:on_shelf] for domain in domains}
    shown = EventType.objects.filter(pk__in=[pk for pks in wanted.values() for pk in pks])
    goods = {event_type.pk: event_type for event_type in with_version(shown)}
    return domains, [
        (domain, [goods[pk] for pk in pks if pk in goods], counts[domain.pk])
        for domain, pks in wanted.items()
    ]
