"""The facets of the marketplace: ways to narrow it that need more than a search."""

from __future__ import annotations

from collections.abc import Callable, Collection, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Count, Max, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.changes import OWN
from catalog.facts import facts
from catalog.models import EventType, Lifecycle, Stamp
from catalog.search import among
from catalog.stamps import CATALOG

NEW, DAY = timedelta(days=7), timedelta(days=1)
# Events per minute from which a type counts as busy.
BUSY = 1.0
# Types up to which every facet is counted.
COUNTED = 2_000


@dataclass(frozen=True)
class _Catalog:
    """The whole catalog as the facets look at it: per name its id and its age, the names of what is deprecated and of
    what tells of Signalbox itself, which nobody has to look after."""

    ids: dict[str, int]
    created: dict[str, datetime]
    deprecated: frozenset[str]
    own: frozenset[str]


class _Shelf(NamedTuple):
    catalog: _Catalog
    teams: tuple[int, ...]

    @property
    def names(self) -> Set[str]:
        return self.catalog.ids.keys()


# Reading 10,000 rows takes longer than all else the facets do, so it is done once per change of the catalog.
_known: tuple[Any, _Catalog] = (None, _Catalog({}, {}, frozenset(), frozenset()))


def _catalog() -> _Catalog:
    global _known
    stamp = Stamp.objects.filter(name=CATALOG).values_list("version", flat=True).first()
    # Not the stamp alone: a database that was restored or rolled back counts on from an earlier one.
    seal = (stamp, *EventType.objects.aggregate(Count("pk"), Max("pk"), Max("created_at")).values())
    if _known[0] != seal:
        rows = list(
            EventType.objects.order_by().values_list("pk", "name", "created_at", "lifecycle", "team__slug")
        )
        ended = {Lifecycle.DEPRECATED, Lifecycle.RETIRED}
        _known = (
            seal,
            _Catalog(
                {name: pk for pk, name, *_ in rows},
                {name: created for _, name, created, *_ in rows},
                frozenset(name for _, name, _, state, _ in rows if state in ended),
                frozenset(name for _, name, *_, team in rows if team == OWN),
            ),
        )
    return _known[1]


def _ours(shelf: _Shelf) -> Collection[str]:
    return facts().listened(shelf.names, shelf.teams) if shelf.teams else ()


def _new(shelf: _Shelf) -> Collection[str]:
    since = timezone.now() - NEW
    return {name for name, created in shelf.catalog.created.items() if created >= since} - shelf.catalog.own


def _quiet(shelf: _Shelf) -> Collection[str]:
    return shelf.names - facts().listened(shelf.names) - shelf.catalog.own


def _busy(shelf: _Shelf) -> Collection[str]:
    return shelf.names & {name for name, rate in facts().busy().items() if rate >= BUSY}


def _silent(shelf: _Shelf) -> Collection[str]:
    # What was registered an hour ago has not been silent for a day.
    since = timezone.now() - DAY
    old = {name for name, created in shelf.catalog.created.items() if created < since}
    return old - facts().heard() - shelf.catalog.own


def _deprecated(shelf: _Shelf) -> Collection[str]:
    return shelf.catalog.deprecated


class _Kind(NamedTuple):
    label: str | Promise
    keep: Callable[[_Shelf], Collection[str]]
    nothing: str | Promise
    # Reads the traffic of every type: in a large catalog only when it is asked for.
    costly: bool = False


# By what `?show=` says: its words, the names it leaves, and the sentence when it leaves none.
FACETS = {
    "ours": _Kind(_("Subscribed by us"), _ours, _("None of your teams subscribes to anything yet.")),
    "new": _Kind(_("New this week"), _new, _("Nothing was registered in the last seven days.")),
    "quiet": _Kind(_("No listeners yet"), _quiet, _("Every event type has a listener.")),
    "busy": _Kind(_("Busy"), _busy, _("Nothing has more than one event a minute just now."), True),
    "silent": _Kind(
        _("Silent for a day"), _silent, _("Every event type had an event in the last day."), True
    ),
    "deprecated": _Kind(_("Deprecated"), _deprecated, _("Nothing is deprecated.")),
}


@dataclass(frozen=True)
class Facet:
    """A facet as the page shows it: how many types of the whole catalog it leaves, and whether it is chosen."""

    slug: str
    label: str | Promise
    nothing: str | Promise
    ids: frozenset[int] | None
    chosen: bool

    @property
    def types(self) -> int | None:
        """How many it leaves; None where counting would take too long."""
        return None if self.ids is None else len(self.ids)

    def narrow(self, types: QuerySet[EventType]) -> QuerySet[EventType]:
        """Those of `types` that it leaves."""
        return among(types, self.ids or ())


def facets(teams: Collection[int], show: str) -> list[Facet]:
    """Every facet that leaves something for a person of `teams` (ids), and the one called `show`, which is chosen."""
    shelf = _Shelf(_catalog(), tuple(teams))
    found = []
    for slug, kind in FACETS.items():
        ids = None
        if slug == show or not kind.costly or len(shelf.names) <= COUNTED:
            ids = frozenset(shelf.catalog.ids[name] for name in kind.keep(shelf))
        if ids is None or ids or slug == show:
            found.append(Facet(slug, kind.label, kind.nothing, ids, slug == show))
    return found
