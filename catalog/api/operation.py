"""What all operations of the API share: who may call them, pages of a list, and versions of what they show."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.utils.http import parse_etags, quote_etag
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.access import SIGNED_IN
from catalog.api.asking import JsonText
from catalog.api.problem import Invalid, Place, Stale

READS = "catalog.view_eventtype"
PAGE, LONGEST_PAGE = 50, 200
PAGING = ("limit", "cursor")
NO_CURSOR = _lazy("This cursor is none of ours. Take it from “next” of the page before.")

Row = TypeVar("Row", bound=Model)


class Operation(APIView):
    """The operations of one address. `needs` names their permission, or one for each method; without, nobody may call."""

    needs: str | Mapping[str, str] | None = None
    parser_classes = [JsonText]


class Elsewhere(Operation):
    """Whatever else is asked of the API: 404 as a problem document, not as a page."""

    needs = SIGNED_IN
    schema = None

    def dispatch_nothing(self, request: Request, rest: str) -> Response:
        """Raises NotFound."""
        raise NotFound

    get = post = put = patch = delete = dispatch_nothing


def parameters(request: Request, *known: str) -> dict[str, str]:
    """The parameters of the address. Raises Invalid for those that are not `known`, as with members of a body."""
    wrong = [
        Place(
            _("The parameter “%(name)s” means nothing here. %(known)s")
            % {
                "name": name,
                "known": _("There are: %(known)s.") % {"known": ", ".join(known)}
                if known
                else _("There are none."),
            },
            "",
        )
        for name in request.query_params
        if name not in known
    ]
    wrong += [
        Place(_("The parameter “%(name)s” holds a character that no text has.") % {"name": name}, "")
        for name, value in request.query_params.items()
        if "\0" in value
    ]
    if wrong:
        raise Invalid(*wrong)
    return {name: str(request.query_params[name]) for name in request.query_params}


def is_dry(request: Request) -> bool:
    """Whether `?dry_run=1` asks to check everything and to save nothing. Raises Invalid."""
    said = parameters(request, "dry_run").get("dry_run", "0")
    if said not in ("0", "1", "true", "false"):
        raise Invalid(Place(_("dry_run is 1 or 0."), ""))
    return said in ("1", "true")


def listed(
    request: Request,
    rows: QuerySet[Row],
    shown: Callable[[Sequence[Row]], list[dict[str, Any]]],
    *order: str,
) -> Response:
    """One page of `rows`, ordered by the fields `order` (the last one tells any two apart; `-` before it: downwards).

    `?limit=` rows from `?cursor=` on. The answer has `items` and `next`, the address of the page after it or null.
    Raises Invalid.
    """
    asked = request.query_params
    limit = page_limit(asked)
    names = [name.removeprefix("-") for name in order]
    if "cursor" in asked:
        try:
            rows = rows.filter(_after(order, _opened(asked["cursor"], len(order))))
        except (ValueError, TypeError, ValidationError):
            raise Invalid(Place(str(NO_CURSOR), "")) from None
    found = list(rows.order_by(*order)[: limit + 1])
    following = None
    if len(found) > limit:
        found = found[:limit]
        query = asked.copy()
        query["cursor"] = _closed([getattr(found[-1], name) for name in names])
        following = f"{request.path}?{query.urlencode()}"
    response = Response({"items": shown(found), "next": following})
    if following:
        response["Link"] = f'<{following}>; rel="next"'
    return response


def page_limit(asked: Mapping[str, str]) -> int:
    """How many rows a page is to have. Raises Invalid."""
    text = asked.get("limit", str(PAGE))
    limit = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if not 1 <= limit <= LONGEST_PAGE:
        raise Invalid(Place(_("limit is a number from 1 to %(most)s.") % {"most": LONGEST_PAGE}, ""))
    return limit


def _after(order: Sequence[str], values: Sequence[Any]) -> Q:
    """Rows that come after the one with `values` in these fields."""
    found = Q()
    for at, name in enumerate(order):
        way = "lt" if name.startswith("-") else "gt"
        same = {one.removeprefix("-"): value for one, value in zip(order[:at], values, strict=False)}
        found |= Q(**same, **{f"{name.removeprefix('-')}__{way}": values[at]})
    return found


def _closed(values: list[Any]) -> str:
    text = json.dumps(values, ensure_ascii=False, default=str, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _opened(cursor: str, count: int) -> list[Any]:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, list) or len(values) != count:
        raise ValueError
    if not all(_is_plain(one) for one in values):
        raise ValueError
    return list(values)


def _is_plain(value: Any) -> bool:
    return (type(value) is int and abs(value) < 2**63) or (isinstance(value, str) and "\0" not in value)


def etag_of(value: Any) -> str:
    """The ETag of what an operation shows."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return quote_etag(hashlib.sha256(text.encode()).hexdigest()[:32])


def shows(request: Request, value: dict[str, Any], status: int = 200, **headers: str) -> Response:
    """The answer that shows `value`, with its ETag; 304 when the one who asks has it."""
    etag = etag_of(value)
    if request.method in ("GET", "HEAD") and etag in parse_etags(request.headers.get("If-None-Match", "")):
        return Response(status=304, headers={"ETag": etag})
    return Response(value, status=status, headers={"ETag": etag, **headers})


def check_unchanged(request: Request, value: dict[str, Any]) -> None:
    """Raises Stale when an If-Match header names another state than that of `value`."""
    wanted = request.headers.get("If-Match")
    if wanted is not None and wanted.strip() != "*" and etag_of(value) not in parse_etags(wanted):
        raise Stale(etag_of(value))
