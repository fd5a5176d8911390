"""Finding event types: by name, sentence, docs, team, domain, sources, fields of the schema and values of its examples."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Case, Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import RawSQL

from catalog.indexing import holding
from catalog.models import EventType, FieldUse, SchemaVersion, SearchEntry

WORDS = 8
KINDS = 4
# Names that "did you mean" compares with; comparing is slow, so a large catalog is asked for near ones first.
COMPARED = 2_000


def with_version(types: QuerySet[EventType]) -> QuerySet[EventType]:
    """`types` with `version`, the number of the newest schema version (None without one), and their owners."""
    newest = SchemaVersion.objects.filter(event_type=OuterRef("pk")).order_by("-number")
    return types.select_related("domain", "team").annotate(version=Subquery(newest.values("number")[:1]))


def words_of(query: str) -> list[str]:
    """The words that are looked for, at most WORDS."""
    return query.split()[:WORDS]


def matching(types: QuerySet[EventType], query: str) -> QuerySet[EventType]:
    """Those of `types` in which every word of `query` stands somewhere, with `rank`: 0 is the best."""
    types = with_version(types)
    words = words_of(query)
    for word in words:
        types = types.filter(pk__in=holding(word))
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


def called(query: str) -> Q:
    """Whether all words of `query` stand in an event type's name; of no words, nothing is called so."""
    words = words_of(query)
    return Q(*(Q(name__icontains=word) for word in words)) if words else Q(pk__in=[])


def ranked(types: QuerySet[EventType]) -> QuerySet[EventType]:
    """What `matching` found, the best first."""
    return types.order_by(F("rank"), "name")


def among(types: QuerySet[EventType], pks: Collection[int]) -> QuerySet[EventType]:
    """Those of `types` with one of the ids `pks`, however many: they travel as one value of the query."""
    wanted = sorted(pks)
    if connection.vendor == "sqlite":
        return types.filter(pk__in=RawSQL("SELECT value FROM json_each(%s)", [json.dumps(wanted)]))
    return types.filter(pk__in=RawSQL("SELECT unnest(%s::bigint[])", [wanted]))


# What the letters of a SearchEntry's lines stand for, where naming it helps: names and sentences are on the card anyway.
_NAMED = {"f": "field", "v": "value", "d": "documentation", "o": "owner"}


@dataclass(frozen=True)
class Hint:
    """Where a word was found that the card does not show: `kind` is field, value, documentation or owner."""

    kind: str
    text: str


def hints(pks: Sequence[int], query: str) -> dict[int, Hint]:
    """Per event type of `pks` the first place where a word of `query` stands, unless its name or sentence has it."""
    words = [word.casefold() for word in words_of(query)]
    found: dict[int, Hint] = {}
    if not words:
        return found
    for pk, text in SearchEntry.objects.filter(pk__in=pks).values_list("pk", "text"):
        lines = [line.partition("\t") for line in text.split("\n")]
        shown = " ".join(rest for letter, _, rest in lines if letter in "ns")
        for word in words:
            if word in shown:
                continue
            hit = next(
                ((letter, rest) for letter, _, rest in lines if letter in _NAMED and word in rest), None
            )
            if hit is not None:
                letter, rest = hit
                text = rest.split(" ", 1)[0] if letter == "f" and word in rest.split(" ", 1)[0] else rest
                found[pk] = Hint(_NAMED[letter], _around(text, word))
                break
    return found


def _around(text: str, word: str, most: int = 60) -> str:
    """`text`, or the part of it around `word` when it is long."""
    if len(text) <= most:
        return text
    start = max(text.find(word) - most // 3, 0)
    return ("…" if start else "") + text[start : start + most].strip() + "…"


@dataclass(frozen=True)
class FieldReport:
    """A field name across the catalog: how many types have it, and as what, the most frequent first."""

    name: str
    types: int
    kinds: tuple[tuple[str, int], ...]


def field_report(query: str, but: Collection[int] = ()) -> FieldReport | None:
    """Who has a field called `query` (a name or a path), None when it is no field's name. `but`: types that do not count."""
    parts = query.strip().split()
    if len(parts) != 1:
        return None
    asked = parts[0]
    uses = FieldUse.objects.filter(name=asked.rsplit(".", 1)[-1].removesuffix("[]").casefold())
    if but:
        uses = uses.exclude(event_type__in=but)
    if "." in asked:
        path = asked if asked.startswith("data.") else f"data.{asked}"
        uses = uses.filter(Q(path__iexact=path) | Q(path__iendswith=f".{asked}"))
    counted = uses.order_by().values_list("kind").annotate(types=Count("event_type", distinct=True))
    kinds = tuple(counted.order_by("-types", "kind"))
    if not kinds:
        return None
    # A type may have it twice, as different kinds. Mostly there is one kind, which was counted already.
    types = kinds[0][1]
    if len(kinds) > 1:
        types = uses.aggregate(types=Count("event_type", distinct=True))["types"]
    return FieldReport(asked, types, kinds[:KINDS])


def did_you_mean(query: str) -> str | None:
    """A word of the catalog that is close to `query`; None when none is."""
    asked = query.lower()
    close = difflib.get_close_matches(asked, _known_words(asked), n=1, cutoff=0.75)
    return close[0] if close else None


def _known_words(asked: str) -> list[str]:
    """Words of the catalog, those that share a beginning or an end with `asked` first."""
    known: dict[str, None] = {}

    def add(texts: Iterable[str]) -> None:
        for text in texts:
            for word in (text.lower(), *re.split(r"[^\w]+", text.lower())):
                if len(word) > 2 and len(known) < COMPARED:
                    known[word] = None

    add(EventType.objects.order_by().values_list("domain__name", flat=True).distinct()[:500])
    add(EventType.objects.order_by().values_list("team__name", flat=True).distinct()[:500])
    if len(asked) >= 3:
        near = Q(name__icontains=asked[:2]) | Q(name__icontains=asked[-2:]) | Q(name__icontains=asked[1:4])
        add(EventType.objects.filter(near).values_list("name", flat=True)[:COMPARED])
        names = Q(name__startswith=asked[:2]) | Q(name__endswith=asked[-2:])
        add(FieldUse.objects.filter(names).order_by().values_list("name", flat=True).distinct()[:COMPARED])
    return list(known)
