"""What is asked of the palette and what it answers, and how words are looked for, ranked and marked."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import quote

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.urls import reverse
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from catalog.models import Domain

# A section shows so many of what was found.
MOST = 6
# What a word may begin after: order.placed, billing-api, /shop/checkout.
BEFORE_A_WORD = " .-_/"


@dataclass(frozen=True)
class Asked:
    """What `user` looks for; `host` is the address that the console was asked at, to know its own URLs by."""

    query: str
    words: tuple[str, ...]
    user: Any
    host: str


class Entry(NamedTuple):
    """Something found. `title` and `note` are shown with the words marked; `mono` titles are identifiers.

    `at`: when it was, for events. `domain`: its badge, with `badged` for a grey one where it has none.
    """

    title: str
    url: str
    icon: str = ""
    note: str = ""
    mono: bool = False
    badged: bool = False
    domain: Domain | None = None
    at: datetime | None = None


class Section(NamedTuple):
    """Things of a kind, the best first. `more_url` leads to all of them, "" when these are all."""

    title: str
    entries: list[Entry]
    more_url: str = ""


def closeness(words: Sequence[str], field: str = "name") -> Case:
    """The rank of a row by how `words`, one after the other, stand in its `field`: 0 the best, 4 not at all.

    Whole, at the beginning, at the beginning of a word, inside.
    """
    phrase = " ".join(words)
    inner = Q()
    for before in BEFORE_A_WORD:
        inner |= Q(**{f"{field}__icontains": before + phrase})
    return Case(
        When(**{f"{field}__iexact": phrase}, then=Value(0)),
        When(**{f"{field}__istartswith": phrase}, then=Value(1)),
        When(inner, then=Value(2)),
        When(**{f"{field}__icontains": phrase}, then=Value(3)),
        default=Value(4),
        output_field=IntegerField(),
    )


def best(
    rows: QuerySet[Any], words: Sequence[str], fields: Collection[str], most: int = MOST + 1
) -> list[Any]:
    """The first `most` of `rows` in which every word stands in one of `fields`, the closest name first."""
    for word in words:
        somewhere = Q()
        for field in fields:
            somewhere |= Q(**{f"{field}__icontains": word})
        rows = rows.filter(somewhere)
    return list(rows.alias(closeness=closeness(words)).order_by("closeness", "name", "pk")[:most])


def more_of(page: str, what: Asked) -> str:
    """Where the search of `page` (a URL name) lists everything that it finds."""
    return f"{reverse(page)}?q={quote(what.query, safe='')}"


def marked(text: str, words: Sequence[str]) -> SafeString:
    """`text` as HTML with the letters of `words` in <mark>."""
    if not words:
        return conditional_escape(text)
    longest_first = sorted(words, key=len, reverse=True)
    parts = re.split("(" + "|".join(map(re.escape, longest_first)) + ")", text, flags=re.IGNORECASE)
    # A split by one group alternates: between, found, between, …
    return mark_safe(
        "".join(
            format_html("<mark>{}</mark>", part) if place % 2 else conditional_escape(part)
            for place, part in enumerate(parts)
        )
    )
