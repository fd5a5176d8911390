"""What changed in the catalog: the feed of the page Changes."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api import shapes, shown
from catalog.api.access import bus_of
from catalog.api.describing import PAGED, described, query
from catalog.api.operation import PAGING, READS, Operation, listed, parameters
from catalog.api.owners import page
from catalog.api.problem import Invalid, Place
from catalog.changes import KINDS
from catalog.exports.reading import readable
from catalog.models import Change, Source

CHANGE = {
    "id": "1f0c4e9e-6a1f-4a8e-9d0a-6a6d1c2f3b4d",
    "kind": "type.deprecated",
    "at": "2026-11-01T09:30:00.000Z",
    "title": "order.placed is deprecated and ends on 31 January 2027.",
    "event_type": "order.placed",
    "source": None,
    "bus": None,
    "team": "checkout",
    "by": "mara",
    "detail": {"ends_on": "2027-01-31", "successor": "order.bought"},
    "page": "/events/order.placed/",
}
# The filter → the field of a change that it looks at.
FILTERS = {"type": "type_name", "source": "source", "bus": "bus", "team": "team", "kind": "kind"}


def rows(request: Request) -> QuerySet[Change]:
    """The changes that whoever asks may see: of a token for one bus, those of what it sees."""
    only = bus_of(request)
    if only is None:
        return Change.objects.all()
    return Change.objects.filter(
        Q(type_name__in=readable(only).values("name"))
        | Q(source__in=Source.objects.filter(bus=only).values("slug"))
        | Q(bus=only.name)
    )


class Changes(Operation):
    """All changes."""

    needs = READS

    @described(
        "listChanges",
        "List what changed in the catalog",
        "Registrations, new versions, what is to end, what drifts, the newest first. Each is an event on the bus "
        "`system`, too, whose id is the `id` here. A token for one bus sees what concerns that bus.",
        tag="Changes",
        takes=[
            query("type", "The name of an event type, also of one that was deleted."),
            query("source", "The slug of a source."),
            query("bus", "The name of a bus."),
            query("team", "The slug of the team that owns what changed."),
            query("kind", "What happened.", choices=KINDS),
            query("since", "A time (RFC 3339): what changed then or later."),
            *PAGED,
        ],
        answers={200: (shapes.page_of("Change"), "A page of changes.")},
        answer=page(CHANGE),
        refuses=[422],
    )
    def get(self, request: Request) -> Response:
        """A page of changes."""
        said = parameters(request, *FILTERS, "since", *PAGING)
        if "kind" in said and said["kind"] not in KINDS:
            raise Invalid(Place(_("kind is one of %(choices)s.") % {"choices": ", ".join(KINDS)}, ""))
        found = rows(request).filter(**{field: said[name] for name, field in FILTERS.items() if name in said})
        if "since" in said:
            found = found.filter(at__gte=_time(said["since"]))
        return listed(request, found, shown.changes, "-id")


def _time(text: str) -> datetime:
    """The time that `text` says; without an offset it is UTC. Raises Invalid."""
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        # In an address, the plus of an offset reads as a space.
        said = _("since is a time such as 2026-11-01T09:30:00Z, a + in it written as %2B.")
        raise Invalid(Place(said, ""))
    return found if timezone.is_aware(found) else timezone.make_aware(found, UTC)
