"""Event types: find, show, register, change."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import lifecycle as life
from catalog.api import filling, shapes, shown
from catalog.api.access import bus_of, check_owner
from catalog.api.asking import Members, pointer
from catalog.api.describing import DRY, IF_MATCH, IF_NONE_MATCH, PAGED, described, place, query
from catalog.api.operation import PAGING, READS, Operation, check_unchanged, is_dry, listed, parameters, shows
from catalog.api.owners import differing, page
from catalog.api.problem import Conflict, Invalid, Missing, Place
from catalog.exports.reading import readable
from catalog.facets import FACETS, facets
from catalog.forms.event_types import EditForm, RegisterForm
from catalog.models import EventType, Lifecycle
from catalog.schemas.text import NotJson, parse
from catalog.search import matching

TAG = "Event types"
DELETES = "catalog.delete_eventtype"
NAME = place("name", "Its name, such as order.placed. A slash in it may be written as it is.")
SCHEMA = {
    "type": "object",
    "required": ["order_id"],
    "properties": {"order_id": {"type": "string"}, "total": {"type": "number"}},
}
ORDER_PLACED = {
    "name": "order.placed",
    "summary": "A customer committed to buy.",
    "docs": "",
    "domain": "orders",
    "team": "checkout",
    "sources": ["shop"],
    "tags": [],
    "personal": [],
    "validation": "reject",
    "compatibility": "forward",
    "policy": "evolution",
    "accept_cautions": False,
    "lifecycle": "active",
    "deprecated_at": None,
    "ends_on": None,
    "successor": None,
    "farewell": "",
    "default_version": None,
    "versions": [1],
    "created_at": "2026-03-01T09:30:00.000Z",
    "links": {
        "self": "/api/v1/event-types/order.placed",
        "versions": "/api/v1/event-types/order.placed/versions",
        "schema": "/schemas/order.placed",
        "page": "/events/order.placed/",
    },
}
REGISTER = {
    "name": "order.placed",
    "summary": "A customer committed to buy.",
    "domain": "orders",
    "team": "checkout",
    "sources": ["shop"],
    "validation": "reject",
    "schema": SCHEMA,
    "example": {"order_id": "order-1", "total": 12.5},
}
FILTERS = {
    "domain": "domain__slug",
    "team": "team__slug",
    "source": "sources__slug",
    "lifecycle": "lifecycle",
}


def types(request: Request) -> QuerySet[EventType]:
    """The event types that whoever asks may see."""
    return readable(bus_of(request)).select_related("domain", "team")


def found_type(request: Request, name: str) -> EventType:
    """The event type of that name. Raises Missing."""
    found = types(request).filter(name=name).first()
    if found is None:
        raise Missing(
            _("There is no event type “%(name)s”, or this token is for another bus.") % {"name": name}
        )
    return found


class EventTypes(Operation):
    """All event types."""

    needs = {"GET": READS, "POST": "catalog.add_eventtype"}

    @described(
        "listEventTypes",
        "Find event types",
        "With `q`, as the marketplace finds them: every word stands in a name, a sentence, the documentation, a field, "
        "an example value, an owner or a source; the best first. Without it, by name. Filters narrow it further.",
        tag=TAG,
        takes=[
            query("q", "Words that must all be found."),
            query("domain", "The slug of a domain."),
            query("team", "The slug of a team."),
            query("source", "The slug of a source."),
            query("lifecycle", "The state of the type.", choices=Lifecycle.values),
            query("show", "A facet of the marketplace.", choices=FACETS),
            *PAGED,
        ],
        answers={200: (shapes.page_of("EventType"), "A page of event types.")},
        answer=page(ORDER_PLACED),
        refuses=[422],
    )
    def get(self, request: Request) -> Response:
        """A page of event types."""
        said = parameters(request, "q", *FILTERS, "show", *PAGING)
        rows = types(request)
        for name, field in FILTERS.items():
            if name in said:
                rows = rows.filter(**{field: said[name]})
        if "lifecycle" in said and said["lifecycle"] not in Lifecycle.values:
            raise Invalid(
                Place(_("lifecycle is one of %(choices)s.") % {"choices": ", ".join(Lifecycle.values)}, "")
            )
        if "show" in said:
            rows = _facet(request, said["show"], rows)
        order = ("rank", "name") if said.get("q", "").strip() else ("name",)
        rows = matching(rows, said.get("q", ""))
        return listed(request, rows, shown.event_types, *order)

    @described(
        "registerEventType",
        "Register an event type",
        "With its first version. What the register form checks is checked here, in the same words. A second request "
        "that says the same of it answers 200 and changes nothing; one that differs answers 409.",
        tag=TAG,
        takes=[DRY],
        asks=filling.members(RegisterForm),
        example=REGISTER,
        answers={
            201: (shapes.ref("EventType"), "It is registered."),
            200: (
                {"anyOf": [shapes.ref("EventType"), shapes.ref("DryRun")]},
                "It was there and says the same; or what dry_run=1 found.",
            ),
        },
        answer=ORDER_PLACED,
        refuses=[409],
    )
    def post(self, request: Request) -> Response:
        """Registers an event type."""
        dry = is_dry(request)
        fields = filling.fields_of(RegisterForm)
        asked = Members(request, fields)
        data = filling.content(asked, fields)
        known = types(request).filter(name=data.get("name") or "").first()
        if known is not None:
            return self._known(request, asked, data, known, dry)
        form = RegisterForm({**filling.initial(fields), **data}, user=request.user)
        filling.check(asked, form)
        if dry:
            return Response({"dry_run": True, "would": "register", "number": 1, "verdict": None})
        try:
            saved = form.save()
        except IntegrityError:
            raise Conflict(Place(_("Somebody registered this name just now."), "/name")) from None
        row = shown.event_type(saved)
        return shows(request, row, 201, Location=row["links"]["self"])

    @staticmethod
    def _known(
        request: Request, asked: Members, data: dict[str, Any], known: EventType, dry: bool
    ) -> Response:
        row = shown.event_type(known)
        says = _("“%(name)s” is another one there. Change the type with PATCH, or register its next version.")
        wrong = differing(asked, row | {"sources": _sorted(asked, "sources", row)}, says)
        first = known.versions.order_by("number").first()
        for name in ("schema", "example"):
            if name in data and (first is None or not same_json(data[name], getattr(first, name))):
                wrong.append(Place(says % {"name": name}, pointer(name)))
        if wrong:
            raise Conflict(*wrong)
        if dry:
            return Response({"dry_run": True, "would": "nothing", "number": None, "verdict": None})
        return shows(request, row)


def _sorted(asked: Members, name: str, row: dict[str, Any]) -> Any:
    """What is there, in the order in which it was sent when that is the only difference."""
    sent = asked.value(name) if name in asked else None
    same = isinstance(sent, list) and sorted(map(str, sent)) == sorted(row[name])
    return sent if same else row[name]


def same_json(one: Any, other: str) -> bool:
    """Whether two JSON texts mean the same."""
    try:
        return bool(parse(str(one)) == parse(other))
    except NotJson:
        return str(one) == other


def _facet(request: Request, show: str, rows: QuerySet[EventType]) -> QuerySet[EventType]:
    if show not in FACETS:
        raise Invalid(Place(_("show is one of %(choices)s.") % {"choices": ", ".join(FACETS)}, ""))
    user: Any = request.user
    teams = list(user.teams.values_list("pk", flat=True)) if getattr(user, "pk", None) else []
    chosen = next(one for one in facets(teams, show) if one.chosen)
    return chosen.narrow(rows)


class OneEventType(Operation):
    """One event type."""

    needs = {"GET": READS, "PATCH": "catalog.change_eventtype", "DELETE": DELETES}

    @described(
        "getEventType",
        "Show an event type",
        "All that it says about itself. Its schemas are in its versions.",
        tag=TAG,
        takes=[NAME, IF_NONE_MATCH],
        answers={200: (shapes.ref("EventType"), "The event type.")},
        answer=ORDER_PLACED,
        refuses=[404],
    )
    def get(self, request: Request, name: str) -> Response:
        """An event type."""
        return shows(request, shown.event_type(found_type(request, name)))

    @described(
        "changeEventType",
        "Change an event type",
        "Members that are not sent stay as they are. The name stays for ever, and versions never change. What the type "
        "promises, and who owns it, its owners change alone.",
        tag=TAG,
        takes=[NAME, IF_MATCH],
        asks=filling.members(EditForm, given=False),
        example={"summary": "A customer committed to buy.", "tags": ["billing"]},
        answers={200: (shapes.ref("EventType"), "It is changed.")},
        answer=ORDER_PLACED | {"tags": ["billing"]},
        refuses=[404, 412],
    )
    def patch(self, request: Request, name: str) -> Response:
        """Changes an event type."""
        found = found_type(request, name)
        filled = EditForm(event_type=found, user=request.user)
        asked = Members(request, filled.fields)
        check_unchanged(request, shown.event_type(found))
        unchanged, data = filling.stored(filled), filling.content(asked, filled.fields)
        for one, other in (("new_team", "team"), ("new_domain", "domain")):
            if one in data and other not in data:
                unchanged[other] = ""
        form = EditForm({**unchanged, **data}, event_type=found, user=request.user)
        filling.check_disabled(
            asked,
            form,
            _("Only its owner changes this: a member of %(team)s, or staff.") % {"team": found.team.name},
        )
        filling.check(asked, form)
        return shows(request, shown.event_type(form.save()))

    @described(
        "deleteEventType",
        "Delete an event type",
        "With its versions, for its owners; events, rules and sources stay. What somebody still sends or takes goes only "
        "with its name in `confirm`. To end a type in the open, deprecate and retire it.",
        tag=TAG,
        takes=[NAME, query("confirm", "Its name, which is needed while it is in use."), IF_MATCH],
        answers={204: (None, "It is deleted.")},
        refuses=[404, 412, 422],
    )
    def delete(self, request: Request, name: str) -> Response:
        """Deletes an event type."""
        confirmed = parameters(request, "confirm").get("confirm", "")
        found = found_type(request, name)
        check_owner(request, found.team, DELETES)
        check_unchanged(request, shown.event_type(found))
        ready = life.readiness(found)
        if ready.used and confirmed != found.name:
            said = _("%(use)s. To delete it all the same, send its name as confirm.") % {
                "use": ready.sentence
            }
            raise filling.refused(said)
        life.delete(found, request.user)
        return Response(status=204)
