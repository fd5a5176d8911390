"""Retiring sources and buses, and bringing them back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import retiring
from catalog.api import filling, shapes
from catalog.api.access import check_owner
from catalog.api.asking import Members
from catalog.api.describing import IF_MATCH, described, place
from catalog.api.operation import check_unchanged, parameters, shows
from catalog.api.owners import BUS, SOURCE, Rows
from catalog.api.places import BusRows, SourceRows
from catalog.forms.lifecycle import NameForm
from catalog.models import Lifecycle

TAG = "Buses and sources"
STATES = (Lifecycle.ACTIVE, Lifecycle.RETIRED)
THEN = "2026-11-01T09:30:00.000Z"


class _Kept(Rows):
    """Moves a row between in use and retired."""

    needs: Mapping[str, str]

    def move(
        self,
        request: Request,
        found: Any,
        ways: tuple[Callable[[Any, Any], None], Callable[[Any, Any], None]],
        in_use: Callable[[], bool] | None = None,
    ) -> Response:
        """To the state that is asked for, by `ways`: bring back, retire. What is `in_use` is retired by its name.

        Raises Invalid, Stale and PermissionDenied.
        """
        parameters(request)
        asked = Members(request, ("lifecycle", "confirm") if in_use else ("lifecycle",))
        check_owner(request, found.team, self.needs["PUT"])
        check_unchanged(request, self.shown(found))
        if "lifecycle" not in asked:
            asked.wrong("/lifecycle", _("This is one of %(choices)s.") % {"choices": ", ".join(STATES)})
            asked.check()
        retired = asked.choice("lifecycle", map(str, STATES), "") == Lifecycle.RETIRED
        asked.check()
        if retired == (found.retired_at is None):
            if retired and in_use is not None:
                name = found.name if in_use() else ""
                filling.check(asked, NameForm({"confirm": asked.text("confirm")}, name=name))
            try:
                ways[retired](found, request.user)
            except retiring.NotPossible as error:
                raise filling.refused(str(error), "/lifecycle") from None
        return shows(request, self.shown(found))


def _asks(**more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"lifecycle": shapes.one_of(STATES), **more},
        "required": ["lifecycle"],
        "additionalProperties": False,
    }


class BusLifecycle(_Kept, BusRows):
    """Of a bus."""

    needs = {"PUT": "catalog.change_bus"}

    @described(
        "moveBus",
        "Retire a bus or bring it back",
        "`retired`: it takes no more events from the next one on; what it holds stays, and what waits is delivered. "
        "`active` takes that back. Asked for again, it changes nothing.",
        tag=TAG,
        takes=[place("name", "Its name."), IF_MATCH],
        asks=_asks(
            confirm=shapes.text("Its name, which is needed while rules listen or sources publish on it.")
        ),
        example={"lifecycle": "retired", "confirm": "main"},
        answers={200: (shapes.ref("Bus"), "The bus as it is now.")},
        answer=BUS | {"retired_at": THEN},
        refuses=[404, 412],
    )
    def put(self, request: Request, name: str) -> Response:
        """Moves a bus to another state."""
        found = self.one(request, name=name)
        ways = (retiring.restore_bus, retiring.retire_bus)
        return self.move(request, found, ways, lambda: any(retiring.users_of(found)))


class SourceLifecycle(_Kept, SourceRows):
    """Of a source."""

    needs = {"PUT": "catalog.change_source"}

    @described(
        "moveSource",
        "Retire a source or bring it back",
        "`retired`: it is offered no more; events that it still sends are taken as before. `active` takes that back, "
        "while its bus is in use. Asked for again, it changes nothing.",
        tag=TAG,
        takes=[place("slug", "Its slug."), IF_MATCH],
        asks=_asks(),
        example={"lifecycle": "retired"},
        answers={200: (shapes.ref("Source"), "The source as it is now.")},
        answer=SOURCE | {"retired_at": THEN},
        refuses=[404, 412],
    )
    def put(self, request: Request, slug: str) -> Response:
        """Moves a source to another state."""
        found = self.one(request, slug=slug)
        return self.move(request, found, (retiring.restore_source, retiring.retire_source))
