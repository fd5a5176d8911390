"""Drafts of registrations: a program that finds something leaves it for a person to finish."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import importing
from catalog.api import filling, shapes, shown
from catalog.api.asking import Members, pointer
from catalog.api.describing import IF_MATCH, PAGED, described, place
from catalog.api.event_types import found_type
from catalog.api.operation import PAGING, Operation, check_unchanged, listed, parameters, shows
from catalog.api.owners import page
from catalog.api.problem import Missing
from catalog.drafts import drafts_of, keep
from catalog.forms.event_types import RegisterForm, VersionForm
from catalog.models import Draft, EventType

TAG = "Drafts"
WRITES = "catalog.add_eventtype"
DRAFT = {
    "id": 7,
    "name": "order.cancelled",
    "event_type": None,
    "origin": "api",
    "content": {"name": "order.cancelled", "summary": "An order was withdrawn."},
    "created_at": "2026-03-01T09:30:00.000Z",
    "changed_at": "2026-03-01T09:30:00.000Z",
    "page": "/events/new/?draft=7",
}
FIELDS = {**RegisterForm.base_fields, **VersionForm.base_fields}
NUMBER = place("id", "Its id.", whole=True)
_ASKS = filling.members(RegisterForm, given=False)
ASKS = {
    **_ASKS,
    "properties": {
        "event_type": shapes.text("The name of the type whose next version it is; a new type without it."),
        **_ASKS["properties"],
        "override": filling.members(VersionForm)["properties"]["override"],
    },
}


def _mine(request: Request) -> Any:
    return drafts_of(request.user).exclude(origin=importing.IMPORT)


def _found(request: Request, pk: int) -> Draft:
    found: Draft | None = _mine(request).filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise Missing(_("You have no draft %(id)s.") % {"id": str(pk)[:20]})
    return found


def _content(asked: Members, event_type: EventType | None) -> dict[str, Any]:
    """What was sent, as a draft holds it. A draft may lack anything, but what is there is of the right kind."""
    keeps = RegisterForm.keeps if event_type is None else VersionForm.keeps
    for name in asked.names():
        if name not in keeps and name != "event_type" and name in FIELDS:
            asked.wrong(
                pointer(name),
                _("A draft of a new version does not hold this.")
                if event_type
                else _("A draft of a new event type does not hold this."),
            )
    content = filling.content(asked, {name: one for name, one in FIELDS.items() if name in keeps})
    asked.check()
    return content


class Drafts(Operation):
    """Your drafts."""

    needs = {"GET": WRITES, "POST": WRITES}

    @described(
        "listDrafts",
        "List your drafts",
        "Those that you made, and those that discovery made and nobody has taken; the newest first.",
        tag=TAG,
        takes=PAGED,
        answers={200: (shapes.page_of("Draft"), "A page of drafts.")},
        answer=page(DRAFT),
        refuses=[422],
    )
    def get(self, request: Request) -> Response:
        """A page of drafts."""
        parameters(request, *PAGING)
        return listed(request, _mine(request), lambda found: [shown.draft(one) for one in found], "-id")

    @described(
        "createDraft",
        "Keep a draft",
        "The members are those of a registration, and any may be missing: the form says what is wrong when a person "
        "opens `page`.",
        tag=TAG,
        asks=ASKS,
        example={"name": "order.cancelled", "summary": "An order was withdrawn."},
        answers={201: (shapes.ref("Draft"), "It is kept.")},
        answer=DRAFT,
        refuses=[404],
    )
    def post(self, request: Request) -> Response:
        """Keeps a draft."""
        parameters(request)
        asked = Members(request, ("event_type", *FIELDS))
        named = asked.text("event_type")
        asked.check()
        event_type = found_type(request, named) if named else None
        kept = keep(request.user, _content(asked, event_type), None, event_type=event_type, origin="api")
        return shows(request, shown.draft(kept), 201, Location=f"/api/v1/drafts/{kept.pk}")


class OneDraft(Operation):
    """One draft."""

    needs = {"GET": WRITES, "PATCH": WRITES, "DELETE": WRITES}

    @described(
        "getDraft",
        "Show a draft",
        "As it was typed.",
        tag=TAG,
        takes=[NUMBER],
        answers={200: (shapes.ref("Draft"), "The draft.")},
        answer=DRAFT,
        refuses=[404],
    )
    def get(self, request: Request, pk: int) -> Response:
        """A draft."""
        return shows(request, shown.draft(_found(request, pk)))

    @described(
        "changeDraft",
        "Change a draft",
        "Members that are not sent stay as they are. A draft that discovery made becomes yours.",
        tag=TAG,
        takes=[NUMBER, IF_MATCH],
        asks={
            **ASKS,
            "properties": {name: one for name, one in ASKS["properties"].items() if name != "event_type"},
        },
        example={"summary": "An order was withdrawn before it was paid."},
        answers={200: (shapes.ref("Draft"), "It is changed.")},
        answer=DRAFT,
        refuses=[404, 412],
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Changes a draft."""
        asked = Members(request, FIELDS)
        found = _found(request, pk)
        check_unchanged(request, shown.draft(found))
        content = {**found.content, **_content(asked, found.event_type)}
        kept = keep(request.user, content, found, event_type=found.event_type, origin=found.origin)
        return shows(request, shown.draft(kept))

    @described(
        "deleteDraft",
        "Delete a draft",
        "It is gone for good.",
        tag=TAG,
        takes=[NUMBER],
        answers={204: (None, "It is gone.")},
        refuses=[404],
    )
    def delete(self, request: Request, pk: int) -> Response:
        """Deletes a draft."""
        _found(request, pk).delete()
        return Response(status=204)
