"""`transforms:preview`: what a transform would send for an event. `transforms:convert`: one of another event bus, as ours."""

from __future__ import annotations

import base64
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.api.operation import Operation
from catalog.api.problem import Invalid
from rules.api.described import converts_transform, previews_transform
from rules.api.reading import Asked
from rules.engine import Event, Transform, TransformError
from rules.engine.imported_transforms import from_alibaba, from_aws, imported
from rules.engine.json_path import Reading
from rules.engine.transform import FOREIGN
from rules.fields import fields_of
from rules.reading import reads_of
from rules.unknown_fields import misread


class PreviewTransform(Operation):
    """POST transforms:preview: the body and content type, and what is wrong with them for this event."""

    needs = "rules.view_rule"

    @previews_transform
    def post(self, request: Request) -> Response:
        """`transform` with `event` or `seq`."""
        foreign = _("This belongs to another event bus: convert it first, with transforms:convert.")
        asked = Asked(request, ("transform", "event", "seq"), dict.fromkeys(FOREIGN, foreign))
        compiled = asked.transform()
        found = asked.one_event()
        asked.check()
        assert compiled is not None
        assert found is not None
        answer: dict[str, Any] = {
            "content_type": compiled.content_type,
            "whole": compiled.whole,
            "problems": [],
        }
        try:
            output = compiled.apply(found.event)
        except TransformError as error:
            answer |= {"body": None, "problems": [{"detail": error.message}]}
        else:
            answer |= {"content_type": output.content_type, **_body(output.body)}
            if compiled.not_json is not None:
                answer["problems"].append(
                    {
                        "detail": _("It is sent as text, for it is not JSON: %(why)s")
                        % {"why": compiled.not_json}
                    }
                )
            answer["problems"] += _misread(asked.value("transform"), compiled, found.event)
        return Response(answer)


class ConvertTransform(Operation):
    """POST transforms:convert: the transform of another event bus as ours, with notes where it does something else."""

    needs = "rules.view_rule"

    @converts_transform
    def post(self, request: Request) -> Response:
        """`aws`: Input, InputPath, or InputPathsMap and InputTemplate; or `alibaba`: form, value and template."""
        asked = Asked(request, ("aws", "alibaba"))
        which = asked.only_one("aws", "alibaba")
        asked.check()
        assert which is not None
        written = asked.value(which)
        if not isinstance(written, dict):
            asked.wrong(f"/{which}", _("This is an object, as the other bus has it."))
            asked.check()
        try:
            # A target that names no input sends the whole event; a misspelt one would too.
            found = (
                from_alibaba(written)
                if which == "alibaba"
                else from_aws(written)
                if not written or "Arn" in written
                else imported(written)
            )
        except TransformError as error:
            asked.wrong(f"/{which}{error.pointer}", error.message)
            raise Invalid(*asked.problems) from None
        return Response({"transform": found.spec, "notes": list(found.notes)})


def _misread(spec: Any, compiled: Transform, event: Event) -> list[dict[str, str]]:
    """What it reads that the event lacks and no schema of its type knows, as the console warns of it."""
    reading = Reading(event)
    lacking = [one.path for one in reads_of(spec, compiled) if not one.is_in(reading)]
    fields = fields_of([str(event.attributes["type"])]) if lacking and "type" in event.attributes else []
    told = []
    for path, meant in misread(lacking, fields, [event]):
        detail = _("%(path)s is not in this event, and in no schema of its type.") % {"path": path}
        if meant:
            detail += " " + _("Did you mean %(meant)s?") % {"meant": meant}
        told.append({"detail": detail})
    return told


def _body(body: bytes) -> dict[str, str]:
    """The body as text, or in base64 under another name when it is no UTF-8."""
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}
