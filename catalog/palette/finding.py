"""Finding: every kind of thing has a finder, asked only for a person who may see that kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from django.urls import Resolver404, resolve

from catalog.access import may_open
from catalog.palette.entries import MOST, Asked, Entry, Section

LONGEST = 200
WORDS = 8
# So many actions on things that were found by their name alone, when no word says which action.
UNASKED = 1

Finder = Callable[[Asked], Section | None]
# What an action may be done to: the words that are left → name and URL of each, the closest first.
Things = Callable[[Sequence[str], int], list[tuple[str, str]]]


class Verb(NamedTuple):
    """An action on a thing that is named: "Pause Billing…". It leads to the page where it is done or confirmed.

    `title(name)` is the whole line. `words`: by which it is asked for, small letters, with one space between.
    `needs`: the URL name, and its arguments, of what does it.
    """

    title: Callable[[str], str]
    icon: str
    words: Callable[[], str]
    things: Things
    needs: tuple[Any, ...]


_finders: dict[str, tuple[int, str, Finder]] = {}
_verbs: dict[str, Verb] = {}


def register(kind: str, place: int, page: str, finder: Finder) -> None:
    """Asks `finder` for those who may open `page` (a URL name). Sections are shown by `place`, the lowest first."""
    _finders[kind] = (place, page, finder)


def register_verb(name: str, verb: Verb) -> None:
    """Adds an action on things that are named."""
    _verbs[name] = verb


def asked(query: str, user: Any, host: str) -> Asked:
    """What is asked by `query`, as it was typed or pasted."""
    text = query.strip()[:LONGEST]
    return Asked(text, tuple(text.split()[:WORDS]), user, host)


def found(what: Asked) -> list[Section]:
    """Everything that is found, in sections; no empty ones."""
    if not what.words:
        return []
    finders = sorted(_finders.values(), key=lambda one: one[0])
    sections = [finder(what) for _place, page, finder in finders if may_open(what.user, page)]
    return [section for section in sections if section is not None and section.entries]


def deeds(what: Asked) -> list[Entry]:
    """Actions on what is named: "pause bil" pauses Billing; a name alone offers what can be done to the closest."""
    entries: list[Entry] = []
    for verb in _verbs.values():
        if not may_open(what.user, *verb.needs):
            continue
        known = verb.words().split()
        left = [
            word
            for word in what.words
            if not (len(word) > 1 and any(one.startswith(word.casefold()) for one in known))
        ]
        said = len(left) < len(what.words)
        if left:
            entries += [
                Entry(verb.title(name), url, verb.icon)
                for name, url in verb.things(left, MOST if said else UNASKED)
            ]
    return entries[:MOST]


def own_path(what: Asked) -> tuple[str, dict[str, list[str]]] | None:
    """The path and the query of a URL of this console that was pasted, None when it is something else."""
    if not what.query.startswith(("/", "http://", "https://")) or len(what.words) > 1:
        return None
    try:
        parts = urlsplit(what.query)
    except ValueError:
        return None
    if parts.netloc and parts.netloc != what.host:
        return None
    return parts.path, parse_qs(parts.query)


def page_of(path: str) -> tuple[str | None, dict[str, Any]]:
    """URL name and arguments of the page at `path`; None as its name when there is no page."""
    try:
        match = resolve(path)
    except Resolver404:
        return None, {}
    return match.url_name, match.kwargs
