"""Finding event types: by name, sentence, docs, team, domain, fields of the schema and values of its example."""

from __future__ import annotations

import difflib
import re

from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When

from catalog.models import EventType, SchemaVersion

WORDS = 8


def with_version(types: QuerySet[EventType]) -> QuerySet[EventType]:
    """`types` with `version`, the number of the newest schema version (None without one), and their owners."""
    newest = SchemaVersion.objects.filter(event_type=OuterRef("pk")).order_by("-number")
    return types.select_related("domain", "team").annotate(version=Subquery(newest.values("number")[:1]))


def matching(types: QuerySet[EventType], query: str) -> QuerySet[EventType]:
    """Those of `types` in which every word of `query` stands somewhere, with `rank`: 0 is the best.

    A path such as data.total.amount finds schemas that have a field of each of its names.
    """
    types = with_version(types)
    words = query.split()[:WORDS]
    for word in words:
        types = types.filter(
            Q(name__icontains=word)
            | Q(summary__icontains=word)
            | Q(docs__icontains=word)
            | Q(team__name__icontains=word)
            | Q(domain__name__icontains=word)
            | Q(Exists(_versions_with(word)))
        )
    phrase = " ".join(words)
    rank = Case(
        When(name__iexact=phrase, then=Value(0)),
        When(name__istartswith=phrase, then=Value(1)),
        When(name__icontains=phrase, then=Value(2)),
        When(summary__icontains=phrase, then=Value(3)),
        default=Value(4),
        output_field=IntegerField(),
    )
    return types.annotate(rank=rank if words else Value(0, output_field=IntegerField()))


def ranked(types: QuerySet[EventType]) -> QuerySet[EventType]:
    """What `matching` found, the best first."""
    return types.order_by(F("rank"), "name")


def _versions_with(word: str) -> QuerySet[SchemaVersion]:
    """The newest version of the outer event type, if its schema or example speaks of `word`."""
    versions = SchemaVersion.objects.filter(event_type=OuterRef("pk"), number=OuterRef("version"))
    parts = word.removeprefix("data.").split(".")
    if len(parts) > 1 and all(parts):
        for part in parts:
            versions = versions.filter(schema__icontains=f'"{part.removesuffix("[]")}"')
        return versions
    return versions.filter(Q(schema__icontains=word) | Q(example__icontains=word))


def did_you_mean(query: str) -> str | None:
    """A word of the catalog that is close to `query`; None when none is."""
    known: set[str] = set()
    names = EventType.objects.values_list("name", "domain__name", "team__name")[:10_000]
    for texts in names:
        known.update(word for text in texts for word in re.split(r"[^\w]+", text.lower()) if len(word) > 2)
    close = difflib.get_close_matches(query.strip().lower(), sorted(known), n=1, cutoff=0.7)
    return close[0] if close else None
