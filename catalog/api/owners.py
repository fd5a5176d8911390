"""Teams and domains: list, show, make; and what these share with buses and sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api import filling, shapes, shown
from catalog.api.asking import Members, pointer
from catalog.api.describing import IF_NONE_MATCH, PAGED, described, place, query
from catalog.api.operation import PAGING, READS, Operation, listed, parameters, shows
from catalog.api.problem import Conflict, Missing, Place
from catalog.forms.owners import DomainForm, TeamForm
from catalog.models import Domain, Team

SAME = "A second request with the same content answers 200 and changes nothing; one that differs answers 409."


def differing(asked: Members, row: Mapping[str, Any], says: str) -> list[Place]:
    """The members of a request that are not as in `row`, what is there under the same name."""
    return [
        Place(says % {"name": name}, pointer(name))
        for name in asked.names()
        if name in row and asked.value(name) != row[name]
    ]


def same_or_conflict(request: Request, asked: Members, row: dict[str, Any]) -> Response:
    """200 with what is there when the request says the same. Raises Conflict."""
    wrong = differing(asked, row, _("What is there already has another “%(name)s”. Change it with PATCH."))
    if wrong:
        raise Conflict(*wrong)
    return shows(request, row)


class Rows(Operation):
    """What the lists of owners and places share. `kind`: what a row is called."""

    kind: ClassVar[str]

    @staticmethod
    def shown(row: Any) -> dict[str, Any]:
        """A row as the API shows it."""
        raise NotImplementedError

    @staticmethod
    def rows(request: Request) -> QuerySet[Any]:
        """The rows that whoever asks may see."""
        raise NotImplementedError

    def one(self, request: Request, **key: str) -> Any:
        """The row with this key. Raises Missing."""
        found = self.rows(request).filter(**key).first()
        if found is None:
            raise Missing(
                _("There is no %(kind)s “%(name)s”, or this token is for another bus.")
                % {"kind": self.kind, "name": next(iter(key.values()))}
            )
        return found

    def page(self, request: Request, rows: QuerySet[Any]) -> Response:
        """A page of `rows`, by name."""
        return listed(request, rows, lambda found: [self.shown(one) for one in found], "name")

    def named(self, request: Request) -> Response:
        """A page of the rows whose names hold `?q=`."""
        said = parameters(request, "q", *PAGING)
        return self.page(request, self.rows(request).filter(name__icontains=said.get("q", "")))

    def show(self, request: Request, **key: str) -> Response:
        """The row with this key. Raises Missing."""
        return shows(request, self.shown(self.one(request, **key)))

    def make(self, request: Request, form: Callable[[dict[str, Any] | None], Any], **empty: str) -> Response:
        """Makes what is asked for by `form(data)`; what is there already and says the same is shown.

        `empty`: fields that hold this unless they are sent. Raises Invalid and Conflict.
        """
        blank = form(None)
        asked = Members(request, blank.fields)
        data = filling.content(asked, blank.fields)
        if known := self.rows(request).filter(name=data.get("name") or "").first():
            return same_or_conflict(request, asked, self.shown(known))
        filled = form({**filling.stored(blank), **empty, **data})
        filling.check(asked, filled)
        return shows(request, self.shown(filled.save()), 201)


class _Teams(Rows):
    kind = "team"
    shown = staticmethod(shown.team)

    @staticmethod
    def rows(request: Request) -> QuerySet[Team]:
        return Team.objects.all()


TEAM = {"slug": "checkout", "name": "Checkout"}
DOMAIN = {"slug": "orders", "name": "Orders", "badge": "OR", "hue": 0, "team": "checkout"}
BUS = {
    "name": "main",
    "description": "",
    "retention_days": 90,
    "limit_days": None,
    "unregistered": "accept",
    "open_publishing": False,
    "team": None,
    "created_at": "2026-03-01T09:30:00.000Z",
    "retired_at": None,
    "publish": "/v1/buses/main/events",
}
SOURCE = {
    "slug": "shop",
    "name": "Shop",
    "uri": "/shop/checkout",
    "prefix": "",
    "description": "",
    "bus": "main",
    "team": "checkout",
    "created_at": "2026-03-01T09:30:00.000Z",
    "retired_at": None,
    "asyncapi": "/sources/shop/asyncapi.json",
}


def page(row: Mapping[str, Any]) -> dict[str, Any]:
    """An example of a page."""
    return {"items": [row], "next": None}


class Teams(_Teams):
    """All teams."""

    needs = {"GET": READS, "POST": "catalog.add_team"}

    @described(
        "listTeams",
        "List teams",
        "People who own event types, sources and rules together, by name.",
        tag="Teams and domains",
        takes=[query("q", "Words in their names."), *PAGED],
        answers={200: (shapes.page_of("Team"), "A page of teams.")},
        answer=page(TEAM),
        refuses=[422],
    )
    def get(self, request: Request) -> Response:
        """A page of teams."""
        return self.named(request)

    @described(
        "createTeam",
        "Make a team",
        f"You are its first member. {SAME}",
        tag="Teams and domains",
        asks=filling.members(TeamForm),
        example={"name": "Checkout"},
        answers={201: (shapes.ref("Team"), "It is made."), 200: (shapes.ref("Team"), "It was there.")},
        answer=TEAM,
        refuses=[409],
    )
    def post(self, request: Request) -> Response:
        """Makes a team."""
        return self.make(request, lambda data: TeamForm(data, user=request.user))


class OneTeam(_Teams):
    """One team."""

    needs = {"GET": READS}

    @described(
        "getTeam",
        "Show a team",
        "A team by its slug.",
        tag="Teams and domains",
        takes=[place("slug", "Its slug."), IF_NONE_MATCH],
        answers={200: (shapes.ref("Team"), "The team.")},
        answer=TEAM,
        refuses=[404],
    )
    def get(self, request: Request, slug: str) -> Response:
        """A team."""
        return self.show(request, slug=slug)


class _Domains(Rows):
    kind = "domain"
    shown = staticmethod(shown.domain)

    @staticmethod
    def rows(request: Request) -> QuerySet[Domain]:
        return Domain.objects.select_related("team")


class Domains(_Domains):
    """All domains."""

    needs = {"GET": READS, "POST": "catalog.add_domain"}

    @described(
        "listDomains",
        "List domains",
        "The shelves of the marketplace, by name.",
        tag="Teams and domains",
        takes=[query("q", "Words in their names."), *PAGED],
        answers={200: (shapes.page_of("Domain"), "A page of domains.")},
        answer=page(DOMAIN),
        refuses=[422],
    )
    def get(self, request: Request) -> Response:
        """A page of domains."""
        return self.named(request)

    @described(
        "createDomain",
        "Make a domain",
        f"Its colour is the one that is used least. {SAME}",
        tag="Teams and domains",
        asks=filling.members(DomainForm),
        example={"name": "Orders", "team": "checkout"},
        answers={201: (shapes.ref("Domain"), "It is made."), 200: (shapes.ref("Domain"), "It was there.")},
        answer=DOMAIN,
        refuses=[409],
    )
    def post(self, request: Request) -> Response:
        """Makes a domain."""
        return self.make(request, DomainForm)


class OneDomain(_Domains):
    """One domain."""

    needs = {"GET": READS}

    @described(
        "getDomain",
        "Show a domain",
        "A domain by its slug.",
        tag="Teams and domains",
        takes=[place("slug", "Its slug."), IF_NONE_MATCH],
        answers={200: (shapes.ref("Domain"), "The domain.")},
        answer=DOMAIN,
        refuses=[404],
    )
    def get(self, request: Request, slug: str) -> Response:
        """A domain."""
        return self.show(request, slug=slug)
