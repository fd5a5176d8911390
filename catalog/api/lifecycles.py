"""The life of event types and of their versions: what still uses them, and moving them on or back."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import lifecycle as life
from catalog.api import filling, shapes, shown
from catalog.api.access import check_owner
from catalog.api.asking import Members
from catalog.api.describing import IF_MATCH, described, place
from catalog.api.event_types import NAME, ORDER_PLACED, found_type
from catalog.api.operation import READS, Operation, check_unchanged, parameters, shows
from catalog.api.problem import Missing
from catalog.api.versions import VERSION
from catalog.forms.lifecycle import FarewellForm, InsteadForm, NameForm
from catalog.models import EventType, Lifecycle, SchemaVersion

TAG = "Lifecycle"
CHANGES = "catalog.change_eventtype"
STATES = (Lifecycle.ACTIVE, Lifecycle.DEPRECATED, Lifecycle.RETIRED)
CONFIRM = "Its name, which is needed to retire what is still in use."
LIFE = {
    "lifecycle": "active",
    "may_become": ["deprecated"],
    "events_a_day": 1204,
    "events_by_version": [{"version": 1, "events": 1204}],
    "subscriptions": 3,
    "sentence": "3 subscriptions, 1,204 events a day still use it",
}


def _told(event_type: EventType) -> dict[str, Any]:
    ready = life.readiness(event_type)
    return {
        "lifecycle": event_type.lifecycle,
        "may_become": [str(one) for one in life.MOVES[event_type.lifecycle]],
        "events_a_day": ready.day,
        "events_by_version": [
            {"version": number or None, "events": events} for number, events in sorted(ready.versions.items())
        ],
        "subscriptions": ready.subscriptions,
        "sentence": ready.sentence,
    }


def _check_name(asked: Members, name: str) -> None:
    """Raises Invalid unless the request confirms by `name`, which is empty when nothing has to be confirmed."""
    form = NameForm({"confirm": asked.text("confirm")}, name=name)
    filling.check(asked, form)


class TypeLifecycle(Operation):
    """Of a type."""

    needs = {"GET": READS, "PUT": CHANGES}

    @described(
        "getLifecycle",
        "Show what still uses an event type",
        "Its state, where it may go from there, and how many events and subscriptions there are.",
        tag=TAG,
        takes=[NAME],
        answers={
            200: (
                shapes.record(
                    lifecycle=shapes.one_of(Lifecycle.values),
                    may_become=shapes.many(shapes.one_of(Lifecycle.values)),
                    events_a_day=shapes.number("In the last 24 hours."),
                    events_by_version=shapes.many(
                        shapes.record(
                            version=shapes.maybe(shapes.number("Null for events that fit none.")),
                            events=shapes.number(),
                        )
                    ),
                    subscriptions=shapes.number("Rules that take it."),
                    sentence=shapes.text(),
                ),
                "Its state and its use.",
            )
        },
        answer=LIFE,
        refuses=[404],
    )
    def get(self, request: Request, name: str) -> Response:
        """The state and the use of a type."""
        parameters(request)
        return Response(_told(found_type(request, name)))

    @described(
        "moveEventType",
        "Deprecate, retire or take back an event type",
        "For its owners. `deprecated` announces an end: publishers are told with every event; sent again, it mends what "
        "was announced. `retired` refuses its events from now on. `active` takes either back.",
        tag=TAG,
        takes=[NAME, IF_MATCH],
        asks={
            "type": "object",
            "properties": {
                "lifecycle": shapes.one_of(STATES),
                **filling.members(FarewellForm)["properties"],
                "confirm": shapes.text(CONFIRM),
            },
            "required": ["lifecycle"],
            "additionalProperties": False,
        },
        example={
            "lifecycle": "deprecated",
            "ends_on": "2027-01-31",
            "successor": "order.bought",
            "words": "order.bought says who bought, too.",
        },
        answers={200: (shapes.ref("EventType"), "The type as it is now.")},
        answer=ORDER_PLACED
        | {
            "lifecycle": "deprecated",
            "deprecated_at": "2026-11-01T09:30:00.000Z",
            "ends_on": "2027-01-31",
            "successor": "order.bought",
            "farewell": "order.bought says who bought, too.",
        },
        refuses=[404, 412],
    )
    def put(self, request: Request, name: str) -> Response:
        """Moves a type to another state."""
        parameters(request)
        fields = FarewellForm.base_fields
        asked = Members(request, ("lifecycle", *fields, "confirm"))
        found = found_type(request, name)
        check_owner(request, found.team, CHANGES)
        check_unchanged(request, shown.event_type(found))
        to = _state(asked, (*fields, "confirm"))
        try:
            if to == Lifecycle.DEPRECATED:
                form = FarewellForm(
                    {**filling.stored(FarewellForm(event_type=found)), **filling.content(asked, fields)},
                    event_type=found,
                )
                filling.check(asked, form)
                life.deprecate(found, form.farewell(), request.user)
            elif to != found.lifecycle:
                if to == Lifecycle.RETIRED:
                    _check_name(asked, found.name if life.readiness(found).used else "")
                (life.retire if to == Lifecycle.RETIRED else life.activate)(found, request.user)
        except life.NotPossible as error:
            raise filling.refused(str(error), "/lifecycle") from None
        return shows(request, shown.event_type(found_type(request, name)))


def _state(asked: Members, farewell: tuple[str, ...]) -> str:
    """The state that was asked for. Raises Invalid, also for what belongs to another state."""
    if "lifecycle" not in asked:
        asked.wrong("/lifecycle", _("This is one of %(choices)s.") % {"choices": ", ".join(STATES)})
        asked.check()
    to = asked.choice("lifecycle", map(str, STATES), str(Lifecycle.ACTIVE))
    for name in farewell:
        belongs = Lifecycle.RETIRED if name == "confirm" else Lifecycle.DEPRECATED
        if name in asked and to != belongs:
            asked.wrong(f"/{name}", _("This belongs to the state %(state)s.") % {"state": belongs.value})
    asked.check()
    return to


class VersionLifecycle(Operation):
    """Of a version."""

    needs = {"PUT": CHANGES}

    @described(
        "moveVersion",
        "Deprecate, retire or take back a version",
        "For owners of the type. `deprecated` may say the last day in `ends_on`, and mends it when it is sent again. When "
        "the version counts for events that name none, `instead` says which one counts "
        "from now on.",
        tag=TAG,
        takes=[NAME, place("number", "Its number.", whole=True), IF_MATCH],
        asks={
            "type": "object",
            "properties": {
                "lifecycle": shapes.one_of(STATES),
                "ends_on": filling.members(InsteadForm)["properties"]["ends_on"],
                "instead": shapes.number("The number of the version that counts for events that name none."),
                "confirm": shapes.text(CONFIRM),
            },
            "required": ["lifecycle"],
            "additionalProperties": False,
        },
        example={"lifecycle": "deprecated", "ends_on": "2027-01-31", "instead": 2},
        answers={200: (shapes.ref("Version"), "The version as it is now.")},
        answer=VERSION | {"lifecycle": "deprecated", "ends_on": "2027-01-31"},
        refuses=[404, 412],
    )
    def put(self, request: Request, name: str, number: int) -> Response:
        """Moves a version to another state."""
        parameters(request)
        asked = Members(request, ("lifecycle", "ends_on", "instead", "confirm"))
        event_type = found_type(request, name)
        found = _version(event_type, number)
        if found is None:
            raise Missing(
                _("“%(name)s” has no version %(number)s.") % {"name": name, "number": str(number)[:20]}
            )
        check_owner(request, event_type.team, CHANGES)
        check_unchanged(request, shown.version(found))
        to = _state(asked, ("confirm", "ends_on"))
        instead = None
        if "instead" in asked:
            chosen = asked.number("instead", 2**31 - 1)
            instead = _version(event_type, chosen) if chosen else None
            if chosen and instead is None:
                asked.wrong("/instead", _("There is no version %(number)s.") % {"number": chosen})
        asked.check()
        ends_on = _last_day(asked, found)
        if to != found.lifecycle or ends_on != found.ends_on:
            if to == Lifecycle.RETIRED:
                used = life.readiness(event_type).versions.get(found.number, 0)
                _check_name(asked, event_type.name if used else "")
            try:
                life.move_version(found, to, request.user, instead, ends_on)
            except life.NotPossible as error:
                raise filling.refused(str(error), "/lifecycle") from None
        return shows(request, shown.version(found))


def _last_day(asked: Members, version: SchemaVersion) -> date | None:
    """The last day that was said of `version`, else what was announced before. Raises Invalid."""
    if "ends_on" not in asked:
        return version.ends_on
    fields = {"ends_on": InsteadForm.base_fields["ends_on"]}
    form = InsteadForm(filling.content(asked, fields), others=[], version=version, needed=False)
    filling.check(asked, form)
    day: date | None = form.cleaned_data["ends_on"]
    return day


def _version(event_type: EventType, number: int) -> SchemaVersion | None:
    if number >= 2**31:
        return None
    return event_type.versions.select_related("event_type").filter(number=number).first()
