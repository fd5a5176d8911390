"""What the catalog has that the palette finds: event types, sources, and what can be done to them."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.changes import OWN
from catalog.models import EventType, Source
from catalog.palette.entries import MOST, Asked, Entry, Section, best, closeness, more_of
from catalog.palette.finding import register
from catalog.search import called, hints, matching
from catalog.stock import stock

# A word this short stands nearly everywhere: it is looked for in names alone.
SHORT = 2


def event_types(what: Asked) -> Section:
    """Event types by everything the marketplace finds them by; names before sentences, fields and examples."""
    if all(len(word) <= SHORT for word in what.words):
        rows = EventType.objects.filter(called(what.query))
    else:
        rows = matching(EventType.objects.all(), what.query)
    rows = rows.exclude(Q(pk__in=stock().own_ids) & ~called(what.query))
    # Ids first: to rank whole rows, docs and all, takes several times as long.
    ranked = rows.alias(closeness=closeness(what.words)).order_by("closeness", "name")
    pks = list(ranked.values_list("pk", flat=True)[: MOST + 1])
    types = EventType.objects.select_related("domain").in_bulk(pks[:MOST])
    where = hints(pks[:MOST], what.query)
    entries = [
        Entry(
            types[pk].name,
            reverse("event-type", args=[types[pk].name]),
            note=where[pk].text if pk in where else types[pk].summary,
            mono=True,
            badged=True,
            domain=types[pk].domain,
        )
        for pk in pks[:MOST]
        if pk in types
    ]
    return Section(_("Event types"), entries, more_of("marketplace", what) if len(pks) > MOST else "")


def sources(what: Asked) -> Section:
    """Sources that are not retired, by name and URI."""
    rows = best(Source.objects.offered(), what.words, ("name", "uri"))
    entries = [
        Entry(one.name, reverse("source", args=[one.slug]), "radio-tower", note=one.uri)
        for one in rows[:MOST]
    ]
    return Section(_("Sources"), entries, more_of("sources", what) if len(rows) > MOST else "")


def types_called(words: Sequence[str], most: int) -> list[tuple[str, str]]:
    """Event types whose name has all `words`: name and where to subscribe to it."""
    rows = EventType.objects.filter(called(" ".join(words))).exclude(team__slug=OWN)
    ranked = rows.alias(closeness=closeness(words)).order_by("closeness", "name")
    names = ranked.values_list("name", flat=True)[:most]
    return [(name, f"{reverse('subscribe')}?type={quote(name, safe='')}") for name in names]


def connect() -> None:
    """Called when Django starts."""
    register("event types", 20, "marketplace", event_types)
    register("sources", 30, "sources", sources)
