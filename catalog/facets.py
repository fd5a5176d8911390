"""The facets of the marketplace: ways to narrow it that need more than a search."""

from __future__ import annotations

from collections.abc import Callable, Collection, Set
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.facts import facts
from catalog.models import EventType
from catalog.search import among
from catalog.stock import Stock, stock

NEW, DAY = timedelta(days=7), timedelta(days=1)
# Events per minute from which a type counts as busy.
BUSY = 1.0
# Types up to which every facet is counted.
COUNTED = 2_000


class _Shelf(NamedTuple):
    """What the facets look at: the names in question, all that is known of them, and the ids of somebody's teams."""

    names: Set[str]
    stock: Stock
    teams: tuple[int, ...]


def _ours(shelf: _Shelf) -> Collection[str]:
    return facts().listened(shelf.names, shelf.teams) if shelf.teams else ()


def _new(shelf: _Shelf) -> Collection[str]:
    since = timezone.now() - NEW
    return {name for name, created in shelf.stock.created.items() if created >= since} - shelf.stock.own


def _quiet(shelf: _Shelf) -> Collection[str]:
    return shelf.stock.others - facts().listened(shelf.stock.others)


def _busy(shelf: _Shelf) -> Collection[str]:
    return shelf.names & {name for name, rate in facts().busy().items() if rate >= BUSY}


def _silent(shelf: _Shelf) -> Collection[str]:
    # What was registered an hour ago has not been silent for a day.
    since = timezone.now() - DAY
    old = {name for name, created in shelf.stock.created.items() if created < since}
    return (old & shelf.stock.others) - facts().heard()


def _deprecated(shelf: _Shelf) -> Collection[str]:
    return shelf.names & shelf.stock.ending


class _Kind(NamedTuple):
    label: str | Promise
    keep: Callable[[_Shelf], Collection[str]]
    nothing: str | Promise
    # Reads the traffic of every type: in a large catalog only when it is asked for.
    costly: bool = False
    # Stands beside the search at all times; the others are asked for more seldom.
    near: bool = False


# By what `?show=` says: its words, the names it leaves, and the sentence when it leaves none.
FACETS = {
    "ours": _Kind(
        _("Subscribed by us"), _ours, _("None of your teams subscribes to anything yet."), near=True
    ),
    "new": _Kind(_("New this week"), _new, _("Nothing was registered in the last seven days."), near=True),
    "quiet": _Kind(_("No listeners yet"), _quiet, _("Every event type has a listener."), near=True),
    "busy": _Kind(_("Busy"), _busy, _("Nothing has more than one event a minute just now."), True),
    "silent": _Kind(
        _("Silent for a day"), _silent, _("Every event type had an event in the last day."), True
    ),
    "deprecated": _Kind(_("Deprecated"), _deprecated, _("Nothing is deprecated.")),
}


@dataclass(frozen=True)
class Facet:
    """A facet as the page shows it. `types`: how many of the whole catalog it leaves, None where counting takes too long.

    `ids`: those it leaves, of the one that is chosen.  `near`: it stands beside the search, and not in the menu of filters.
    """

    slug: str
    label: str | Promise
    nothing: str | Promise
    types: int | None
    chosen: bool
    ids: tuple[int, ...]
    near: bool

    def narrow(self, types: QuerySet[EventType]) -> QuerySet[EventType]:
        """Those of `types` that it leaves."""
        return among(types, self.ids)


def facets(teams: Collection[int], show: str, own: bool = False) -> list[Facet]:
    """Every facet that leaves something for a person of `teams` (ids), and the one called `show`, which is chosen.

    `own`: Signalbox's own event types count, where they are not nobody's to look after.
    """
    known = stock()
    shelf = _Shelf(known.names(own), known, tuple(teams))
    found = []
    for slug, kind in FACETS.items():
        chosen, kept = slug == show, None
        if chosen or not kind.costly or len(shelf.names) <= COUNTED:
            kept = kind.keep(shelf)
        if kept is None or kept or chosen:
            ids = tuple(known.ids[name] for name in kept or ()) if chosen else ()
            types = None if kept is None else len(kept)
            found.append(Facet(slug, kind.label, kind.nothing, types, chosen, ids, kind.near or chosen))
    return found
