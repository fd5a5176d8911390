"""How the API refuses: problem documents (RFC 9457) that name every place at fault."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from rest_framework import exceptions, status
from rest_framework.response import Response

from catalog import problems

logger = logging.getLogger(__name__)

# The kind and title of a problem by its status, for what is said by the status alone.
KINDS = {
    400: ("malformed", "Not a valid request"),
    401: ("unauthenticated", "No valid token or session"),
    403: ("forbidden", "Not allowed"),
    404: ("not-found", "Not found"),
    405: ("method", "Method not allowed"),
    406: ("not-acceptable", "No such form of answer"),
    409: ("conflict", "It is there already, and differs"),
    412: ("stale", "It was changed meanwhile"),
    413: ("too-large", "Too large"),
    415: ("content-type", "Content type not known"),
    422: ("invalid", "Not understood"),
    500: ("failed", "Something went wrong here"),
}


# What to do, where DRF only says what is not so.
_ADVICE: tuple[tuple[type[exceptions.APIException], Any], ...] = (
    (
        exceptions.NotAuthenticated,
        _lazy("Send `Authorization: Bearer <token>` with a token that may read, or sign in."),
    ),
    (exceptions.NotFound, _lazy("There is no such operation. /api/v1/docs/ lists them.")),
    (exceptions.UnsupportedMediaType, _lazy("Send JSON, with `Content-Type: application/json`.")),
)


class Place(NamedTuple):
    """One thing wrong. `pointer` (RFC 6901) leads to it in the request; `line` and `column`, from 1, count inside the
    text that it leads to or lies in."""

    detail: str
    pointer: str
    line: int | None = None
    column: int | None = None

    def members(self) -> dict[str, Any]:
        """Its members that are known."""
        return {name: value for name, value in self._asdict().items() if value is not None}


class Missing(exceptions.APIException):
    """What an address names is not there, or this token may not see it: 404."""

    status_code = status.HTTP_404_NOT_FOUND


class Stale(exceptions.APIException):
    """It is not as the If-Match header says any more: 412, with its ETag now."""

    status_code = status.HTTP_412_PRECONDITION_FAILED

    def __init__(self, now: str) -> None:
        super().__init__(
            _("It was changed since you read it. Read it again, and send its ETag as it is now in If-Match.")
        )
        self.now = now


class Malformed(exceptions.APIException):
    """The request is no JSON object: 400, with line and column."""

    status_code = status.HTTP_400_BAD_REQUEST

    def __init__(self, detail: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(detail)
        self.line, self.column = line, column


class TooLarge(exceptions.APIException):
    """The request is larger than what is looked at: 413."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE


class Invalid(exceptions.APIException):
    """Parts of the request are not what they should be: 422, with every place."""

    status_code: int = status.HTTP_422_UNPROCESSABLE_ENTITY

    def __init__(self, *places: Place, **extra: Any) -> None:
        """`extra`: further members of the problem document."""
        first = places[0]
        where = ", ".join(
            [
                first.pointer or _("the request"),
                *([_("line %(line)d") % {"line": first.line}] if first.line else []),
                *([_("column %(column)d") % {"column": first.column}] if first.column else []),
            ]
        )
        super().__init__(f"{where}: {first.detail}")
        self.places: Sequence[Place] = places
        self.extra = extra


class Conflict(Invalid):
    """Something of this name is there already and differs in these places: 409."""

    status_code = status.HTTP_409_CONFLICT


def answer(error: Exception, context: dict[str, Any]) -> Response:
    """The answer for whatever an operation raised (DRF's EXCEPTION_HANDLER)."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if not isinstance(error, exceptions.APIException):
        logger.error("An operation of the API failed.", exc_info=error)
        error = exceptions.APIException(_("The server's log says more. Nothing was changed."))
    detail = str(error.detail)
    headers = {}
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        headers["WWW-Authenticate"] = 'Bearer realm="signalbox"'
    if isinstance(error, exceptions.MethodNotAllowed):
        view = context["view"]
        headers["Allow"] = ", ".join(view.allowed_methods)
        methods = [name for name in view.allowed_methods if name != "OPTIONS"]
        detail = _("This is called with %(methods)s.") % {"methods": ", ".join(methods)}
    if isinstance(error, Stale):
        headers["ETag"] = error.now
    for refusal, advice in _ADVICE:
        if isinstance(error, refusal):
            detail = str(advice)
    kind, title = KINDS.get(error.status_code, KINDS[400])
    extra: dict[str, Any] = {}
    if isinstance(error, Malformed):
        extra = {"line": error.line, "column": error.column}
    elif isinstance(error, Invalid):
        extra = {"errors": [place.members() for place in error.places], **error.extra}
    return Response(
        problems.document(error.status_code, kind, title, detail, **extra),
        status=error.status_code,
        headers=headers,
        content_type=problems.CONTENT_TYPE,
    )
