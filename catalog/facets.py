"""The facets of the marketplace: ways to narrow it that need more than a search."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from catalog.facts import facts
from catalog.models import EventType, Lifecycle
from catalog.search import named

NEW = timedelta(days=7)
# Events per minute from which a type counts as busy.
BUSY = 1.0

Types = QuerySet[EventType]


def _ours(types: Types, user: Any) -> Types:
    teams = list(user.teams.values_list("pk", flat=True))
    return named(types, facts().listened(_names(types), teams) if teams else set())


def _new(types: Types, user: Any) -> Types:
    return types.filter(created_at__gte=timezone.now() - NEW)


def _quiet(types: Types, user: Any) -> Types:
    names = _names(types)
    return named(types, set(names) - facts().listened(names))


def _busy(types: Types, user: Any) -> Types:
    return named(types, {name for name, rate in facts().busy().items() if rate >= BUSY})


def _silent(types: Types, user: Any) -> Types:
    return named(types, set(_names(types)) - facts().heard())


def _deprecated(types: Types, user: Any) -> Types:
    return types.filter(lifecycle__in=(Lifecycle.DEPRECATED, Lifecycle.RETIRED))


def _names(types: Types) -> list[str]:
    return list(types.order_by().values_list("name", flat=True))


# `?show=` → its words, what it leaves, and the sentence when it leaves nothing.
FACETS: dict[str, tuple[str | Promise, Callable[[Types, Any], Types], str | Promise]] = {
    "ours": (_("Subscribed by us"), _ours, _("None of your teams subscribes to anything yet.")),
    "new": (_("New this week"), _new, _("Nothing was registered in the last seven days.")),
    "quiet": (_("No listeners yet"), _quiet, _("Every event type has a listener.")),
    "busy": (_("Busy"), _busy, _("Nothing has more than one event a minute just now.")),
    "silent": (_("Silent for a day"), _silent, _("Every event type had an event in the last day.")),
    "deprecated": (_("Deprecated"), _deprecated, _("Nothing is deprecated.")),
}


class Facet(NamedTuple):
    """A facet as the page shows it: how many types it leaves of the whole catalog, and whether it is chosen."""

    slug: str
    label: str | Promise
    types: int
    chosen: bool
    nothing: str | Promise


def narrowed(types: Types, show: str, user: Any) -> Types:
    """What facet `show` leaves of `types`; all of them for "" or a facet that does not exist."""
    return FACETS[show][1](types, user) if show in FACETS else types


def counted(everything: Types, show: str, user: Any) -> list[Facet]:
    """Every facet that leaves something, and the chosen one."""
    found = []
    for slug, (label, keep, nothing) in FACETS.items():
        count = keep(everything, user).count()
        if count or slug == show:
            found.append(Facet(slug, label, count, slug == show, nothing))
    return found
