"""`transforms:preview`: what a transform would send for an event."""

from __future__ import annotations

import base64
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from rules.api.operation import Operation
from rules.api.reading import Asked
from rules.engine import TransformError


class PreviewTransform(Operation):
    """POST transforms:preview: the body and content type, and what is wrong with them for this event."""

    needs = "rules.view_rule"

    def post(self, request: Request) -> Response:
        """`transform` with `event` or `seq`."""
        asked = Asked(request, ("transform", "event", "seq"))
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
        return Response(answer)


def _body(body: bytes) -> dict[str, str]:
    """The body as text, or in base64 under another name when it is no UTF-8."""
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}
