"""What all operations of the API share."""

from __future__ import annotations

from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.access import SIGNED_IN
from rules.api.reading import JsonText


class Operation(APIView):
    """One operation. `needs` names the permission: without it, nobody may call it."""

    needs: str | None = None
    parser_classes = [JsonText]


class Elsewhere(Operation):
    """Whatever else is asked of the API: 404 as a problem document, not as a page."""

    needs = SIGNED_IN

    def dispatch_nothing(self, request: Request, rest: str) -> Response:
        """Raises NotFound."""
        raise NotFound

    get = post = put = patch = delete = dispatch_nothing
