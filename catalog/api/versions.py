"""Schema versions of an event type: list, show, register with a verdict."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from catalog import comparing
from catalog.api import filling, shapes, shown
from catalog.api.asking import Members
from catalog.api.describing import DRY, IF_NONE_MATCH, PAGED, described, place
from catalog.api.event_types import NAME, SCHEMA, found_type, same_json
from catalog.api.operation import PAGING, READS, Operation, is_dry, listed, parameters, shows
from catalog.api.owners import page
from catalog.api.problem import Conflict, Missing, Place
from catalog.forms.event_types import VersionForm

TAG = "Versions"
SUMMARY = {
    "number": 1,
    "notes": "",
    "origin": "",
    "lifecycle": "active",
    "ends_on": None,
    "outcome": None,
    "override": "",
    "digest": "9f2c6f0b7b9f4a2f1d0e6c5b4a39281706f5e4d3c2b1a0998877665544332211",
    "created_at": "2026-03-01T09:30:00.000Z",
    "dataschema": "/schemas/order.placed/1",
}
VERSION = SUMMARY | {
    "schema": SCHEMA,
    "example": {"order_id": "order-1", "total": 12.5},
    "examples": [],
    "verdict": None,
}
NEXT = {**SCHEMA, "properties": {**SCHEMA["properties"], "gift": {"type": "boolean"}}}  # type: ignore[dict-item]
VERDICT = {
    "outcome": "compatible",
    "mode": "forward",
    "policy": "evolution",
    "against": [1],
    "accepted": True,
    "breaks": [],
    "undecided": [],
    "hints": [],
    "more": 0,
}
REQUEST = {
    "schema": NEXT,
    "example": {"order_id": "order-1", "total": 12.5, "gift": True},
    "notes": "Gifts are told.",
}


class Versions(Operation):
    """All versions of one event type."""

    needs = {"GET": READS, "POST": "catalog.add_schemaversion"}

    @described(
        "listVersions",
        "List the versions of an event type",
        "The newest first, without their schemas.",
        tag=TAG,
        takes=[NAME, *PAGED],
        answers={200: (shapes.page_of("VersionSummary"), "A page of versions.")},
        answer=page(SUMMARY),
        refuses=[404, 422],
    )
    def get(self, request: Request, name: str) -> Response:
        """A page of versions."""
        parameters(request, *PAGING)
        rows = found_type(request, name).versions.select_related("event_type")
        return listed(request, rows, shown.versions, "-number")

    @described(
        "registerVersion",
        "Register the next version",
        "It is judged against the versions before it by what the type promises. One that breaks the promise is refused "
        "with the verdict, unless an owner of the type says in `override` why it is registered all the same. A request "
        "with the schema of the newest version answers 200 and changes nothing.",
        tag=TAG,
        takes=[NAME, DRY],
        asks=filling.members(VersionForm),
        example=REQUEST,
        answers={
            201: (shapes.ref("Version"), "It is registered."),
            200: (
                {"anyOf": [shapes.ref("Version"), shapes.ref("DryRun")]},
                "The newest version has this schema; or what dry_run=1 found.",
            ),
        },
        answer=VERSION
        | {
            "number": 2,
            "notes": "Gifts are told.",
            "outcome": "compatible",
            "dataschema": "/schemas/order.placed/2",
            "schema": NEXT,
            "example": REQUEST["example"],
            "verdict": VERDICT,
        },
        refuses=[404, 409],
    )
    def post(self, request: Request, name: str) -> Response:
        """Registers the next version."""
        dry = is_dry(request)
        fields = filling.fields_of(VersionForm)
        asked = Members(request, fields)
        event_type = found_type(request, name)
        data = filling.content(asked, fields)
        last = event_type.latest
        if (
            last is not None
            and isinstance(data.get("schema"), str)
            and same_json(data["schema"], last.schema)
        ):
            asked.check()
            if dry:
                return Response({"dry_run": True, "would": "nothing", "number": None, "verdict": None})
            return shows(request, shown.version(last))
        if "personal" in data:
            data["personal_shown"] = "1"
        form = VersionForm(data, event_type=event_type, user=request.user)
        form.is_valid()
        told = self._told(form, asked)
        filling.check(asked, form, **({"verdict": told} if told is not None else {}))
        if dry:
            number = (last.number if last else 0) + 1
            return Response({"dry_run": True, "would": "register", "number": number, "verdict": told})
        try:
            saved = form.save()
        except IntegrityError:
            raise Conflict(Place(_("Somebody registered a version just now. Read it first."), "")) from None
        row = shown.version(saved)
        return shows(request, row, 201, Location=f"/api/v1/event-types/{name}/versions/{saved.number}")

    @staticmethod
    def _told(form: VersionForm, asked: Members) -> dict[str, Any] | None:
        """The verdict as JSON, None without one; what breaks is noted when the form refuses it for that."""
        if form.judgement is None:
            return None
        told = comparing.verdict(form.judgement, str(form.data["schema"]))
        for one in told["breaks"] if form.errors else ():
            here = one["pointer"] if one["direction"] == "backward" else ""
            asked.wrong(f"/schema{here}", one["message"], one["line"])
        return told


class OneVersion(Operation):
    """One version."""

    needs = READS

    @described(
        "getVersion",
        "Show a version",
        "With its schema, its examples and the verdict it was registered with.",
        tag=TAG,
        takes=[NAME, place("number", "Its number.", whole=True), IF_NONE_MATCH],
        answers={200: (shapes.ref("Version"), "The version.")},
        answer=VERSION,
        refuses=[404],
    )
    def get(self, request: Request, name: str, number: int) -> Response:
        """A version."""
        versions = found_type(request, name).versions.select_related("event_type")
        found = versions.filter(number=number).first() if number < 2**31 else None
        if found is None:
            raise Missing(
                _("“%(name)s” has no version %(number)s.") % {"name": name, "number": str(number)[:20]}
            )
        return shows(request, shown.version(found))
