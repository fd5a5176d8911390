"""Events that people ask for and nobody emits yet."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api import filling, shapes, shown
from catalog.api.access import Program
from catalog.api.asking import Members
from catalog.api.describing import PAGED, described, place
from catalog.api.operation import PAGING, READS, Operation, listed, parameters
from catalog.api.owners import page
from catalog.api.problem import Missing
from catalog.forms.wanted import WantedForm
from catalog.models import Wanted, Wish
from catalog.wanted import ask, join, leave, open_wishes

TAG = "Wanted events"
WANTED = {
    "id": 3,
    "name": "invoice.overdue",
    "why": "To stop deliveries to customers who do not pay.",
    "people": 1,
    "teams": 1,
    "mine": True,
    "created_at": "2026-03-01T09:30:00.000Z",
}
NUMBER = place("id", "Its id.", whole=True)
# A voice is a person's: whoever may look at the catalog in the console may ask, and a program has none.
ASKS = "catalog.view_eventtype"


class _Nobody:
    """Who a program is among people: nobody who could want something."""

    pk = None


def _wishes(request: Request) -> Any:
    user: Any = request.user
    return open_wishes(_Nobody() if isinstance(user, Program) else user)


def _found(request: Request, pk: int) -> Wanted:
    found: Wanted | None = _wishes(request).filter(pk=pk).first() if pk < 2**63 else None
    if found is None:
        raise Missing(_("Nobody asks for %(id)s, or it was answered.") % {"id": str(pk)[:20]})
    return found


def _person(request: Request) -> Any:
    """Who asks. Raises PermissionDenied for a program."""
    if isinstance(request.user, Program):
        raise PermissionDenied(_("A voice is a person's: ask with a session, not with a token."))
    return request.user


class AllWanted(Operation):
    """What is wanted."""

    needs = {"GET": READS, "POST": ASKS}

    @described(
        "listWanted",
        "List what is wanted",
        "Events that people ask for and nobody emits yet; the newest first.",
        tag=TAG,
        takes=PAGED,
        answers={200: (shapes.page_of("Wanted"), "A page of wishes.")},
        answer=page(WANTED),
        refuses=[422],
    )
    def get(self, request: Request) -> Response:
        """A page of wishes."""
        parameters(request, *PAGING)
        return listed(request, _wishes(request), lambda found: [shown.wanted(one) for one in found], "-id")

    @described(
        "askForEvent",
        "Ask for an event",
        "Who asks for what others asked for joins them.",
        tag=TAG,
        asks=filling.members(WantedForm),
        example={"name": "invoice.overdue", "why": "To stop deliveries to customers who do not pay."},
        answers={201: (shapes.ref("Wanted"), "Your voice is among them.")},
        answer=WANTED,
    )
    def post(self, request: Request) -> Response:
        """Asks for an event."""
        parameters(request)
        user = _person(request)
        asked = Members(request, WantedForm.base_fields)
        form = WantedForm(filling.content(asked, WantedForm.base_fields))
        filling.check(asked, form)
        made = ask(form.cleaned_data["name"], form.cleaned_data["why"], user)
        return Response(shown.wanted(_found(request, made.pk)), status=201)


class Voice(Operation):
    """Your voice for a wish."""

    needs = {"PUT": ASKS, "DELETE": ASKS}

    @described(
        "joinWanted",
        "Join a wish",
        "Adds your voice, once.",
        tag=TAG,
        takes=[NUMBER],
        answers={200: (shapes.ref("Wanted"), "Your voice is among them.")},
        answer=WANTED,
        refuses=[404],
    )
    def put(self, request: Request, pk: int) -> Response:
        """Joins in."""
        user = _person(request)
        join(_found(request, pk), user)
        return Response(shown.wanted(_found(request, pk)))

    @described(
        "leaveWanted",
        "Leave a wish",
        "Takes your voice back. What nobody wants any more is gone.",
        tag=TAG,
        takes=[NUMBER],
        answers={204: (None, "Your voice is not among them.")},
        refuses=[404],
    )
    def delete(self, request: Request, pk: int) -> Response:
        """Takes the voice back."""
        user = _person(request)
        found = _found(request, pk)
        if Wish.objects.filter(wanted=found, user=user).exists():
            leave(found, user)
        return Response(status=204)
