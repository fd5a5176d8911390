"""Buses, and the sources that publish on them: list, show, register, change."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api import filling, shapes, shown
from catalog.api.access import bus_of, check_owner
from catalog.api.asking import Members
from catalog.api.describing import IF_MATCH, IF_NONE_MATCH, PAGED, described, place, query
from catalog.api.operation import PAGING, READS, check_unchanged, parameters, shows
from catalog.api.owners import BUS, SAME, SOURCE, Rows, page
from catalog.forms.settings import BusForm
from catalog.forms.sources import SourceForm
from catalog.models import Bus, Source

CHANGES = "Members that are not sent stay as they are."


class BusRows(Rows):
    """Buses that whoever asks may see."""

    kind = "bus"
    shown = staticmethod(shown.bus)

    @staticmethod
    def rows(request: Request) -> QuerySet[Bus]:
        only = bus_of(request)
        found = Bus.objects.select_related("team")
        return found if only is None else found.filter(pk=only.pk)


class Buses(BusRows):
    """All buses."""

    needs = {"GET": READS, "POST": "catalog.add_bus"}

    @described(
        "listBuses",
        "List buses",
        "Named, ordered, durable logs of events. A token for one bus sees that one.",
        tag="Buses and sources",
        takes=PAGED,
        answers={200: (shapes.page_of("Bus"), "A page of buses.")},
        answer=page(BUS),
        refuses=[422],
    )
    def get(self, request: Request) -> Response:
        """A page of buses."""
        parameters(request, *PAGING)
        return self.page(request, self.rows(request))

    @described(
        "createBus",
        "Make a bus",
        f"Its name is part of its address and stays. {SAME}",
        tag="Buses and sources",
        asks=filling.members(BusForm),
        example={"name": "main", "retention_days": 90},
        answers={201: (shapes.ref("Bus"), "It is made."), 200: (shapes.ref("Bus"), "It was there.")},
        answer=BUS,
        refuses=[409],
    )
    def post(self, request: Request) -> Response:
        """Makes a bus."""
        return self.make(request, lambda data: BusForm(data, user=request.user))


class OneBus(BusRows):
    """One bus."""

    needs = {"GET": READS, "PATCH": "catalog.change_bus"}

    @described(
        "getBus",
        "Show a bus",
        "A bus by its name.",
        tag="Buses and sources",
        takes=[place("name", "Its name."), IF_NONE_MATCH],
        answers={200: (shapes.ref("Bus"), "The bus.")},
        answer=BUS,
        refuses=[404],
    )
    def get(self, request: Request, name: str) -> Response:
        """A bus."""
        return self.show(request, name=name)

    @described(
        "changeBus",
        "Change a bus",
        CHANGES,
        tag="Buses and sources",
        takes=[place("name", "Its name."), IF_MATCH],
        asks=filling.members(BusForm, ("name",), given=False),
        example={"retention_days": 30},
        answers={200: (shapes.ref("Bus"), "It is changed.")},
        answer=BUS | {"retention_days": 30},
        refuses=[404, 412],
    )
    def patch(self, request: Request, name: str) -> Response:
        """Changes a bus."""
        fields = filling.fields_of(BusForm, ("name",))
        asked = Members(request, fields)
        found = self.one(request, name=name)
        check_owner(request, found.team, "catalog.change_bus")
        check_unchanged(request, shown.bus(found))
        unchanged = filling.stored(BusForm(instance=found, user=request.user))
        form = BusForm({**unchanged, **filling.content(asked, fields)}, instance=found, user=request.user)
        filling.check(asked, form)
        return shows(request, shown.bus(form.save()))


class SourceRows(Rows):
    """Sources that whoever asks may see."""

    kind = "source"
    shown = staticmethod(shown.source)

    @staticmethod
    def rows(request: Request) -> QuerySet[Source]:
        only = bus_of(request)
        found = Source.objects.select_related("bus", "team")
        return found if only is None else found.filter(bus=only)


class Sources(SourceRows):
    """All sources."""

    needs = {"GET": READS, "POST": "catalog.add_source"}

    @described(
        "listSources",
        "List sources",
        "Systems that emit events, by name. A token for one bus sees those of that bus.",
        tag="Buses and sources",
        takes=[
            query("q", "Words in their names or URIs."),
            query("bus", "The name of a bus."),
            query("team", "The slug of a team."),
            *PAGED,
        ],
        answers={200: (shapes.page_of("Source"), "A page of sources.")},
        answer=page(SOURCE),
        refuses=[422],
    )
    def get(self, request: Request) -> Response:
        """A page of sources."""
        said = parameters(request, "q", "bus", "team", *PAGING)
        rows = self.rows(request)
        if words := said.get("q"):
            rows = rows.filter(Q(name__icontains=words) | Q(uri__icontains=words))
        for name, field in (("bus", "bus__name"), ("team", "team__slug")):
            if name in said:
                rows = rows.filter(**{field: said[name]})
        return self.page(request, rows)

    @described(
        "createSource",
        "Register a source",
        f"Each system needs a CloudEvents source of its own. {SAME}",
        tag="Buses and sources",
        asks=filling.members(SourceForm),
        example={"name": "Shop", "uri": "/shop/checkout", "bus": "main", "team": "checkout"},
        answers={
            201: (shapes.ref("Source"), "It is registered."),
            200: (shapes.ref("Source"), "It was there."),
        },
        answer=SOURCE,
        refuses=[409],
    )
    def post(self, request: Request) -> Response:
        """Registers a source."""
        return self.make(request, lambda data: SourceForm(data, user=request.user), team="")


class OneSource(SourceRows):
    """One source."""

    needs = {"GET": READS, "PATCH": "catalog.change_source"}

    @described(
        "getSource",
        "Show a source",
        "A source by its slug.",
        tag="Buses and sources",
        takes=[place("slug", "Its slug."), IF_NONE_MATCH],
        answers={200: (shapes.ref("Source"), "The source.")},
        answer=SOURCE,
        refuses=[404],
    )
    def get(self, request: Request, slug: str) -> Response:
        """A source."""
        return self.show(request, slug=slug)

    @described(
        "changeSource",
        "Change a source",
        CHANGES,
        tag="Buses and sources",
        takes=[place("slug", "Its slug."), IF_MATCH],
        asks=filling.members(SourceForm, given=False),
        example={"description": "The checkout of the web shop."},
        answers={200: (shapes.ref("Source"), "It is changed.")},
        answer=SOURCE | {"description": "The checkout of the web shop."},
        refuses=[404, 412],
    )
    def patch(self, request: Request, slug: str) -> Response:
        """Changes a source."""
        found = self.one(request, slug=slug)
        check_owner(request, found.team, "catalog.change_source")
        filled = SourceForm(user=request.user, source=found)
        asked = Members(request, filled.fields)
        check_unchanged(request, shown.source(found))
        unchanged, data = filling.stored(filled), filling.content(asked, filled.fields)
        if "new_team" in data and "team" not in data:
            unchanged["team"] = ""
        form = SourceForm({**unchanged, **data}, user=request.user, source=found)
        filling.check(asked, form)
        return shows(request, shown.source(form.save()))
